package memory

import (
	"context"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

func (s messagingStore) Pin(ctx context.Context, p messaging.Pin, most int) (messaging.Changed, error) {
	var out messaging.Changed
	d, unlock, err := s.write(ctx)
	if err != nil {
		return out, err
	}
	defer unlock()
	c, own, err := d.acting(p.UserID, p.ChatID)
	if err != nil {
		return out, err
	}
	m, err := c.visible(p.UserID, p.MessageID)
	switch {
	case err != nil:
		return out, err
	case c.Kind == messaging.Group && !c.Settings.WhoMayPin.Includes(own.Role):
		return out, messaging.ErrNotAnAdmin
	case d.refuses(c, p.UserID) != nil:
		return out, messaging.ErrBlocked
	case slices.Contains(c.pins, m) == p.Pinned:
		return out, nil
	case p.Pinned && len(c.pins) >= most:
		return out, messaging.ErrTooManyPins
	}
	e := messaging.Event{Type: messaging.MessagePinned, At: p.At, ActorID: p.UserID, MessageID: m.ID}
	if p.Pinned {
		c.pins = append(c.pins, m)
	} else {
		c.unpin(m)
		e.Type = messaging.MessageUnpinned
	}
	out.Events = []messaging.StoredEvent{c.add(e)}
	return out, nil
}

func (c *chat) unpin(m *message) {
	c.pins = slices.DeleteFunc(c.pins, func(x *message) bool { return x == m })
}

func (s messagingStore) Pins(ctx context.Context, viewerID, chatID string) (out []messaging.StoredMessage, err error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, _, err := d.reading(viewerID, chatID)
	if err != nil {
		return nil, err
	}
	for _, m := range slices.Backward(c.pins) {
		if m.counts(viewerID) {
			out = append(out, c.show(m, viewerID))
		}
	}
	return out, nil
}
