package bunstore

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// seen runs fn on a snapshot in which the viewer is a member of the chat: ErrChatNotFound.
func (c chats) seen(ctx context.Context, viewerID, chatID string, fn func(context.Context, bun.IDB) error) error {
	return c.s.read(ctx, func(ctx context.Context, db bun.IDB) error {
		_, err := find[int](ctx, db, messaging.ErrChatNotFound,
			"SELECT 1 FROM memberships WHERE user_id = ? AND chat_id = ? AND left_seq = 0", viewerID, chatID)
		if err != nil {
			return err
		}
		return fn(ctx, db)
	})
}

const notHidden = ` AND NOT EXISTS (SELECT 1 FROM hidden AS h WHERE h.user_id = ? AND h.chat_id = g.chat_id AND h.seq = g.seq)`

// visible returns a message that is neither deleted nor hidden from the viewer.
func visible(ctx context.Context, db bun.IDB, viewerID, chatID, messageID string) (messageRow, error) {
	return find[messageRow](ctx, db, messaging.ErrMessageNotFound, `SELECT `+messageColumns+` FROM messages AS g
		WHERE g.id = ? AND g.chat_id = ? AND NOT g.deleted`+notHidden, messageID, chatID, viewerID)
}

// Message implements messaging.Store.
func (c chats) Message(ctx context.Context, viewerID, chatID, messageID string) (messaging.StoredMessage, error) {
	if err := valid(viewerID, chatID, messageID); err != nil {
		return messaging.StoredMessage{}, err
	}
	var out []messaging.StoredMessage
	err := c.seen(ctx, viewerID, chatID, func(ctx context.Context, db bun.IDB) error {
		row, err := visible(ctx, db, viewerID, chatID, messageID)
		if err != nil {
			return err
		}
		out, err = storedAll(ctx, db, viewerID, []messageRow{row})
		return err
	})
	if err != nil {
		return messaging.StoredMessage{}, err
	}
	return out[0], nil
}

// PastBodies implements messaging.Store.
func (c chats) PastBodies(ctx context.Context, viewerID, chatID, messageID string) ([]messaging.PastBody, error) {
	if err := valid(viewerID, chatID, messageID); err != nil {
		return nil, err
	}
	type row struct {
		KeyID    string
		Body     []byte
		Revision int
		EditedAt int64
	}
	var out []messaging.PastBody
	err := c.seen(ctx, viewerID, chatID, func(ctx context.Context, db bun.IDB) error {
		if _, err := visible(ctx, db, viewerID, chatID, messageID); err != nil {
			return err
		}
		rows, err := list[row](ctx, db, "SELECT key_id, body, revision, edited_at FROM message_edits WHERE message_id = ? ORDER BY revision", messageID)
		out = nil
		for _, r := range rows {
			out = append(out, messaging.PastBody{
				Body: messaging.Sealed{KeyID: r.KeyID, Data: r.Body}, Revision: r.Revision, EditedAt: moment(r.EditedAt),
			})
		}
		return err
	})
	return out, err
}

// Events implements messaging.Store.
func (c chats) Events(ctx context.Context, viewerID, chatID string, after int64, limit int) ([]messaging.StoredEvent, error) {
	if err := valid(viewerID, chatID); err != nil {
		return nil, err
	}
	var out []messaging.StoredEvent
	err := c.seen(ctx, viewerID, chatID, func(ctx context.Context, db bun.IDB) (err error) {
		out, err = eventsAfter(ctx, db, viewerID, chatID, after, limit)
		return err
	})
	return out, err
}

// eventsAfter reads a chat's events as a viewer sees them; he is a member, or "".
func eventsAfter(ctx context.Context, db bun.IDB, viewerID, chatID string, after int64, limit int) ([]messaging.StoredEvent, error) {
	events, err := list[eventRow](ctx, db, `SELECT chat_id, seq, type, at, actor_id, message_id, user_id, role, reason, detail
		FROM chat_events WHERE chat_id = ? AND seq > ? ORDER BY seq LIMIT ?`, chatID, after, limit)
	if err != nil {
		return nil, err
	}
	const shown = `SELECT ` + messageColumns + `, EXISTS (SELECT 1 FROM hidden AS h
		WHERE h.user_id = ? AND h.chat_id = g.chat_id AND h.seq = g.seq) AS hidden FROM messages AS g `
	created, err := list[messageRow](ctx, db, shown+`WHERE g.chat_id = ? AND g.seq > ? ORDER BY g.seq LIMIT ?`, viewerID, chatID, after, limit)
	if err != nil {
		return nil, err
	}
	// Both share one dense sequence: what fits into the limit is a run of it.
	rows := slices.Clone(created)
	found := make(map[string]bool, len(created))
	for _, m := range created {
		found[m.ID] = true
	}
	var edited []string
	for _, e := range events {
		if e.Type == messaging.MessageEdited && !found[e.MessageID] {
			found[e.MessageID] = true
			edited = append(edited, e.MessageID)
		}
	}
	if len(edited) > 0 {
		more, err := list[messageRow](ctx, db, shown+`WHERE g.id IN (?)`, viewerID, bun.List(edited))
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	messages, err := storedAll(ctx, db, viewerID, rows)
	if err != nil {
		return nil, err
	}
	var now *messaging.Chat // for those who are told of its change
	if slices.ContainsFunc(events, func(e eventRow) bool { return e.Type == messaging.ChatUpdated }) {
		row, err := find[chatRow](ctx, db, messaging.ErrChatNotFound, "SELECT "+chatColumns+" FROM chats AS c WHERE c.id = ?", chatID)
		if err != nil {
			return nil, err
		}
		now = new(row.chat())
	}
	byID := make(map[string]*messaging.StoredMessage, len(messages))
	out := make([]messaging.StoredEvent, 0, len(created)+len(events))
	for i := range messages {
		m := &messages[i]
		byID[m.ID] = m
		if i < len(created) {
			out = append(out, messaging.StoredEvent{
				Event: messaging.Event{
					ChatID: m.ChatID, Seq: m.Seq, Type: messaging.MessageCreated, At: m.CreatedAt, ActorID: m.SenderID, MessageID: m.ID,
				},
				Stored: m,
			})
		}
	}
	for i := range events {
		e := messaging.StoredEvent{Event: events[i].event()}
		if e.Type == messaging.MessageEdited {
			e.Stored = byID[e.MessageID]
		}
		if e.Type == messaging.ChatUpdated {
			e.Chat = now
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b messaging.StoredEvent) int { return int(a.Seq - b.Seq) })
	return out[:min(limit, len(out))], nil
}

// UserEvents implements messaging.Store.
func (c chats) UserEvents(ctx context.Context, userID string, after int64, limit int) ([]messaging.UserEvent, error) {
	if err := valid(userID); err != nil {
		return nil, err
	}
	var out []messaging.UserEvent
	err := c.s.readOne(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		out, err = userEventsAfter(ctx, db, userID, after, limit)
		return err
	})
	return out, err
}

func userEventsAfter(ctx context.Context, db bun.IDB, userID string, after int64, limit int) (out []messaging.UserEvent, err error) {
	rows, err := list[userEventRow](ctx, db, `SELECT user_id, seq, type, at, chat_id, message_id, head_seq, delivered_seq, read_seq, version, about_id
		FROM user_events WHERE user_id = ? AND seq > ? ORDER BY seq LIMIT ?`, userID, after, limit)
	for i := range rows {
		out = append(out, rows[i].event())
	}
	if err != nil {
		return nil, err
	}
	return out, joinPreferences(ctx, db, userID, out)
}
