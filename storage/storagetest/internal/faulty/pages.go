package faulty

import (
	"context"
	"slices"
	"strings"

	"github.com/wigwag-chat/wigwag/messaging"
)

func pageDefects() []Defect {
	return []Defect{
		{
			Name:     "drops the last item of a full page of history",
			CaughtBy: []string{"history/newest page and offset", "history/pages drop and repeat nothing", "model/random commands agree"},
			chats:    func(s messaging.Store) messaging.Store { return dropsLastMessage{s} },
		},
		{
			Name:     "drops the last item of a full page of members",
			CaughtBy: []string{"members/pages drop and repeat nothing"},
			chats:    func(s messaging.Store) messaging.Store { return dropsLastMember{s} },
		},
		{
			Name:     "is off by one at the cursor of events",
			CaughtBy: []string{"events/pages drop and repeat nothing"},
			chats:    func(s messaging.Store) messaging.Store { return eventsInclusive{s} },
		},
		{
			Name:     "is off by one before a sequence",
			CaughtBy: []string{"history/before is exclusive"},
			chats:    func(s messaging.Store) messaging.Store { return beforeInclusive{s} },
		},
		{
			Name:     "skips chats as active as the cursor",
			CaughtBy: []string{"chats/pages drop and repeat nothing"},
			chats:    func(s messaging.Store) messaging.Store { return chatsByTimeAlone{s} },
		},
		{
			Name:     "returns another chat's row",
			CaughtBy: []string{"append/message comes back as sent"},
			chats:    func(s messaging.Store) messaging.Store { return &anyChatsRow{Store: s} },
		},
		{
			Name:     "folds case in ids",
			CaughtBy: []string{"chats/ids are compared byte by byte"},
			chats:    func(s messaging.Store) messaging.Store { return foldsCase{s} },
		},
		{
			Name:     "swaps the order of events",
			CaughtBy: []string{"append/sequence is dense", "race/history of many writers is whole"},
			chats:    func(s messaging.Store) messaging.Store { return swapsEvents{s} },
		},
		{
			Name:     "skips a number of a user's events",
			CaughtBy: []string{"events/own sequence is dense"},
			chats:    func(s messaging.Store) messaging.Store { return skipsUserEvent{s} },
		},
		{
			Name:     "lets who left read on",
			CaughtBy: []string{"chats/others find nothing"},
			chats:    func(s messaging.Store) messaging.Store { return &leaksToFormer{Store: s, owners: newOwners()} },
		},
		{
			Name:     "answers heads as they were at the call before",
			CaughtBy: []string{"chats/heads tell where everything stands", "race/history is linearizable"},
			chats:    func(s messaging.Store) messaging.Store { return &staleHeads{Store: s} },
		},
	}
}

type dropsLastMessage struct{ messaging.Store }

func (s dropsLastMessage) Messages(ctx context.Context, viewer, chat string, w messaging.Window) ([]messaging.StoredMessage, error) {
	page, err := s.Store.Messages(ctx, viewer, chat, w)
	if len(page) == w.Limit && len(page) > 1 {
		page = page[:len(page)-1]
	}
	return page, err
}

type dropsLastMember struct{ messaging.Store }

func (s dropsLastMember) Members(ctx context.Context, viewer, chat, after string, limit int) ([]messaging.Member, error) {
	page, err := s.Store.Members(ctx, viewer, chat, after, limit)
	if len(page) == limit && len(page) > 1 {
		page = page[:len(page)-1]
	}
	return page, err
}

type eventsInclusive struct{ messaging.Store }

func (s eventsInclusive) Events(ctx context.Context, viewer, chat string, after int64, limit int) ([]messaging.StoredEvent, error) {
	return s.Store.Events(ctx, viewer, chat, max(0, after-1), limit)
}

type beforeInclusive struct{ messaging.Store }

func (s beforeInclusive) Messages(ctx context.Context, viewer, chat string, w messaging.Window) ([]messaging.StoredMessage, error) {
	if w.Before > 0 {
		w.Before++
	}
	return s.Store.Messages(ctx, viewer, chat, w)
}

type chatsByTimeAlone struct{ messaging.Store }

func (s chatsByTimeAlone) Chats(ctx context.Context, viewer string, l messaging.ChatList) ([]messaging.StoredView, error) {
	if l.After.ChatID != "" {
		l.After.ChatID = "\x00" // smaller than every id
	}
	return s.Store.Chats(ctx, viewer, l)
}

// anyChatsRow looks a message up by its own id alone.
type anyChatsRow struct {
	messaging.Store
	chats memo[string]
}

func (s *anyChatsRow) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	for _, n := range items {
		s.chats.set(n.ID, n.ChatID)
	}
	return s.Store.Append(ctx, items)
}

func (s *anyChatsRow) Message(ctx context.Context, viewer, chat, message string) (messaging.StoredMessage, error) {
	if known, ok := s.chats.get(message); ok {
		chat = known
	}
	return s.Store.Message(ctx, viewer, chat, message)
}

type foldsCase struct{ messaging.Store }

func (s foldsCase) Chat(ctx context.Context, viewer, chat string) (messaging.StoredView, error) {
	return s.Store.Chat(ctx, strings.ToLower(viewer), chat)
}

type swapsEvents struct{ messaging.Store }

func (s swapsEvents) Events(ctx context.Context, viewer, chat string, after int64, limit int) ([]messaging.StoredEvent, error) {
	page, err := s.Store.Events(ctx, viewer, chat, after, limit)
	if n := len(page); n > 1 {
		page[n-1], page[n-2] = page[n-2], page[n-1]
	}
	return page, err
}

type skipsUserEvent struct{ messaging.Store }

func (s skipsUserEvent) UserEvents(ctx context.Context, user string, after int64, limit int) ([]messaging.UserEvent, error) {
	page, err := s.Store.UserEvents(ctx, user, after, limit)
	return slices.DeleteFunc(page, func(e messaging.UserEvent) bool { return e.Seq%7 == 5 }), err
}

type leaksToFormer struct {
	messaging.Store
	owners
}

func (s *leaksToFormer) CreateChat(ctx context.Context, n messaging.NewChat) (messaging.CreatedChat, error) {
	s.note(n)
	return s.Store.CreateChat(ctx, n)
}

func (s *leaksToFormer) Messages(ctx context.Context, viewer, chat string, w messaging.Window) ([]messaging.StoredMessage, error) {
	page, err := s.Store.Messages(ctx, viewer, chat, w)
	if err != nil && s.was(viewer, chat) {
		return s.Store.Messages(ctx, s.of(chat), chat, w)
	}
	return page, err
}

type staleHeads struct {
	messaging.Store
	before memo[messaging.Heads]
}

func (s *staleHeads) Heads(ctx context.Context, user string) (messaging.Heads, error) {
	now, err := s.Store.Heads(ctx, user)
	if err != nil {
		return now, err
	}
	before, ok := s.before.get(user)
	s.before.set(user, now)
	if ok {
		return before, nil
	}
	return now, nil
}
