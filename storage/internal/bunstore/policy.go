package bunstore

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// enterGroup is enter for a chat that must be a group.
func (c chats) enterGroup(ctx context.Context, tx bun.Tx, chatID, userID string, others ...string) (*chatRow, map[string]*spanRow, error) {
	head, spans, err := c.enter(ctx, tx, messaging.ErrNotAMember, chatID, userID, others...)
	if err == nil && head.Kind != messaging.Group {
		err = messaging.ErrNotAGroup
	}
	return head, spans, err
}

// SetRole implements messaging.Store.
func (c chats) SetRole(ctx context.Context, r messaging.SetRole) (messaging.Changed, error) {
	return c.change(ctx, r, func(ctx context.Context, tx bun.Tx) (out messaging.Changed, err error) {
		head, spans, err := c.enterGroup(ctx, tx, r.ChatID, r.ActorID, r.UserID)
		if err != nil {
			return out, err
		}
		actor, of := spans[r.ActorID], spans[r.UserID]
		if !of.present() {
			return out, messaging.ErrMemberNotFound
		}
		if err := messaging.MayGive(actor.member(), of.member(), r.Role); err != nil || of.Role == r.Role {
			return out, err
		}
		var events []messaging.Event
		give := func(userID string, role messaging.Role) error {
			head.HeadSeq++
			events = append(events, messaging.Event{
				ChatID: head.ID, Seq: head.HeadSeq, Type: messaging.MemberRole, At: r.At, ActorID: r.ActorID, UserID: userID, Role: role,
			})
			n, err := exec(ctx, tx, "UPDATE memberships SET role = ? WHERE chat_id = ? AND user_id = ? AND left_seq = 0", string(role), head.ID, userID)
			return must(1, n, err)
		}
		if err := give(r.UserID, r.Role); err != nil {
			return out, err
		}
		if r.Role == messaging.RoleOwner {
			if err := give(r.ActorID, messaging.RoleAdmin); err != nil {
				return out, err
			}
		}
		head.UpdatedAt = micros(r.At)
		return out, tellAll(ctx, tx, head, &out, events...)
	})
}

