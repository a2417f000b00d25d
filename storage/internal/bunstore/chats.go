package bunstore

import (
	"bytes"
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// CreateChat implements messaging.Store.
func (c chats) CreateChat(ctx context.Context, n messaging.NewChat) (messaging.CreatedChat, error) {
	if err := valid(n); err != nil {
		return messaging.CreatedChat{}, err
	}
	var low, high string
	if n.Kind == messaging.Direct {
		low, high = pair(n.Members[0].UserID, n.Members[1].UserID)
	}
	var out messaging.CreatedChat
	err := c.s.write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		at := micros(n.CreatedAt)
		made, err := exec(ctx, tx, `INSERT INTO chats (id, kind, status, title, description, picture_id, created_by, client_id, digest,
			low_user, high_user, created_at, updated_at, last_message_at, activity_at, head_seq, ordinal, member_count, receipt_version)
			VALUES ? ON CONFLICT DO NOTHING`, tuples{{
			n.ID, string(n.Kind), string(messaging.Active), n.Title, n.Description, n.PictureID, n.CreatedBy, n.ClientID, n.Digest,
			orNull(low), orNull(high), at, at, never, at, 0, 0, len(n.Members), 0,
		}})
		if err != nil {
			return err
		}
		if made == 0 {
			out, err = existing(ctx, tx, n, low, high)
			return err
		}
		out = messaging.CreatedChat{Chat: messaging.Chat{
			ID: n.ID, Kind: n.Kind, Status: messaging.Active, Title: n.Title, Description: n.Description, PictureID: n.PictureID,
			CreatedBy: n.CreatedBy, CreatedAt: n.CreatedAt, UpdatedAt: n.CreatedAt, MemberCount: len(n.Members),
		}}
		if n.Kind == messaging.Group {
			out.Chat.Settings = messaging.DefaultGroupSettings()
		}
		people := make([]string, len(n.Members))
		for i, m := range n.Members {
			people[i] = m.UserID
			out.UserEvents = append(out.UserEvents, messaging.UserEvent{
				UserID: m.UserID, Type: messaging.ChatJoined, At: n.CreatedAt, ChatID: n.ID,
			})
		}
		if err := addUserEvents(ctx, tx, out.UserEvents); err != nil {
			return err
		}
		// Now that the members' sequences are locked, who blocks whom stands until this chat is seen.
		if err := blockedBy(ctx, tx, n.CreatedBy, people); err != nil {
			return err
		}
		spans := make([]spanRow, len(n.Members))
		for i, m := range n.Members {
			spans[i] = spanRow{ChatID: n.ID, UserID: m.UserID, Role: m.Role, JoinedAt: at}
			if n.Kind == messaging.Direct && m.UserID != n.CreatedBy {
				err := blockedBy(ctx, tx, m.UserID, []string{n.CreatedBy})
				if spans[i].Blocked = errors.Is(err, messaging.ErrBlocked); err != nil && !spans[i].Blocked {
					return err
				}
			}
		}
		if err := addSpans(ctx, tx, spans); err != nil {
			return err
		}
		_, err = exec(ctx, tx, "INSERT INTO chat_keys (chat_id, position, id, data) VALUES ?", tuples{{n.ID, 1, n.Key.ID, blob(n.Key.Data)}})
		return err
	})
	if err != nil {
		return messaging.CreatedChat{}, err
	}
	return out, nil
}

// existing returns the chat that stands in the way of a new one.
func existing(ctx context.Context, tx bun.Tx, n messaging.NewChat, low, high string) (messaging.CreatedChat, error) {
	rows, err := list[chatRow](ctx, tx, `SELECT `+chatColumns+` FROM chats AS c
		WHERE c.low_user = ? AND c.high_user = ? AND c.low_user IS NOT NULL`, orNull(low), orNull(high))
	if err != nil {
		return messaging.CreatedChat{}, err
	}
	if len(rows) == 0 {
		row, err := find[chatRow](ctx, tx, errChatID, `SELECT `+chatColumns+` FROM chats AS c
			WHERE c.created_by = ? AND c.client_id = ? AND c.client_id <> ''`, n.CreatedBy, n.ClientID)
		if err != nil {
			return messaging.CreatedChat{}, err
		}
		if !bytes.Equal(row.Digest, n.Digest) {
			return messaging.CreatedChat{}, messaging.ErrClientIDReused
		}
		rows = append(rows, row)
	}
	return messaging.CreatedChat{Chat: rows[0].chat(), Existed: true}, nil
}

// addSpans stores new memberships.
func addSpans(ctx context.Context, tx bun.Tx, spans []spanRow) error {
	rows := make(tuples, len(spans))
	for i, s := range spans {
		rows[i] = []any{s.ChatID, s.UserID, s.JoinedSeq, 0, string(s.Role), s.JoinedAt, s.DeliveredSeq, s.ReadSeq, s.ReadOrdinal, 0, s.ReachedDelivered, s.ReachedRead, s.Blocked}
	}
	n, err := exec(ctx, tx, `INSERT INTO memberships (chat_id, user_id, joined_seq, left_seq, role, joined_at, delivered_seq, read_seq,
		read_ordinal, mark_version, reached_delivered, reached_read, blocked) VALUES ?`, rows)
	return must(len(rows), n, err)
}

// Key implements messaging.Store.
func (c chats) Key(ctx context.Context, chatID, keyID string) (messaging.WrappedKey, error) {
	if err := valid(chatID, keyID); err != nil {
		return messaging.WrappedKey{}, err
	}
	type row struct {
		ID   string
		Data []byte
	}
	var key row
	err := c.s.readOne(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		key, err = find[row](ctx, db, messaging.ErrChatNotFound, `SELECT id, data FROM chat_keys
			WHERE chat_id = ? AND (id = ? OR ? = '') ORDER BY position DESC LIMIT 1`, chatID, keyID, keyID)
		return err
	})
	return messaging.WrappedKey{ID: key.ID, Data: key.Data}, err
}
