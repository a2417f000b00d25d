package messaging

import (
	"context"
	"errors"
	"fmt"
)

// maxEditTries bounds the race of one sender's devices for the next revision.
// Each lost try means that another edit was stored.
const maxEditTries = 64

// Edit implements Service.
func (m *Messenger) Edit(ctx context.Context, r EditRequest) (Message, error) {
	if err := checkMessage(r.UserID, r.ChatID, r.MessageID); err != nil {
		return Message{}, err
	}
	if err := checkText(r.Text); err != nil {
		return Message{}, err
	}
	key, err := m.key(ctx, r.ChatID, "")
	if err != nil {
		return Message{}, err
	}
	for range maxEditTries {
		var msg Message
		if msg, err = m.tryEdit(ctx, key, r); !errors.Is(err, ErrRevision) {
			return msg, err
		}
	}
	return Message{}, err
}

// tryEdit seals the text for the next revision and stores it, unless another
// edit takes that revision first: ErrRevision.
func (m *Messenger) tryEdit(ctx context.Context, key chatKey, r EditRequest) (Message, error) {
	now, err := m.store.Message(ctx, r.UserID, r.ChatID, r.MessageID)
	if err != nil {
		return Message{}, err
	}
	at, revision := m.time(), now.Revision+1
	changed, err := m.store.Edit(ctx, EditMessage{
		ChatID: r.ChatID, MessageID: r.MessageID, EditorID: r.UserID,
		Body: key.seal(r.ChatID, r.MessageID, revision, r.Text), Revision: revision,
		At: at, SentAfter: at.Add(-EditWindow),
	})
	if err != nil {
		return Message{}, m.failed(err, r.ChatID)
	}
	if len(changed.Events) != 1 || changed.Events[0].Stored == nil {
		return Message{}, fmt.Errorf("messaging: the store answered %d events for one edit", len(changed.Events))
	}
	event := changed.Events[0].Event
	msg := changed.Events[0].Stored.show(r.UserID)
	msg.Text = r.Text
	told := msg // the caller may change his own
	event.Message, event.HiddenFrom = &told, changed.HiddenFrom
	m.publish(Committed{Events: []Event{event}, UserEvents: changed.UserEvents})
	return msg, nil
}
