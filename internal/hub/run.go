package hub

import (
	"bytes"
	"sync"
	"time"
)

// inbox takes what is published while somebody hands out: he hands it out too,
// so that a thousand members are walked once for all that came together.
type inbox struct {
	mu     sync.Mutex
	events []Event
	spare  []Event
	busy   bool // somebody hands out, and will look again
}

const maxSpare = 64 // events whose memory a quiet chat keeps, twice

// put adds events, and reports whether the caller is to hand out.
func (in *inbox) put(events []Event) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.events = append(in.events, events...)
	if in.busy {
		return false
	}
	in.busy = true
	return true
}

// take returns what was put, valid until the next call; nothing ends the duty.
func (in *inbox) take() []Event {
	in.mu.Lock()
	defer in.mu.Unlock()
	events := in.events
	clear(in.spare)
	if cap(in.spare) > maxSpare {
		in.spare = nil
	}
	in.events, in.spare = in.spare[:0], events
	in.busy = len(events) > 0
	return events
}

// Publish hands events out, each chat's in the order of its sequence: one that
// comes early waits for those before it. Commits of one chat may be published
// concurrently, each event exactly once. It never blocks on a connection.
//
// While another call hands out events of the same chat, it leaves them to that
// one and returns; otherwise they have been handed out when it returns.
func (h *Hub) Publish(events ...Event) {
	for len(events) > 0 {
		n := 1
		for n < len(events) && events[n].ChatID == events[0].ChatID {
			n++
		}
		h.publish(events[0].ChatID, events[:n])
		events = events[n:]
	}
}

func (h *Hub) publish(id string, events []Event) {
	ch := h.lookUp(id)
	if ch == nil {
		h.publishEach(events)
		return
	}
	if !ch.in.put(events) {
		return
	}
	for events = ch.in.take(); len(events) > 0; events = ch.in.take() {
		ch.mu.Lock()
		gone := ch.gone
		if !gone {
			for _, e := range events {
				ch.take(e)
			}
			ch.flushSoon()
		}
		ch.mu.Unlock()
		if gone {
			h.publishEach(events)
		} else if ch.deserted() {
			h.withChat(id, func(*chat) {}) // which lets it go
		}
	}
}

// publishEach publishes to a chat that nobody here listens to, as far as known.
func (h *Hub) publishEach(events []Event) {
	for _, e := range events {
		if h.online(e.Join) || h.online(e.Leave) || h.listened(e.ChatID, e.Seq) {
			h.withChat(e.ChatID, func(ch *chat) { ch.take(e) })
		}
	}
}

func (ch *chat) deserted() bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return !ch.gone && len(ch.subs) == 0
}

// turn takes the event that is next: it is handed out with those beside it.
func (ch *chat) turn(e Event) {
	if e.Join != "" {
		conns := ch.hub.connsOf(e.Join)
		for _, c := range conns {
			if c.follow(ch.id) != nil {
				ch.flush() // as of his membership before
				break
			}
		}
		for _, c := range conns {
			ch.join(c, e.Seq-1, e.UserSeq, false)
		}
	}
	ch.ready = append(ch.ready, e)
	ch.last = e.Seq
	if e.Leave != "" {
		ch.flush()
		ch.leave(e)
	}
}

const (
	// A busy crowd's events gather for so long: to walk and to write to all of them for
	// each one is most of what it costs.
	gather    = 10 * time.Millisecond
	gatherOne = 20 * time.Microsecond // more for each listener
	gatherMax = 50 * time.Millisecond
	maxGather = 256 // events
)

