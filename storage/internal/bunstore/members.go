package bunstore

import (
	"context"
	"slices"
	"time"

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
		case !head.WhoMayAdd.Includes(spans[a.ActorID].Role):
			return out, messaging.ErrNotAnAdmin
		}
		return admit(ctx, tx, head, spans, a.ActorID, newcomers, a.Limit, a.At)
	})
}

// admit makes newcomers, whose former spans are given, members.
func admit(ctx context.Context, tx bun.Tx, head *chatRow, spans map[string]*spanRow, actorID string, newcomers []string, limit int, at time.Time) (out messaging.Changed, err error) {
	switch {
	case len(newcomers) == 0:
		return out, nil
	case head.MemberCount+len(newcomers) > limit:
		return out, messaging.ErrGroupFull
	}
	banned, err := list[string](ctx, tx, "SELECT user_id FROM bans WHERE chat_id = ? AND user_id IN (?) ORDER BY user_id", head.ID, bun.List(newcomers))
	if err == nil && len(banned) > 0 {
		err = messaging.ErrBanned.With("userIds", banned)
	}
	if err == nil {
		err = blockedBy(ctx, tx, actorID, newcomers)
	}
	if err != nil {
		return out, err
	}
	rows := make([]spanRow, len(newcomers))
	events := make([]messaging.Event, len(newcomers))
	for i, id := range newcomers {
		head.HeadSeq++
		events[i] = messaging.Event{
			ChatID: head.ID, Seq: head.HeadSeq, Type: messaging.MemberAdded, At: at,
			ActorID: actorID, UserID: id, Role: messaging.RoleMember,
		}
		rows[i] = spanRow{
			ChatID: head.ID, UserID: id, Role: messaging.RoleMember, JoinedAt: micros(at),
			JoinedSeq: head.HeadSeq, DeliveredSeq: head.HeadSeq, ReadSeq: head.HeadSeq, ReadOrdinal: head.Ordinal,
		}
		if former := spans[id]; former != nil {
			rows[i].ReachedDelivered, rows[i].ReachedRead = former.ReachedDelivered, former.ReachedRead
		}
		out.UserEvents = append(out.UserEvents, messaging.UserEvent{
			UserID: id, Type: messaging.ChatJoined, At: at, ChatID: head.ID, HeadSeq: head.HeadSeq,
		})
	}
	head.MemberCount += len(newcomers)
	head.UpdatedAt = micros(at)
	if err := tellAll(ctx, tx, head, &out, events...); err != nil {
		return out, err
	}
	if err := addSpans(ctx, tx, rows); err != nil {
		return out, err
	}
	return out, addUserEvents(ctx, tx, out.UserEvents)
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
		return expel(ctx, tx, head, r.ActorID, gone, reason, r.At)
	})
}

// expel ends a membership.
func expel(ctx context.Context, tx bun.Tx, head *chatRow, actorID string, gone *spanRow, reason messaging.Reason, at time.Time) (out messaging.Changed, err error) {
	head.HeadSeq++
	head.MemberCount--
	head.UpdatedAt = micros(at)
	if head.MemberCount == 0 {
		head.Status = messaging.Closed
	}
	events := []messaging.Event{{
		ChatID: head.ID, Seq: head.HeadSeq, Type: messaging.MemberRemoved, At: at,
		ActorID: actorID, UserID: gone.UserID, Role: gone.Role, Reason: reason,
	}}
	out.UserEvents = []messaging.UserEvent{{
		UserID: gone.UserID, Type: messaging.ChatLeft, At: at, ChatID: head.ID, HeadSeq: head.HeadSeq,
	}}
	n, err := exec(ctx, tx, "UPDATE memberships SET left_seq = ? WHERE chat_id = ? AND user_id = ? AND left_seq = 0",
		head.HeadSeq, head.ID, gone.UserID)
	if err := must(1, n, err); err != nil {
		return out, err
	}
	if gone.Role == messaging.RoleOwner && head.MemberCount > 0 {
		head.HeadSeq++
		heir, err := inherit(ctx, tx, head.ID)
		if err != nil {
			return out, err
		}
		events = append(events, messaging.Event{
			ChatID: head.ID, Seq: head.HeadSeq, Type: messaging.MemberRole, At: at,
			ActorID: actorID, UserID: heir, Role: messaging.RoleOwner,
		})
	}
	if err := tellAll(ctx, tx, head, &out, events...); err != nil {
		return out, err
	}
	return out, addUserEvents(ctx, tx, out.UserEvents)
}

func mayRemove(actor, gone *spanRow) bool {
	return actor.UserID == gone.UserID || actor.Role == messaging.RoleOwner ||
		actor.Role == messaging.RoleAdmin && gone.Role == messaging.RoleMember
}

// tellAll saves a head and the events that moved it, and puts them into an outcome.
func tellAll(ctx context.Context, tx bun.Tx, head *chatRow, out *messaging.Changed, events ...messaging.Event) error {
	for _, e := range events {
		out.Events = append(out.Events, messaging.StoredEvent{Event: e})
	}
	if err := saveHead(ctx, tx, head); err != nil {
		return err
	}
	return addEvents(ctx, tx, events...)
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
