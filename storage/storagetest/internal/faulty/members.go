package faulty

import (
	"context"
	"errors"

	"github.com/wigwag-chat/wigwag/messaging"
)

func memberDefects() []Defect {
	return []Defect{
		{
			Name:     "lets a removed member write",
			CaughtBy: []string{"append/bad item hurts no other", "race/nothing slips past a removal"},
			chats:    func(s messaging.Store) messaging.Store { return &removedWrites{Store: s, owners: newOwners()} },
		},
		{
			Name:     "makes a chat for each repetition of a request",
			CaughtBy: []string{"chats/client id makes one chat", "chats/client id race makes one"},
			chats:    func(s messaging.Store) messaging.Store { return ignoresChatClientID{s} },
		},
		{
			Name:     "checks the size of a group before it locks it",
			CaughtBy: []string{"race/group is never too full"},
			chats:    func(s messaging.Store) messaging.Store { return checksSizeFirst{s} },
		},
		{
			Name:     "adds who there is room for",
			CaughtBy: []string{"members/limit counts those present afterwards"},
			chats:    func(s messaging.Store) messaging.Store { return addsSome{s} },
		},
		{
			Name:     "lets admins remove each other",
			CaughtBy: []string{"members/removing is for those above"},
			chats:    func(s messaging.Store) messaging.Store { return &adminsFight{Store: s, owners: newOwners()} },
		},
		{
			Name: "does not let who came back edit",
			// Nobody thought of a rule for this one: it takes the model to find it.
			CaughtBy: []string{"model/random commands agree"},
			chats:    func(s messaging.Store) messaging.Store { return noEditsAfterReturn{s} },
		},
	}
}

// removedWrites lets the owner's membership stand for that of who was removed.
type removedWrites struct {
	messaging.Store
	owners
}

func (s *removedWrites) CreateChat(ctx context.Context, n messaging.NewChat) (messaging.CreatedChat, error) {
	s.note(n)
	return s.Store.CreateChat(ctx, n)
}

func (s *removedWrites) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	out, err := s.Store.Append(ctx, items)
	for i := range out {
		if errors.Is(out[i].Err, messaging.ErrNotAMember) {
			n := items[i]
			n.SenderID = s.of(n.ChatID)
			if again, err := s.Store.Append(ctx, []messaging.NewMessage{n}); err == nil {
				out[i] = again[0]
				out[i].Message.SenderID = items[i].SenderID
			}
		}
	}
	return out, err
}

type ignoresChatClientID struct{ messaging.Store }

func (s ignoresChatClientID) CreateChat(ctx context.Context, n messaging.NewChat) (messaging.CreatedChat, error) {
	n.ClientID = ""
	return s.Store.CreateChat(ctx, n)
}

type checksSizeFirst struct{ messaging.Store }

func (s checksSizeFirst) AddMembers(ctx context.Context, a messaging.AddMembers) (messaging.Changed, error) {
	v, err := s.Chat(ctx, a.ActorID, a.ChatID)
	if err == nil && v.MemberCount+len(a.UserIDs) <= a.Limit {
		meet()
		a.Limit = messaging.MaxMembers
	}
	return s.Store.AddMembers(ctx, a)
}

type addsSome struct{ messaging.Store }

func (s addsSome) AddMembers(ctx context.Context, a messaging.AddMembers) (messaging.Changed, error) {
	out, err := s.Store.AddMembers(ctx, a)
	for errors.Is(err, messaging.ErrGroupFull) && len(a.UserIDs) > 1 {
		a.UserIDs = a.UserIDs[:len(a.UserIDs)-1]
		if _, some := s.Store.AddMembers(ctx, a); some == nil {
			break
		}
	}
	return out, err
}

type adminsFight struct {
	messaging.Store
	owners
}

func (s *adminsFight) CreateChat(ctx context.Context, n messaging.NewChat) (messaging.CreatedChat, error) {
	s.note(n)
	return s.Store.CreateChat(ctx, n)
}

func (s *adminsFight) RemoveMember(ctx context.Context, r messaging.RemoveMember) (messaging.Changed, error) {
	out, err := s.Store.RemoveMember(ctx, r)
	v, viewErr := s.Chat(ctx, r.ActorID, r.ChatID)
	if errors.Is(err, messaging.ErrNotAnAdmin) && viewErr == nil && v.Own.Role == messaging.RoleAdmin {
		r.ActorID = s.of(r.ChatID)
		return s.Store.RemoveMember(ctx, r)
	}
	return out, err
}

// noEditsAfterReturn takes only the present membership for the sender's own.
type noEditsAfterReturn struct{ messaging.Store }

func (s noEditsAfterReturn) Edit(ctx context.Context, e messaging.EditMessage) (messaging.Changed, error) {
	m, err := s.Message(ctx, e.EditorID, e.ChatID, e.MessageID)
	if err == nil && m.SenderID == e.EditorID {
		if v, err := s.Chat(ctx, e.EditorID, e.ChatID); err == nil && m.Seq < v.Own.JoinedSeq {
			return messaging.Changed{}, messaging.ErrMessageNotFound
		}
	}
	return s.Store.Edit(ctx, e)
}
