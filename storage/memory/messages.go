package memory

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

// message is one message with what became of it.
type message struct {
	messaging.StoredMessage
	chat   *chat
	past   []messaging.PastBody
	hidden map[string]bool // by the users who hid it

	reactions []reaction
}

// counts reports whether a message is there for a viewer, neither deleted nor hidden.
func (m *message) counts(viewerID string) bool { return !m.Deleted && !m.hidden[viewerID] }

// show copies a message for a viewer, with its tally.
func (c *chat) show(m *message, viewerID string) messaging.StoredMessage {
	out := m.StoredMessage
	out.Body = copySealed(m.Body)
	out.Digest = bytes.Clone(m.Digest)
	out.Hidden = m.hidden[viewerID]
	out.Tally = c.tally(m)
	out.Reactions = m.counted(viewerID)
	return out
}

func copySealed(s messaging.Sealed) messaging.Sealed {
	return messaging.Sealed{KeyID: s.KeyID, Data: bytes.Clone(s.Data)}
}

// find returns a message that is not deleted.
func (c *chat) find(messageID string) (*message, error) {
	m, ok := c.byID[messageID]
	if !ok || m.Deleted {
		return nil, messaging.ErrMessageNotFound
	}
	return m, nil
}

// visible returns a message that is there for a viewer.
func (c *chat) visible(viewerID, messageID string) (*message, error) {
	m, err := c.find(messageID)
	if err == nil && m.hidden[viewerID] {
		return nil, messaging.ErrMessageNotFound
	}
	return m, err
}

func (s messagingStore) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	out := make([]messaging.Appended, len(items))
	for i, item := range items {
		out[i] = d.append(item)
	}
	return out, nil
}

func (d *messagingData) append(n messaging.NewMessage) messaging.Appended {
	name := named{n.SenderID, n.ClientID}
	if m := d.sent[name]; m != nil {
		// A tombstone has no digest: whatever the request was, it is the first one's.
		if !m.Deleted && !bytes.Equal(m.Digest, n.Digest) {
			return messaging.Appended{Err: messaging.ErrClientIDReused}
		}
		return messaging.Appended{Message: m.chat.show(m, n.SenderID), Repeated: true}
	}
	c, own, err := d.acting(n.SenderID, n.ChatID)
	if err == nil {
		err = d.refuses(c, n.SenderID)
	}
	if err == nil {
		err = c.permits(own, n.CreatedAt)
	}
	if err == nil && n.ReplyMissing {
		err = messaging.ErrMessageNotFound
	}
	if err != nil {
		return messaging.Appended{Err: err}
	}
	e := c.add(messaging.Event{
		Type: messaging.MessageCreated, At: n.CreatedAt, ActorID: n.SenderID, MessageID: n.ID,
	})
	m := &message{
		StoredMessage: messaging.StoredMessage{
			Message: messaging.Message{
				ID: n.ID, ChatID: n.ChatID, Seq: e.Seq, SenderID: n.SenderID, ClientID: n.ClientID,
				Kind: n.Kind, CreatedAt: n.CreatedAt, ReplyTo: n.ReplyTo,
			},
			Body: copySealed(n.Body), Revision: 1, Digest: bytes.Clone(n.Digest),
		},
		chat:   c,
		hidden: make(map[string]bool),
	}
	c.messages = append(c.messages, m)
	c.byID[m.ID] = m
	c.LastMessageAt = n.CreatedAt
	if n.ClientID != "" {
		d.sent[name] = m
	}
	return messaging.Appended{Message: c.show(m, n.SenderID)}
}

