package messaging_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
)

// SEC-1, SEC-2: no text, no clue of a text, and no key reaches the store or a log.
func TestPlaintextIsNowhere(t *testing.T) {
	const secret = "attack at dawn"
	var reached [][]byte
	var log bytes.Buffer
	w := newWorld(t, func(c *messaging.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.Rand = strings.NewReader(strings.Repeat("not so random 32", 100))
		c.Store = &spy{Store: c.Store,
			create: func(n messaging.NewChat) error {
				reached = append(reached, n.Key.Data, n.Digest)
				return nil
			},
			append: func(items []messaging.NewMessage) error {
				for _, i := range items {
					reached = append(reached, i.Body.Data, i.Digest, []byte(i.ID+i.ChatID+i.ClientID))
				}
				return nil
			},
			edit: func(e messaging.EditMessage) error {
				reached = append(reached, e.Body.Data)
				return nil
			},
		}
	})
	chat := w.direct("ann", "bob")
	r := messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: secret, ClientID: "c"}
	msg, _, err := w.Send(w.ctx, r)
	must(t, err)
	w.edit("ann", msg, secret+"!")
	_, _, err = w.Send(w.ctx, r)
	must(t, err)
	if len(reached) < 7 {
		t.Fatalf("the spy saw %d values", len(reached))
	}
	for _, b := range append(reached, log.Bytes()) {
		if bytes.Contains(b, []byte("attack")) || bytes.Contains(b, []byte("not so random")) {
			t.Errorf("in the clear: %q", b)
		}
	}
	stored, err := w.store.Message(w.ctx, "ann", chat, msg.ID)
	must(t, err)
	if stored.Text != "" || len(stored.Digest) != 32 {
		t.Errorf("stored %+v", stored)
	}
}

// The same text sent by the same person has another digest under another secret,
// and in another chat.
func TestDigestIsKeyed(t *testing.T) {
	digests := make(map[string]bool)
	for _, secret := range []string{strings.Repeat("a", 32), strings.Repeat("b", 32)} {
		w := newWorld(t, func(c *messaging.Config) {
			c.Secret = []byte(secret)
			c.Store = &spy{Store: c.Store, append: func(items []messaging.NewMessage) error {
				digests[string(items[0].Digest)] = true
				return nil
			}}
			n := 0
			c.NewID = func() string { n++; return string(rune('a' + n)) }
		})
		for i, chat := range []string{w.direct("ann", "bob"), w.direct("ann", "cid")} {
			_, _, err := w.Send(w.ctx, messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: "x", ClientID: string(rune('0' + i))})
			must(t, err)
		}
	}
	if len(digests) != 4 {
		t.Errorf("%d digests of 4 requests", len(digests))
	}
}

