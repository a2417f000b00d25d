package bunstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// Pin implements messaging.Store.
func (c chats) Pin(ctx context.Context, p messaging.Pin, most int) (messaging.Changed, error) {
	return c.change(ctx, p, func(ctx context.Context, tx bun.Tx) (out messaging.Changed, err error) {
		head, spans, err := c.enter(ctx, tx, messaging.ErrNotAMember, p.ChatID, p.UserID)
		if err != nil {
			return out, err
		}
		m, err := visible(ctx, tx, p.UserID, p.ChatID, p.MessageID)
		own := spans[p.UserID]
		switch {
		case err != nil:
			return out, err
		case head.Kind == messaging.Group && !head.WhoMayPin.Includes(own.Role):
			return out, messaging.ErrNotAnAdmin
		case own.Blocked:
			return out, messaging.ErrBlocked
		}
		var n int
		if p.Pinned {
			n, err = exec(ctx, tx, "INSERT INTO pins (chat_id, message_id, at) VALUES ? ON CONFLICT DO NOTHING", tuples{{p.ChatID, m.ID, micros(p.At)}})
		} else {
			n, err = exec(ctx, tx, "DELETE FROM pins WHERE chat_id = ? AND message_id = ?", p.ChatID, m.ID)
		}
		if err != nil || n == 0 {
			return out, err
		}
		have, err := find[int](ctx, tx, errAgain, "SELECT COUNT(*) FROM pins WHERE chat_id = ?", p.ChatID)
		if err == nil && p.Pinned && have > most {
			err = messaging.ErrTooManyPins
		}
		if err != nil {
			return out, err
		}
		e := messaging.Event{Type: messaging.MessagePinned, At: p.At, ActorID: p.UserID, MessageID: m.ID}
		if !p.Pinned {
			e.Type = messaging.MessageUnpinned
		}
		out.Events, err = c.addMessageEvent(ctx, tx, head, e)
		return out, err
	})
}

// Pins implements messaging.Store.
func (c chats) Pins(ctx context.Context, viewerID, chatID string) (out []messaging.StoredMessage, err error) {
	if err := valid(viewerID, chatID); err != nil {
		return nil, err
	}
	err = c.seen(ctx, viewerID, chatID, func(ctx context.Context, db bun.IDB) error {
		rows, err := list[messageRow](ctx, db, `SELECT `+messageColumns+` FROM pins AS p JOIN messages AS g ON g.id = p.message_id
			WHERE p.chat_id = ?`+notHidden+` ORDER BY p.at DESC, g.seq DESC`, chatID, viewerID)
		if err != nil {
			return err
		}
		out, err = storedAll(ctx, db, viewerID, rows)
		return err
	})
	return out, err
}
