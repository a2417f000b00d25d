package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

// reaction is one member's.
type reaction struct {
	emoji, userID string
	at            time.Time
}

func (s messagingStore) React(ctx context.Context, r messaging.React, most int) (messaging.Changed, error) {
	var out messaging.Changed
	d, unlock, err := s.write(ctx)
	if err != nil {
		return out, err
	}
	defer unlock()
	c, _, err := d.acting(r.UserID, r.ChatID)
	if err != nil {
		return out, err
	}
	m, err := c.visible(r.UserID, r.MessageID)
	if err == nil {
		err = d.refuses(c, r.UserID)
	}
	if err != nil {
		return out, err
	}
	same := func(x reaction) bool { return x.emoji == r.Emoji && x.userID == r.UserID }
	if slices.ContainsFunc(m.reactions, same) == r.Added {
		return out, nil
	}
	e := messaging.Event{Type: messaging.ReactionAdded, At: r.At, ActorID: r.UserID, MessageID: m.ID, Emoji: r.Emoji}
	if r.Added {
		kinds := m.counted("")
		if len(kinds) >= most && !slices.ContainsFunc(kinds, func(k messaging.ReactionCount) bool { return k.Emoji == r.Emoji }) {
			return out, messaging.ErrTooManyReactions
		}
		m.reactions = append(m.reactions, reaction{r.Emoji, r.UserID, r.At})
	} else {
		m.reactions = slices.DeleteFunc(m.reactions, same)
		e.Type = messaging.ReactionRemoved
	}
	out.Events = []messaging.StoredEvent{c.add(e)}
	return out, nil
}

// counted are the reactions to a message as a viewer sees them, the emoji that was first on top.
func (m *message) counted(viewerID string) (counts []messaging.ReactionCount) {
	first := make(map[string]time.Time)
	for _, x := range m.reactions {
		i := slices.IndexFunc(counts, func(k messaging.ReactionCount) bool { return k.Emoji == x.emoji })
		if i < 0 {
			i = len(counts)
			counts = append(counts, messaging.ReactionCount{Emoji: x.emoji})
			first[x.emoji] = x.at
		}
		counts[i].Count++
		counts[i].Mine = counts[i].Mine || x.userID == viewerID
		if x.at.Before(first[x.emoji]) {
			first[x.emoji] = x.at
		}
	}
	slices.SortFunc(counts, func(a, b messaging.ReactionCount) int {
		return cmp.Or(first[a.Emoji].Compare(first[b.Emoji]), cmp.Compare(a.Emoji, b.Emoji))
	})
	return counts
}
