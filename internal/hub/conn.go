package hub

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// ErrSlow fails a connection that does not keep up; it resumes from the store.
var ErrSlow = errors.New("hub: slow consumer")

// ErrClosed fails a connection that its owner closed.
var ErrClosed = errors.New("hub: connection closed")

const (
	answerRoom = 256 << 10 // bytes of answers that may wait before Room holds back more
	maxLeft    = 1024      // chats that a connection remembers to have lost
	idleQueue  = 16        // entries whose memory an idle connection keeps
)

// Conn is one live connection: a bounded queue of encoded events, and answers.
// Next belongs to one goroutine; everything else may be called from any.
type Conn struct {
	hub   *Hub
	peer  Peer
	began uint64        // the hub's tick when it connected
	wake  chan struct{} // holds one token while something waits; for Next

	mu      sync.Mutex
	started bool
	userSeq int64 // of the heads it starts with: they know all memberships up to here
	behind  int64 // the same of a join that came late: heads must know it
	err     error
	queue   []entry       // held back before started, then waiting for Next or Take
	bytes   int           // of events in it, and of their entries
	answers int           // bytes of answers in it
	passing int           // events with a key in it
	taking  bool          // Ready was told, and Take has not found nothing since
	room    chan struct{} // closed when answers are taken; made by who waits
	follows map[string]*follow
	left    map[string]int64 // chats left, and where in the user's sequence: an earlier join that comes late is void
}

type entry struct {
	chat string // "" for the user's own
	seq  int64  // in the chat's sequence, or the user's; 0: in none
	asOf int64  // of the membership, with a chat
	key  string // of what passes: a newer one takes its place
	Item
	parts [][]byte // of a body of several events
}

// entryCost is what an entry takes besides its bytes, which are shared.
const entryCost = 128

func (e *entry) cost() int { return len(e.Body) + entryCost }

// Item is one encoded thing to write.
type Item struct {
	Body  []byte
	Alone bool // an answer: a frame of its own, not one of several events
}

