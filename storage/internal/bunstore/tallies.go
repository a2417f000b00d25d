package bunstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// tallyRow is a number of spans that are alike for the messages asked for.
type tallyRow struct {
	ChatID    string
	UserID    string // of a sender; "" for everybody else
	Joined    int64
	LeftSeq   int64
	Delivered int64
	Read      int64
	Spans     int
}

func (r *tallyRow) count(m *messaging.StoredMessage) {
	if r.Joined >= m.Seq || r.LeftSeq != 0 && r.LeftSeq <= m.Seq || r.UserID == m.SenderID {
		return
	}
	m.Tally.Recipients += r.Spans
	if r.Delivered >= m.Seq {
		m.Tally.Delivered += r.Spans
	}
	if r.Read >= m.Seq {
		m.Tally.Read += r.Spans
	}
}

// fillTallies counts the recipients of messages of any chats in one statement.
// What lies outside of a chat's range of messages is all the same, so the
// database groups the spans, and a page of a large group costs one pass over its
// members, whatever the number of messages.
func fillTallies(ctx context.Context, db bun.IDB, messages []*messaging.StoredMessage) error {
	if len(messages) == 0 {
		return nil
	}
	type span struct{ low, high int64 }
	ranges := make(map[string]span)
	perChat := make(map[string][]*messaging.StoredMessage)
	senders := make([]string, 0, 1)
	seen := make(map[string]bool)
	for _, m := range messages {
		m.Tally = messaging.Tally{}
		r, ok := ranges[m.ChatID]
		if !ok {
			r = span{m.Seq, m.Seq}
		}
		ranges[m.ChatID] = span{min(r.low, m.Seq), max(r.high, m.Seq)}
		perChat[m.ChatID] = append(perChat[m.ChatID], m)
		if !seen[m.SenderID] {
			seen[m.SenderID] = true
			senders = append(senders, m.SenderID)
		}
	}
	keys := make(tuples, 0, len(ranges))
	for id, r := range ranges {
		keys = append(keys, []any{id, r.low, r.high})
	}
	rows, err := list[tallyRow](ctx, db, `WITH v (chat_id, low, high) AS (VALUES ?)
		SELECT m.chat_id AS chat_id,
			CASE WHEN m.user_id IN (?) THEN m.user_id ELSE '' END AS user_id,
			CASE WHEN m.joined_seq < v.low THEN 0 ELSE m.joined_seq END AS joined,
			CASE WHEN m.left_seq > v.high THEN 0 ELSE m.left_seq END AS left_seq,
			CASE WHEN m.reached_delivered < v.low THEN 0 WHEN m.reached_delivered > v.high THEN v.high ELSE m.reached_delivered END AS delivered,
			CASE WHEN m.reached_read < v.low THEN 0 WHEN m.reached_read > v.high THEN v.high ELSE m.reached_read END AS read,
			COUNT(*) AS spans
		FROM v JOIN memberships AS m ON m.chat_id = v.chat_id
		WHERE m.joined_seq < v.high AND (m.left_seq = 0 OR m.left_seq > v.low)
		GROUP BY 1, 2, 3, 4, 5, 6`, keys, bun.List(senders))
	if err != nil {
		return err
	}
	for i := range rows {
		for _, m := range perChat[rows[i].ChatID] {
			rows[i].count(m)
		}
	}
	return nil
}

// storedAll makes messages of rows, with their tallies, and their reactions as a viewer sees them.
func storedAll(ctx context.Context, db bun.IDB, viewerID string, rows []messageRow) ([]messaging.StoredMessage, error) {
	var out []messaging.StoredMessage
	if len(rows) > 0 {
		out = make([]messaging.StoredMessage, len(rows))
	}
	refs := make([]*messaging.StoredMessage, len(rows))
	var reacted []*messaging.StoredMessage
	for i := range rows {
		out[i] = rows[i].stored()
		refs[i] = &out[i]
		if rows[i].Reacted {
			reacted = append(reacted, &out[i])
		}
	}
	if err := fillReactions(ctx, db, viewerID, reacted); err != nil {
		return nil, err
	}
	return out, fillTallies(ctx, db, refs)
}
