package bunstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// unreadOf counts what is unread in span m of chat c: by the ordinals, less the
// few that do not count. Nothing at or below the read mark is looked at.
const unreadOf = `c.ordinal - m.read_ordinal
	- (SELECT COUNT(*) FROM messages AS g WHERE g.chat_id = m.chat_id AND g.sender_id = m.user_id AND g.seq > m.read_seq)
	- (SELECT COUNT(*) FROM messages AS g WHERE g.chat_id = m.chat_id AND g.deleted AND g.seq > m.read_seq AND g.sender_id <> m.user_id)
	- (SELECT COUNT(*) FROM hidden AS h JOIN messages AS g ON g.chat_id = h.chat_id AND g.seq = h.seq
		WHERE h.user_id = m.user_id AND h.chat_id = m.chat_id AND h.seq > m.read_seq AND g.sender_id <> m.user_id AND NOT g.deleted)`

// viewRow is a chat with the span of its viewer.
type viewRow struct {
	chatRow       `bun:",extend"`
	Role          messaging.Role
	JoinedAt      int64
	JoinedSeq     int64
	DeliveredSeq  int64
	ReadSeq       int64
	Unread        int
	preferenceRow `bun:",extend"`
}

const viewColumns = chatColumns + `, m.role, m.joined_at, m.joined_seq, m.delivered_seq, m.read_seq, ` + unreadOf + ` AS unread, ` + preferenceColumns

// Chat implements messaging.Store.
func (c chats) Chat(ctx context.Context, viewerID, chatID string) (messaging.StoredView, error) {
	views, err := c.views(ctx, viewerID, []any{viewerID, chatID}, `SELECT `+viewColumns+`
		FROM memberships AS m JOIN chats AS c ON c.id = m.chat_id`+preferred+`
		WHERE m.user_id = ? AND m.chat_id = ? AND m.left_seq = 0`, viewerID, chatID)
	if err == nil && len(views) == 0 {
		err = messaging.ErrChatNotFound
	}
	if err != nil {
		return messaging.StoredView{}, err
	}
	return views[0], nil
}

// Chats implements messaging.Store.
func (c chats) Chats(ctx context.Context, viewerID string, l messaging.ChatList) ([]messaging.StoredView, error) {
	more, which, args := "", "", []any{viewerID, viewerID}
	if (l.After != messaging.ChatCursor{}) {
		more = "AND (c.activity_at < ? OR c.activity_at = ? AND c.id < ?)"
		at := micros(l.After.Activity)
		args = append(args, at, at, l.After.ChatID)
	}
	if l.Archived != nil {
		which = preferred
		more += " AND COALESCE(f.archived, FALSE) = ?"
		args = append(args, *l.Archived)
	}
	args = append(args, l.Limit)
	// The inner query finds the page before anything is counted in its chats.
	return c.views(ctx, viewerID, []any{viewerID, l.After.ChatID}, `SELECT `+viewColumns+`
		FROM memberships AS m JOIN chats AS c ON c.id = m.chat_id`+preferred+`
		WHERE m.user_id = ? AND m.left_seq = 0 AND c.id IN (
			SELECT c.id FROM memberships AS m JOIN chats AS c ON c.id = m.chat_id`+which+`
			WHERE m.user_id = ? AND m.left_seq = 0 `+more+`
			ORDER BY c.activity_at DESC, c.id DESC LIMIT ?)
		ORDER BY c.activity_at DESC, c.id DESC`, args...)
}

