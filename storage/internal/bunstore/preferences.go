package bunstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// preferred joins the preferences of the member of span m.
const preferred = ` LEFT JOIN preferences AS f ON f.user_id = m.user_id AND f.chat_id = m.chat_id`

const preferenceColumns = `f.muted_until, f.archived, f.pinned, f.marked`

// preferenceRow is what a member prefers; nulls where he never said.
type preferenceRow struct {
	MutedUntil *int64
	Archived   *bool
	Pinned     *bool
	Marked     *int64 // one above where his read mark stood when he marked the chat as unread; 0: he did not
}

func (r *preferenceRow) preferences(readSeq int64) messaging.Preferences {
	if r.MutedUntil == nil {
		return messaging.Preferences{}
	}
	return messaging.Preferences{
		MutedUntil: moment(*r.MutedUntil), Archived: *r.Archived, Pinned: *r.Pinned, MarkedUnread: *r.Marked == readSeq+1,
	}
}

// SetPreferences implements messaging.Store.
func (c chats) SetPreferences(ctx context.Context, p messaging.SetPreferences) (messaging.UserEvent, error) {
	if p.MarkedUnread != nil && !*p.MarkedUnread && p.MutedUntil == nil && p.Archived == nil && p.Pinned == nil {
		// Reading tells it every time, and nearly always for nothing.
		if e, is, err := c.unmarked(ctx, p); is || err != nil {
			return e, err
		}
	}
	var e messaging.UserEvent
	_, err := c.change(ctx, []string{p.ChatID, p.UserID}, func(ctx context.Context, tx bun.Tx) (none messaging.Changed, err error) {
		e = messaging.UserEvent{UserID: p.UserID, Type: messaging.ChatPreferred, At: p.At, ChatID: p.ChatID}
		at := place{p.ChatID, p.UserID}
		places := map[place]*spanRow{at: nil}
		if err := spansOf(ctx, tx, places); err != nil {
			return none, err
		}
		own := places[at]
		switch {
		case own == nil:
			return none, messaging.ErrChatNotFound
		case !own.present():
			return none, messaging.ErrNotAMember
		}
		// Whoever writes first makes the row, which the others then wait for.
		if _, err := exec(ctx, tx, "INSERT INTO preferences (user_id, chat_id, muted_until, archived, pinned, marked) VALUES ? ON CONFLICT DO NOTHING",
			tuples{{p.UserID, p.ChatID, never, false, false, 0}}); err != nil {
			return none, err
		}
		row, err := find[preferenceRow](ctx, tx, errAgain, "SELECT "+preferenceColumns+" FROM preferences AS f WHERE f.user_id = ? AND f.chat_id = ?"+
			c.s.dialect.Lock, p.UserID, p.ChatID)
		if err != nil {
			return none, err
		}
		was := row.preferences(own.ReadSeq)
		now := p.Apply(was)
		e.Preferences = &now
		if now == was {
			return none, nil
		}
		marked := int64(0)
		if now.MarkedUnread {
			marked = own.ReadSeq + 1
		}
		n, err := exec(ctx, tx, "UPDATE preferences SET muted_until = ?, archived = ?, pinned = ?, marked = ? WHERE user_id = ? AND chat_id = ?",
			micros(now.MutedUntil), now.Archived, now.Pinned, marked, p.UserID, p.ChatID)
		if err := must(1, n, err); err != nil {
			return none, err
		}
		events := []messaging.UserEvent{e}
		err = addUserEvents(ctx, tx, events)
		e.Seq = events[0].Seq
		return none, err
	})
	if err != nil {
		return messaging.UserEvent{}, err
	}
	return e, nil
}

// unmarked reports whether a member's chat is not marked as unread, with his preferences.
func (c chats) unmarked(ctx context.Context, p messaging.SetPreferences) (e messaging.UserEvent, is bool, err error) {
	if err := valid(p.ChatID, p.UserID); err != nil {
		return e, false, err
	}
	err = c.s.readOne(ctx, func(ctx context.Context, db bun.IDB) error {
		rows, err := list[preferenceRow](ctx, db, "SELECT "+preferenceColumns+" FROM memberships AS m"+preferred+`
			WHERE m.user_id = ? AND m.chat_id = ? AND m.left_seq = 0 AND (f.marked IS NULL OR f.marked <> m.read_seq + 1)`, p.UserID, p.ChatID)
		if is = len(rows) > 0; is {
			now := rows[0].preferences(0)
			now.MarkedUnread = false
			e = messaging.UserEvent{UserID: p.UserID, Type: messaging.ChatPreferred, At: p.At, ChatID: p.ChatID, Preferences: &now}
		}
		return err
	})
	return e, is, err
}

// joinPreferences fills in those of own events about them.
func joinPreferences(ctx context.Context, db bun.IDB, userID string, events []messaging.UserEvent) error {
	var ids []string
	for _, e := range events {
		if e.Type == messaging.ChatPreferred {
			ids = append(ids, e.ChatID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	type row struct {
		ChatID        string
		ReadSeq       int64
		preferenceRow `bun:",extend"`
	}
	rows, err := list[row](ctx, db, "SELECT f.chat_id, COALESCE(m.read_seq, 0) AS read_seq, "+preferenceColumns+` FROM preferences AS f
		LEFT JOIN memberships AS m ON m.user_id = f.user_id AND m.chat_id = f.chat_id AND m.left_seq = 0
		WHERE f.user_id = ? AND f.chat_id IN (?)`, userID, bun.List(ids))
	now := make(map[string]*messaging.Preferences, len(rows))
	for i := range rows {
		now[rows[i].ChatID] = new(rows[i].preferences(rows[i].ReadSeq))
	}
	for i := range events {
		if e := &events[i]; e.Type == messaging.ChatPreferred {
			e.Preferences = now[e.ChatID]
		}
	}
	return err
}
