package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

// permits tells whether a member may send a message now.
func (c *chat) permits(own *stay, at time.Time) error {
	switch {
	case c.Kind != messaging.Group || own.Role.Manages():
		return nil
	case c.Settings.WhoMaySend == messaging.Admins:
		return messaging.ErrSendRestricted
	case c.Settings.SlowMode == 0:
		return nil
	}
	for _, m := range slices.Backward(c.messages) {
		if m.SenderID == own.UserID {
			if wait := c.Settings.SlowMode - at.Sub(m.CreatedAt); wait > 0 {
				return messaging.ErrSlowMode.After(wait)
			}
			break
		}
	}
	return nil
}

// inGroup returns a group for an operation of one of its members.
func (d *messagingData) inGroup(actorID, chatID string) (*chat, *stay, error) {
	c, own, err := d.acting(actorID, chatID)
	if err == nil && c.Kind != messaging.Group {
		err = messaging.ErrNotAGroup
	}
	return c, own, err
}

func (s messagingStore) SetRole(ctx context.Context, r messaging.SetRole) (messaging.Changed, error) {
	var out messaging.Changed
	d, unlock, err := s.write(ctx)
	if err != nil {
		return out, err
	}
	defer unlock()
	c, own, err := d.inGroup(r.ActorID, r.ChatID)
	if err != nil {
		return out, err
	}
	of := c.present[r.UserID]
	if of == nil {
		return out, messaging.ErrMemberNotFound
	}
	if err := messaging.MayGive(own.Member, of.Member, r.Role); err != nil || of.Role == r.Role {
		return out, err
	}
	give := func(to *stay, role messaging.Role) {
		to.Role = role
		out.Events = append(out.Events, c.add(messaging.Event{
			Type: messaging.MemberRole, At: r.At, ActorID: r.ActorID, UserID: to.UserID, Role: role,
		}))
	}
	give(of, r.Role)
	if r.Role == messaging.RoleOwner {
		give(own, messaging.RoleAdmin)
	}
	c.UpdatedAt = r.At
	return out, nil
}

func (s messagingStore) ChangeGroup(ctx context.Context, g messaging.ChangeGroup) (messaging.Changed, error) {
	var out messaging.Changed
	d, unlock, err := s.write(ctx)
	if err != nil {
		return out, err
	}
	defer unlock()
	c, own, err := d.inGroup(g.ActorID, g.ChatID)
	switch {
	case err != nil:
		return out, err
	case !c.Settings.WhoMayEditInfo.Includes(own.Role), g.Policy() && !own.Role.Manages():
		return out, messaging.ErrNotAnAdmin
	}
	fields := g.Apply(&c.Chat)
	if len(fields) == 0 {
		return out, nil
	}
	c.UpdatedAt = g.At
	out.Events = []messaging.StoredEvent{c.add(messaging.Event{Type: messaging.ChatUpdated, At: g.At, ActorID: g.ActorID, Fields: fields})}
	now := c.Chat
	out.Events[0].Chat = &now
	return out, nil
}

func (s messagingStore) Ban(ctx context.Context, b messaging.BanMember) (messaging.Changed, error) {
	var out messaging.Changed
	d, unlock, err := s.write(ctx)
	if err != nil {
		return out, err
	}
	defer unlock()
	c, own, err := d.inGroup(b.ActorID, b.ChatID)
	if err != nil {
		return out, err
	}
	of := c.present[b.UserID]
	switch {
	case !own.Role.Manages(), of == own, of != nil && !mayRemove(own, of):
		return out, messaging.ErrNotAnAdmin
	case b.Lift:
		delete(c.banned, b.UserID)
		return out, nil
	}
	if _, is := c.banned[b.UserID]; !is {
		c.banned[b.UserID] = messaging.Banned{UserID: b.UserID, ByUserID: b.ActorID, At: b.At}
	}
	if of != nil {
		out = d.expel(c, b.ActorID, of, messaging.ReasonBanned, b.At)
	}
	return out, nil
}

func (s messagingStore) Bans(ctx context.Context, viewerID, chatID, after string, limit int) (page []messaging.Banned, err error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, own, err := d.reading(viewerID, chatID)
	switch {
	case err != nil:
		return nil, err
	case !own.Role.Manages():
		return nil, messaging.ErrNotAnAdmin
	}
	for _, id := range slices.Sorted(maps.Keys(c.banned)) {
		if id > after && len(page) < limit {
			page = append(page, c.banned[id])
		}
	}
	return page, nil
}

// inviting returns a group for who may add members.
func (d *messagingData) inviting(actorID, chatID string) (*chat, error) {
	c, own, err := d.inGroup(actorID, chatID)
	if err == nil && !c.Settings.WhoMayAdd.Includes(own.Role) {
		err = messaging.ErrNotAnAdmin
	}
	return c, err
}

// counting are a group's invites that count, the newest first.
func (d *messagingData) counting(chatID string, now time.Time) (all []messaging.Invite) {
	for _, i := range d.invites {
		if i.ChatID == chatID && i.Counts(now) {
			all = append(all, *i)
		}
	}
	slices.SortFunc(all, func(a, b messaging.Invite) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.Code, b.Code))
	})
	return all
}

func (s messagingStore) CreateInvite(ctx context.Context, i messaging.Invite, most int) (messaging.Invite, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return messaging.Invite{}, err
	}
	defer unlock()
	if _, err := d.inviting(i.CreatedBy, i.ChatID); err != nil {
		return messaging.Invite{}, err
	}
	if there := d.invites[i.Code]; there != nil {
		return *there, nil
	}
	if len(d.counting(i.ChatID, i.CreatedAt)) >= most {
		return messaging.Invite{}, messaging.ErrTooManyInvites
	}
	d.invites[i.Code] = &i
	return i, nil
}

func (s messagingStore) Invites(ctx context.Context, viewerID, chatID string, now time.Time) ([]messaging.Invite, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, err := d.inviting(viewerID, chatID); err != nil {
		return nil, notAMember(err)
	}
	return d.counting(chatID, now), nil
}

// notAMember is what a former member is told where he only reads.
func notAMember(err error) error {
	if err == messaging.ErrNotAMember { //nolint:errorlint // as this package returns it
		return messaging.ErrChatNotFound
	}
	return err
}

func (s messagingStore) RevokeInvite(ctx context.Context, actorID, chatID, code string) error {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := d.inviting(actorID, chatID); err != nil {
		return err
	}
	if i := d.invites[code]; i == nil || i.ChatID != chatID {
		return messaging.ErrInviteNotFound
	}
	delete(d.invites, code)
	return nil
}

func (s messagingStore) Join(ctx context.Context, j messaging.Join) (messaging.Joined, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return messaging.Joined{}, err
	}
	defer unlock()
	i := d.invites[j.Code]
	if i == nil {
		return messaging.Joined{}, messaging.ErrInviteNotFound
	}
	c := d.chats[i.ChatID]
	out := messaging.Joined{ChatID: c.ID}
	switch {
	case c.present[j.UserID] != nil:
		return out, nil
	case !i.Counts(j.At) || c.Status != messaging.Active:
		return messaging.Joined{}, messaging.ErrInviteNotFound
	}
	if out.Changed, err = d.admit(c, j.UserID, []string{j.UserID}, j.Limit, j.At); err != nil {
		return messaging.Joined{}, err
	}
	i.Uses++
	return out, nil
}