// views runs a query of viewRows and adds the last messages.
func (c chats) views(ctx context.Context, viewerID string, input []any, query string, args ...any) ([]messaging.StoredView, error) {
	if err := valid(input...); err != nil {
		return nil, err
	}
	var views []messaging.StoredView
	err := c.s.read(ctx, func(ctx context.Context, db bun.IDB) error {
		rows, err := list[viewRow](ctx, db, query, args...)
		if err != nil || len(rows) == 0 {
			return err
		}
		views = make([]messaging.StoredView, len(rows))
		ids := make(tuples, len(rows))
		for i := range rows {
			r := &rows[i]
			views[i].ChatView = messaging.ChatView{
				Chat: r.chat(),
				Own: messaging.Member{
					ChatID: r.ID, UserID: viewerID, Role: r.Role, JoinedAt: moment(r.JoinedAt),
					JoinedSeq: r.JoinedSeq, DeliveredSeq: r.DeliveredSeq, ReadSeq: r.ReadSeq,
				},
				PeerID: r.peer(viewerID),
				Unread: r.Unread, Preferences: r.preferences(r.ReadSeq),
			}
			ids[i] = []any{r.ID}
		}
		last, err := list[messageRow](ctx, db, `WITH v (chat_id) AS (VALUES ?)
			SELECT `+messageColumns+` FROM v JOIN messages AS g ON g.chat_id = v.chat_id AND g.seq = (
				SELECT l.seq FROM messages AS l WHERE l.chat_id = v.chat_id AND NOT l.deleted
					AND NOT EXISTS (SELECT 1 FROM hidden AS h WHERE h.user_id = ? AND h.chat_id = l.chat_id AND h.seq = l.seq)
				ORDER BY l.seq DESC LIMIT 1)`, ids, viewerID)
		if err != nil {
			return err
		}
		messages, err := storedAll(ctx, db, viewerID, last)
		if err != nil {
			return err
		}
		in := make(map[string]*messaging.StoredMessage, len(messages))
		for i := range messages {
			in[messages[i].ChatID] = &messages[i]
		}
		for i := range views {
			views[i].Last = in[views[i].ID]
		}
		return nil
	})
	return views, err
}

// Unread implements messaging.Store.
func (c chats) Unread(ctx context.Context, chatID string, userIDs []string) ([]messaging.UnreadCount, error) {
	if err := valid(chatID, userIDs); err != nil {
		return nil, err
	}
	places := make(map[string]int, len(userIDs))
	for i, id := range userIDs {
		places[id] = i
	}
	var counts []messaging.UnreadCount
	err := c.s.look(ctx, func(ctx context.Context, pipe Pipe) error {
		counts = make([]messaging.UnreadCount, len(userIDs))
		call := c.s.lookups.unread.call(len(userIDs), func(row Row) {
			n := &counts[places[row.Text(0)]]
			n.Total += int(row.Int(2))
			if row.Bool(1) {
				n.Chat = int(row.Int(2))
			}
		})
		for _, id := range userIDs {
			call.text(chatID, id)
		}
		return pipe.Run(ctx, true, call)
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}

// Heads implements messaging.Store: in one round trip.
func (c chats) Heads(ctx context.Context, userID string) (messaging.Heads, error) {
	if err := valid(userID); err != nil {
		return messaging.Heads{}, err
	}
	l := c.s.lookups
	var heads messaging.Heads
	err := c.s.look(ctx, func(ctx context.Context, pipe Pipe) error {
		heads = messaging.Heads{}
		stand := l.stand.call(1, func(row Row) { heads.Epoch, heads.UserSeq = row.Text(0), row.Int(1) }).text(metaEpoch, userID)
		chats := l.heads.call(1, func(row Row) {
			heads.Chats = append(heads.Chats, messaging.Head{ChatID: row.Text(0), Seq: row.Int(1), ReceiptVersion: row.Int(2)})
		}).text(userID)
		return pipe.Run(ctx, true, stand, chats)
	})
	return heads, err
}

// Epoch implements messaging.Store.
func (c chats) Epoch(ctx context.Context) (epoch string, err error) {
	err = c.s.readOne(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		epoch, err = find[string](ctx, db, errNoEpoch, "SELECT value FROM meta WHERE name = ?", metaEpoch)
		return err
	})
	return epoch, err
}
