package live_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/bus/inproc"
	"github.com/wigwag-chat/wigwag/transport/live"
	"github.com/wigwag-chat/wigwag/users"
)

// house is several nodes of one system that know people and their presence.
type house struct {
	t     *testing.T
	store users.Store
	bus   inproc.Bus
	nodes int
}

// post is one of them. dead makes it unable to say anything more.
type post struct {
	*house
	people *users.Profiles
	feed   *live.Feed
	dead   atomic.Bool
	stop   func()
}

// Announce and Sweep are the desk's, until the node is dead.
func (n *post) Announce(ctx context.Context, id string, life time.Duration, stations []users.Station) (users.Announced, error) {
	if n.dead.Load() {
		return users.Announced{}, errors.New("dead")
	}
	return n.people.Announce(ctx, id, life, stations)
}

func (n *post) Sweep(ctx context.Context) ([]string, error) {
	if n.dead.Load() {
		return nil, errors.New("dead")
	}
	return n.people.Sweep(ctx)
}

func (n *post) Watchers(ctx context.Context, userID string, connected func(string) bool) (map[string]users.Presence, []string, error) {
	return n.people.Watchers(ctx, userID, connected)
}

func newHouse(t *testing.T) *house {
	return &house{t: t, store: memory.New(memory.Options{}).Users()}
}

func (h *house) node() *post {
	h.t.Helper()
	h.nodes++
	n := &post{house: h, feed: live.New(live.Options{
		Logger: slog.New(slog.DiscardHandler), Bus: &h.bus, NodeID: fmt.Sprint("node ", h.nodes),
	})}
	var err error
	n.people, err = users.New(users.Config{Store: h.store, Publisher: n.feed})
	must(h.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.feed.Attend(ctx, n) })
	running.Go(func() { n.feed.Follow(ctx, live.Reads{News: noNews{}}) })
	n.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	h.t.Cleanup(n.stop)
	synctest.Wait()
	return n
}

type noNews struct{}

func (noNews) News(context.Context, messaging.Places) (n messaging.News, err error) { return n, nil }

// arrive is a connection of somebody who has a profile.
func (n *post) arrive(user string) *hub.Conn {
	n.t.Helper()
	must(n.t, n.people.Ensure(n.t.Context(), user))
	c := n.feed.Hub().Connect(hub.Peer{UserID: user, SessionID: "s"})
	c.Start(0, nil)
	n.feed.Arrive(c, user)
	n.t.Cleanup(c.Close)
	return c
}

func (n *post) depart(c *hub.Conn, user string) {
	n.feed.Depart(c, user)
	c.Close()
}

// knows makes people contacts of each other.
func (n *post) know(owner string, others ...string) {
	n.t.Helper()
	for _, id := range others {
		must(n.t, n.people.Ensure(n.t.Context(), id))
		_, _, err := n.people.AddContact(n.t.Context(), owner, id, "")
		must(n.t, err)
	}
}