// ChangeGroup implements messaging.Store.
func (c chats) ChangeGroup(ctx context.Context, g messaging.ChangeGroup) (messaging.Changed, error) {
	return c.change(ctx, []string{g.ChatID, g.ActorID, text(g.Title), text(g.Description), text(g.PictureID)}, func(ctx context.Context, tx bun.Tx) (out messaging.Changed, err error) {
		head, spans, err := c.enterGroup(ctx, tx, g.ChatID, g.ActorID)
		if err != nil {
			return out, err
		}
		if role := spans[g.ActorID].Role; !head.WhoMayEditInfo.Includes(role) || g.Policy() && !role.Manages() {
			return out, messaging.ErrNotAnAdmin
		}
		now := head.chat()
		fields := g.Apply(&now)
		if len(fields) == 0 {
			return out, nil
		}
		s := now.Settings
		n, err := exec(ctx, tx, `UPDATE chats SET title = ?, description = ?, picture_id = ?, who_may_send = ?, who_may_add = ?,
			who_may_pin = ?, who_may_edit_info = ?, slow_mode = ? WHERE id = ?`, now.Title, now.Description, now.PictureID, string(s.WhoMaySend),
			string(s.WhoMayAdd), string(s.WhoMayPin), string(s.WhoMayEditInfo), s.SlowMode.Microseconds(), head.ID)
		if err := must(1, n, err); err != nil {
			return out, err
		}
		head.HeadSeq++
		head.UpdatedAt = micros(g.At)
		err = tellAll(ctx, tx, head, &out, messaging.Event{
			ChatID: head.ID, Seq: head.HeadSeq, Type: messaging.ChatUpdated, At: g.At, ActorID: g.ActorID, Fields: fields,
		})
		now.HeadSeq, now.UpdatedAt = head.HeadSeq, moment(head.UpdatedAt)
		out.Events[0].Chat = &now
		return out, err
	})
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Ban implements messaging.Store.
func (c chats) Ban(ctx context.Context, b messaging.BanMember) (messaging.Changed, error) {
	return c.change(ctx, b, func(ctx context.Context, tx bun.Tx) (out messaging.Changed, err error) {
		head, spans, err := c.enterGroup(ctx, tx, b.ChatID, b.ActorID, b.UserID)
		if err != nil {
			return out, err
		}
		actor, of := spans[b.ActorID], spans[b.UserID]
		switch {
		case !actor.Role.Manages(), actor == of, of.present() && !mayRemove(actor, of):
			return out, messaging.ErrNotAnAdmin
		case b.Lift:
			_, err := exec(ctx, tx, "DELETE FROM bans WHERE chat_id = ? AND user_id = ?", b.ChatID, b.UserID)
			return out, err
		}
		if _, err := exec(ctx, tx, "INSERT INTO bans (chat_id, user_id, by_user_id, at) VALUES ? ON CONFLICT DO NOTHING",
			tuples{{b.ChatID, b.UserID, b.ActorID, micros(b.At)}}); err != nil || !of.present() {
			return out, err
		}
		return expel(ctx, tx, head, b.ActorID, of, messaging.ReasonBanned, b.At)
	})
}

// Bans implements messaging.Store.
func (c chats) Bans(ctx context.Context, viewerID, chatID, after string, limit int) (out []messaging.Banned, err error) {
	if err := valid(viewerID, chatID, after); err != nil {
		return nil, err
	}
	type row struct {
		UserID   string
		ByUserID string
		At       int64
	}
	err = c.seen(ctx, viewerID, chatID, func(ctx context.Context, db bun.IDB) error {
		if _, err := rankOf(ctx, db, viewerID, chatID, func(_ *chatRow, r messaging.Role) bool { return r.Manages() }); err != nil {
			return err
		}
		rows, err := list[row](ctx, db, "SELECT user_id, by_user_id, at FROM bans WHERE chat_id = ? AND user_id > ? ORDER BY user_id LIMIT ?", chatID, after, limit)
		out = nil
		for _, r := range rows {
			out = append(out, messaging.Banned{UserID: r.UserID, ByUserID: r.ByUserID, At: moment(r.At)})
		}
		return err
	})
	return out, err
}

// rankOf reads a chat for a member of a sufficient rank; else ErrNotAnAdmin.
func rankOf(ctx context.Context, db bun.IDB, viewerID, chatID string, suffices func(*chatRow, messaging.Role) bool) (*chatRow, error) {
	head, err := find[chatRow](ctx, db, messaging.ErrChatNotFound, "SELECT "+chatColumns+" FROM chats AS c WHERE c.id = ?", chatID)
	if err != nil {
		return nil, err
	}
	role, err := find[string](ctx, db, messaging.ErrChatNotFound, "SELECT role FROM memberships WHERE chat_id = ? AND user_id = ? AND left_seq = 0", chatID, viewerID)
	if err == nil && !suffices(&head, messaging.Role(role)) {
		err = messaging.ErrNotAnAdmin
	}
	return &head, err
}

type inviteRow struct {
	Code      string
	ChatID    string
	CreatedBy string
	CreatedAt int64
	ExpiresAt int64
	MaxUses   int
	Uses      int
}

const inviteColumns = `i.code, i.chat_id, i.created_by, i.created_at, i.expires_at, i.max_uses, i.uses`

func (r *inviteRow) invite() messaging.Invite {
	return messaging.Invite{
		Code: r.Code, ChatID: r.ChatID, CreatedBy: r.CreatedBy, CreatedAt: moment(r.CreatedAt), ExpiresAt: moment(r.ExpiresAt),
		MaxUses: r.MaxUses, Uses: r.Uses,
	}
}

// counting are a group's invites that count, the newest first.
func counting(ctx context.Context, db bun.IDB, chatID string, now time.Time) ([]messaging.Invite, error) {
	rows, err := list[inviteRow](ctx, db, "SELECT "+inviteColumns+` FROM invites AS i WHERE i.chat_id = ?
		AND (i.expires_at = ? OR i.expires_at > ?) AND (i.max_uses = 0 OR i.uses < i.max_uses) ORDER BY i.created_at DESC, i.code`,
		chatID, never, micros(now))
	var all []messaging.Invite
	for i := range rows {
		all = append(all, rows[i].invite())
	}
	return all, err
}

// invites runs an operation on a group's invites for who may add members.
func (c chats) invites(ctx context.Context, actorID, chatID string, fn func(context.Context, bun.Tx) error) error {
	_, err := c.change(ctx, []string{actorID, chatID}, func(ctx context.Context, tx bun.Tx) (out messaging.Changed, err error) {
		head, spans, err := c.enterGroup(ctx, tx, chatID, actorID)
		if err == nil && !head.WhoMayAdd.Includes(spans[actorID].Role) {
			err = messaging.ErrNotAnAdmin
		}
		if err != nil {
			return out, err
		}
		return out, fn(ctx, tx)
	})
	return err
}

// CreateInvite implements messaging.Store.
func (c chats) CreateInvite(ctx context.Context, i messaging.Invite, most int) (out messaging.Invite, err error) {
	if err := valid(i); err != nil {
		return messaging.Invite{}, err
	}
	err = c.invites(ctx, i.CreatedBy, i.ChatID, func(ctx context.Context, tx bun.Tx) error {
		out = i
		there, err := list[inviteRow](ctx, tx, "SELECT "+inviteColumns+" FROM invites AS i WHERE i.code = ?", i.Code)
		if err == nil && len(there) > 0 {
			out = there[0].invite()
		}
		if err != nil || len(there) > 0 {
			return err
		}
		have, err := counting(ctx, tx, i.ChatID, i.CreatedAt)
		switch {
		case err != nil:
			return err
		case len(have) >= most:
			return messaging.ErrTooManyInvites
		}
		n, err := exec(ctx, tx, "INSERT INTO invites (code, chat_id, created_by, created_at, expires_at, max_uses, uses) VALUES ?",
			tuples{{i.Code, i.ChatID, i.CreatedBy, micros(i.CreatedAt), micros(i.ExpiresAt), i.MaxUses, i.Uses}})
		return must(1, n, err)
	})
	if err != nil {
		return messaging.Invite{}, err
	}
	return out, nil
}

// Invites implements messaging.Store.
func (c chats) Invites(ctx context.Context, viewerID, chatID string, now time.Time) (out []messaging.Invite, err error) {
	if err := valid(viewerID, chatID); err != nil {
		return nil, err
	}
	err = c.seen(ctx, viewerID, chatID, func(ctx context.Context, db bun.IDB) error {
		head, err := rankOf(ctx, db, viewerID, chatID, func(h *chatRow, r messaging.Role) bool { return h.WhoMayAdd.Includes(r) })
		switch {
		case head != nil && head.Kind != messaging.Group:
			return messaging.ErrNotAGroup
		case err != nil:
			return err
		}
		out, err = counting(ctx, db, chatID, now)
		return err
	})
	return out, err
}

// RevokeInvite implements messaging.Store.
func (c chats) RevokeInvite(ctx context.Context, actorID, chatID, code string) error {
	if err := valid(code); err != nil {
		return err
	}
	return c.invites(ctx, actorID, chatID, func(ctx context.Context, tx bun.Tx) error {
		n, err := exec(ctx, tx, "DELETE FROM invites WHERE code = ? AND chat_id = ?", code, chatID)
		if err == nil && n == 0 {
			err = messaging.ErrInviteNotFound
		}
		return err
	})
}

// Join implements messaging.Store.
func (c chats) Join(ctx context.Context, j messaging.Join) (out messaging.Joined, err error) {
	_, err = c.change(ctx, j, func(ctx context.Context, tx bun.Tx) (none messaging.Changed, err error) {
		out = messaging.Joined{}
		out.ChatID, err = find[string](ctx, tx, messaging.ErrInviteNotFound, "SELECT chat_id FROM invites WHERE code = ?", j.Code)
		if err != nil {
			return none, err
		}
		heads, err := headsOf(ctx, tx, c.s.dialect.Lock, []string{out.ChatID})
		if err != nil {
			return none, err
		}
		// What the lock waited for may have used it up, or revoked it.
		row, err := find[inviteRow](ctx, tx, messaging.ErrInviteNotFound, "SELECT "+inviteColumns+" FROM invites AS i WHERE i.code = ?", j.Code)
		if err != nil {
			return none, err
		}
		places := map[place]*spanRow{{out.ChatID, j.UserID}: nil}
		if err := spansOf(ctx, tx, places); err != nil {
			return none, err
		}
		head, own, invite := heads[out.ChatID], places[place{out.ChatID, j.UserID}], row.invite()
		switch {
		case head == nil:
			return none, messaging.ErrInviteNotFound
		case own.present():
			return none, nil
		case !invite.Counts(j.At) || head.Status != messaging.Active:
			return none, messaging.ErrInviteNotFound
		}
		out.Changed, err = admit(ctx, tx, head, map[string]*spanRow{j.UserID: own}, j.UserID, []string{j.UserID}, j.Limit, j.At)
		if err != nil {
			return none, err
		}
		n, err := exec(ctx, tx, "UPDATE invites SET uses = uses + 1 WHERE code = ?", j.Code)
		return none, must(1, n, err)
	})
	if err != nil {
		return messaging.Joined{}, err
	}
	return out, nil
}
