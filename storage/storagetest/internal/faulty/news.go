package faulty

import (
	"context"

	"github.com/wigwag-chat/wigwag/messaging"
)

func newsDefects() []Defect {
	return []Defect{
		{
			Name:     "does not tell nodes who hid a message",
			CaughtBy: []string{"news/events are those that were published"},
			chats: func(s messaging.Store) messaging.Store {
				return newsWithout{s, func(e *messaging.StoredEvent) { e.HiddenFrom = nil }}
			},
		},
		{
			Name:     "does not tell nodes where a membership stands in its user's sequence",
			CaughtBy: []string{"news/events are those that were published"},
			chats: func(s messaging.Store) messaging.Store {
				return newsWithout{s, func(e *messaging.StoredEvent) { e.UserSeq = 0 }}
			},
		},
		{
			Name:     "has no news of a chat in which only marks moved",
			CaughtBy: []string{"news/marks are those that moved"},
			chats:    func(s messaging.Store) messaging.Store { return newsOfEvents{s} },
		},
		{
			Name:     "has news of the first user alone",
			CaughtBy: []string{"news/users have their own events"},
			chats:    func(s messaging.Store) messaging.Store { return newsOfOne{s} },
		},
	}
}

// newsWithout takes something out of the events for nodes.
type newsWithout struct {
	messaging.Store
	strip func(*messaging.StoredEvent)
}

func (s newsWithout) News(ctx context.Context, p messaging.Places, limit int) (messaging.StoredNews, error) {
	news, err := s.Store.News(ctx, p, limit)
	for _, c := range news.Chats {
		for i := range c.Events {
			s.strip(&c.Events[i])
		}
	}
	return news, err
}

type newsOfEvents struct{ messaging.Store }

func (s newsOfEvents) News(ctx context.Context, p messaging.Places, limit int) (messaging.StoredNews, error) {
	news, err := s.Store.News(ctx, p, limit)
	chats := news.Chats
	news.Chats = nil
	for _, c := range chats {
		if len(c.Events) > 0 {
			news.Chats = append(news.Chats, c)
		}
	}
	return news, err
}

type newsOfOne struct{ messaging.Store }

func (s newsOfOne) News(ctx context.Context, p messaging.Places, limit int) (messaging.StoredNews, error) {
	p.Users = p.Users[:min(1, len(p.Users))]
	return s.Store.News(ctx, p, limit)
}
