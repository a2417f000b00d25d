package memory

import (
	"context"

	"github.com/wigwag-chat/wigwag/messaging"
)

func (s messagingStore) Messages(ctx context.Context, viewerID, chatID string, w messaging.Window) ([]messaging.StoredMessage, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, _, err := d.reading(viewerID, chatID)
	if err != nil {
		return nil, err
	}
	var all []*message // ascending, tombstones included
	for _, m := range c.messages {
		if !m.hidden[viewerID] {
			all = append(all, m)
		}
	}
	var page []messaging.StoredMessage
	for _, m := range cut(all, w) {
		page = append(page, c.show(m, viewerID))
	}
	return page, nil
}

// cut returns the part of an ascending history that a window selects.
func cut(all []*message, w messaging.Window) []*message {
	upTo := func(seq int64) int { // how many stand at seq or below
		n := 0
		for n < len(all) && all[n].Seq <= seq {
			n++
		}
		return n
	}
	var from, to int
	switch {
	case w.Before > 0:
		to = upTo(w.Before - 1)
		from = to - w.Limit
	case w.After > 0:
		from = upTo(w.After)
		to = from + w.Limit
	case w.Around > 0:
		half := (w.Limit + 1) / 2
		at := upTo(w.Around)
		from, to = at-half, at+w.Limit-half
	default:
		to = len(all) - w.Offset
		from = to - w.Limit
	}
	to = max(0, min(to, len(all)))
	return all[max(0, min(from, to)):to]
}

func (s messagingStore) Events(ctx context.Context, viewerID, chatID string, after int64, limit int) ([]messaging.StoredEvent, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, _, err := d.reading(viewerID, chatID)
	if err != nil {
		return nil, err
	}
	return c.eventsAfter(viewerID, after, limit), nil
}

// eventsAfter returns the events above a sequence as a viewer sees them.
func (c *chat) eventsAfter(viewerID string, after int64, limit int) (page []messaging.StoredEvent) {
	for _, e := range c.events[min(int(after), len(c.events)):] {
		if e.Type == messaging.ChatUpdated {
			now := c.Chat
			e.Chat = &now
		}
		if len(page) == limit {
			break
		}
		stored := messaging.StoredEvent{Event: e}
		if e.Type == messaging.MessageCreated || e.Type == messaging.MessageEdited {
			m := c.show(c.byID[e.MessageID], viewerID)
			stored.Stored = &m
		}
		page = append(page, stored)
	}
	return page
}

func (s messagingStore) UserEvents(ctx context.Context, userID string, after int64, limit int) ([]messaging.UserEvent, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	feed := d.feeds[userID]
	feed = feed[min(int(after), len(feed)):]
	return d.joined(feed[:min(limit, len(feed))]), nil
}
