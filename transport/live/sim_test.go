package live_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/bus"
	"github.com/wigwag-chat/wigwag/transport/live"
)

// bound is how long anything may take to reach a client that is there and reads.
const bound = 12 * time.Second

// design is what a simulation runs: all of it right, or one part planted wrong.
type design struct {
	name       string
	checkEvery time.Duration                              // of the nodes; 0: the default
	source     func(*simulation, live.Source) live.Source // what nodes read
	mute       bool                                       // sessions that end are told to nobody
	jumps      bool                                       // clients apply what is newer without fetching what lies between
}

// simulation is several nodes on one store, a bus between them that loses, repeats
// and reorders, and people whose devices come, go and dawdle. It runs in
// a bubble of testing/synctest, so its clock costs nothing.
type simulation struct {
	t      testing.TB
	rnd    *rand.Rand // of the one who acts
	design design
	store  messaging.Store
	ring   *keys.Ring
	bus    *badBus
	mu     sync.Mutex // of nodes
	nodes  []*node
	people []*person
	short  bool // queues: what does not keep up is cut, and loses receipts before (ADR 11)
	chats  []string
	log    record
}

// node is one process.
type node struct {
	*messaging.Messenger
	feed *live.Feed
	stop func() // as a crash does: connections and what has yet to be told are lost
}

func (s *simulation) start() *node {
	n, room := &node{}, 0
	if s.short {
		room = 8
	}
	quiet := slog.New(slog.DiscardHandler)
	n.feed = live.New(live.Options{
		Logger: quiet, Bus: s.bus, CheckEvery: s.design.checkEvery, Hub: hub.Options{MaxEvents: room},
	})
	var err error
	n.Messenger, err = messaging.New(messaging.Config{
		Store: s.store, Keys: s.ring, Secret: make([]byte, 32), Publisher: n.feed, Logger: quiet,
	})
	must(s.t, err)
	var source live.Source = n
	if s.design.source != nil {
		source = s.design.source(s, n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.feed.Follow(ctx, live.Reads{News: source, Sessions: s.sessions}) })
	running.Go(func() { n.feed.Run(ctx, n) })
	n.stop = func() {
		n.feed.Hub().Close(errCrash)
		cancel()
		running.Wait()
	}
	return n
}

var errCrash = errors.New("the node is gone")

// sessions is what authentication knows.
func (s *simulation) sessions(_ context.Context, ids []string) (map[string]string, error) {
	return s.log.owners(ids, s.design.mute), nil
}

// badBus loses, repeats and reorders notes, and is lost at times.
type badBus struct {
	mu    sync.Mutex
	rnd   *rand.Rand
	down  bool
	ears  map[*ear]struct{}
	lossy bool
}

type ear struct {
	notes chan []byte
	cut   chan struct{}
}

var errDown = errors.New("the bus is down")

func (b *badBus) Send(_ context.Context, note []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return errDown
	}
	for e := range b.ears {
		copies := 1
		switch n := b.rnd.IntN(10); {
		case n == 0 && b.lossy:
			copies = 0
		case n == 1:
			copies = 2
		}
		for range copies {
			delay := time.Duration(b.rnd.IntN(40)) * time.Millisecond
			if b.rnd.IntN(10) == 0 {
				delay *= 20
			}
			time.AfterFunc(delay, func() {
				select {
				case e.notes <- note:
				default:
				}
			})
		}
	}
	return nil
}

func (b *badBus) Listen(ctx context.Context, ready func(), take func([]byte)) error {
	e := &ear{notes: make(chan []byte, 256), cut: make(chan struct{})}
	b.mu.Lock()
	if b.down {
		b.mu.Unlock()
		return errDown
	}
	b.ears[e] = struct{}{}
	b.mu.Unlock()
	ready()
	for {
		select {
		case <-ctx.Done():
			b.mu.Lock()
			delete(b.ears, e)
			b.mu.Unlock()
			return ctx.Err()
		case <-e.cut:
			return errDown
		case note := <-e.notes:
			take(note)
		}
	}
}

func (b *badBus) Close() error { return nil }

// fail takes the bus down, or up again.
func (b *badBus) fail(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
	if down {
		for e := range b.ears {
			close(e.cut)
		}
		clear(b.ears)
	}
}

var _ bus.Bus = (*badBus)(nil)

