package bunstore

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/internal/batch"
	"github.com/wigwag-chat/wigwag/messaging"
)

// place is one person in one chat.
type place struct{ chatID, userID string }

// point is one place in a chat's sequence.
type point struct {
	chatID string
	seq    int64
}

// headState is what a batch needs of a chat's head, and changes in it.
type headState struct {
	id             string
	changed        bool // by the batch
	seq, ordinal   int64
	receiptVersion int64
	lastMessageAt  int64
	activityAt     int64
	members        int
	restricted     bool  // only admins send
	slowMode       int64 // for the others

	oldSeq, oldOrdinal int64 // as they were read
}

// round is the messages and the marks of a batch, all chats together, on their
// way through one transaction: what they need is read under the locked heads of
// their chats, then everything is decided, then all that changes is written. It
// takes two round trips and at most ten statements, whatever the number of jobs. Item faults stand
// in results.
type round struct {
	*statements
	jobs    []job
	results []batch.Result[outcome]

	heads    map[string]*headState // nil: not read, or not there
	spans    map[place]*spanRow    // the newest of each; nil: not read, or there never was one
	names    map[name]*named
	ordinals map[point]int64

	trusting bool // senders' names are taken to be new
	doubt    bool // whether they are has come to matter

	writes   []*Call
	numbered map[point]*messaging.UserEvent // own positions, by chat and receipt version
	left     stamp                          // of the database after the writes
}

func newRound(st *statements, jobs []job, trusting bool) *round {
	r := &round{
		statements: st, jobs: jobs, results: make([]batch.Result[outcome], len(jobs)), trusting: trusting,
		heads: make(map[string]*headState, len(jobs)), spans: make(map[place]*spanRow, len(jobs)), names: make(map[name]*named, len(jobs)),
	}
	for _, j := range jobs {
		switch {
		case j.append != nil:
			r.heads[j.append.ChatID] = nil
			r.spans[place{j.append.ChatID, j.append.SenderID}] = nil
		case j.mark != nil:
			r.heads[j.mark.ChatID] = nil
			r.spans[place{j.mark.ChatID, j.mark.UserID}] = nil
		}
	}
	return r
}

