package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is messaging on the memory store, which publishes to a feed.
type world struct {
	*messaging.Messenger
	t    testing.TB
	feed *live.Feed
}

func newWorld(t testing.TB, opt live.Options) *world {
	t.Helper()
	opt.Logger = slog.New(slog.DiscardHandler)
	w := &world{t: t, feed: live.New(opt)}
	key, err := keys.Generate(nil)
	must(t, err)
	w.Messenger, err = messaging.New(messaging.Config{
		Store: memory.New(memory.Options{}).Messaging(), Keys: keys.NewRing(key), Secret: make([]byte, 32),
		Publisher: w.feed, Logger: opt.Logger,
	})
	must(t, err)
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connect is a started connection and the heads it starts with.
func (w *world) connect(ctx context.Context, user string) (*hub.Conn, messaging.Heads) {
	w.t.Helper()
	c := w.feed.Hub().Connect(hub.Peer{UserID: user, SessionID: "session-of-" + user})
	for {
		heads, err := w.Heads(ctx, user)
		if err != nil {
			return c, heads
		}
		seqs := map[string]int64{}
		for _, h := range heads.Chats {
			seqs[h.ChatID] = h.Seq
		}
		if c.Start(heads.UserSeq, seqs) {
			return c, heads
		}
	}
}

func (w *world) direct(a, b string) string {
	w.t.Helper()
	c, _, err := w.OpenDirect(w.t.Context(), a, b)
	must(w.t, err)
	return c.ID
}

func (w *world) send(from, chat, text string) messaging.Message {
	w.t.Helper()
	m, _, err := w.Send(w.t.Context(), messaging.SendRequest{SenderID: from, ChatID: chat, Text: text, ClientID: "of-" + text})
	must(w.t, err)
	return m
}

// waiting returns the events that wait for a connection.
func waiting(t testing.TB, c *hub.Conn) (events []api.Event) {
	t.Helper()
	c.Answer(nil) // there is always something
	items, err := c.Next(t.Context(), nil)
	must(t, err)
	for _, i := range items {
		var e api.Event
		if i.Body != nil {
			must(t, json.Unmarshal(i.Body, &e))
			events = append(events, e)
		}
	}
	return events
}

func TestWhoHearsWhat(t *testing.T) {
	w := newWorld(t, live.Options{})
	chat := w.direct("ann", "bob")
	ann, _ := w.connect(t.Context(), "ann")
	tablet, _ := w.connect(t.Context(), "ann")
	bob, _ := w.connect(t.Context(), "bob")
	eve, _ := w.connect(t.Context(), "eve")
	for _, c := range []*hub.Conn{ann, tablet, bob, eve} {
		defer c.Close()
	}
	w.send("ann", chat, "hi")
	must(t, w.Mark(t.Context(), messaging.MarkRequest{UserID: "bob", ChatID: chat, Read: true, UpTo: 1}))
	group, _, err := w.CreateGroup(t.Context(), messaging.NewGroup{CreatorID: "ann", Title: "G", MemberIDs: []string{"bob"}})
	must(t, err)
	w.send("bob", group.ID, "in the new group")
	must(t, w.AddMembers(t.Context(), "ann", group.ID, []string{"eve"}))
	must(t, w.RemoveMember(t.Context(), "ann", group.ID, "eve"))
	w.send("bob", group.ID, "without eve")

	for name, c := range map[string]struct {
		conn *hub.Conn
		want []string
	}{
		"ann":          {ann, []string{"message.created 1 of-hi", "receipt bob", "chat.joined", "message.created 1", "member.added 2", "member.removed 3", "message.created 4"}},
		"ann's tablet": {tablet, []string{"message.created 1 of-hi", "receipt bob", "chat.joined", "message.created 1", "member.added 2", "member.removed 3", "message.created 4"}},
		"bob":          {bob, []string{"message.created 1", "receipt bob user 2", "chat.joined", "message.created 1 of-in the new group", "member.added 2", "member.removed 3", "message.created 4 of-without eve"}},
		"eve":          {eve, []string{"chat.joined", "member.added 2", "chat.left", "member.removed 3"}},
	} {
		var got []string
		for _, e := range waiting(t, c.conn) {
			line := e.Type
			if e.Seq > 0 {
				line += fmt.Sprint(" ", e.Seq)
			}
			if e.Type == api.EventReceipt {
				line += " " + e.UserID
				if e.UserSeq > 0 {
					line += fmt.Sprint(" user ", e.UserSeq)
				}
			}
			if e.Message != nil && e.Message.ClientID != "" {
				line += " " + e.Message.ClientID
			}
			got = append(got, line)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s hears (-want +got):\n%s", name, diff)
		}
	}
}

// counts lists the unread counts among what waits, as "in the chat/in all".
func counts(t testing.TB, c *hub.Conn) (all []string) {
	t.Helper()
	for _, e := range waiting(t, c) {
		if e.Type == api.EventUnread {
			all = append(all, fmt.Sprintf("%d/%d", *e.UnreadCount, *e.Total))
		}
	}
	return all
}

func TestUnreadCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, live.Options{})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.feed.Run(ctx, w) }()
		defer func() { stop(); <-ended }()
		first, second := w.direct("ann", "bob"), w.direct("cid", "bob")
		bob, _ := w.connect(t.Context(), "bob")
		defer bob.Close()
		tablet, _ := w.connect(t.Context(), "bob")
		defer tablet.Close()
		ann, _ := w.connect(t.Context(), "ann")
		defer ann.Close()
		is := func(c *hub.Conn, after time.Duration, want ...string) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if got := counts(t, c); !slices.Equal(got, want) {
				t.Errorf("counts %v, want %v", got, want)
			}
		}

		time.Sleep(10 * time.Second) // a quiet time
		w.send("ann", first, "1")
		is(bob, 50*time.Millisecond, "1/1") // at once
		for i := range 20 {
			w.send("ann", first, fmt.Sprint(i+2))
			time.Sleep(10 * time.Millisecond)
		}
		is(bob, 0)
		w.send("cid", second, "x")
		is(bob, 50*time.Millisecond, "1/22") // another chat does not wait for the first
		is(bob, time.Second, "21/22")        // the latest, once
		is(bob, 10*time.Second)
		is(tablet, 0, "1/22", "21/22") // of what waits the latest of each chat

		must(t, w.Mark(t.Context(), messaging.MarkRequest{UserID: "bob", ChatID: first, Read: true, UpTo: 20}))
		is(tablet, 50*time.Millisecond, "1/2") // one's other devices
		m := w.send("ann", first, "deleted again")
		is(bob, 2*time.Second, "2/3")
		must(t, w.Delete(t.Context(), messaging.DeleteRequest{UserID: "ann", ChatID: first, MessageID: m.ID, ForEveryone: true}))
		is(bob, 2*time.Second, "1/2")
		w.send("bob", first, "one's own counts for others only")
		is(bob, 2*time.Second)
		is(ann, 0, "1/1")
	})
}

func TestSessionsRevoked(t *testing.T) {
	w := newWorld(t, live.Options{})
	c, _ := w.connect(t.Context(), "ann")
	defer c.Close()
	w.feed.SessionsRevoked("ann", []string{"another", "session-of-ann"}, context.DeadlineExceeded)
	if err := c.Err(); err != context.DeadlineExceeded {
		t.Errorf("the connection has %v", err)
	}
}
