package bunstore

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// Watermarks implements messaging.Store.
func (c chats) Watermarks(ctx context.Context, viewerID, chatID string, after int64, limit int) ([]messaging.Watermark, int64, error) {
	if err := valid(viewerID, chatID); err != nil {
		return nil, 0, err
	}
	var (
		out     []messaging.Watermark
		version int64
	)
	err := c.seen(ctx, viewerID, chatID, func(ctx context.Context, db bun.IDB) (err error) {
		version, err = find[int64](ctx, db, messaging.ErrChatNotFound, "SELECT receipt_version FROM chats WHERE id = ?", chatID)
		if err != nil {
			return err
		}
		out, err = marksAfter(ctx, db, chatID, after, limit)
		return err
	})
	return out, version, err
}

// marksAfter reads the marks of a chat's present members above a receipt version.
func marksAfter(ctx context.Context, db bun.IDB, chatID string, after int64, limit int) (out []messaging.Watermark, err error) {
	rows, err := list[spanRow](ctx, db, `SELECT `+spanColumns+` FROM memberships AS m
		WHERE m.chat_id = ? AND m.left_seq = 0 AND m.mark_version > 0 AND m.mark_version > ?
		ORDER BY m.mark_version, m.user_id LIMIT ?`, chatID, after, limit)
	for i := range rows {
		out = append(out, rows[i].watermark())
	}
	return out, err
}

// Marks implements messaging.Store.
func (c chats) Marks(ctx context.Context, viewerID string, chatIDs []string, most int) ([]messaging.Watermark, error) {
	if err := valid(viewerID, chatIDs); err != nil {
		return nil, err
	}
	if len(chatIDs) == 0 {
		return nil, nil
	}
	var out []messaging.Watermark
	err := c.s.look(ctx, func(ctx context.Context, pipe Pipe) error {
		out = nil
		call := c.s.lookups.marks.call(len(chatIDs), func(row Row) {
			out = append(out, messaging.Watermark{
				ChatID: row.Text(0), UserID: row.Text(1), DeliveredSeq: row.Int(2), ReadSeq: row.Int(3), Version: row.Int(4),
			})
		})
		for _, id := range slices.Sorted(slices.Values(chatIDs)) { // SQLite answers row by row
			call.text(id, viewerID).int(int64(most))
		}
		return pipe.Run(ctx, true, call)
	})
	return out, err
}

// Receipts implements messaging.Store.
func (c chats) Receipts(ctx context.Context, viewerID, chatID, messageID, after string, limit int) ([]messaging.Receipt, error) {
	if err := valid(viewerID, chatID, messageID, after); err != nil {
		return nil, err
	}
	type row struct {
		UserID      string
		DeliveredAt int64
		ReadAt      int64
	}
	// firstMove is the time of the first move of a kind that reached the message.
	const firstMove = `COALESCE((SELECT l.at FROM marks AS l WHERE l.chat_id = m.chat_id AND l.user_id = m.user_id
		AND l.kind = ? AND l.up_to >= ? ORDER BY l.up_to LIMIT 1), ?)`
	var out []messaging.Receipt
	err := c.seen(ctx, viewerID, chatID, func(ctx context.Context, db bun.IDB) error {
		m, err := visible(ctx, db, viewerID, chatID, messageID)
		if err != nil {
			return err
		}
		rows, err := list[row](ctx, db, `SELECT m.user_id, `+firstMove+` AS delivered_at, `+firstMove+` AS read_at
			FROM memberships AS m
			WHERE m.chat_id = ? AND m.user_id > ? AND m.user_id <> ? AND m.joined_seq < ? AND (m.left_seq = 0 OR m.left_seq > ?)
			ORDER BY m.user_id LIMIT ?`,
			moveDelivered, m.Seq, never, moveRead, m.Seq, never,
			chatID, after, m.SenderID, m.Seq, m.Seq, limit)
		out = nil
		for _, r := range rows {
			out = append(out, messaging.Receipt{UserID: r.UserID, DeliveredAt: moment(r.DeliveredAt), ReadAt: moment(r.ReadAt)})
		}
		return err
	})
	return out, err
}
