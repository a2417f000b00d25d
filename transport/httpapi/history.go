package httpapi

import (
	"context"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

const aboutHistory = `next goes on in the direction of the request: to newer messages from after, else to older ones. It is empty when none are left there.
A page around a sequence has no next: go on with before its first message, and after its last.`

// stretch is a part of a chat's history and the way that its pages go on.
type stretch struct {
	messaging.Window
	way     byte // olderMessages or newerMessages; 0: they do not
	oldest  bool // after sequence 0, which a Window cannot name
	nothing bool // before sequence 0
}

// stretch reads the parameters.
func (p *historyParams) stretch() (stretch, error) {
	given := 0
	for _, is := range []bool{p.Before.Set, p.After.Set, p.Around.Set, p.Offset > 0, p.Cursor != ""} {
		if is {
			given++
		}
	}
	if given > 1 {
		return stretch{}, ErrInvalidWindow
	}
	w := stretch{way: olderMessages, Window: messaging.Window{
		Before: p.Before.Value, After: p.After.Value, Around: p.Around.Value, Offset: p.Offset, Limit: p.Limit,
	}}
	switch {
	case p.Before.Set:
		w.nothing = w.Before == 0
	case p.After.Set:
		w.way, w.oldest = newerMessages, w.After == 0
	case p.Around.Set:
		w.way, w.oldest = 0, w.Around == 0
	case p.Cursor != "":
		way, behind, err := parseCursor(p.Cursor, string([]byte{olderMessages, newerMessages}))
		if err != nil || behind.number < 1 || behind.id != "" {
			return stretch{}, ErrInvalidCursor
		}
		w.way = way
		if way == newerMessages {
			w.After = behind.number
		} else {
			w.Before = behind.number
		}
	}
	return w, nil
}

func (s *server) listMessages(ctx context.Context, c *call[historyParams, none]) (*reply[api.Page[api.Message]], error) {
	w, err := c.In.stretch()
	if err != nil {
		return nil, err
	}
	found, next, err := s.history(ctx, c.Who.UserID, c.In.Chat, w)
	if err != nil {
		return nil, err
	}
	items := make([]api.Message, len(found))
	for i, m := range found {
		items[i] = api.FromMessage(m, c.Who.UserID)
	}
	return ok(api.Page[api.Message]{Items: items, Next: next})
}

// history reads a page and the cursor of the next one. It asks for one message
// more, which tells whether there is a next one.
func (s *server) history(ctx context.Context, userID, chatID string, w stretch) ([]messaging.Message, string, error) {
	limit := w.Limit
	if w.way != 0 {
		w.Limit = min(limit+1, messaging.MaxPage)
	}
	found, err := s.messages(ctx, userID, chatID, w)
	if err != nil || w.way == 0 || len(found) < limit {
		return found, "", err
	}
	more := len(found) > limit
	if limit == messaging.MaxPage { // one more than a service reads at once
		beyond := messaging.Window{Before: found[0].Seq, Limit: 1}
		if w.way == newerMessages {
			beyond = messaging.Window{After: found[limit-1].Seq, Limit: 1}
		}
		rest, err := s.Messaging.Messages(ctx, userID, chatID, beyond)
		if err != nil {
			return nil, "", err
		}
		more = len(rest) > 0
	}
	switch {
	case !more:
		return found, "", nil
	case w.way == newerMessages:
		found = found[:limit]
		return found, position{number: found[limit-1].Seq}.cursor(w.way), nil
	}
	found = found[len(found)-limit:]
	return found, position{number: found[0].Seq}.cursor(w.way), nil
}

// messages reads a stretch; its oldest messages as what stands around sequence 1, and
// what follows.
func (s *server) messages(ctx context.Context, userID, chatID string, w stretch) ([]messaging.Message, error) {
	switch {
	case w.nothing: // the chat must be one's own all the same
		_, err := s.Messaging.Chat(ctx, userID, chatID)
		return nil, err
	case !w.oldest:
		return s.Messaging.Messages(ctx, userID, chatID, w.Window)
	}
	first, err := s.Messaging.Messages(ctx, userID, chatID, messaging.Window{Around: 1, Limit: min(2*w.Limit, messaging.MaxPage)})
	if err != nil || len(first) == 0 || len(first) >= w.Limit {
		return first[:min(w.Limit, len(first))], err
	}
	rest, err := s.Messaging.Messages(ctx, userID, chatID, messaging.Window{After: first[len(first)-1].Seq, Limit: w.Limit - len(first)})
	return append(first, rest...), err
}
