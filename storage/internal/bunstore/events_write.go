package bunstore

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// addEvents stores events of chats, but creations of messages, under the lock of their heads.
func addEvents(ctx context.Context, tx bun.Tx, events ...messaging.Event) error {
	if len(events) == 0 {
		return nil
	}
	rows := make(tuples, len(events))
	for i, e := range events {
		rows[i] = []any{e.ChatID, e.Seq, string(e.Type), micros(e.At), e.ActorID, e.MessageID, e.UserID, string(e.Role), string(e.Reason), cmp.Or(strings.Join(e.Fields, "\n"), e.Emoji)}
	}
	n, err := exec(ctx, tx, `INSERT INTO chat_events (chat_id, seq, type, at, actor_id, message_id, user_id, role, reason, detail) VALUES ?`, rows)
	return must(len(events), n, err)
}

// addUserEvents numbers events in their users' sequences and stores them. Events
// of one user get their numbers in the order given. The heads of users are locked
// last and in the order of their ids, so that writers cannot wait for each other in a ring.
func addUserEvents(ctx context.Context, tx bun.Tx, events []messaging.UserEvent) error {
	if len(events) == 0 {
		return nil
	}
	count := make(map[string]int64)
	for i := range events {
		count[events[i].UserID]++
	}
	heads := make(tuples, 0, len(count))
	for id, n := range count {
		heads = append(heads, []any{id, n})
	}
	slices.SortFunc(heads, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
	type head struct {
		UserID string
		Seq    int64
	}
	found, err := list[head](ctx, tx, `INSERT INTO user_heads AS h (user_id, seq) VALUES ?
		ON CONFLICT (user_id) DO UPDATE SET seq = h.seq + excluded.seq RETURNING user_id, seq`, heads)
	if err := must(len(count), len(found), err); err != nil {
		return err
	}
	last := make(map[string]int64, len(found))
	for _, h := range found {
		last[h.UserID] = h.Seq - count[h.UserID]
	}
	rows := make(tuples, len(events))
	for i := range events {
		e := &events[i]
		last[e.UserID]++
		e.Seq = last[e.UserID]
		rows[i] = []any{e.UserID, e.Seq, string(e.Type), micros(e.At), e.ChatID, e.MessageID, e.HeadSeq, e.DeliveredSeq, e.ReadSeq, e.Version, e.AboutID}
	}
	n, err := exec(ctx, tx, `INSERT INTO user_events (user_id, seq, type, at, chat_id, message_id, head_seq, delivered_seq, read_seq, version, about_id) VALUES ?`, rows)
	return must(len(events), n, err)
}
