package messaging

import (
	"context"
	"errors"

	"github.com/wigwag-chat/wigwag/errs"
)

const defaultEvents = 100

// Message implements Service. ErrUnreadable when its text is lost.
func (m *Messenger) Message(ctx context.Context, userID, chatID, messageID string) (Message, error) {
	if err := checkMessage(userID, chatID, messageID); err != nil {
		return Message{}, err
	}
	stored, err := m.store.Message(ctx, userID, chatID, messageID)
	if err != nil {
		return Message{}, err
	}
	msg, err := m.readable(ctx, userID, chatID, &stored)
	if err == nil {
		err = msg.Err
	}
	if err != nil {
		return Message{}, err
	}
	return msg, nil
}

// Messages implements Service.
func (m *Messenger) Messages(ctx context.Context, userID, chatID string, w Window) ([]Message, error) {
	if err := checkChat(userID, chatID); err != nil {
		return nil, err
	}
	w, err := checkWindow(w)
	if err != nil {
		return nil, err
	}
	stored, err := m.store.Messages(ctx, userID, chatID, w)
	if err != nil {
		return nil, err
	}
	return m.readableAll(ctx, userID, chatID, stored)
}

// PastTexts implements Service.
func (m *Messenger) PastTexts(ctx context.Context, userID, chatID, messageID string) ([]PastText, error) {
	if err := checkMessage(userID, chatID, messageID); err != nil {
		return nil, err
	}
	bodies, err := m.store.PastBodies(ctx, userID, chatID, messageID)
	if err != nil {
		return nil, err
	}
	texts := make([]PastText, len(bodies))
	for i, b := range bodies {
		text, err := m.open(ctx, chatID, messageID, b.Revision, b.Body)
		if err != nil && !errors.Is(err, ErrUnreadable) {
			return nil, err
		}
		texts[i] = PastText{Text: text, EditedAt: b.EditedAt, Err: err}
	}
	return texts, nil
}

// Events implements Service: at most limit events, 0 is 100, up to MaxSync.
func (m *Messenger) Events(ctx context.Context, userID, chatID string, after int64, limit int) ([]Event, error) {
	if err := checkChat(userID, chatID); err != nil {
		return nil, err
	}
	if after < 0 {
		return nil, errs.Field("after", "invalid_sequence", "A sequence is not negative.")
	}
	limit, err := checkLimit(limit, defaultEvents, MaxSync)
	if err != nil {
		return nil, err
	}
	stored, err := m.store.Events(ctx, userID, chatID, after, limit)
	if err != nil {
		return nil, err
	}
	return m.readableEvents(ctx, userID, chatID, stored)
}

// Heads implements Service.
func (m *Messenger) Heads(ctx context.Context, userID string) (Heads, error) {
	if err := checkUser(userID); err != nil {
		return Heads{}, err
	}
	return m.store.Heads(ctx, userID)
}
