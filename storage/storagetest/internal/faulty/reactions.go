package faulty

import (
	"context"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

func reactionDefects() []Defect {
	return []Defect{
		{
			Name:     "forgets whose reaction it is",
			CaughtBy: []string{"reactions/are counted by emoji"},
			chats:    func(s messaging.Store) messaging.Store { return nobodysReaction{s} },
		},
		{
			Name:     "tells a reaction that stands again",
			CaughtBy: []string{"reactions/take a place", "reactions/race counts each once"},
			chats:    func(s messaging.Store) messaging.Store { return reactsAgain{s} },
		},
		{
			Name:     "counts no different emoji",
			CaughtBy: []string{"reactions/refuse"},
			chats:    func(s messaging.Store) messaging.Store { return anyReactions{s} },
		},
		{
			Name:     "lists pins as they came",
			CaughtBy: []string{"pins/stand for all"},
			chats:    func(s messaging.Store) messaging.Store { return pinsAsTheyCame{s} },
		},
		{
			Name:     "loses what a message answers",
			CaughtBy: []string{"replies/come back"},
			chats:    func(s messaging.Store) messaging.Store { return noReplies{s} },
		},
	}
}

type nobodysReaction struct{ messaging.Store }

func (s nobodysReaction) Message(ctx context.Context, viewer, chat, message string) (messaging.StoredMessage, error) {
	m, err := s.Store.Message(ctx, viewer, chat, message)
	for i := range m.Reactions {
		m.Reactions[i].Mine = false
	}
	return m, err
}

type reactsAgain struct{ messaging.Store }

func (s reactsAgain) React(ctx context.Context, r messaging.React, most int) (messaging.Changed, error) {
	back := r
	back.Added = !r.Added
	if _, err := s.Store.React(ctx, back, most); err != nil {
		return messaging.Changed{}, err
	}
	return s.Store.React(ctx, r, most)
}

type anyReactions struct{ messaging.Store }

func (s anyReactions) React(ctx context.Context, r messaging.React, _ int) (messaging.Changed, error) {
	return s.Store.React(ctx, r, 1000)
}

type pinsAsTheyCame struct{ messaging.Store }

func (s pinsAsTheyCame) Pins(ctx context.Context, viewer, chat string) ([]messaging.StoredMessage, error) {
	all, err := s.Store.Pins(ctx, viewer, chat)
	slices.Reverse(all)
	return all, err
}

type noReplies struct{ messaging.Store }

func (s noReplies) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	some := append([]messaging.NewMessage(nil), items...)
	for i := range some {
		some[i].ReplyTo = ""
	}
	return s.Store.Append(ctx, some)
}