// Start subscribes to the chats of heads just read, and lets events go that are
// newer. The heads are read after Connect. It reports false when they were read too
// early for what has happened since: read them again, and call it again.
func (c *Conn) Start(userSeq int64, heads map[string]int64) bool {
	c.mu.Lock()
	c.userSeq = userSeq
	c.mu.Unlock()
	fresh := true
	for id, head := range heads {
		c.hub.withChat(id, func(ch *chat) { fresh = ch.settle(c, userSeq, head) && fresh })
	}
	for _, id := range c.strange(heads) {
		c.hub.withChat(id, func(ch *chat) { ch.unsettle(c, userSeq) })
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if !fresh || c.behind > userSeq {
		return false
	}
	c.started = true
	c.discard(func(e entry) bool { return e.stale(userSeq, heads) })
	for id, at := range c.left {
		if at <= userSeq {
			delete(c.left, id)
		}
	}
	if len(c.queue) > 0 {
		c.signal()
	}
	return true
}

// stale reports whether the heads that a connection starts with speak for what is
// held: they are beyond it, or they know that its membership has ended.
func (e entry) stale(userSeq int64, heads map[string]int64) bool {
	switch head, in := heads[e.chat]; {
	case e.Alone:
		return false
	case e.chat == "":
		return e.seq != 0 && e.seq <= userSeq
	case in:
		return e.seq != 0 && e.seq <= head
	}
	return e.asOf <= userSeq
}

// discard takes back what is held.
func (c *Conn) discard(old func(entry) bool) {
	c.queue = slices.DeleteFunc(c.queue, func(e entry) bool {
		if !old(e) {
			return false
		}
		c.forget(e)
		return true
	})
}

// strange returns the chats followed that are not in heads.
func (c *Conn) strange(heads map[string]int64) (ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.follows {
		if _, ok := heads[id]; !ok {
			ids = append(ids, id)
		}
	}
	return ids
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
			dst = slices.Grow(dst, len(c.queue))
			for i := range c.queue {
				e := &c.queue[i]
				if e.parts == nil {
					dst = append(dst, e.Item)
				}
				for _, part := range e.parts {
					dst = append(dst, Item{Body: part})
				}
			}
			c.empty()
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

// Take appends all that waits to dst, in order, without waiting; several events
// of a chat may be one item, with commas between them. Nothing or an error, that of
// Next, ends what Ready began.
func (c *Conn) Take(dst []Item) ([]Item, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return dst, c.err
	}
	if !c.started || len(c.queue) == 0 {
		c.taking = false
		return dst, nil
	}
	for i := range c.queue {
		dst = append(dst, c.queue[i].Item)
	}
	c.empty()
	return dst, nil
}

// Answer queues an encoded answer for this connection alone, of any size.
func (c *Conn) Answer(body []byte) { c.push(entry{Item: Item{Body: body, Alone: true}}) }

// Room waits until few enough answers wait: who asks without reading what he is
// told is not asked for more. It fails with the context or the connection.
func (c *Conn) Room(ctx context.Context) error {
	for {
		c.mu.Lock()
		if c.err != nil || c.answers <= answerRoom {
			defer c.mu.Unlock()
			return c.err
		}
		if c.room == nil {
			c.room = make(chan struct{})
		}
		room := c.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Err tells why the connection failed; nil while it lives.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Fail ends the connection: Next returns err, unless it failed before.
func (c *Conn) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failLocked(err)
}

// Close lets go of everything. Next fails from now on.
func (c *Conn) Close() {
	c.Fail(ErrClosed)
	c.hub.drop(c)
	for _, id := range c.strange(nil) {
		c.hub.withChat(id, func(ch *chat) {
			if f := c.follow(id); f != nil {
				ch.remove(f)
			}
		})
	}
}

func (c *Conn) push(e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pushLocked(e)
}

func (c *Conn) pushLocked(e entry) {
	if c.err != nil {
		return
	}
	switch {
	case e.Alone:
		c.answers += len(e.Body) + 512 // many small ones count too
	case e.key != "":
		if !c.replaces(e.key) && c.full() {
			return
		}
		c.passing++
		c.bytes += e.cost()
	default:
		if c.full() {
			c.discard(func(e entry) bool { return e.key != "" })
		}
		if c.full() {
			c.failLocked(ErrSlow)
			return
		}
		c.bytes += e.cost()
	}
	c.queue = append(c.queue, e)
	if c.started {
		c.signal()
	}
}

// full tells by what waits already, so that one commit of any size fits.
func (c *Conn) full() bool {
	return len(c.queue) >= c.hub.opt.MaxEvents || c.bytes >= c.hub.opt.MaxBytes
}

func (c *Conn) forget(e entry) {
	c.bytes -= e.cost()
	if e.key != "" {
		c.passing--
	}
}

// replaces takes the older one out of the queue that what passes now replaces, and
// reports whether there was one. The newer one goes to the end, since it may tell of
// more than its own key, as a total does.
func (c *Conn) replaces(key string) bool {
	if c.passing == 0 {
		return false
	}
	i := slices.IndexFunc(c.queue, func(w entry) bool { return w.key == key })
	if i < 0 {
		return false
	}
	c.forget(c.queue[i])
	c.queue = slices.Delete(c.queue, i, i+1)
	return true
}

// failLocked keeps the first failure.
func (c *Conn) failLocked(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	c.empty()
	c.signal()
	if c.peer.Failed != nil && !errors.Is(err, ErrClosed) {
		c.peer.Failed()
	}
}

func (c *Conn) empty() {
	clear(c.queue)
	c.queue, c.bytes, c.answers, c.passing = c.queue[:0], 0, 0, 0
	if cap(c.queue) > idleQueue {
		c.queue = nil
	}
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
}

func (c *Conn) signal() {
	if c.peer.Ready != nil {
		if !c.taking {
			c.taking = true
			c.peer.Ready()
		}
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
