package messaging_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
)

func TestNewRefuses(t *testing.T) {
	good := messaging.Config{
		Store: memory.New(memory.Options{}).Messaging(), Keys: newRing(t), Secret: make([]byte, 32),
	}
	for name, change := range map[string]func(*messaging.Config){
		"Store":    func(c *messaging.Config) { c.Store = nil },
		"Keys":     func(c *messaging.Config) { c.Keys = nil },
		"Secret":   func(c *messaging.Config) { c.Secret = c.Secret[1:] },
		"KeyCache": func(c *messaging.Config) { c.KeyCache = -1 },
	} {
		c := good
		change(&c)
		if _, err := messaging.New(c); err == nil || !strings.Contains(err.Error(), "Config."+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := messaging.New(good) // the defaults serve
	must(t, err)
	chat, _, err := m.OpenDirect(t.Context(), "ann", "bob")
	must(t, err)
	msg, _, err := m.Send(t.Context(), messaging.SendRequest{SenderID: "ann", ChatID: chat.ID, Text: "x"})
	must(t, err)
	for _, id := range []string{chat.ID, msg.ID} {
		if u, err := uuid.Parse(id); err != nil || u.Version() != 7 {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

// A context that has ended stops every call, with nothing done and nothing told.
func TestCanceled(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	msg := w.send("ann", chat, "x")
	w.heard.take()
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	for name, call := range map[string]func() error{
		"send": func() error {
			_, _, err := w.Send(ctx, messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: "y"})
			return err
		},
		"edit": func() error {
			_, err := w.Edit(ctx, messaging.EditRequest{UserID: "ann", ChatID: chat, MessageID: msg.ID, Text: "y"})
			return err
		},
		"mark": func() error { return w.Mark(ctx, messaging.MarkRequest{UserID: "bob", ChatID: chat, UpTo: 1}) },
		"open": func() error { _, _, err := w.OpenDirect(ctx, "ann", "cid"); return err },
		"sync": func() error { _, err := w.Sync(ctx, messaging.SyncRequest{UserID: "ann"}); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if told := w.heard.take(); len(told) != 0 {
		t.Errorf("published %+v", told)
	}
}

// Keys of chats that are not in use leave the memory and come back.
func TestKeyCacheIsBounded(t *testing.T) {
	var loads int
	w := newWorld(t, func(c *messaging.Config) {
		c.KeyCache = 4
		c.Store = &spy{Store: c.Store, query: func(method string) {
			if method == "Key" {
				loads++
			}
		}}
	})
	chats := make([]string, 40)
	for i, peer := range ids(len(chats)) {
		chats[i] = w.direct("ann", peer)
		w.send("ann", chats[i], "x")
		w.send("ann", chats[i], "x")
	}
	for _, chat := range chats {
		if msgs := w.history("ann", chat); len(msgs) != 2 || msgs[0].Err != nil {
			t.Errorf("%+v", msgs)
		}
	}
	if loads < 60 {
		t.Errorf("%d loads: the cache is not bounded", loads)
	}
}
