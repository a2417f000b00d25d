package bunstore

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

// lookups are the prepared statements of a page of history, of unread counts, and
// of where a user's chats stand and how far their members have come.
type lookups struct {
	member *Statement // of how many members somebody is one
	few    *Statement // spans of a small chat
	older  *Statement // messages below a place, from the nearest on
	newer  *Statement // above it
	spans  *Statement // of senders
	counts *Statement // of spans that are alike for all messages of a range
	unread *Statement // messages of users, in a chat and in all others
	stand  *Statement // the epoch, and the head of a user
	heads  *Statement // of a user's chats
	marks  *Statement // of the members of small chats

	reactions *Statement // to messages
}

func newLookups(d Dialect) *lookups {
	page := func(name, side, order string) *Statement {
		return d.statement(name, `WITH q AS (SELECT * FROM {v}) SELECT `+messageColumns+` FROM messages AS g
			WHERE (SELECT c.member_count <= q.most FROM q JOIN chats AS c ON c.id = q.chat_id)
				AND g.chat_id = (SELECT chat_id FROM q) AND g.seq `+side+` (SELECT seq FROM q)
				AND NOT EXISTS (SELECT 1 FROM hidden AS h WHERE h.user_id = (SELECT user_id FROM q) AND h.chat_id = g.chat_id AND h.seq = g.seq)
			ORDER BY g.seq `+order+` LIMIT (SELECT n FROM q) OFFSET (SELECT skip FROM q)`,
			slices.Concat(texts("chat_id", "user_id"), ints("seq", "n", "skip", "most"))...)
	}
	return &lookups{
		member: d.statement("member", `SELECT c.member_count FROM {v} JOIN memberships AS m
			ON m.user_id = v.user_id AND m.chat_id = v.chat_id AND m.left_seq = 0
			JOIN chats AS c ON c.id = v.chat_id`, texts("user_id", "chat_id")...),
		few: d.statement("few", `WITH q AS (SELECT * FROM {v}) SELECT m.user_id, m.joined_seq, m.left_seq, m.reached_delivered, m.reached_read
			FROM memberships AS m WHERE (SELECT c.member_count <= q.most FROM q JOIN chats AS c ON c.id = q.chat_id)
				AND m.chat_id = (SELECT chat_id FROM q) LIMIT (SELECT n FROM q)`, slices.Concat(texts("chat_id"), ints("most", "n"))...),
		older: page("older", "<", "DESC"),
		newer: page("newer", ">", "ASC"),
		spans: d.statement("spans_of", `SELECT m.user_id, m.joined_seq, m.left_seq, m.reached_delivered, m.reached_read
			FROM {v} JOIN memberships AS m ON m.chat_id = v.chat_id AND m.user_id = v.user_id`, texts("chat_id", "user_id")...),
		// What lies outside of the range is all the same, so that a page of a large
		// group costs one pass over its members, whatever the number of messages.
		counts: d.statement("counts", `SELECT
				CASE WHEN m.joined_seq < v.low THEN 0 ELSE m.joined_seq END,
				CASE WHEN m.left_seq > v.high THEN 0 ELSE m.left_seq END,
				CASE WHEN m.reached_delivered < v.low THEN 0 WHEN m.reached_delivered > v.high THEN v.high ELSE m.reached_delivered END,
				CASE WHEN m.reached_read < v.low THEN 0 WHEN m.reached_read > v.high THEN v.high ELSE m.reached_read END,
				COUNT(*)
			FROM {v} JOIN memberships AS m ON m.chat_id = v.chat_id
			WHERE m.joined_seq < v.high AND (m.left_seq = 0 OR m.left_seq > v.low)
			GROUP BY 1, 2, 3, 4`, slices.Concat(texts("chat_id"), ints("low", "high"))...),
		unread: d.statement("unread", `SELECT m.user_id, m.chat_id = v.chat_id, CAST(SUM(`+unreadOf+`) AS BIGINT)
			FROM {v} JOIN memberships AS m ON m.user_id = v.user_id AND m.left_seq = 0 JOIN chats AS c ON c.id = m.chat_id
			GROUP BY 1, 2`, texts("chat_id", "user_id")...),
		stand: d.statement("stand", `SELECT e.value, COALESCE(h.seq, 0)
			FROM {v} JOIN meta AS e ON e.name = v.name LEFT JOIN user_heads AS h ON h.user_id = v.user_id`, texts("name", "user_id")...),
		heads: d.statement("heads_of", `SELECT c.id, c.head_seq, c.receipt_version
			FROM {v} JOIN memberships AS m ON m.user_id = v.user_id AND m.left_seq = 0
			JOIN chats AS c ON c.id = m.chat_id ORDER BY c.id`, texts("user_id")...),
		marks: d.statement("marks_of", `SELECT m.chat_id, m.user_id, m.delivered_seq, m.read_seq, m.mark_version
			FROM {v} JOIN memberships AS own ON own.user_id = v.user_id AND own.chat_id = v.chat_id AND own.left_seq = 0
			JOIN chats AS c ON c.id = v.chat_id AND c.member_count <= v.most
			JOIN memberships AS m ON m.chat_id = v.chat_id AND m.left_seq = 0
			ORDER BY m.chat_id, m.user_id`, slices.Concat(texts("chat_id", "user_id"), ints("most"))...),
		reactions: d.statement("reactions_of", `SELECT r.message_id, r.emoji, COUNT(*), CAST(SUM(CASE WHEN r.user_id = v.user_id THEN 1 ELSE 0 END) AS BIGINT), MIN(r.at)
			FROM {v} JOIN reactions AS r ON r.message_id = v.message_id GROUP BY 1, 2 ORDER BY 5, 2`, texts("message_id", "user_id")...),
	}
}

