package bunstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/internal/batch"
	"github.com/wigwag-chat/wigwag/messaging"
)

// The kinds of moves in the log.
const (
	moveDelivered = "delivered"
	moveRead      = "read"
)

// Mark implements messaging.Store.
func (c chats) Mark(ctx context.Context, items []messaging.Mark) ([]messaging.Marked, error) {
	jobs, refused := make([]job, 0, len(items)), map[int]error{}
	for i := range items {
		if err := valid(items[i]); err != nil {
			refused[i] = err
			continue
		}
		jobs = append(jobs, job{mark: &items[i]})
	}
	return answers(ctx, c.s, jobs,
		func(o outcome) messaging.Marked { return o.marked },
		func(err error) messaging.Marked { return messaging.Marked{Err: err} }, refused)
}

// moves is what the marks of a batch changed, to be stored.
type moves struct {
	spans  map[*spanRow]struct{}
	log    tuples
	events []messaging.UserEvent
	owners []int // the job of each event
}

// markAll moves the watermarks of a batch under the locked heads of their chats.
func markAll(ctx context.Context, tx bun.Tx, heads map[string]*chatRow, spans map[place]*spanRow, jobs []job, results []batch.Result[outcome]) (*moves, error) {
	mv := &moves{spans: make(map[*spanRow]struct{})}
	for i, j := range jobs {
		if j.mark == nil {
			continue
		}
		m, out := j.mark, &results[i].Value.marked
		head, span := heads[m.ChatID], spans[place{m.ChatID, m.UserID}]
		switch {
		case head == nil || span == nil:
			out.Err = messaging.ErrChatNotFound
			continue
		case !span.present():
			out.Err = messaging.ErrNotAMember
			continue
		case m.UpTo > head.HeadSeq:
			out.Err = messaging.ErrBeyondHead
			continue
		}
		delivered, read := m.UpTo > span.DeliveredSeq, m.Read && m.UpTo > span.ReadSeq
		if delivered {
			span.DeliveredSeq, span.ReachedDelivered = m.UpTo, m.UpTo
			mv.log = append(mv.log, []any{m.ChatID, m.UserID, moveDelivered, m.UpTo, micros(m.At)})
		}
		if read {
			span.ReadSeq, span.ReachedRead = m.UpTo, m.UpTo
			mv.log = append(mv.log, []any{m.ChatID, m.UserID, moveRead, m.UpTo, micros(m.At)})
			mv.events = append(mv.events, messaging.UserEvent{
				UserID: m.UserID, Type: messaging.OwnPosition, At: m.At, ChatID: m.ChatID,
				DeliveredSeq: span.DeliveredSeq, ReadSeq: span.ReadSeq, Version: head.ReceiptVersion + 1,
			})
			mv.owners = append(mv.owners, i)
		}
		if delivered || read {
			head.changed = true
			head.ReceiptVersion++
			span.MarkVersion = head.ReceiptVersion
			mv.spans[span] = struct{}{}
			out.Moved = true
		}
		out.Watermark = span.watermark()
	}
	return mv, mv.setOrdinals(ctx, tx)
}

// setOrdinals finds the ordinals of the new read marks.
func (mv *moves) setOrdinals(ctx context.Context, tx bun.Tx) error {
	if len(mv.events) == 0 {
		return nil
	}
	at := make(tuples, 0, len(mv.spans))
	for span := range mv.spans {
		at = append(at, []any{span.ChatID, span.UserID, span.ReadSeq})
	}
	type found struct {
		ChatID, UserID string
		Ordinal        int64
	}
	rows, err := list[found](ctx, tx, `WITH v (chat_id, user_id, seq) AS (VALUES ?)
		SELECT v.chat_id, v.user_id, COALESCE((SELECT g.ordinal FROM messages AS g
			WHERE g.chat_id = v.chat_id AND g.seq <= v.seq ORDER BY g.seq DESC LIMIT 1), 0) AS ordinal FROM v`, at)
	if err := must(len(at), len(rows), err); err != nil {
		return err
	}
	ordinals := make(map[place]int64, len(rows))
	for _, r := range rows {
		ordinals[place{r.ChatID, r.UserID}] = r.Ordinal
	}
	for span := range mv.spans {
		span.ReadOrdinal = ordinals[place{span.ChatID, span.UserID}]
	}
	return nil
}

// save stores the moves, and gives the events their numbers.
func (mv *moves) save(ctx context.Context, tx bun.Tx, results []batch.Result[outcome]) error {
	if len(mv.spans) == 0 {
		return nil
	}
	rows := make(tuples, 0, len(mv.spans))
	for s := range mv.spans {
		rows = append(rows, []any{s.ChatID, s.UserID, s.DeliveredSeq, s.ReadSeq, s.ReadOrdinal, s.MarkVersion, s.ReachedDelivered, s.ReachedRead})
	}
	// How far he ever came is kept in all spans of a user, the rest in the present one.
	touched, err := exec(ctx, tx, `WITH v (chat_id, user_id, delivered_seq, read_seq, read_ordinal, mark_version, reached_delivered, reached_read) AS (VALUES ?)
		UPDATE memberships SET
			delivered_seq = CASE WHEN left_seq = 0 THEN v.delivered_seq ELSE memberships.delivered_seq END,
			read_seq = CASE WHEN left_seq = 0 THEN v.read_seq ELSE memberships.read_seq END,
			read_ordinal = CASE WHEN left_seq = 0 THEN v.read_ordinal ELSE memberships.read_ordinal END,
			mark_version = CASE WHEN left_seq = 0 THEN v.mark_version ELSE memberships.mark_version END,
			reached_delivered = v.reached_delivered, reached_read = v.reached_read
		FROM v WHERE memberships.chat_id = v.chat_id AND memberships.user_id = v.user_id`, rows)
	if err != nil || touched < len(rows) {
		return must(len(rows), touched, err)
	}
	n, err := exec(ctx, tx, `INSERT INTO marks (chat_id, user_id, kind, up_to, at) VALUES ?`, mv.log)
	if err := must(len(mv.log), n, err); err != nil {
		return err
	}
	if err := addUserEvents(ctx, tx, mv.events); err != nil {
		return err
	}
	for i, owner := range mv.owners {
		results[owner].Value.marked.UserEvent = &mv.events[i]
	}
	return nil
}
