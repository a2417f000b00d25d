package faulty

import (
	"context"

	"github.com/wigwag-chat/wigwag/messaging"
)

func policyDefects() []Defect {
	return []Defect{
		{
			Name:     "lets any number in",
			CaughtBy: []string{"invites/let in as often as they say", "invites/race lets no more in"},
			chats:    func(s messaging.Store) messaging.Store { return countless{s} },
		},
		{
			Name:     "removes where it should ban",
			CaughtBy: []string{"bans/remove and keep out"},
			chats:    func(s messaging.Store) messaging.Store { return removesOnly{s} },
		},
		{
			Name:     "forgets slow mode",
			CaughtBy: []string{"group/slow mode waits", "group/change names its fields"},
			chats:    func(s messaging.Store) messaging.Store { return neverSlow{s} },
		},
		{
			Name:     "names all fields of a changed group",
			CaughtBy: []string{"group/change names its fields"},
			chats:    func(s messaging.Store) messaging.Store { return namesAll{s} },
		},
		{
			Name:     "keeps the former owner's event to itself",
			CaughtBy: []string{"roles/owner hands over"},
			chats:    func(s messaging.Store) messaging.Store { return halfHandOver{s} },
		},
	}
}

type countless struct{ messaging.Store }

func (s countless) CreateInvite(ctx context.Context, i messaging.Invite, most int) (messaging.Invite, error) {
	uses := i.MaxUses
	i.MaxUses = 0
	i, err := s.Store.CreateInvite(ctx, i, most)
	i.MaxUses = uses
	return i, err
}

type removesOnly struct{ messaging.Store }

func (s removesOnly) Ban(ctx context.Context, b messaging.BanMember) (messaging.Changed, error) {
	if b.Lift {
		return messaging.Changed{}, nil
	}
	out, err := s.RemoveMember(ctx, messaging.RemoveMember{ChatID: b.ChatID, ActorID: b.ActorID, UserID: b.UserID, At: b.At})
	for i := range out.Events {
		out.Events[i].Reason = messaging.ReasonBanned
	}
	return out, err
}

type neverSlow struct{ messaging.Store }

func (s neverSlow) ChangeGroup(ctx context.Context, g messaging.ChangeGroup) (messaging.Changed, error) {
	g.Settings.SlowMode = nil
	return s.Store.ChangeGroup(ctx, g)
}

type namesAll struct{ messaging.Store }

func (s namesAll) ChangeGroup(ctx context.Context, g messaging.ChangeGroup) (messaging.Changed, error) {
	out, err := s.Store.ChangeGroup(ctx, g)
	for i := range out.Events {
		out.Events[i].Fields = []string{messaging.FieldTitle, messaging.FieldDescription, messaging.FieldPicture, messaging.FieldSettings}
	}
	return out, err
}

type halfHandOver struct{ messaging.Store }

func (s halfHandOver) SetRole(ctx context.Context, r messaging.SetRole) (messaging.Changed, error) {
	out, err := s.Store.SetRole(ctx, r)
	out.Events = out.Events[:min(1, len(out.Events))]
	return out, err
}
