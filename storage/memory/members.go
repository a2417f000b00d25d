package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

func (s messagingStore) Members(ctx context.Context, viewerID, chatID, after string, limit int) ([]messaging.Member, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, _, err := d.reading(viewerID, chatID)
	if err != nil {
		return nil, err
	}
	var page []messaging.Member
	for _, id := range slices.Sorted(maps.Keys(c.present)) {
		if id > after && len(page) < limit {
			page = append(page, c.present[id].Member)
		}
	}
	return page, nil
}

func (s messagingStore) AddMembers(ctx context.Context, a messaging.AddMembers) (messaging.Changed, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return messaging.Changed{}, err
	}
	defer unlock()
	c, own, err := d.acting(a.ActorID, a.ChatID)
	if err != nil {
		return messaging.Changed{}, err
	}
	newcomers := slices.DeleteFunc(slices.Clone(a.UserIDs), func(id string) bool { return c.present[id] != nil })
	switch {
	case c.Kind != messaging.Group:
		return messaging.Changed{}, messaging.ErrNotAGroup
	case !c.Settings.WhoMayAdd.Includes(own.Role):
		return messaging.Changed{}, messaging.ErrNotAnAdmin
	}
	return d.admit(c, a.ActorID, newcomers, a.Limit, a.At)
}

// admit makes newcomers members.
func (d *messagingData) admit(c *chat, actorID string, newcomers []string, limit int, at time.Time) (out messaging.Changed, err error) {
	switch {
	case len(newcomers) == 0:
		return out, nil
	case len(c.present)+len(newcomers) > limit:
		return out, messaging.ErrGroupFull
	}
	banned := slices.DeleteFunc(slices.Sorted(slices.Values(newcomers)), func(id string) bool { _, is := c.banned[id]; return !is })
	if len(banned) > 0 {
		return out, messaging.ErrBanned.With("userIds", banned)
	}
	if err := d.blocked(actorID, newcomers); err != nil {
		return out, err
	}
	for _, id := range newcomers {
		out.Events = append(out.Events, c.add(messaging.Event{
			Type: messaging.MemberAdded, At: at, ActorID: actorID, UserID: id, Role: messaging.RoleMember,
		}))
		c.begin(messaging.Member{UserID: id, Role: messaging.RoleMember, JoinedAt: at})
		out.UserEvents = append(out.UserEvents, d.tell(messaging.UserEvent{
			UserID: id, Type: messaging.ChatJoined, At: at, ChatID: c.ID, HeadSeq: c.HeadSeq,
		}))
	}
	c.MemberCount, c.UpdatedAt = len(c.present), at
	return out, nil
}

func (s messagingStore) RemoveMember(ctx context.Context, r messaging.RemoveMember) (messaging.Changed, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return messaging.Changed{}, err
	}
	defer unlock()
	c, actor, err := d.acting(r.ActorID, r.ChatID)
	if err != nil {
		return messaging.Changed{}, err
	}
	gone := c.present[r.UserID]
	switch {
	case c.Kind != messaging.Group:
		return messaging.Changed{}, messaging.ErrNotAGroup
	case gone == nil:
		return messaging.Changed{}, messaging.ErrMemberNotFound
	case !mayRemove(actor, gone):
		return messaging.Changed{}, messaging.ErrNotAnAdmin
	}

	reason := messaging.ReasonRemoved
	if gone == actor {
		reason = messaging.ReasonLeft
	}
	return d.expel(c, r.ActorID, gone, reason, r.At), nil
}

// expel ends a membership.
func (d *messagingData) expel(c *chat, actorID string, gone *stay, reason messaging.Reason, at time.Time) (out messaging.Changed) {
	out.Events = append(out.Events, c.add(messaging.Event{
		Type: messaging.MemberRemoved, At: at, ActorID: actorID, UserID: gone.UserID, Role: gone.Role, Reason: reason,
	}))
	gone.left = c.HeadSeq
	delete(c.present, gone.UserID)
	c.MemberCount, c.UpdatedAt = len(c.present), at
	out.UserEvents = append(out.UserEvents, d.tell(messaging.UserEvent{
		UserID: gone.UserID, Type: messaging.ChatLeft, At: at, ChatID: c.ID, HeadSeq: c.HeadSeq,
	}))

	if len(c.present) == 0 {
		c.Status = messaging.Closed
	} else if gone.Role == messaging.RoleOwner {
		heir := c.heir()
		heir.Role = messaging.RoleOwner
		out.Events = append(out.Events, c.add(messaging.Event{
			Type: messaging.MemberRole, At: at, ActorID: actorID, UserID: heir.UserID, Role: messaging.RoleOwner,
		}))
	}
	return out
}

func mayRemove(actor, gone *stay) bool {
	return actor == gone || actor.Role == messaging.RoleOwner ||
		actor.Role == messaging.RoleAdmin && gone.Role == messaging.RoleMember
}

// heir is the member who becomes owner: an admin before a member, then the first to
// join, then the smaller id.
func (c *chat) heir() *stay {
	admin := func(s *stay) int {
		if s.Role == messaging.RoleAdmin {
			return 0
		}
		return 1
	}
	return slices.MinFunc(slices.Collect(maps.Values(c.present)), func(a, b *stay) int {
		return cmp.Or(admin(a)-admin(b), a.JoinedAt.Compare(b.JoinedAt), cmp.Compare(a.UserID, b.UserID))
	})
}