func (l *lookups) all() []*Statement {
	return []*Statement{l.member, l.few, l.older, l.newer, l.spans, l.counts, l.unread, l.stand, l.heads, l.marks, l.reactions}
}

// smallChat is up to how many members, and of how many memberships, each is read with a page.
const (
	smallChat  = 64
	smallSpans = 256
)

// Messages implements messaging.Store: in one round trip, however many messages, and
// in three where the chat is large.
func (c chats) Messages(ctx context.Context, viewerID, chatID string, w messaging.Window) ([]messaging.StoredMessage, error) {
	if err := valid(viewerID, chatID); err != nil {
		return nil, err
	}
	l := c.s.lookups
	p := page{viewerID: viewerID, chatID: chatID, w: w}
	var spans []tallyRow
	err := c.s.look(ctx, func(ctx context.Context, pipe Pipe) error {
		spans = nil
		all := l.few.call(1, func(row Row) {
			spans = append(spans, tallyRow{UserID: row.Text(0), Joined: row.Int(1), LeftSeq: row.Int(2), Delivered: row.Int(3), Read: row.Int(4), Spans: 1})
		}).text(chatID).int(smallChat, smallSpans+1)
		if err := pipe.Run(ctx, true, append(p.calls(l, smallChat), all)...); err != nil {
			return err
		}
		return p.found()
	})
	switch {
	case err != nil:
		return nil, err
	case p.members <= smallChat && len(spans) <= smallSpans && len(p.reacted) == 0:
		for i := range p.out {
			for j := range spans {
				if spans[j].UserID != p.out[i].SenderID {
					spans[j].count(&p.out[i])
				}
			}
		}
	default:
		err = c.s.look(ctx, func(ctx context.Context, pipe Pipe) error {
			if err := pipe.Run(ctx, false, p.calls(l, math.MaxInt64)...); err != nil {
				return err
			}
			if err := p.found(); err != nil {
				return err
			}
			if err := p.react(ctx, pipe, l); err != nil {
				return err
			}
			return l.tally(ctx, pipe, chatID, p.out)
		})
	}
	if err != nil || len(p.out) == 0 {
		return nil, err
	}
	return p.out, nil
}

// page is a page of history being read.
type page struct {
	viewerID, chatID string
	w                messaging.Window

	members int64 // of the chat; 0: the viewer is none of them
	out     []messaging.StoredMessage
	reacted []string // ids of those messages that have reactions
}

// calls read who may, and the messages if the chat has at most most members.
func (p *page) calls(l *lookups, most int64) []*Call {
	p.members, p.out, p.reacted = 0, make([]messaging.StoredMessage, 0, p.w.Limit), nil
	part := func(st *Statement, seq int64, n, skip int) *Call {
		return st.call(1, func(row Row) {
			p.out = append(p.out, storedRow(row))
			if row.Bool(15) {
				p.reacted = append(p.reacted, row.Text(0))
			}
		}).
			text(p.chatID, p.viewerID).int(seq, int64(n), int64(skip), most)
	}
	calls := []*Call{l.member.call(1, func(row Row) { p.members = row.Int(0) }).text(p.viewerID, p.chatID)}
	switch w := p.w; {
	case w.Before > 0:
		return append(calls, part(l.older, w.Before, w.Limit, 0))
	case w.After > 0:
		return append(calls, part(l.newer, w.After, w.Limit, 0))
	case w.Around > 0:
		half := (w.Limit + 1) / 2
		return append(calls, part(l.older, w.Around+1, half, 0), part(l.newer, w.Around, w.Limit-half, 0))
	default:
		return append(calls, part(l.older, math.MaxInt64, w.Limit, w.Offset))
	}
}

