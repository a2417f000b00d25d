package bunstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/internal/batch"
	"github.com/wigwag-chat/wigwag/messaging"
)

// chats is the port of package messaging.
type chats struct{ s *Store }

// headsOf locks the heads of chats, in the order of their ids. What depends on
// a head is read in later statements: on PostgreSQL those see what was
// committed before the lock was had.
func headsOf(ctx context.Context, tx bun.Tx, lock string, ids []string) (map[string]*chatRow, error) {
	rows, err := list[chatRow](ctx, tx, "SELECT "+chatColumns+" FROM chats AS c WHERE c.id IN (?) ORDER BY c.id"+lock, bun.List(ids))
	if err != nil {
		return nil, err
	}
	heads := make(map[string]*chatRow, len(rows))
	for i := range rows {
		heads[rows[i].ID] = &rows[i]
	}
	return heads, nil
}

// spansOf returns the newest span of each place; nil where there never was one.
func spansOf(ctx context.Context, db bun.IDB, places map[place]*spanRow) error {
	if len(places) == 0 {
		return nil
	}
	keys := make(tuples, 0, len(places))
	for p := range places {
		keys = append(keys, []any{p.chatID, p.userID})
	}
	rows, err := list[spanRow](ctx, db, `WITH v (chat_id, user_id) AS (VALUES ?) SELECT `+spanColumns+`
		FROM v JOIN memberships AS m ON m.chat_id = v.chat_id AND m.user_id = v.user_id ORDER BY m.joined_seq`, keys)
	for i := range rows {
		places[place{rows[i].ChatID, rows[i].UserID}] = &rows[i]
	}
	return err
}

// enter locks a chat for somebody who wants to change something in it, and
// returns its head and the newest spans of him and the others named: ErrChatNotFound
// for strangers, former for former members.
func (c chats) enter(ctx context.Context, tx bun.Tx, former error, chatID, userID string, others ...string) (*chatRow, map[string]*spanRow, error) {
	heads, err := headsOf(ctx, tx, c.s.dialect.Lock, []string{chatID})
	if err != nil {
		return nil, nil, err
	}
	head := heads[chatID]
	if head == nil {
		return nil, nil, messaging.ErrChatNotFound
	}
	places := map[place]*spanRow{{chatID, userID}: nil}
	for _, id := range others {
		places[place{chatID, id}] = nil
	}
	if err := spansOf(ctx, tx, places); err != nil {
		return nil, nil, err
	}
	spans := make(map[string]*spanRow, len(places))
	for p, span := range places {
		spans[p.userID] = span
	}
	switch own := spans[userID]; {
	case own == nil:
		return nil, nil, messaging.ErrChatNotFound
	case !own.present():
		return nil, nil, former
	}
	return head, spans, nil
}

// saveHead stores what an operation on one chat changes in its head.
func saveHead(ctx context.Context, tx bun.Tx, h *chatRow) error {
	n, err := exec(ctx, tx, `UPDATE chats SET status = ?, updated_at = ?, head_seq = ?, member_count = ? WHERE id = ?`,
		string(h.Status), h.UpdatedAt, h.HeadSeq, h.MemberCount, h.ID)
	return must(1, n, err)
}

// answers turns the results of jobs into a port's, faults in their places.
func answers[T any](ctx context.Context, s *Store, jobs []job, value func(outcome) T, fault func(error) T, refused map[int]error) ([]T, error) {
	out := make([]T, 0, len(jobs)+len(refused))
	var results []batch.Result[outcome]
	if len(jobs) > 0 {
		var err error
		if results, err = s.do(ctx, jobs); err != nil {
			return nil, s.public(ctx, err)
		}
	}
	if len(refused) == 0 && len(jobs) == 1 && results[0].Err == nil { // nearly always
		return append(out, value(results[0].Value)), nil
	}
	for len(out) < len(jobs)+len(refused) {
		if err := refused[len(out)]; err != nil {
			out = append(out, fault(err))
			continue
		}
		r := results[0]
		results = results[1:]
		if r.Err != nil {
			out = append(out, fault(s.public(ctx, r.Err)))
			continue
		}
		out = append(out, value(r.Value))
	}
	return out, nil
}

// refuse notes the fault of an item.
func refuse(refused map[int]error, item int, err error) map[int]error {
	if refused == nil {
		refused = make(map[int]error)
	}
	refused[item] = err
	return refused
}
