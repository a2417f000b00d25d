package messaging_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a Messenger on the memory store with everything at hand.
type world struct {
	*messaging.Messenger
	t     testing.TB
	ctx   context.Context
	store messaging.Store
	heard *listener
	clock *clock
}

// newWorld makes one; change may alter its Config first.
func newWorld(t testing.TB, change ...func(*messaging.Config)) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), heard: &listener{}, clock: newClock()}
	c := messaging.Config{
		Store:  memory.New(memory.Options{Epoch: "first"}).Messaging(),
		Keys:   newRing(t),
		Secret: []byte(strings.Repeat("s", 32)),
		Now:    w.clock.Now, Publisher: w.heard,
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&c)
	}
	w.store = c.Store
	var err error
	if w.Messenger, err = messaging.New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

func newRing(t testing.TB) *keys.Ring {
	t.Helper()
	key, err := keys.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return keys.NewRing(key)
}

func (w *world) direct(a, b string) string {
	w.t.Helper()
	chat, _, err := w.OpenDirect(w.ctx, a, b)
	must(w.t, err)
	return chat.ID
}

func (w *world) group(owner string, members ...string) string {
	w.t.Helper()
	chat, _, err := w.CreateGroup(w.ctx, messaging.NewGroup{CreatorID: owner, Title: "group", MemberIDs: members})
	must(w.t, err)
	return chat.ID
}

func (w *world) send(sender, chatID, text string) messaging.Message {
	w.t.Helper()
	msg, _, err := w.Send(w.ctx, messaging.SendRequest{SenderID: sender, ChatID: chatID, Text: text})
	must(w.t, err)
	return msg
}

func (w *world) edit(user string, m messaging.Message, text string) messaging.Message {
	w.t.Helper()
	msg, err := w.Edit(w.ctx, messaging.EditRequest{UserID: user, ChatID: m.ChatID, MessageID: m.ID, Text: text})
	must(w.t, err)
	return msg
}

func (w *world) delete(user string, m messaging.Message, forEveryone bool) {
	w.t.Helper()
	must(w.t, w.Delete(w.ctx, messaging.DeleteRequest{
		UserID: user, ChatID: m.ChatID, MessageID: m.ID, ForEveryone: forEveryone,
	}))
}

// history reads a chat to its end.
func (w *world) history(user, chatID string) []messaging.Message {
	w.t.Helper()
	var all []messaging.Message
	window := messaging.Window{Limit: 7, Offset: 0}
	for {
		part, err := w.Messages(w.ctx, user, chatID, window)
		must(w.t, err)
		all = append(slices.Clone(part), all...)
		if len(part) < window.Limit {
			return all
		}
		window = messaging.Window{Limit: 7, Before: part[0].Seq}
	}
}

// listener keeps what was published.
type listener struct {
	mu   sync.Mutex
	told []messaging.Committed
}

func (l *listener) Publish(c messaging.Committed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, messaging.Committed{
		Events: slices.Clone(c.Events), UserEvents: slices.Clone(c.UserEvents), Marks: slices.Clone(c.Marks),
	})
}

// take returns what was published since the last take.
func (l *listener) take() []messaging.Committed {
	l.mu.Lock()
	defer l.mu.Unlock()
	told := l.told
	l.told = nil
	return told
}

// clock gives each reading a microsecond of its own.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 999, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Microsecond)
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ids(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("user-%04d", i)
	}
	return all
}
