package bunstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// React implements messaging.Store.
func (c chats) React(ctx context.Context, r messaging.React, most int) (messaging.Changed, error) {
	return c.change(ctx, r, func(ctx context.Context, tx bun.Tx) (out messaging.Changed, err error) {
		head, spans, err := c.enter(ctx, tx, messaging.ErrNotAMember, r.ChatID, r.UserID)
		if err != nil {
			return out, err
		}
		m, err := visible(ctx, tx, r.UserID, r.ChatID, r.MessageID)
		switch {
		case err != nil:
			return out, err
		case spans[r.UserID].Blocked:
			return out, messaging.ErrBlocked
		}
		var n int
		if r.Added {
			n, err = exec(ctx, tx, "INSERT INTO reactions (message_id, emoji, user_id, at) VALUES ? ON CONFLICT DO NOTHING",
				tuples{{m.ID, r.Emoji, r.UserID, micros(r.At)}})
		} else {
			n, err = exec(ctx, tx, "DELETE FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?", m.ID, r.Emoji, r.UserID)
		}
		if err != nil || n == 0 {
			return out, err
		}
		kinds, err := list[string](ctx, tx, "SELECT DISTINCT emoji FROM reactions WHERE message_id = ?", m.ID)
		switch {
		case err != nil:
			return out, err
		case len(kinds) > most:
			return out, messaging.ErrTooManyReactions
		}
		if some := len(kinds) > 0; some != m.Reacted {
			n, err := exec(ctx, tx, "UPDATE messages SET reacted = ? WHERE id = ?", some, m.ID)
			if err := must(1, n, err); err != nil {
				return out, err
			}
		}
		e := messaging.Event{Type: messaging.ReactionAdded, At: r.At, ActorID: r.UserID, MessageID: m.ID, Emoji: r.Emoji}
		if !r.Added {
			e.Type = messaging.ReactionRemoved
		}
		out.Events, err = c.addMessageEvent(ctx, tx, head, e)
		return out, err
	})
}

// fillReactions counts those to messages, as a viewer sees them, the emoji that was first on top.
func fillReactions(ctx context.Context, db bun.IDB, viewerID string, messages []*messaging.StoredMessage) error {
	if len(messages) == 0 {
		return nil
	}
	ids := make([]string, len(messages))
	byID := make(map[string]*messaging.StoredMessage, len(messages))
	for i, m := range messages {
		ids[i], byID[m.ID] = m.ID, m
	}
	type row struct {
		MessageID string
		Emoji     string
		Count     int
		Mine      int
	}
	rows, err := list[row](ctx, db, `SELECT message_id, emoji, COUNT(*) AS count, SUM(CASE WHEN user_id = ? THEN 1 ELSE 0 END) AS mine
		FROM reactions WHERE message_id IN (?) GROUP BY message_id, emoji ORDER BY message_id, MIN(at), emoji`, viewerID, bun.List(ids))
	for _, r := range rows {
		m := byID[r.MessageID]
		m.Reactions = append(m.Reactions, messaging.ReactionCount{Emoji: r.Emoji, Count: r.Count, Mine: r.Mine > 0})
	}
	return err
}
