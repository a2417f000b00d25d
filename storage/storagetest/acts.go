package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/wigwag-chat/wigwag/messaging"
)

type makeChat messaging.NewChat

func (a makeChat) String() string {
	var members []string
	for _, m := range a.Members {
		members = append(members, fmt.Sprintf("%s %s", m.Role, m.UserID))
	}
	return fmt.Sprintf("%s makes %s %s with %s%s", a.CreatedBy, a.Kind, a.ID, strings.Join(members, ", "), called(a.ClientID, a.Digest))
}

func called(clientID string, digest []byte) string {
	if clientID == "" {
		return ""
	}
	return fmt.Sprintf(" as %s, digest %s", clientID, digest)
}

func (a makeChat) do(ctx context.Context, s *subject) ([]reply, error) {
	n := messaging.NewChat(a)
	n.ID, n.CreatedBy, n.ClientID = s.id(n.ID), s.id(n.CreatedBy), s.id(n.ClientID)
	n.Members = slices.Clone(n.Members)
	for i := range n.Members {
		n.Members[i].UserID = s.id(n.Members[i].UserID)
	}
	out, err := s.r.m().CreateChat(ctx, n)
	out.UserEvents = byUser(out.UserEvents)
	return s.one(out, err)
}

func (a makeChat) expect(m *model) []answer {
	m.clock = a.CreatedAt
	m.names++
	return []answer{m.create(messaging.NewChat(a))}
}

type addMembersAct messaging.AddMembers

func (a addMembersAct) String() string {
	return fmt.Sprintf("%s adds %s to %s, limit %d", a.ActorID, strings.Join(a.UserIDs, ", "), a.ChatID, a.Limit)
}

func (a addMembersAct) do(ctx context.Context, s *subject) ([]reply, error) {
	x := messaging.AddMembers(a)
	x.ChatID, x.ActorID, x.UserIDs = s.id(x.ChatID), s.id(x.ActorID), slices.Clone(x.UserIDs)
	for i := range x.UserIDs {
		x.UserIDs[i] = s.id(x.UserIDs[i])
	}
	return s.changed(s.r.m().AddMembers(ctx, x))
}

// changed is the reply of an operation on one chat.
func (s *subject) changed(out messaging.Changed, err error) ([]reply, error) {
	out.UserEvents = byUser(out.UserEvents)
	for _, e := range out.Events {
		if e.Stored != nil {
			e.Stored.Tally = messaging.Tally{} // is not said
		}
	}
	return s.one(out, err)
}

func (a addMembersAct) expect(m *model) []answer {
	m.clock = a.At
	return []answer{m.add(messaging.AddMembers(a))}
}

type removeMemberAct messaging.RemoveMember

func (a removeMemberAct) String() string {
	return fmt.Sprintf("%s removes %s from %s", a.ActorID, a.UserID, a.ChatID)
}

func (a removeMemberAct) do(ctx context.Context, s *subject) ([]reply, error) {
	x := messaging.RemoveMember(a)
	x.ChatID, x.ActorID, x.UserID = s.id(x.ChatID), s.id(x.ActorID), s.id(x.UserID)
	return s.changed(s.r.m().RemoveMember(ctx, x))
}

func (a removeMemberAct) expect(m *model) []answer {
	m.clock = a.At
	return []answer{m.remove(messaging.RemoveMember(a))}
}

type appendAct []messaging.NewMessage

func (a appendAct) String() string {
	var items []string
	for _, n := range a {
		items = append(items, fmt.Sprintf("%s sends %s to %s%s", n.SenderID, n.ID, n.ChatID, called(n.ClientID, n.Digest)))
	}
	return strings.Join(items, "; ")
}

func (a appendAct) do(ctx context.Context, s *subject) ([]reply, error) {
	items := slices.Clone(a)
	for i := range items {
		n := &items[i]
		n.ID, n.ChatID, n.SenderID, n.ClientID = s.id(n.ID), s.id(n.ChatID), s.id(n.SenderID), s.id(n.ClientID)
	}
	out, err := s.r.m().Append(ctx, items)
	var replies []reply
	for _, o := range out {
		if o.Repeated {
			o.Message.Tally = messaging.Tally{} // is not said
		}
		itemErr := o.Err
		o.Err = nil
		replies = append(replies, reply{shorten(s.prefix, o), itemErr})
	}
	return replies, err
}

