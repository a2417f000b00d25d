package live

import (
	"context"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

const (
	// TypingFor is how long others show that somebody is writing unless he says so again.
	TypingFor = 6 * time.Second
	// typingEvery is the least time between two tellings that he is, and that he has stopped.
	typingEvery = 2 * time.Second

	maxTypists = 10_000 // who were told of lately
)

// Chats tells whether somebody is in a chat; messaging.Service is one.
type Chats interface {
	Chat(ctx context.Context, userID, chatID string) (messaging.ChatView, error)
}

// typists are those whose writing was told of lately.
type typists struct {
	mu   sync.Mutex
	told map[writer]telling
}

type writer struct{ chat, user string }

type telling struct {
	typing bool
	at     time.Time
}

// Typing tells the other members of a chat who are online that a user is writing, or has
// stopped (RT-3): that he is at most every two seconds, that he is no longer
// only if they were told that he was. messaging.ErrChatNotFound when he is not a member. It is
// told at most once, and kept nowhere.
func (f *Feed) Typing(ctx context.Context, chats Chats, chatID, userID string, typing bool) error {
	if !f.hub.Follows(userID, chatID) { // whoever does is a member
		if _, err := chats.Chat(ctx, userID, chatID); err != nil {
			return err
		}
	}
	w := writer{chatID, userID}
	if !f.typists.due(w, typing, f.now()) {
		return nil
	}
	f.tellTyping(w, typing)
	if f.bus != nil {
		f.hints.typing(w, typing)
	}
	return nil
}

// due reports whether others are to be told, and notes that they are.
func (t *typists) due(w writer, typing bool, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, ok := t.told[w]
	age := now.Sub(last.at)
	fresh := ok && age >= 0 && age < TypingFor
	switch {
	case typing && fresh && last.typing && age < typingEvery,
		typing && fresh && !last.typing && age < typingEvery/4, // who starts and stops all the time
		!typing && !(fresh && last.typing):
		return false
	}
	if len(t.told) >= maxTypists {
		clear(t.told) // then some hear it once more
	}
	t.told[w] = telling{typing, now}
	return true
}

// wrote notes that what somebody was writing has been sent: what he types from now on is news.
func (t *typists) wrote(w writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.told, w)
}

// tellTyping delivers to who listens here.
func (f *Feed) tellTyping(w writer, typing bool) {
	if f.hub.Followers(w.chat) == 0 {
		return
	}
	f.hub.Publish(hub.Event{
		ChatID: w.chat, Body: encode(api.Typing(w.chat, w.user, typing, TypingFor, f.now())),
		For: map[string][]byte{w.user: nil}, Key: "typing\x00" + w.chat + "\x00" + w.user,
	})
}
