// Package hub is live fan-out on one node: it hands each committed event, encoded
// once, to every connection of every member who is online here, in the order of
// the chat's sequence (DESIGN section 2). It stores nothing and waits for nobody:
// a connection that does not keep up is cut, and resumes from the store.
//
// A connection comes to life in four steps, so that nothing falls between the
// store's heads and the live events:
//
//	c := h.Connect(user, session) // live events are held back from here on
//	c.Follow(chats)               // those of a first read of the heads
//	c.Start(heads)                // of a second read: what was held and is newer goes out
//	c.Next(ctx)                   // … until it fails
package hub

import (
	"hash/maphash"
	"log/slog"
	"sync"
	"time"
)

// Event is one encoded event for the members of a chat.
type Event struct {
	ChatID  string
	Seq     int64  // its place; 0 for what has none and may be lost
	Body    []byte // shared by all connections: not to be changed
	Own     string // a user who gets OwnBody instead; nil OwnBody: gets nothing
	OwnBody []byte
	Join    string // a user who hears from this event on
	Leave   string // a user who hears up to this event
}

// Options tune a Hub; the zero value is ready for use.
type Options struct {
	MaxEvents int           // that wait for one connection; default 256
	MaxBytes  int           // of the same; default 1 MiB
	GapWait   time.Duration // how long a missing event may hold back later ones; default 1 s
	MaxParked int           // later events held back in one chat; default 1,024
	Logger    *slog.Logger  // default slog.Default()
}

const shards = 64

// Hub fans out. All methods are safe for concurrent use.
type Hub struct {
	opt  Options
	seed maphash.Seed

	chats [shards]struct {
		sync.Mutex
		m map[string]*chat
	}

	mu     sync.RWMutex
	users  map[string]map[*Conn]struct{}
	count  int
	closed error
}

// New makes a hub. It starts no goroutines.
func New(opt Options) *Hub {
	if opt.MaxEvents == 0 {
		opt.MaxEvents = 256
	}
	if opt.MaxBytes == 0 {
		opt.MaxBytes = 1 << 20
	}
	if opt.GapWait == 0 {
		opt.GapWait = time.Second
	}
	if opt.MaxParked == 0 {
		opt.MaxParked = 1024
	}
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	h := &Hub{opt: opt, seed: maphash.MakeSeed(), users: make(map[string]map[*Conn]struct{})}
	for i := range h.chats {
		h.chats[i].m = make(map[string]*chat)
	}
	return h
}

// Connect registers a connection of a user. It holds back all events until
// Start. The caller closes it. On a closed hub it fails at its first Next.
func (h *Hub) Connect(userID, sessionID string) *Conn {
	c := &Conn{hub: h, user: userID, session: sessionID, wake: make(chan struct{}, 1), follows: make(map[string]*follow)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed != nil {
		c.err = h.closed
		return c
	}
	conns := h.users[userID]
	if conns == nil {
		conns = make(map[*Conn]struct{}, 1)
		h.users[userID] = conns
	}
	conns[c] = struct{}{}
	h.count++
	return c
}

// Connections returns how many connections a user has here; "" for all users.
func (h *Hub) Connections(userID string) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if userID == "" {
		return h.count
	}
	return len(h.users[userID])
}

// SendUser hands an encoded event to every connection of a user.
func (h *Hub) SendUser(userID string, body []byte) {
	for _, c := range h.connsOf(userID) {
		c.push(entry{Item: Item{Body: body}})
	}
}

// Listen makes a user's connections hear a chat from above a sequence on: that of
// a new chat, which has no event that could carry Join.
func (h *Hub) Listen(userID, chatID string, head int64) {
	for _, c := range h.connsOf(userID) {
		h.withChat(chatID, func(ch *chat) {
			ch.known(head)
			ch.add(c, &follow{from: head, byEvent: true})
		})
	}
}

// End fails every connection of the given authentication sessions with err,
// before it returns.
func (h *Hub) End(userID string, sessionIDs []string, err error) {
	for _, c := range h.connsOf(userID) {
		for _, id := range sessionIDs {
			if c.session == id {
				c.Fail(err)
			}
		}
	}
}

// Close fails every connection with err, and every later one.
func (h *Hub) Close(err error) {
	h.mu.Lock()
	h.closed = err
	var all []*Conn
	for _, conns := range h.users {
		for c := range conns {
			all = append(all, c)
		}
	}
	h.mu.Unlock()
	for _, c := range all {
		c.Fail(err)
	}
}

func (h *Hub) connsOf(userID string) []*Conn {
	h.mu.RLock()
	defer h.mu.RUnlock()
	conns := make([]*Conn, 0, len(h.users[userID]))
	for c := range h.users[userID] {
		conns = append(conns, c)
	}
	return conns
}

func (h *Hub) drop(c *Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	conns := h.users[c.user]
	if _, ok := conns[c]; !ok {
		return
	}
	delete(conns, c)
	h.count--
	if len(conns) == 0 {
		delete(h.users, c.user)
	}
}