// reads are the statements that tell what the jobs need to know.
func (r *round) reads() []*Call {
	names := r.statements.names.call(len(r.jobs), func(row Row) {
		r.names[name{row.Text(0), row.Text(1)}] = &named{id: row.Text(2), deleted: row.Bool(3), digest: slices.Clone(row.Blob(4))}
	})
	var marks []point
	for _, j := range r.jobs {
		switch {
		case j.append != nil && j.append.ClientID != "" && !r.trusting:
			names.text(j.append.SenderID, j.append.ClientID)
		case j.mark != nil && j.mark.Read:
			marks = append(marks, point{j.mark.ChatID, j.mark.UpTo})
		}
	}
	ids := make([]string, 0, len(r.heads))
	for id, h := range r.heads {
		if h == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	heads := r.statements.heads.call(len(ids), r.head).text(ids...)
	spans := r.statements.spans.call(len(r.spans), r.span)
	for p, span := range r.spans {
		if span == nil {
			spans.text(p.chatID, p.userID)
		}
	}
	ordinals := r.statements.ordinals.call(len(marks), func(row Row) { r.ordinals[point{row.Text(0), row.Int(1)}] = row.Int(2) })
	if len(marks) > 0 {
		r.ordinals = make(map[point]int64, len(marks))
		for _, p := range marks {
			ordinals.text(p.chatID).int(p.seq)
		}
	}
	return []*Call{heads, spans, names, ordinals}
}

func (r *round) head(row Row) {
	h := &headState{
		id: row.Text(0), seq: row.Int(1), ordinal: row.Int(2), members: int(row.Int(3)),
		receiptVersion: row.Int(4), lastMessageAt: row.Int(5), activityAt: row.Int(6),
		restricted: row.Bool(7), slowMode: row.Int(8),
	}
	h.oldSeq, h.oldOrdinal = h.seq, h.ordinal
	r.heads[h.id] = h
}

func (r *round) span(row Row) {
	s := &spanRow{
		ChatID: row.Text(0), UserID: row.Text(1), JoinedSeq: row.Int(2), LeftSeq: row.Int(3), DeliveredSeq: row.Int(4),
		ReadSeq: row.Int(5), ReadOrdinal: row.Int(6), MarkVersion: row.Int(7), ReachedDelivered: row.Int(8), ReachedRead: row.Int(9),
		Blocked: row.Bool(10), Manages: row.Bool(11), LastSent: row.Int(12),
	}
	if p := (place{s.ChatID, s.UserID}); r.spans[p] == nil || r.spans[p].JoinedSeq < s.JoinedSeq {
		r.spans[p] = s
	}
}

// decide gives out the numbers and returns the statements that write them.
func (r *round) decide() []*Call {
	messages := r.appendAll()
	marks := r.markAll()
	heads := r.saveHeads.call(len(r.heads), nil)
	for _, h := range r.heads {
		if h != nil && h.changed {
			heads.text(h.id).int(h.seq, h.ordinal, h.receiptVersion, h.lastMessageAt, h.activityAt)
		}
	}
	r.writes = append([]*Call{messages, heads}, marks...)
	return r.writes
}

// settle looks at what was written.
func (r *round) settle() error {
	for _, c := range r.writes {
		if c.Statement == r.saveSpans { // a user may have several
			c.Affected = min(c.Affected, c.Rows)
		}
		if err := c.wrote(); err != nil {
			return err
		}
	}
	return nil
}

// stands reports whether the sender or reader of a job may do anything in its chat.
func (r *round) stands(chatID, userID string) (*headState, *spanRow, error) {
	head, span := r.heads[chatID], r.spans[place{chatID, userID}]
	switch {
	case head == nil || span == nil:
		return nil, nil, messaging.ErrChatNotFound
	case !span.present():
		return nil, nil, messaging.ErrNotAMember
	}
	return head, span, nil
}

// permits tells whether a member may send a message now.
func (h *headState) permits(own *spanRow, at int64) error {
	switch {
	case own.Blocked:
		return messaging.ErrBlocked
	case own.Manages:
		return nil
	case h.restricted:
		return messaging.ErrSendRestricted
	}
	if wait := h.slowMode - (at - own.LastSent); h.slowMode > 0 && own.LastSent != 0 && wait > 0 {
		return messaging.ErrSlowMode.After(time.Duration(wait) * time.Microsecond)
	}
	return nil
}

// ordinal is that of the last message at or below a place, which is at most the
// head: above what was there before the batch stand the batch's messages alone.
func (r *round) ordinal(h *headState, seq int64) int64 {
	if seq > h.oldSeq {
		return h.oldOrdinal + seq - h.oldSeq
	}
	return r.ordinals[point{h.id, seq}]
}

// recall asks for the numbers of a round's own positions, which was committed
// though its answer is lost.
func (s *Store) recall(ctx context.Context, r *round) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opt.WriteTimeout) // as for what was committed
	defer cancel()
	for at, e := range r.numbered {
		err := s.retry(ctx, func() (err error) {
			e.Seq, err = find[int64](ctx, s.writer, errUnknown, `SELECT seq FROM user_events
				WHERE user_id = ? AND chat_id = ? AND version = ? ORDER BY seq DESC LIMIT 1`, e.UserID, at.chatID, at.seq)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// repeated fills in the messages that are told again, as they stand now.
func (s *Store) repeated(ctx context.Context, results []batch.Result[outcome]) {
	ids := make([]string, 0, 1)
	for i := range results {
		if id := results[i].Value.repeats; id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return
	}
	found := make(map[string]messaging.StoredMessage, len(ids))
	err := s.retry(ctx, func() error {
		return s.reader.RunInTx(ctx, s.dialect.Snapshot, func(ctx context.Context, tx bun.Tx) error {
			rows, err := list[messageRow](ctx, tx, `SELECT `+messageColumns+`, EXISTS (`+hiddenBySender+`) AS hidden
				FROM messages AS g WHERE g.id IN (?)`, bun.List(ids))
			if err != nil {
				return err
			}
			messages, err := storedAll(ctx, tx, "", rows)
			for i := range messages {
				if m := &messages[i]; err == nil && len(m.Reactions) > 0 {
					m.Reactions = nil
					err = fillReactions(ctx, tx, m.SenderID, []*messaging.StoredMessage{m})
				}
			}
			for _, m := range messages {
				found[m.ID] = m
			}
			return err
		})
	})
	for i := range results {
		if id := results[i].Value.repeats; id != "" {
			results[i].Value.appended.Message, results[i].Err = found[id], err
		}
	}
}

const hiddenBySender = `SELECT 1 FROM hidden AS h WHERE h.user_id = g.sender_id AND h.chat_id = g.chat_id AND h.seq = g.seq`