// simulate runs one seed and returns what it found wrong.
func simulate(t testing.TB, seed uint64, d design) error {
	key, err := keys.Generate(nil)
	must(t, err)
	s := &simulation{
		t: t, rnd: rand.New(rand.NewPCG(seed, 1)), short: seed%2 == 0, design: d, ring: keys.NewRing(key),
		store: memory.New(memory.Options{}).Messaging(),
		bus:   &badBus{rnd: rand.New(rand.NewPCG(seed, 2)), ears: make(map[*ear]struct{}), lossy: true},
	}
	s.log.init()
	for range 2 + s.rnd.IntN(2) {
		s.nodes = append(s.nodes, s.start())
	}
	ctx, stop := context.WithCancel(context.Background())
	var devices sync.WaitGroup
	for i, name := range []string{"ann", "bob", "cid"} {
		p := &person{sim: s, name: name}
		s.people = append(s.people, p)
		for j := range 1 + i%2 {
			v := &gadget{person: p, rnd: rand.New(rand.NewPCG(seed, uint64(10*i+j+3)))}
			p.gadgets = append(p.gadgets, v)
			devices.Go(func() { v.run(ctx) })
		}
	}
	for range 40 {
		s.act()
		time.Sleep(time.Duration(s.rnd.IntN(1500)) * time.Millisecond)
		s.log.sample(s)
	}
	s.bus.fail(false)
	for range int(bound/time.Second) + 1 {
		time.Sleep(time.Second)
		s.log.sample(s)
	}
	stop()
	for _, n := range s.nodes {
		n.stop()
	}
	devices.Wait()
	s.log.whole(s)
	return s.log.verdict()
}

func (s *simulation) anyone() string { return s.people[s.rnd.IntN(len(s.people))].name }

func (s *simulation) node(rnd *rand.Rand) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[rnd.IntN(len(s.nodes))]
}

// crash ends a node and starts another in its place.
func (s *simulation) crash() {
	i := s.rnd.IntN(len(s.nodes))
	s.nodes[i].stop()
	n := s.start()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes[i] = n
}

// act does what may happen, sometimes several things at once on different nodes.
func (s *simulation) act() {
	if len(s.chats) == 0 || s.rnd.IntN(25) == 0 {
		who := s.anyone()
		c, _, err := s.node(s.rnd).CreateGroup(context.Background(), messaging.NewGroup{CreatorID: who, Title: "G", MemberIDs: []string{s.anyone()}})
		must(s.t, err)
		s.chats = append(s.chats, c.ID)
		return
	}
	switch s.rnd.IntN(20) {
	case 0:
		s.bus.fail(s.rnd.IntN(2) == 0)
	case 1:
		s.crash()
	case 2:
		s.revoke(s.anyone())
	default:
		var together sync.WaitGroup
		for range 1 + s.rnd.IntN(3) {
			n, rnd, chat := s.node(s.rnd), rand.New(rand.NewPCG(s.rnd.Uint64(), 0)), s.chats[s.rnd.IntN(len(s.chats))]
			together.Go(func() { s.write(n, rnd, chat) })
		}
		together.Wait()
	}
}

// revoke ends a session on one node; the devices sign in anew.
func (s *simulation) revoke(user string) {
	old := s.log.renew(user)
	if !s.design.mute {
		s.node(s.rnd).feed.SessionsRevoked(user, []string{old}, errRevoked)
	}
}

var errRevoked = errors.New("revoked")

// write does one thing in a chat. That somebody may not is no fault.
func (s *simulation) write(n *node, rnd *rand.Rand, chat string) {
	ctx := context.Background()
	names := []string{"ann", "bob", "cid"}
	user, other := names[rnd.IntN(3)], names[rnd.IntN(3)]
	members := slices.Sorted(maps.Keys(s.log.members(ctx, s.store, chat)))
	owner := user
	if len(members) > 0 {
		owner = members[rnd.IntN(len(members))]
	}
	switch op := rnd.IntN(12); {
	case op < 5:
		m, _, err := n.Send(ctx, messaging.SendRequest{SenderID: owner, ChatID: chat, Text: fmt.Sprint("text of ", rnd.Uint64()), ClientID: fmt.Sprint(rnd.Uint64())})
		if err == nil {
			s.log.sent(m)
		}
	case op == 5:
		if m, ok := s.log.some(rnd, chat); ok {
			n.Edit(ctx, messaging.EditRequest{UserID: m.SenderID, ChatID: chat, MessageID: m.ID, Text: fmt.Sprint("edit ", rnd.Uint64())})
		}
	case op == 6:
		if m, ok := s.log.some(rnd, chat); ok {
			n.Delete(ctx, messaging.DeleteRequest{UserID: m.SenderID, ChatID: chat, MessageID: m.ID, ForEveryone: true})
		}
	case op == 7:
		if m, ok := s.log.some(rnd, chat); ok {
			if n.Delete(ctx, messaging.DeleteRequest{UserID: user, ChatID: chat, MessageID: m.ID}) == nil {
				s.log.hide(user, m.ID)
			}
			n.Edit(ctx, messaging.EditRequest{UserID: m.SenderID, ChatID: chat, MessageID: m.ID, Text: afterHiding + user})
		}
	case op == 8:
		heads, err := n.Heads(ctx, user)
		must(s.t, err)
		for _, h := range heads.Chats {
			if h.ChatID == chat && h.Seq > 0 && n.Mark(ctx, messaging.MarkRequest{UserID: user, ChatID: chat, Read: true, UpTo: h.Seq}) == nil {
				s.log.read(chat, user, h.Seq)
			}
		}
	case op == 9 || op == 10:
		n.AddMembers(ctx, owner, chat, []string{other})
	default:
		n.RemoveMember(ctx, owner, chat, other)
	}
}
