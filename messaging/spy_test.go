package messaging_test

import (
	"context"

	"github.com/wigwag-chat/wigwag/messaging"
)

// spy is a store that others look into: each hook that is set comes before, or
// with "after" in its name after, the real call. An error of a hook is answered.
type spy struct {
	messaging.Store
	append   func([]messaging.NewMessage) error
	edit     func(messaging.EditMessage) error
	create   func(messaging.NewChat) error
	key      func(chatID, keyID string) error
	messages func([]messaging.StoredMessage) // after
	past     func([]messaging.PastBody)      // after
	query    func(method string)
}

func (s *spy) note(method string) {
	if s.query != nil {
		s.query(method)
	}
}

func (s *spy) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	if s.append != nil {
		if err := s.append(items); err != nil {
			return nil, err
		}
	}
	return s.Store.Append(ctx, items)
}

func (s *spy) Edit(ctx context.Context, e messaging.EditMessage) (messaging.Changed, error) {
	if s.edit != nil {
		if err := s.edit(e); err != nil {
			return messaging.Changed{}, err
		}
	}
	return s.Store.Edit(ctx, e)
}

func (s *spy) CreateChat(ctx context.Context, c messaging.NewChat) (messaging.CreatedChat, error) {
	if s.create != nil {
		if err := s.create(c); err != nil {
			return messaging.CreatedChat{}, err
		}
	}
	return s.Store.CreateChat(ctx, c)
}

func (s *spy) Key(ctx context.Context, chatID, keyID string) (messaging.WrappedKey, error) {
	s.note("Key")
	if s.key != nil {
		if err := s.key(chatID, keyID); err != nil {
			return messaging.WrappedKey{}, err
		}
	}
	return s.Store.Key(ctx, chatID, keyID)
}

func (s *spy) Messages(ctx context.Context, viewerID, chatID string, w messaging.Window) ([]messaging.StoredMessage, error) {
	s.note("Messages")
	msgs, err := s.Store.Messages(ctx, viewerID, chatID, w)
	if s.messages != nil {
		s.messages(msgs)
	}
	return msgs, err
}

func (s *spy) PastBodies(ctx context.Context, viewerID, chatID, messageID string) ([]messaging.PastBody, error) {
	bodies, err := s.Store.PastBodies(ctx, viewerID, chatID, messageID)
	if s.past != nil {
		s.past(bodies)
	}
	return bodies, err
}

func (s *spy) Events(ctx context.Context, viewerID, chatID string, after int64, limit int) ([]messaging.StoredEvent, error) {
	s.note("Events")
	return s.Store.Events(ctx, viewerID, chatID, after, limit)
}

func (s *spy) UserEvents(ctx context.Context, userID string, after int64, limit int) ([]messaging.UserEvent, error) {
	s.note("UserEvents")
	return s.Store.UserEvents(ctx, userID, after, limit)
}
