package bunstore

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// Members implements messaging.Store.
func (c chats) Members(ctx context.Context, viewerID, chatID, after string, limit int) ([]messaging.Member, error) {
	if err := valid(viewerID, chatID, after); err != nil {
		return nil, err
	}
	var out []messaging.Member
	err := c.seen(ctx, viewerID, chatID, func(ctx context.Context, db bun.IDB) error {
		rows, err := list[spanRow](ctx, db, `SELECT `+spanColumns+` FROM memberships AS m
			WHERE m.chat_id = ? AND m.user_id > ? AND m.left_seq = 0 ORDER BY m.user_id LIMIT ?`, chatID, after, limit)
		out = nil
		for i := range rows {
			out = append(out, rows[i].member())
		}
		return err
	})
	return out, err
}

// AddMembers implements messaging.Store.
func (c chats) AddMembers(ctx context.Context, a messaging.AddMembers) (messaging.Changed, error) {
	return c.change(ctx, a, func(ctx context.Context, tx bun.Tx) (out messaging.Changed, err error) {
		head, spans, err := c.enter(ctx, tx, messaging.ErrNotAMember, a.ChatID, a.ActorID, a.UserIDs...)
		if err != nil {
			return out, err
		}
		newcomers := slices.DeleteFunc(slices.Clone(a.UserIDs), func(id string) bool { return spans[id].present() })
		switch {
		case head.Kind != messaging.Group:
			return out, messaging.ErrNotAGroup
		case !spans[a.ActorID].Role.Manages():
			return out, messaging.ErrNotAnAdmin
		case len(newcomers) == 0:
			return out, nil
		case head.MemberCount+len(newcomers) > a.Limit:
			return out, messaging.ErrGroupFull
		}
		if err := blockedBy(ctx, tx, a.ActorID, newcomers); err != nil {
			return out, err
		}
		rows := make([]spanRow, len(newcomers))
		events := make([]messaging.Event, len(newcomers))
		for i, id := range newcomers {
			head.HeadSeq++
			events[i] = messaging.Event{
				ChatID: a.ChatID, Seq: head.HeadSeq, Type: messaging.MemberAdded, At: a.At,
				ActorID: a.ActorID, UserID: id, Role: messaging.RoleMember,
			}
			rows[i] = spanRow{
				ChatID: a.ChatID, UserID: id, Role: messaging.RoleMember, JoinedAt: micros(a.At),
				JoinedSeq: head.HeadSeq, DeliveredSeq: head.HeadSeq, ReadSeq: head.HeadSeq, ReadOrdinal: head.Ordinal,
			}
			if former := spans[id]; former != nil {
				rows[i].ReachedDelivered, rows[i].ReachedRead = former.ReachedDelivered, former.ReachedRead
			}
			out.Events = append(out.Events, messaging.StoredEvent{Event: events[i]})
			out.UserEvents = append(out.UserEvents, messaging.UserEvent{
				UserID: id, Type: messaging.ChatJoined, At: a.At, ChatID: a.ChatID, HeadSeq: head.HeadSeq,
			})
		}
		head.MemberCount += len(newcomers)
		head.UpdatedAt = micros(a.At)
		if err := saveHead(ctx, tx, head); err != nil {
			return out, err
		}
		if err := addSpans(ctx, tx, rows); err != nil {
			return out, err
		}
		if err := addEvents(ctx, tx, events...); err != nil {
			return out, err
		}
		return out, addUserEvents(ctx, tx, out.UserEvents)
	})
}

// RemoveMember implements messaging.Store.
func (c chats) RemoveMember(ctx context.Context, r messaging.RemoveMember) (messaging.Changed, error) {
	return c.change(ctx, r, func(ctx context.Context, tx bun.Tx) (out messaging.Changed, err error) {
		head, spans, err := c.enter(ctx, tx, messaging.ErrNotAMember, r.ChatID, r.ActorID, r.UserID)
		if err != nil {
			return out, err
		}
		actor, gone := spans[r.ActorID], spans[r.UserID]
		switch {
		case head.Kind != messaging.Group:
			return out, messaging.ErrNotAGroup
		case !gone.present():
			return out, messaging.ErrMemberNotFound
		case !mayRemove(actor, gone):
			return out, messaging.ErrNotAnAdmin
		}
		reason := messaging.ReasonRemoved
		if r.ActorID == r.UserID {
			reason = messaging.ReasonLeft
		}
		head.HeadSeq++
		head.MemberCount--
		head.UpdatedAt = micros(r.At)
		if head.MemberCount == 0 {
			head.Status = messaging.Closed
		}
		events := []messaging.Event{{
			ChatID: r.ChatID, Seq: head.HeadSeq, Type: messaging.MemberRemoved, At: r.At,
			ActorID: r.ActorID, UserID: r.UserID, Role: gone.Role, Reason: reason,
		}}
		out.UserEvents = []messaging.UserEvent{{
			UserID: r.UserID, Type: messaging.ChatLeft, At: r.At, ChatID: r.ChatID, HeadSeq: head.HeadSeq,
		}}
		n, err := exec(ctx, tx, "UPDATE memberships SET left_seq = ? WHERE chat_id = ? AND user_id = ? AND left_seq = 0",
			head.HeadSeq, r.ChatID, r.UserID)
		if err := must(1, n, err); err != nil {
			return out, err
		}
		if gone.Role == messaging.RoleOwner && head.MemberCount > 0 {
			head.HeadSeq++
			heir, err := inherit(ctx, tx, r.ChatID)
			if err != nil {
				return out, err
			}
			events = append(events, messaging.Event{
				ChatID: r.ChatID, Seq: head.HeadSeq, Type: messaging.MemberRole, At: r.At,
				ActorID: r.ActorID, UserID: heir, Role: messaging.RoleOwner,
			})
		}
		for _, e := range events {
			out.Events = append(out.Events, messaging.StoredEvent{Event: e})
		}
		if err := saveHead(ctx, tx, head); err != nil {
			return out, err
		}
		if err := addEvents(ctx, tx, events...); err != nil {
			return out, err
		}
		return out, addUserEvents(ctx, tx, out.UserEvents)
	})
}

func mayRemove(actor, gone *spanRow) bool {
	return actor.UserID == gone.UserID || actor.Role == messaging.RoleOwner ||
		actor.Role == messaging.RoleAdmin && gone.Role == messaging.RoleMember
}

// inherit makes the one next in line the owner of a group.
func inherit(ctx context.Context, tx bun.Tx, chatID string) (userID string, err error) {
	userID, err = find[string](ctx, tx, messaging.ErrMemberNotFound, `SELECT user_id FROM memberships
		WHERE chat_id = ? AND left_seq = 0
		ORDER BY CASE WHEN role = ? THEN 0 ELSE 1 END, joined_at, user_id LIMIT 1`, chatID, string(messaging.RoleAdmin))
	if err != nil {
		return "", err
	}
	n, err := exec(ctx, tx, "UPDATE memberships SET role = ? WHERE chat_id = ? AND user_id = ? AND left_seq = 0",
		string(messaging.RoleOwner), chatID, userID)
	return userID, must(1, n, err)
}

// change runs an operation on one chat in a transaction.
func (c chats) change(ctx context.Context, request any, fn func(context.Context, bun.Tx) (messaging.Changed, error)) (messaging.Changed, error) {
	if err := valid(request); err != nil {
		return messaging.Changed{}, err
	}
	var out messaging.Changed
	err := c.s.write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		out, err = fn(ctx, tx)
		return err
	})
	if err != nil {
		return messaging.Changed{}, err
	}
	return out, nil
}
