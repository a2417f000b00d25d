package bunstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// Edit implements messaging.Store.
func (c chats) Edit(ctx context.Context, e messaging.EditMessage) (messaging.Changed, error) {
	return c.change(ctx, e, func(ctx context.Context, tx bun.Tx) (out messaging.Changed, err error) {
		head, spans, err := c.enter(ctx, tx, messaging.ErrNotAMember, e.ChatID, e.EditorID)
		if err != nil {
			return out, err
		}
		m, err := visible(ctx, tx, e.EditorID, e.ChatID, e.MessageID)
		switch {
		case err != nil:
			return out, err
		case m.SenderID != e.EditorID:
			return out, messaging.ErrNotTheSender
		case spans[e.EditorID].Blocked:
			return out, messaging.ErrBlocked
		case moment(m.CreatedAt).Before(e.SentAfter):
			return out, messaging.ErrEditWindowPassed
		case m.Revision+1 != e.Revision:
			return out, messaging.ErrRevision
		}
		at := micros(e.At)
		if _, err := exec(ctx, tx, "INSERT INTO message_edits (message_id, revision, key_id, body, edited_at) VALUES ?",
			tuples{{m.ID, m.Revision, m.KeyID, blob(m.Body), at}}); err != nil {
			return out, err
		}
		n, err := exec(ctx, tx, "UPDATE messages SET key_id = ?, body = ?, revision = ?, edited_at = ? WHERE id = ?",
			e.Body.KeyID, e.Body.Data, e.Revision, at, m.ID)
		if err := must(1, n, err); err != nil {
			return out, err
		}
		m.KeyID, m.Body, m.Revision, m.EditedAt = e.Body.KeyID, e.Body.Data, e.Revision, at
		stored, err := storedAll(ctx, tx, e.EditorID, []messageRow{m})
		if err != nil {
			return out, err
		}
		out.Events, err = c.addMessageEvent(ctx, tx, head, messaging.Event{Type: messaging.MessageEdited, At: e.At, ActorID: e.EditorID, MessageID: m.ID})
		if err != nil {
			return out, err
		}
		out.Events[0].Stored = &stored[0]
		out.HiddenFrom, err = list[string](ctx, tx, "SELECT user_id FROM hidden WHERE chat_id = ? AND seq = ? ORDER BY user_id", m.ChatID, m.Seq)
		return out, err
	})
}

// Delete implements messaging.Store.
func (c chats) Delete(ctx context.Context, d messaging.DeleteMessage) (messaging.Changed, error) {
	return c.change(ctx, d, func(ctx context.Context, tx bun.Tx) (out messaging.Changed, err error) {
		head, spans, err := c.enter(ctx, tx, messaging.ErrNotAMember, d.ChatID, d.ActorID)
		if err != nil {
			return out, err
		}
		m, err := find[messageRow](ctx, tx, messaging.ErrMessageNotFound, `SELECT `+messageColumns+` FROM messages AS g
			WHERE g.id = ? AND g.chat_id = ? AND NOT g.deleted`, d.MessageID, d.ChatID)
		if err != nil {
			return out, err
		}
		manages := head.Kind == messaging.Group && spans[d.ActorID].Role.Manages()
		if m.SenderID != d.ActorID && !manages {
			return out, messaging.ErrNotTheSender
		}
		n, err := exec(ctx, tx, "UPDATE messages SET deleted = TRUE, reacted = FALSE, reply_to = '', key_id = '', body = NULL, digest = NULL WHERE id = ?", m.ID)
		if err := must(1, n, err); err != nil {
			return out, err
		}
		if _, err := exec(ctx, tx, "DELETE FROM message_edits WHERE message_id = ?", m.ID); err != nil {
			return out, err
		}
		if _, err := exec(ctx, tx, "DELETE FROM reactions WHERE message_id = ?", m.ID); err != nil {
			return out, err
		}
		if _, err := exec(ctx, tx, "DELETE FROM pins WHERE chat_id = ? AND message_id = ?", m.ChatID, m.ID); err != nil {
			return out, err
		}
		out.Events, err = c.addMessageEvent(ctx, tx, head, messaging.Event{Type: messaging.MessageDeleted, At: d.At, ActorID: d.ActorID, MessageID: m.ID})
		return out, err
	})
}

// addMessageEvent gives an event about a message its place and stores it.
func (c chats) addMessageEvent(ctx context.Context, tx bun.Tx, head *chatRow, e messaging.Event) ([]messaging.StoredEvent, error) {
	head.HeadSeq++
	e.ChatID, e.Seq = head.ID, head.HeadSeq
	if err := saveHead(ctx, tx, head); err != nil {
		return nil, err
	}
	return []messaging.StoredEvent{{Event: e}}, addEvents(ctx, tx, e)
}

// Hide implements messaging.Store.
func (c chats) Hide(ctx context.Context, h messaging.HideMessage) (messaging.Changed, error) {
	return c.change(ctx, h, func(ctx context.Context, tx bun.Tx) (out messaging.Changed, err error) {
		if _, _, err := c.enter(ctx, tx, messaging.ErrNotAMember, h.ChatID, h.UserID); err != nil {
			return out, err
		}
		seq, err := find[int64](ctx, tx, messaging.ErrMessageNotFound,
			"SELECT seq FROM messages WHERE id = ? AND chat_id = ?", h.MessageID, h.ChatID)
		if err != nil {
			return out, err
		}
		n, err := exec(ctx, tx, "INSERT INTO hidden (user_id, chat_id, seq) VALUES ? ON CONFLICT DO NOTHING", tuples{{h.UserID, h.ChatID, seq}})
		if err != nil || n == 0 {
			return out, err
		}
		out.UserEvents = []messaging.UserEvent{{
			UserID: h.UserID, Type: messaging.MessageDeleted, At: h.At, ChatID: h.ChatID, MessageID: h.MessageID,
		}}
		return out, addUserEvents(ctx, tx, out.UserEvents)
	})
}
