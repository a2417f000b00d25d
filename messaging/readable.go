package messaging

import (
	"context"
	"errors"
)

// readable turns what the store holds into what a viewer sees. A text that is
// lost is told in Message.Err and fails nothing else. The body must have been
// sealed for chatID, whatever the row claims.
func (m *Messenger) readable(ctx context.Context, viewerID, chatID string, stored *StoredMessage) (Message, error) {
	msg := stored.show(viewerID)
	if msg.Deleted {
		return msg, nil
	}
	text, err := m.open(ctx, chatID, stored.ID, stored.Revision, stored.Body)
	if errors.Is(err, ErrUnreadable) {
		msg.Err = err
		return msg, nil
	}
	msg.Text = text
	return msg, err
}

// show is the message without its text, as a viewer may see it.
func (s *StoredMessage) show(viewerID string) Message {
	msg := s.Message
	msg.Text = ""
	if msg.Deleted = msg.Deleted || s.Hidden; msg.Deleted {
		msg.ReplyTo, msg.Reactions = "", nil
	}
	if msg.SenderID != viewerID {
		msg.ClientID = ""
	}
	return msg
}

func (m *Messenger) readableAll(ctx context.Context, viewerID, chatID string, stored []StoredMessage) ([]Message, error) {
	msgs := make([]Message, len(stored))
	for i := range stored {
		var err error
		if msgs[i], err = m.readable(ctx, viewerID, chatID, &stored[i]); err != nil {
			return nil, err
		}
	}
	return msgs, nil
}

func (m *Messenger) readableEvents(ctx context.Context, viewerID, chatID string, stored []StoredEvent) ([]Event, error) {
	events := make([]Event, len(stored))
	for i, e := range stored {
		events[i] = e.Event
		if e.Stored == nil {
			continue
		}
		msg, err := m.readable(ctx, viewerID, chatID, e.Stored)
		if err != nil {
			return nil, err
		}
		events[i].Message = &msg
	}
	return events, nil
}

func (m *Messenger) readableView(ctx context.Context, viewerID string, stored StoredView) (ChatView, error) {
	view := stored.ChatView
	if stored.Last == nil {
		return view, nil
	}
	last, err := m.readable(ctx, viewerID, view.ID, stored.Last)
	if err != nil {
		return ChatView{}, err
	}
	view.LastMessage = &last
	return view, nil
}