func (s messagingStore) Edit(ctx context.Context, e messaging.EditMessage) (messaging.Changed, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return messaging.Changed{}, err
	}
	defer unlock()
	c, _, err := d.acting(e.EditorID, e.ChatID)
	if err != nil {
		return messaging.Changed{}, err
	}
	m, err := c.visible(e.EditorID, e.MessageID)
	switch {
	case err != nil:
		return messaging.Changed{}, err
	case m.SenderID != e.EditorID:
		return messaging.Changed{}, messaging.ErrNotTheSender
	case d.refuses(c, e.EditorID) != nil:
		return messaging.Changed{}, messaging.ErrBlocked
	case m.CreatedAt.Before(e.SentAfter):
		return messaging.Changed{}, messaging.ErrEditWindowPassed
	case m.Revision+1 != e.Revision:
		return messaging.Changed{}, messaging.ErrRevision
	}
	m.past = append(m.past, messaging.PastBody{Body: m.Body, Revision: m.Revision, EditedAt: e.At})
	m.Body, m.Revision, m.EditedAt = copySealed(e.Body), e.Revision, e.At
	event := c.add(messaging.Event{
		Type: messaging.MessageEdited, At: e.At, ActorID: e.EditorID, MessageID: m.ID,
	})
	stored := c.show(m, e.EditorID)
	event.Stored = &stored
	return messaging.Changed{
		Events: []messaging.StoredEvent{event}, HiddenFrom: slices.Sorted(maps.Keys(m.hidden)),
	}, nil
}

func (s messagingStore) Delete(ctx context.Context, r messaging.DeleteMessage) (messaging.Changed, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return messaging.Changed{}, err
	}
	defer unlock()
	c, own, err := d.acting(r.ActorID, r.ChatID)
	if err != nil {
		return messaging.Changed{}, err
	}
	m, err := c.find(r.MessageID)
	if err != nil {
		return messaging.Changed{}, err
	}
	if m.SenderID != r.ActorID && !own.Role.Manages() {
		return messaging.Changed{}, messaging.ErrNotTheSender
	}
	m.Deleted, m.Body, m.Digest, m.past, m.ReplyTo, m.reactions = true, messaging.Sealed{}, nil, nil, "", nil
	c.unpin(m)
	event := c.add(messaging.Event{
		Type: messaging.MessageDeleted, At: r.At, ActorID: r.ActorID, MessageID: m.ID,
	})
	return messaging.Changed{Events: []messaging.StoredEvent{event}}, nil
}

func (s messagingStore) Hide(ctx context.Context, h messaging.HideMessage) (messaging.Changed, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return messaging.Changed{}, err
	}
	defer unlock()
	c, _, err := d.acting(h.UserID, h.ChatID)
	if err != nil {
		return messaging.Changed{}, err
	}
	m, ok := c.byID[h.MessageID]
	switch {
	case !ok:
		return messaging.Changed{}, messaging.ErrMessageNotFound
	case m.hidden[h.UserID]:
		return messaging.Changed{}, nil
	}
	m.hidden[h.UserID] = true
	return messaging.Changed{UserEvents: []messaging.UserEvent{d.tell(messaging.UserEvent{
		UserID: h.UserID, Type: messaging.MessageDeleted, At: h.At, ChatID: c.ID, MessageID: m.ID,
	})}}, nil
}

func (s messagingStore) Message(ctx context.Context, viewerID, chatID, messageID string) (messaging.StoredMessage, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return messaging.StoredMessage{}, err
	}
	defer unlock()
	c, _, err := d.reading(viewerID, chatID)
	if err != nil {
		return messaging.StoredMessage{}, err
	}
	m, err := c.visible(viewerID, messageID)
	if err != nil {
		return messaging.StoredMessage{}, err
	}
	return c.show(m, viewerID), nil
}

func (s messagingStore) PastBodies(ctx context.Context, viewerID, chatID, messageID string) ([]messaging.PastBody, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, _, err := d.reading(viewerID, chatID)
	if err != nil {
		return nil, err
	}
	m, err := c.visible(viewerID, messageID)
	if err != nil {
		return nil, err
	}
	past := slices.Clone(m.past)
	for i := range past {
		past[i].Body = copySealed(past[i].Body)
	}
	return past, nil
}
