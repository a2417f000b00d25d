package live_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

type person struct {
	sim     *simulation
	name    string
	gadgets []*gadget
}

// gadget is a client by the rules of API.md: it applies the next of a sequence,
// ignores what is older, and before what is newer it fetches what lies between.
type gadget struct {
	*person
	rnd *rand.Rand

	mu      sync.Mutex
	applied map[string][]place          // by chat
	marks   map[string]map[string]int64 // by chat and user: read up to
	version map[string]int64            // of receipts, by chat
	userSeq int64
	session string    // that it is connected with
	conn    *hub.Conn // nil while it is not
	since   time.Time // connected, and reading all the time
	heard   []hearing
}

// hearing is what came live in a chat's sequence.
type hearing struct {
	chat    string
	seq     int64
	message string
	text    string
}

func (g *gadget) run(ctx context.Context) {
	g.applied, g.marks, g.version = make(map[string][]place), make(map[string]map[string]int64), make(map[string]int64)
	for ctx.Err() == nil {
		g.connected(ctx, g.sim.node(g.rnd))
		g.busy()
		sleep(ctx, time.Duration(g.rnd.IntN(300))*time.Millisecond)
	}
}

// busy says that from now on it does not keep up.
func (g *gadget) busy() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.since = time.Time{}
}

func (g *gadget) ready() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.since.IsZero() {
		g.since = time.Now()
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (g *gadget) connected(ctx context.Context, n *node) {
	session := g.sim.log.session(g.name)
	c := n.feed.Hub().Connect(hub.Peer{UserID: g.name, SessionID: session})
	defer c.Close()
	if g.sim.log.session(g.name) != session { // as a server looks once more
		return
	}
	for {
		heads, err := n.Heads(ctx, g.name)
		if err != nil {
			return
		}
		seqs := make(map[string]int64)
		for _, h := range heads.Chats {
			seqs[h.ChatID] = h.Seq
		}
		if n.feed.Start(c, g.name, heads, seqs) {
			if g.sync(ctx, n, heads) != nil {
				return
			}
			break
		}
	}
	g.mu.Lock()
	g.session, g.conn = session, c
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.conn = nil
		g.mu.Unlock()
	}()
	g.ready()
	until := time.Duration(g.rnd.IntN(60)) * time.Second
	life, end := context.WithTimeout(ctx, until)
	defer end()
	for {
		items, err := c.Next(life, nil)
		if err != nil {
			return
		}
		for _, i := range items {
			var e api.Event
			if err := json.Unmarshal(i.Body, &e); err != nil {
				panic(err)
			}
			g.live(ctx, n, e)
		}
		if g.rnd.IntN(40) == 0 { // it dawdles, and is cut if much waits
			g.busy()
			sleep(life, time.Duration(g.rnd.IntN(8000))*time.Millisecond)
			g.ready()
		}
	}
}

// sync fetches all that differs from heads.
func (g *gadget) sync(ctx context.Context, n *node, heads messaging.Heads) error {
	for _, h := range heads.Chats {
		if g.have(h.ChatID) == h.Seq && g.version[h.ChatID] == h.ReceiptVersion {
			continue
		}
		if err := g.fetch(ctx, n, h.ChatID); err != nil {
			return err
		}
	}
	return g.fetchOwn(ctx, n)
}

func (g *gadget) have(chat string) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return int64(len(g.applied[chat]))
}

// fetch brings a chat up to date, its receipts too.
func (g *gadget) fetch(ctx context.Context, n *node, chat string) error {
	for more := true; more; {
		before := g.have(chat)
		a, err := n.Sync(ctx, messaging.SyncRequest{UserID: g.name, UserSeq: g.own(), Chats: map[string]int64{chat: before}, Limit: 5})
		if err != nil {
			return err
		}
		more = false
		for _, c := range a.Chats {
			for _, e := range c.Events {
				g.apply(chat, e.Seq, placeOf(api.FromEvent(e, g.name)))
			}
			g.version[chat] = c.ReceiptVersion
			for _, w := range c.Receipts {
				g.receipt(chat, w.UserID, w.ReadSeq)
			}
			more = len(c.Events) == 5
		}
	}
	return nil
}

func (g *gadget) apply(chat string, seq int64, p place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if seq == int64(len(g.applied[chat]))+1 || g.sim.design.jumps && seq > int64(len(g.applied[chat])) {
		g.applied[chat] = append(g.applied[chat], p)
	}
}

func (g *gadget) receipt(chat, user string, read int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.marks[chat] == nil {
		g.marks[chat] = make(map[string]int64)
	}
	g.marks[chat][user] = max(g.marks[chat][user], read)
}

func (g *gadget) own() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.userSeq
}

// fetchOwn brings one's own sequence up to date.
func (g *gadget) fetchOwn(ctx context.Context, n *node) error {
	a, err := n.Sync(ctx, messaging.SyncRequest{UserID: g.name, UserSeq: g.own(), Limit: messaging.MaxSync})
	if err != nil {
		return err
	}
	for _, e := range a.User.Events {
		if err := g.ownEvent(ctx, n, string(e.Type), e.ChatID); err != nil {
			return err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.userSeq = max(g.userSeq, a.User.Head)
	return nil
}

func (g *gadget) ownEvent(ctx context.Context, n *node, kind, chat string) error {
	if kind == string(messaging.ChatJoined) {
		return g.fetch(ctx, n, chat)
	}
	return nil
}

// live takes an event as it happens.
func (g *gadget) live(ctx context.Context, n *node, e api.Event) {
	switch {
	case e.UserSeq > 0:
		switch have := g.own(); {
		case e.UserSeq == have+1:
			g.mu.Lock()
			g.userSeq = e.UserSeq
			g.mu.Unlock()
			g.ownEvent(ctx, n, e.Type, e.ChatID)
		case e.UserSeq > have:
			g.fetchOwn(ctx, n)
		}
	case e.Seq > 0:
		h := hearing{chat: e.ChatID, seq: e.Seq}
		if e.Message != nil {
			h.message, h.text = e.Message.ID, e.Message.Text
		}
		g.mu.Lock()
		g.heard = append(g.heard, h)
		g.mu.Unlock()
		g.sim.log.heard(g.name, h)
		if have := g.have(e.ChatID); e.Seq <= have+1 || g.sim.design.jumps {
			g.apply(e.ChatID, e.Seq, placeOf(e))
		} else {
			g.fetch(ctx, n, e.ChatID)
		}
	case e.Type == api.EventReceipt:
		g.receipt(e.ChatID, e.UserID, *e.ReadSeq)
	}
}
