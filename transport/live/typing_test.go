package live_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/live"
)

// typed lists what waits of who is writing.
func typed(t *testing.T, c *hub.Conn) (all []string) {
	t.Helper()
	for _, e := range waiting(t, c) {
		if e.Type == api.EventTyping {
			word := " stops"
			if *e.Typing {
				word = " writes"
			}
			all = append(all, e.UserID+word)
		}
	}
	return all
}

func TestTyping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, live.Options{})
		chat, other := w.direct("ann", "bob"), w.direct("ann", "cid")
		ann, _ := w.connect(t.Context(), "ann")
		defer ann.Close()
		bob, _ := w.connect(t.Context(), "bob")
		defer bob.Close()
		cid, _ := w.connect(t.Context(), "cid")
		defer cid.Close()
		say := func(user, chat string, typing bool) {
			t.Helper()
			must(t, w.feed.Typing(t.Context(), w, chat, user, typing))
		}
		is := func(c *hub.Conn, want ...string) {
			t.Helper()
			if got := typed(t, c); !slices.Equal(got, want) {
				t.Errorf("heard %v, want %v", got, want)
			}
		}

		say("ann", chat, true)
		is(bob, "ann writes")
		for range 15 {
			time.Sleep(100 * time.Millisecond)
			say("ann", chat, true)
		}
		is(bob)
		time.Sleep(time.Second)
		say("ann", chat, true)
		is(bob, "ann writes")
		say("ann", other, true) // each chat by itself
		is(cid, "ann writes")
		say("ann", chat, false)
		say("ann", chat, false)
		is(bob, "ann stops")
		for range 20 { // who cannot decide wakes nobody more than twice in half a second
			say("ann", chat, true)
			say("ann", chat, false)
		}
		is(bob)
		time.Sleep(time.Second)
		say("ann", chat, true)
		w.send("ann", chat, "sent")
		say("ann", chat, true)
		is(bob, "ann writes") // the latest of what waits
		time.Sleep(live.TypingFor)
		say("ann", chat, false) // that has expired by itself
		is(bob)
		is(ann) // oneself is not told

		if err := w.feed.Typing(t.Context(), w, chat, "cid", true); !errors.Is(err, messaging.ErrChatNotFound) {
			t.Errorf("typing in somebody else's chat: %v", err)
		}
		w.connectedNowhere("dan")
	})
}

// connectedNowhere checks that who is in a chat may write there without a connection.
func (w *world) connectedNowhere(user string) {
	w.t.Helper()
	chat := w.direct("bob", user)
	bob, _ := w.connect(context.Background(), "bob")
	defer bob.Close()
	must(w.t, w.feed.Typing(context.Background(), w, chat, user, true))
	for _, e := range waiting(w.t, bob) {
		if e.Type == api.EventTyping && e.UserID == user {
			return
		}
	}
	w.t.Errorf("bob does not hear that %s writes", user)
}