func (a appendAct) expect(m *model) (all []answer) {
	for _, n := range a {
		m.clock = n.CreatedAt
		m.names++
		all = append(all, m.append(n))
	}
	return all
}

type editAct messaging.EditMessage

func (a editAct) String() string {
	return fmt.Sprintf("%s edits %s in %s to revision %d", a.EditorID, a.MessageID, a.ChatID, a.Revision)
}

func (a editAct) do(ctx context.Context, s *subject) ([]reply, error) {
	x := messaging.EditMessage(a)
	x.ChatID, x.MessageID, x.EditorID = s.id(x.ChatID), s.id(x.MessageID), s.id(x.EditorID)
	return s.changed(s.r.m().Edit(ctx, x))
}

func (a editAct) expect(m *model) []answer {
	m.clock = a.At
	return []answer{m.edit(messaging.EditMessage(a))}
}

// unsaid: whether one may edit what one has hidden from oneself.
func (a editAct) unsaid(m *model) bool { return m.hid(a.EditorID, a.ChatID, a.MessageID) }

func (m *model) hid(user, chatID, messageID string) bool {
	c := m.chat(chatID)
	return c != nil && c.post(messageID) != nil && slices.Contains(c.post(messageID).hiddenBy, user)
}

type deleteAct messaging.DeleteMessage

func (a deleteAct) String() string {
	return fmt.Sprintf("%s deletes %s in %s", a.ActorID, a.MessageID, a.ChatID)
}

func (a deleteAct) do(ctx context.Context, s *subject) ([]reply, error) {
	x := messaging.DeleteMessage(a)
	x.ChatID, x.MessageID, x.ActorID = s.id(x.ChatID), s.id(x.MessageID), s.id(x.ActorID)
	return s.changed(s.r.m().Delete(ctx, x))
}

func (a deleteAct) expect(m *model) []answer {
	m.clock = a.At
	return []answer{m.delete(messaging.DeleteMessage(a))}
}

// unsaid: whether one may delete what one has hidden from oneself.
func (a deleteAct) unsaid(m *model) bool { return m.hid(a.ActorID, a.ChatID, a.MessageID) }

type hideAct messaging.HideMessage

func (a hideAct) String() string {
	return fmt.Sprintf("%s hides %s in %s", a.UserID, a.MessageID, a.ChatID)
}

func (a hideAct) do(ctx context.Context, s *subject) ([]reply, error) {
	x := messaging.HideMessage(a)
	x.ChatID, x.MessageID, x.UserID = s.id(x.ChatID), s.id(x.MessageID), s.id(x.UserID)
	return s.changed(s.r.m().Hide(ctx, x))
}

func (a hideAct) expect(m *model) []answer {
	m.clock = a.At
	return []answer{m.hide(messaging.HideMessage(a))}
}

// unsaid: whether one may hide a tombstone.
func (a hideAct) unsaid(m *model) bool {
	c := m.chat(a.ChatID)
	return c != nil && c.post(a.MessageID) != nil && c.post(a.MessageID).deleted
}

type markAct []messaging.Mark

func (a markAct) String() string {
	var items []string
	for _, x := range a {
		kind := "delivered"
		if x.Read {
			kind = "read"
		}
		items = append(items, fmt.Sprintf("%s has %s %s up to %d", x.UserID, kind, x.ChatID, x.UpTo))
	}
	return strings.Join(items, "; ")
}

func (a markAct) do(ctx context.Context, s *subject) ([]reply, error) {
	items := slices.Clone(a)
	for i := range items {
		items[i].ChatID, items[i].UserID = s.id(items[i].ChatID), s.id(items[i].UserID)
	}
	out, err := s.r.m().Mark(ctx, items)
	var replies []reply
	for _, o := range out {
		itemErr := o.Err
		o.Err = nil
		replies = append(replies, reply{shorten(s.prefix, o), itemErr})
	}
	return replies, err
}

func (a markAct) expect(m *model) (all []answer) {
	for _, x := range a {
		m.clock = x.At
		all = append(all, m.mark(x))
	}
	return all
}

type reopenAct struct{}

func (reopenAct) String() string { return "the store is opened again" }

func (reopenAct) do(_ context.Context, s *subject) ([]reply, error) {
	s.r.reopen()
	return nil, nil
}

func (reopenAct) expect(*model) []answer { return nil }
