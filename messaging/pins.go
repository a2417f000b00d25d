package messaging

import (
	"context"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
)

// MaxPins is how many messages of a chat are pinned at once.
const MaxPins = 50

// ErrTooManyPins: the chat has MaxPins.
var ErrTooManyPins = errs.New(errs.Conflict, "too_many_pins", "The chat has no room for another pinned message.")

// Pin pins a message for all members, or takes it down.
type Pin struct {
	ChatID, MessageID, UserID string
	Pinned                    bool
	At                        time.Time
}

// Pin implements Service.
func (m *Messenger) Pin(ctx context.Context, p Pin) error {
	if err := checkMessage(p.UserID, p.ChatID, p.MessageID); err != nil {
		return err
	}
	p.At = m.time()
	changed, err := m.store.Pin(ctx, p, MaxPins)
	if err != nil {
		return m.failed(err, p.ChatID)
	}
	m.publishChanged(changed)
	return nil
}

// Pins implements Service.
func (m *Messenger) Pins(ctx context.Context, userID, chatID string) ([]Message, error) {
	if err := checkChat(userID, chatID); err != nil {
		return nil, err
	}
	stored, err := m.store.Pins(ctx, userID, chatID)
	if err != nil {
		return nil, err
	}
	return m.readableAll(ctx, userID, chatID, stored)
}
