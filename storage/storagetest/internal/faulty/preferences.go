package faulty

import (
	"context"

	"github.com/wigwag-chat/wigwag/messaging"
)

func preferenceDefects() []Defect {
	return []Defect{
		{
			Name:     "sets all preferences at once",
			CaughtBy: []string{"preferences/are one's own"},
			chats:    func(s messaging.Store) messaging.Store { return setsAll{s} },
		},
		{
			Name:     "lists all chats, archived or not",
			CaughtBy: []string{"preferences/select the list"},
			chats:    func(s messaging.Store) messaging.Store { return listsAll{s} },
		},
		{
			Name:     "reads before it writes preferences",
			CaughtBy: []string{"preferences/race loses none"},
			chats:    func(s messaging.Store) messaging.Store { return prefersLate{s} },
		},
	}
}

type setsAll struct{ messaging.Store }

func (s setsAll) SetPreferences(ctx context.Context, p messaging.SetPreferences) (messaging.UserEvent, error) {
	for _, flag := range []**bool{&p.Archived, &p.Pinned, &p.MarkedUnread} {
		if *flag == nil {
			*flag = new(false)
		}
	}
	return s.Store.SetPreferences(ctx, p)
}

type listsAll struct{ messaging.Store }

func (s listsAll) Chats(ctx context.Context, viewer string, l messaging.ChatList) ([]messaging.StoredView, error) {
	l.Archived = nil
	return s.Store.Chats(ctx, viewer, l)
}

type prefersLate struct{ messaging.Store }

func (s prefersLate) SetPreferences(ctx context.Context, p messaging.SetPreferences) (messaging.UserEvent, error) {
	view, err := s.Chat(ctx, p.UserID, p.ChatID)
	if err != nil {
		return s.Store.SetPreferences(ctx, p)
	}
	meet()
	now := p.Apply(view.Preferences)
	p.MutedUntil, p.Archived, p.Pinned, p.MarkedUnread = &now.MutedUntil, &now.Archived, &now.Pinned, &now.MarkedUnread
	return s.Store.SetPreferences(ctx, p)
}
