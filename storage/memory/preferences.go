package memory

import (
	"context"

	"github.com/wigwag-chat/wigwag/messaging"
)

// preference is what a member prefers. He marked the chat as unread while his read mark stood at marked-1; 0: he did not.
type preference struct {
	messaging.Preferences
	marked int64
}

func (c *chat) preferences(own *stay) messaging.Preferences {
	p := c.prefers[own.UserID]
	p.MarkedUnread = p.marked == own.ReadSeq+1
	return p.Preferences
}

func (s messagingStore) SetPreferences(ctx context.Context, p messaging.SetPreferences) (messaging.UserEvent, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return messaging.UserEvent{}, err
	}
	defer unlock()
	c, own, err := d.acting(p.UserID, p.ChatID)
	if err != nil {
		return messaging.UserEvent{}, err
	}
	e := messaging.UserEvent{UserID: p.UserID, Type: messaging.ChatPreferred, At: p.At, ChatID: p.ChatID}
	was := c.preferences(own)
	now := p.Apply(was)
	if now != was {
		kept := preference{Preferences: now}
		if now.MarkedUnread {
			kept.marked = own.ReadSeq + 1
		}
		c.prefers[p.UserID] = kept
		e = d.tell(e)
	}
	e.Preferences = &now
	return e, nil
}

// joined are own events with what they refer to.
func (d *messagingData) joined(events []messaging.UserEvent) []messaging.UserEvent {
	out := append([]messaging.UserEvent(nil), events...)
	for i := range out {
		if e := &out[i]; e.Type == messaging.ChatPreferred {
			now := d.chats[e.ChatID].prefers[e.UserID].Preferences
			if own := d.chats[e.ChatID].present[e.UserID]; own != nil {
				now = d.chats[e.ChatID].preferences(own)
			}
			e.Preferences = &now
		}
	}
	return out
}