// A body that was put elsewhere does not open, hurts no other item, and is told.
func TestBodiesAreBound(t *testing.T) {
	hooks := &spy{}
	w := newWorld(t, func(c *messaging.Config) { hooks.Store, c.Store = c.Store, hooks })
	chat, other := w.direct("ann", "bob"), w.direct("ann", "cid")
	a, b := w.send("ann", chat, "one"), w.send("ann", chat, "two")
	w.send("ann", chat, "three")
	w.edit("ann", a, "one again")
	foreign := w.send("ann", other, "foreign")
	first, err := w.store.PastBodies(w.ctx, "ann", chat, a.ID)
	must(t, err)
	elsewhere, err := w.store.Message(w.ctx, "ann", other, foreign.ID)
	must(t, err)

	for name, swap := range map[string]func([]messaging.StoredMessage){
		"of another message":   func(m []messaging.StoredMessage) { m[0].Body = m[1].Body },
		"of an old edit":       func(m []messaging.StoredMessage) { m[0].Body = first[0].Body },
		"of another chat":      func(m []messaging.StoredMessage) { m[0].Body = elsewhere.Body },
		"with the row's names": func(m []messaging.StoredMessage) { m[0] = elsewhere },
		"as another revision":  func(m []messaging.StoredMessage) { m[0].Revision++ },
		"under another key":    func(m []messaging.StoredMessage) { m[0].Body.KeyID = "2" },
		"cut":                  func(m []messaging.StoredMessage) { m[0].Body.Data = m[0].Body.Data[:5] },
		"empty":                func(m []messaging.StoredMessage) { m[0].Body = messaging.Sealed{} },
	} {
		hooks.messages = swap
		msgs, err := w.Messages(w.ctx, "bob", chat, messaging.Window{})
		if err != nil || len(msgs) != 3 {
			t.Fatalf("%s: %d messages, %v", name, len(msgs), err)
		}
		if msgs[0].Text != "" || !errors.Is(msgs[0].Err, messaging.ErrUnreadable) {
			t.Errorf("%s: opens as %q, %v", name, msgs[0].Text, msgs[0].Err)
		}
		if msgs[1].Text != "two" || msgs[2].Text != "three" || msgs[1].Err != nil {
			t.Errorf("%s: hurts %+v", name, msgs[1:])
		}
	}
	w.edit("ann", a, "one for good")
	hooks.past = func(p []messaging.PastBody) { p[0].Body, p[1].Body = p[1].Body, p[0].Body }
	past, err := w.PastTexts(w.ctx, "ann", chat, a.ID)
	if err != nil || len(past) != 2 || !errors.Is(past[0].Err, messaging.ErrUnreadable) || past[0].Text+past[1].Text != "" {
		t.Errorf("swapped past texts: %+v, %v", past, err)
	}
	if got, err := w.Message(w.ctx, "bob", chat, b.ID); err != nil || got.Text != "two" {
		t.Errorf("%+v, %v", got, err)
	}
}

// With the host key lost, every text is told as lost and the rest is shown.
func TestLostHostKey(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	msg := w.send("ann", chat, "one")
	blind := newWorld(t, func(c *messaging.Config) { c.Store = w.store })
	msgs, err := blind.Messages(w.ctx, "bob", chat, messaging.Window{})
	if err != nil || len(msgs) != 1 || !errors.Is(msgs[0].Err, messaging.ErrUnreadable) || !errors.Is(msgs[0].Err, keys.ErrUnknownKey) {
		t.Errorf("page: %+v, %v", msgs, err)
	}
	if _, err := blind.Message(w.ctx, "bob", chat, msg.ID); !errors.Is(err, messaging.ErrUnreadable) {
		t.Errorf("one message: %v", err)
	}
	chats, err := blind.Chats(w.ctx, "bob", messaging.List{})
	if err != nil || len(chats.Items) != 1 || chats.Items[0].LastMessage.Err == nil {
		t.Errorf("chats: %+v, %v", chats, err)
	}
	if _, _, err := blind.Send(w.ctx, messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: "x"}); !errors.Is(err, keys.ErrUnknownKey) {
		t.Errorf("send: %v", err)
	}
}

// A failure of the moment fails the call, is not mistaken for a lost text, and is not remembered.
func TestKeyServiceAway(t *testing.T) {
	away := errors.New("away")
	hooks := &spy{key: func(string, string) error { return away }}
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	w.send("ann", chat, "one")
	hooks.Store = w.store
	kms := &flakyKMS{err: away}
	second, err := messaging.New(messaging.Config{Store: hooks, Keys: kms, Secret: make([]byte, 32), Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	for range 2 { // first the store, then the key service
		if msgs, err := second.Messages(w.ctx, "bob", chat, messaging.Window{}); !errors.Is(err, away) || msgs != nil {
			t.Errorf("%v, %v", msgs, err)
		}
		hooks.key = nil
	}
	kms.err = context.Canceled
	if _, err := second.Messages(w.ctx, "bob", chat, messaging.Window{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	kms.err = keys.ErrUnknownKey
	if msgs, err := second.Messages(w.ctx, "bob", chat, messaging.Window{}); err != nil || msgs[0].Err == nil {
		t.Errorf("%v, %v", msgs, err)
	}
}

type flakyKMS struct{ err error }

func (k *flakyKMS) Wrap(context.Context, []byte, []byte) ([]byte, error)   { return nil, k.err }
func (k *flakyKMS) Unwrap(context.Context, []byte, []byte) ([]byte, error) { return nil, k.err }
