package hub

import (
	"context"
	"errors"
	"sync"
)

// ErrSlow fails a connection that does not keep up; it resumes from the store.
var ErrSlow = errors.New("hub: slow consumer")

// ErrClosed fails a connection that its owner closed.
var ErrClosed = errors.New("hub: connection closed")

// Conn is one live connection: a bounded queue of encoded events. Next belongs
// to one goroutine; everything else may be called from any.
type Conn struct {
	hub           *Hub
	user, session string
	wake          chan struct{} // holds one token while something waits

	mu      sync.Mutex
	started bool
	err     error
	queue   []entry // held back before started, then waiting for Next
	bytes   int
	follows map[string]*follow
}

type entry struct {
	chat string
	seq  int64
	Item
}

// Item is one encoded thing to write.
type Item struct {
	Body  []byte
	Alone bool // an answer: a frame of its own, not one of several events
}

// Follow makes the connection hear chats. Their events are held until Start.
func (c *Conn) Follow(chatIDs []string) {
	for _, id := range chatIDs {
		c.hub.withChat(id, func(ch *chat) { ch.add(c, &follow{}) })
	}
}

// Start lets events go, after the heads were read again: chats followed that are
// not among them are let go of, and what is not newer than its head is dropped.
func (c *Conn) Start(heads map[string]int64) {
	c.mu.Lock()
	var strange []string
	for id, f := range c.follows {
		if _, ok := heads[id]; !ok && !f.byEvent {
			strange = append(strange, id)
		}
	}
	c.mu.Unlock()
	for _, id := range strange {
		c.hub.withChat(id, func(ch *chat) { ch.remove(c) })
	}
	for id, head := range heads {
		c.hub.withChat(id, func(ch *chat) {
			if f := ch.subs[c]; f != nil {
				f.from = max(f.from, head) // some up to head may still be on their way here
				ch.known(head)
			}
		})
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := c.queue[:0]
	c.bytes = 0
	for _, e := range c.queue {
		head, mine := heads[e.chat]
		if e.chat != "" && (e.seq <= head && e.seq != 0 || !mine && isStrange(strange, e.chat)) {
			continue
		}
		waiting = append(waiting, e)
		c.bytes += len(e.Body)
	}
	clear(c.queue[len(waiting):])
	c.queue, c.started = waiting, true
	if len(c.queue) > 0 {
		c.signal()
	}
}

func isStrange(ids []string, id string) bool {
	for _, s := range ids {
		if s == id {
			return true
		}
	}
	return false
}

// Next waits for events and appends all that wait to dst, in order. It fails with
// the context, with ErrSlow or ErrGap, or with the error of End or Close; what
// still waits then is not delivered.
func (c *Conn) Next(ctx context.Context, dst []Item) ([]Item, error) {
	for {
		c.mu.Lock()
		if c.err != nil {
			defer c.mu.Unlock()
			return dst, c.err
		}
		if c.started && len(c.queue) > 0 {
			for i := range c.queue {
				dst = append(dst, c.queue[i].Item)
			}
			clear(c.queue)
			c.queue, c.bytes = c.queue[:0], 0
			c.mu.Unlock()
			return dst, nil
		}
		c.mu.Unlock()
		select {
		case <-c.wake:
		case <-ctx.Done():
			return dst, ctx.Err()
		}
	}
}

// Answer queues an encoded answer for this connection alone.
func (c *Conn) Answer(body []byte) { c.push(entry{Item: Item{Body: body, Alone: true}}) }

// Err tells why the connection failed; nil while it lives.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close lets go of everything. Next fails from now on.
func (c *Conn) Close() {
	c.Fail(ErrClosed)
	c.hub.drop(c)
	c.mu.Lock()
	ids := make([]string, 0, len(c.follows))
	for id := range c.follows {
		ids = append(ids, id)
	}
	c.mu.Unlock()
	for _, id := range ids {
		c.hub.withChat(id, func(ch *chat) { ch.remove(c) })
	}
}

func (c *Conn) push(e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	if len(c.queue) >= c.hub.opt.MaxEvents || c.bytes+len(e.Body) > c.hub.opt.MaxBytes {
		c.failLocked(ErrSlow)
		return
	}
	c.queue = append(c.queue, e)
	c.bytes += len(e.Body)
	if c.started {
		c.signal()
	}
}

// Fail ends the connection: Next returns err, unless it failed before.
func (c *Conn) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failLocked(err)
}

// failLocked keeps the first failure.
func (c *Conn) failLocked(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	clear(c.queue)
	c.queue, c.bytes = nil, 0
	c.signal()
}

func (c *Conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