func (h *house) hears(c *hub.Conn, want ...string) {
	h.t.Helper()
	synctest.Wait()
	var got []string
	for _, e := range waiting(h.t, c) {
		if e.Type == api.EventPresence {
			word := " off"
			if *e.Online {
				word = " on"
			}
			if !e.LastSeen.IsZero() {
				word += " seen"
			}
			got = append(got, e.UserID+word)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		h.t.Errorf("heard %q, want %q", got, want)
	}
}

func TestPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		here, there := h.node(), h.node()
		here.know("ann", "bob", "cid")
		here.know("eve", "ann") // who has her in contacts hears of her as well as whom she has
		ann, eve, fay := here.arrive("ann"), here.arrive("eve"), there.arrive("fay")
		time.Sleep(time.Second)
		h.hears(eve, "ann on")
		h.hears(ann, "eve on")

		bob := there.arrive("bob")
		time.Sleep(time.Second)
		h.hears(ann, "bob on")
		second := here.arrive("bob")
		time.Sleep(time.Second)
		there.depart(bob, "bob")
		time.Sleep(time.Second)
		h.hears(ann) // the second device
		must(t, here.feed.Away(t.Context(), second, "bob", true))
		time.Sleep(time.Second)
		h.hears(ann, "bob off seen")
		must(t, here.feed.Away(t.Context(), second, "bob", false))
		here.depart(second, "bob")
		back := here.arrive("bob") // changes at once are told as one
		time.Sleep(time.Second)
		h.hears(ann, "bob on seen")
		_, err := here.people.UpdateSettings(t.Context(), "bob", users.SettingsUpdate{
			Privacy: users.PrivacyUpdate{OnlineStatus: new(users.Contacts), LastSeen: new(users.Nobody)},
		})
		must(t, err)
		time.Sleep(time.Second)
		h.hears(ann, "bob off") // she may not see it any more
		here.depart(back, "bob")
		time.Sleep(time.Second)
		h.hears(ann)
		there.know("bob", "ann")
		back = there.arrive("bob")
		time.Sleep(time.Second)
		h.hears(ann, "bob on")
		_, _, err = there.people.Block(t.Context(), "bob", "ann")
		must(t, err)
		time.Sleep(time.Second)
		h.hears(ann, "bob off")
		there.depart(back, "bob")
		time.Sleep(time.Second)
		h.hears(ann)
		h.hears(fay) // a stranger to all
	})
}

// Nobody stays online longer than 25 s on a node that was killed (USER-6).
func TestPresenceOfADeadNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		here, there := h.node(), h.node()
		here.know("ann", "bob", "cid")
		ann := here.arrive("ann")
		there.arrive("bob")
		there.arrive("cid")
		here.arrive("cid")
		time.Sleep(21 * time.Second) // many beats
		h.hears(ann, "bob on", "cid on")
		there.dead.Store(true)
		killed := time.Now()
		time.Sleep(live.BeatEvery)
		online := func(user string) bool {
			p, err := here.people.Presence(t.Context(), "ann", user)
			must(t, err)
			return p.Online
		}
		if !online("bob") {
			t.Error("offline after one beat was missed")
		}
		time.Sleep(25*time.Second - time.Since(killed))
		h.hears(ann, "bob off seen")
		if online("bob") || !online("cid") {
			t.Error("wrong presence after a node has died")
		}
		there.dead.Store(false) // it was only slow
		time.Sleep(live.BeatEvery + time.Second)
		h.hears(ann, "bob on seen")
		there.stop()
		time.Sleep(time.Second)
		h.hears(ann, "bob off seen")
	})
}

func TestViews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		n := h.node()
		w := newWorld(t, live.Options{})
		chat, other := w.direct("ann", "bob"), w.direct("bob", "cid")
		c, tablet := n.arrive("ann"), n.arrive("ann")
		view := func(c *hub.Conn, id string) { t.Helper(); must(t, n.feed.View(t.Context(), w, c, "ann", id)) }
		is := func(id string, want ...string) {
			t.Helper()
			got, err := h.store.Viewing(t.Context(), id, []string{"ann", "bob"})
			must(t, err)
			if !slices.Equal(got, want) {
				t.Errorf("%v view it, want %v", got, want)
			}
		}
		view(c, chat)
		is(chat, "ann")
		view(tablet, chat)
		view(c, "")
		is(chat, "ann")
		n.depart(tablet, "ann")
		synctest.Wait()
		is(chat)
		if err := n.feed.View(t.Context(), w, c, "ann", other); !errors.Is(err, messaging.ErrChatNotFound) {
			t.Errorf("a chat of others: %v", err)
		}
		n.dead.Store(true)
		if err := n.feed.View(t.Context(), w, c, "ann", chat); err == nil {
			t.Error("said to be known where it is not")
		}
		n.dead.Store(false)
		time.Sleep(live.BeatEvery)
		synctest.Wait()
		is(chat, "ann")
		n.stop()
		is(chat)
		view(c, chat) // when nobody says it, nobody waits
	})
}
