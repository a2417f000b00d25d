package faulty

import (
	"context"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
)

func storeDefects() []Defect {
	return []Defect{
		{
			Name:     "forgets everything when reopened",
			CaughtBy: []string{"store/epoch stays", "store/reopening keeps everything", "model/random commands and reopening agree"},
			forgets:  true,
		},
		{
			Name:     "goes on after Close",
			CaughtBy: []string{"store/closed store answers so"},
			whole:    func(s storage.Store) storage.Store { return staysOpen{s} },
		},
		{
			Name:     "does not look at the context",
			CaughtBy: []string{"store/ended context does nothing"},
			chats:    func(s messaging.Store) messaging.Store { return ignoresContext{s} },
		},
		{
			Name:     "hands out its own bytes",
			CaughtBy: []string{"store/answers are copies"},
			chats:    func(s messaging.Store) messaging.Store { return &aliases{Store: s} },
		},
	}
}

type staysOpen struct{ storage.Store }

func (staysOpen) Close() error            { return nil }
func (s staysOpen) unwrap() storage.Store { return s.Store }

type ignoresContext struct{ messaging.Store }

func (s ignoresContext) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	return s.Store.Append(context.WithoutCancel(ctx), items)
}

type aliases struct {
	messaging.Store
	bodies memo[messaging.Sealed]
}

func (s *aliases) Message(ctx context.Context, viewer, chat, message string) (messaging.StoredMessage, error) {
	m, err := s.Store.Message(ctx, viewer, chat, message)
	if err != nil {
		return m, err
	}
	if body, ok := s.bodies.get(m.ID); ok {
		m.Body = body
	} else {
		s.bodies.set(m.ID, m.Body)
	}
	return m, nil
}