// flushSoon hands out what is ready: at once, unless a crowd was handed something
// less than half a moment ago. Then more is about to come, and all goes together
// when the moment is over.
func (ch *chat) flushSoon() {
	if len(ch.ready) == 0 || ch.soon != nil && len(ch.ready) < maxGather {
		return
	}
	moment := min(gather+time.Duration(len(ch.subs))*gatherOne, gatherMax)
	since := time.Since(ch.flushed)
	if len(ch.subs) < ch.hub.opt.Crowd || len(ch.ready) >= maxGather || since >= moment/2 {
		ch.flush()
		return
	}
	ch.soon = time.AfterFunc(moment-since, func() { ch.hub.withChat(ch.id, func(*chat) {}) }) // which flushes
}

// flush hands out what is ready: to all who get the same, the same bytes.
func (ch *chat) flush() {
	if len(ch.ready) == 0 {
		return
	}
	if ch.soon != nil {
		ch.soon.Stop()
		ch.soon = nil
	}
	if len(ch.subs) >= ch.hub.opt.Crowd {
		ch.flushed = time.Now()
	}
	r := newRun(ch.id, ch.ready)
	for _, f := range ch.subs {
		f.conn.pushRun(r, f)
	}
	clear(ch.ready)
	if ch.ready = ch.ready[:0]; cap(ch.ready) > idleQueue {
		ch.ready = nil
	}
}

// handPassing gives an event without a place to all who listen.
func (ch *chat) handPassing(e Event) {
	for _, user := range e.To {
		for _, c := range ch.hub.connsOf(user) {
			if f := c.follow(ch.id); f != nil {
				ch.pass(f, e)
			}
		}
	}
	if e.To == nil {
		for _, f := range ch.subs {
			ch.pass(f, e)
		}
	}
}

func (ch *chat) pass(f *follow, e Event) {
	body := e.Body
	if other, ok := e.For[f.conn.peer.UserID]; ok {
		body = other
	}
	if body != nil {
		f.conn.push(entry{chat: ch.id, asOf: f.asOf, key: e.Key, Item: Item{Body: body}})
	}
}

// run is some events of a chat, one after the other.
type run struct {
	chat        string
	events      []Event
	first, last int64
	body        []byte   // of all events, with commas
	parts       [][]byte // the same, each by itself; nil for a single one
	own         map[string]struct{}
}

func newRun(chat string, events []Event) *run {
	r := &run{chat: chat, events: events, first: events[0].Seq, last: events[len(events)-1].Seq}
	for _, e := range events {
		for user := range e.For {
			if r.own == nil {
				r.own = make(map[string]struct{}, len(events))
			}
			r.own[user] = struct{}{}
		}
	}
	r.body, r.parts = r.of("", 0)
	return r
}

// of joins what a user gets of the events above a sequence.
func (r *run) of(user string, from int64) (body []byte, parts [][]byte) {
	for i := range r.events {
		e := &r.events[i]
		if e.Seq <= from {
			continue
		}
		b := e.Body
		if user != "" {
			if other, ok := e.For[user]; ok {
				b = other
			}
		}
		if b != nil {
			parts = append(parts, b)
		}
	}
	switch len(parts) {
	case 0:
		return nil, nil
	case 1:
		return parts[0], nil
	}
	return bytes.Join(parts, []byte{','}), parts
}

// pushRun hands a follower his part of a run, and counts it once. What is held
// back stays apart: heads may speak for some of it.
func (c *Conn) pushRun(r *run, f *follow) {
	if r.last <= f.from {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	user := c.peer.UserID
	if !c.started {
		for i := range r.events {
			one := run{events: r.events[i : i+1]}
			if body, _ := one.of(user, f.from); body != nil {
				c.pushLocked(entry{chat: r.chat, seq: r.events[i].Seq, asOf: f.asOf, Item: Item{Body: body}})
			}
		}
		return
	}
	body, parts := r.body, r.parts
	if _, own := r.own[user]; own || r.first <= f.from {
		body, parts = r.of(user, f.from)
	}
	if body != nil {
		c.pushLocked(entry{chat: r.chat, seq: r.last, asOf: f.asOf, Item: Item{Body: body}, parts: parts})
	}
}