// react reads the reactions to the messages that have any.
func (p *page) react(ctx context.Context, pipe Pipe, l *lookups) error {
	if len(p.reacted) == 0 {
		return nil
	}
	at := make(map[string]*messaging.StoredMessage, len(p.out))
	for i := range p.out {
		at[p.out[i].ID] = &p.out[i]
	}
	call := l.reactions.call(len(p.reacted), func(row Row) {
		m := at[row.Text(0)]
		m.Reactions = append(m.Reactions, messaging.ReactionCount{Emoji: row.Text(1), Count: int(row.Int(2)), Mine: row.Int(3) > 0})
	})
	for _, id := range p.reacted {
		call.text(id, p.viewerID)
	}
	return pipe.Run(ctx, false, call)
}

// found puts what was read in order, if it was the viewer's to read.
func (p *page) found() error {
	if p.members == 0 {
		return messaging.ErrChatNotFound
	}
	slices.SortFunc(p.out, func(a, b messaging.StoredMessage) int { return cmp.Compare(a.Seq, b.Seq) })
	return nil
}

// tally counts the recipients of messages of one chat, ascending, and ends the
// reading: all spans, less the senders' own.
func (l *lookups) tally(ctx context.Context, pipe Pipe, chatID string, messages []messaging.StoredMessage) error {
	if len(messages) == 0 {
		return nil
	}
	var alike []tallyRow
	senders := make([]string, 0, 2)
	for i := range messages {
		if id := messages[i].SenderID; !slices.Contains(senders, id) {
			senders = append(senders, id)
		}
	}
	counts := l.counts.call(1, func(row Row) {
		alike = append(alike, tallyRow{Joined: row.Int(0), LeftSeq: row.Int(1), Delivered: row.Int(2), Read: row.Int(3), Spans: int(row.Int(4))})
	}).text(chatID).int(messages[0].Seq, messages[len(messages)-1].Seq)
	own := make(map[string][]tallyRow, len(senders))
	spans := l.spans.call(len(senders), func(row Row) {
		id := row.Text(0)
		own[id] = append(own[id], tallyRow{Joined: row.Int(1), LeftSeq: row.Int(2), Delivered: row.Int(3), Read: row.Int(4), Spans: -1})
	})
	for _, id := range senders {
		spans.text(chatID, id)
	}
	if err := pipe.Run(ctx, true, counts, spans); err != nil {
		return err
	}
	for i := range messages {
		m := &messages[i]
		for j := range alike {
			alike[j].count(m)
		}
		for _, span := range own[m.SenderID] {
			span.count(m)
		}
	}
	return nil
}

func storedRow(row Row) messaging.StoredMessage {
	r := messageRow{
		ID: row.Text(0), ChatID: row.Text(1), Seq: row.Int(2), Ordinal: row.Int(3), SenderID: row.Text(4), ClientID: row.Text(5),
		Kind: messaging.MessageKind(row.Text(6)), KeyID: row.Text(7), Body: slices.Clone(row.Blob(8)), Revision: int(row.Int(9)),
		Digest: slices.Clone(row.Blob(10)), CreatedAt: row.Int(11), EditedAt: row.Int(12), Deleted: row.Bool(13), ReplyTo: row.Text(14),
	}
	return r.stored()
}

// look runs fn, which reads through a pipe, on one snapshot. fn may run several times.
func (s *Store) look(ctx context.Context, fn func(context.Context, Pipe) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	return s.public(ctx, s.retry(ctx, func() error {
		if s.dialect.Pipe == nil {
			return s.lookHere(ctx, fn)
		}
		conn, err := s.reader.DB.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		return s.dialect.Pipe(ctx, conn, true, func(p Pipe) error { return fn(ctx, s.watched(p)) })
	}))
}

// lookHere looks by database/sql.
func (s *Store) lookHere(ctx context.Context, fn func(context.Context, Pipe) error) error {
	for _, st := range s.lookups.all() {
		if _, ok := s.looking.Load(st); ok {
			continue
		}
		stmt, err := s.reader.DB.PrepareContext(ctx, st.Text)
		if err != nil {
			return err
		}
		if _, had := s.looking.LoadOrStore(st, stmt); had {
			_ = stmt.Close() //nolint:sqlclosecheck // another reader was quicker
		}
	}
	tx, err := s.reader.DB.BeginTx(ctx, s.dialect.Snapshot)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return fn(ctx, s.watched(&sqlPipe{tx: tx, prepared: func(st *Statement) *sql.Stmt {
		stmt, _ := s.looking.Load(st)
		return stmt.(*sql.Stmt)
	}}))
}
