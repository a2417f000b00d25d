// Package hub is live fan-out on one node: it hands each committed event, encoded
// once, to every connection of every member who is online here, in the order of
// the chat's sequence (DESIGN section 2). It stores nothing and waits for nobody:
// a connection that does not keep up is cut, and resumes from the store.
//
// A connection comes to life in steps, so that nothing falls between the store's
// heads and the live events:
//
//	c := h.Connect(peer) // live events are held back from here on
//	for ok := false; !ok; {
//		ok = c.Start(readHeads()) // subscribes; wants them read again if something happened meanwhile
//	}
//	c.Next(ctx, nil) // what is newer than the heads, … until it fails
package hub

import (
	"errors"
	"hash/maphash"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ErrTooMany fails a connection over its Peer's Limit.
var ErrTooMany = errors.New("hub: too many connections of one user")

// Event is one encoded event for the members of a chat.
type Event struct {
	ChatID  string
	Seq     int64             // its place; 0 for what has none and may be lost
	Body    []byte            // shared by all connections: not to be changed
	For     map[string][]byte // what some users get instead; nil: nothing
	To      []string          // without Seq: the users among the members who get it; nil: all
	Join    string            // a user who hears from this event on
	Leave   string            // a user who hears up to this event
	UserSeq int64             // with Join or Leave: its place in that user's own sequence
	Key     string            // without Seq: a later event of the same key replaces one that still waits
}

// Peer is who connects.
type Peer struct {
	UserID    string
	SessionID string // of authentication, for End
	Limit     int    // of the user's connections, this one included; 0: none
	// Failed is told once that the connection has failed, unless by its own Close.
	// It must return at once and call nothing here.
	Failed func()
	// Ready is told that something waits, or that the connection has failed, and
	// again only after Take found nothing: whoever it starts to write calls Take
	// until then. It must return at once and call nothing here. Nil: Next is used.
	Ready func()
}

// Options tune a Hub; the zero value is ready for use.
type Options struct {
	MaxEvents int           // runs of events that wait for one connection; default 4,096
	MaxBytes  int           // of the same, and about 128 for each run; default 1 MiB; one run more may wait
	GapWait   time.Duration // how long a missing event may hold back later ones; default 1 s
	// Crowd is from how many listeners on the events of a busy chat gather for a moment, up to
	// 50 ms, before they are handed out together; default 100.
	Crowd int
	// Missing is told of a gap that has lasted a tenth of GapWait: the chat's events
	// above a sequence were not published here, though later ones were. It must
	// return at once and call nothing here. Nil: nobody can help.
	Missing   func(chatID string, after int64)
	MaxParked int          // later events held back in one chat; default 4,096
	Logger    *slog.Logger // default slog.Default()
}

const (
	shards    = 64
	maxPassed = 256 // chats of a shard
)

// shard is part of the chats.
type shard struct {
	sync.Mutex
	m      map[string]*chat
	passed map[string]pass // what was lately published while nobody listened
}

// pass is what nobody heard in a chat.
type pass struct {
	seq  int64  // the newest
	tick uint64 // when
}

// people is part of the users, with their connections. The slices are shared
// with readers, and replaced when they change.
type people struct {
	sync.Mutex
	m map[string][]*Conn
}

// Hub fans out. All methods are safe for concurrent use.
type Hub struct {
	opt    Options
	seed   maphash.Seed
	chats  [shards]shard
	users  [shards]people
	count  atomic.Int64
	tick   atomic.Uint64 // counts what is published, for who starts to tell what came since he connected
	forgot atomic.Uint64 // tick up to which some of what passed is no longer known
	closed atomic.Pointer[error]
}

// New makes a hub. It starts no goroutines.
func New(opt Options) *Hub {
	if opt.MaxEvents == 0 {
		opt.MaxEvents = 4096
	}
	if opt.MaxBytes == 0 {
		opt.MaxBytes = 1 << 20
	}
	if opt.GapWait == 0 {
		opt.GapWait = time.Second
	}
	if opt.Crowd == 0 {
		opt.Crowd = 100
	}
	if opt.MaxParked == 0 {
		opt.MaxParked = 4096
	}
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	h := &Hub{opt: opt, seed: maphash.MakeSeed()}
	for i := range h.chats {
		h.chats[i].m, h.chats[i].passed = make(map[string]*chat), make(map[string]pass)
		h.users[i].m = make(map[string][]*Conn)
	}
	return h
}

// Connect registers a connection of a user. It holds back all events until
// Start. The caller closes it. One over the limit, or on a closed hub, has failed.
func (h *Hub) Connect(p Peer) *Conn {
	c := &Conn{hub: h, peer: p, began: h.tick.Load()}
	if p.Ready == nil {
		c.wake = make(chan struct{}, 1)
	}
	of := h.peopleOf(p.UserID)
	of.Lock()
	defer of.Unlock()
	conns := of.m[p.UserID]
	if err := h.closed.Load(); err != nil {
		c.err = *err
		return c
	}
	if p.Limit > 0 && len(conns) >= p.Limit {
		c.err = ErrTooMany
		return c
	}
	of.m[p.UserID] = append(slices.Clone(conns), c)
	h.count.Add(1)
	return c
}

func (h *Hub) peopleOf(userID string) *people {
	return &h.users[maphash.String(h.seed, userID)%shards]
}

// Connections returns how many connections a user has here; "" for all users.
func (h *Hub) Connections(userID string) int {
	if userID == "" {
		return int(h.count.Load())
	}
	return len(h.connsOf(userID))
}

// SendUser hands an encoded event to every connection of a user. One with a place
// in the user's sequence is passed over where Start's heads know it already.
func (h *Hub) SendUser(userID string, userSeq int64, body []byte) {
	for _, c := range h.connsOf(userID) {
		c.push(entry{seq: userSeq, Item: Item{Body: body}})
	}
}

// SendPassing hands what has no place in a sequence to every connection of a
// user: a later one of the same key replaces one that still waits.
func (h *Hub) SendPassing(userID, key string, body []byte) {
	for _, c := range h.connsOf(userID) {
		c.push(entry{key: key, Item: Item{Body: body}})
	}
}

// Listen makes a user's connections hear a chat from above a head on, where no event
// with Join does: of a new chat, or one that nobody here listened to. userSeq
// is the membership's place in the user's own sequence; who follows as of that
// place already is left alone.
func (h *Hub) Listen(userID, chatID string, head, userSeq int64) {
	for _, c := range h.connsOf(userID) {
		h.withChat(chatID, func(ch *chat) {
			if f := c.follow(chatID); f != nil && f.asOf >= userSeq {
				return
			}
			ch.known(max(head, h.passed(chatID).seq))
			ch.join(c, max(head, ch.last), userSeq, ch.last > head)
			if f := c.follow(chatID); f != nil { // maybe of a membership before, whose end is still on its way
				f.from = max(f.from, head)
			}
		})
	}
}

// Place tells up to where a chat was handed out to those who listen to it here.
// Known is false while the first of them has yet to read the heads.
func (h *Hub) Place(chatID string) (last int64, known, listened bool) {
	ch := h.lookUp(chatID)
	if ch == nil {
		return 0, false, false
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.last, ch.isSet, len(ch.subs) > 0
}

// Follows reports whether a connection of a user listens to a chat here, which only
// a member's does.
func (h *Hub) Follows(userID, chatID string) bool {
	return slices.ContainsFunc(h.connsOf(userID), func(c *Conn) bool { return c.follow(chatID) != nil })
}

// Missed reports whether somebody listens to a chat in which something has happened
// that was not published here. If not, it notes so: heads that somebody has just read are read again.
func (h *Hub) Missed(chatID string) (listened bool) { return h.listened(chatID, 0) }

// Chats returns the chats that somebody listens to here.
func (h *Hub) Chats() (ids []string) {
	for i := range h.chats {
		h.chats[i].Lock()
		ids = slices.AppendSeq(ids, maps.Keys(h.chats[i].m))
		h.chats[i].Unlock()
	}
	return ids
}

// Users returns those who have connections here.
func (h *Hub) Users() (ids []string) {
	for i := range h.users {
		h.users[i].Lock()
		ids = slices.AppendSeq(ids, maps.Keys(h.users[i].m))
		h.users[i].Unlock()
	}
	return ids
}

// Sessions returns the authentication sessions of a user's connections, once each.
func (h *Hub) Sessions(userID string) (ids []string) {
	for _, c := range h.connsOf(userID) {
		if !slices.Contains(ids, c.peer.SessionID) {
			ids = append(ids, c.peer.SessionID)
		}
	}
	return ids
}

// Doubt fails the connections that listen to a chat, and those of some users, with
// ErrGap: something may have happened that will never be published.
func (h *Hub) Doubt(chatID string, userIDs ...string) {
	if chatID != "" && h.Missed(chatID) {
		h.withChat(chatID, (*chat).giveUp)
	}
	for _, id := range userIDs {
		for _, c := range h.connsOf(id) {
			c.Fail(ErrGap)
		}
	}
}

// End fails every connection of the given authentication sessions with err,
// before it returns.
func (h *Hub) End(userID string, sessionIDs []string, err error) {
	for _, c := range h.connsOf(userID) {
		for _, id := range sessionIDs {
			if c.peer.SessionID == id {
				c.Fail(err)
			}
		}
	}
}

// Close fails every connection with err, and every later one.
func (h *Hub) Close(err error) {
	h.closed.Store(&err)
	var all []*Conn
	for i := range h.users {
		h.users[i].Lock()
		for _, conns := range h.users[i].m {
			all = append(all, conns...)
		}
		h.users[i].Unlock()
	}
	for _, c := range all {
		c.Fail(err)
	}
}

// connsOf returns a user's connections; the slice is not to be changed.
func (h *Hub) connsOf(userID string) []*Conn {
	of := h.peopleOf(userID)
	of.Lock()
	defer of.Unlock()
	return of.m[userID]
}

func (h *Hub) drop(c *Conn) {
	of := h.peopleOf(c.peer.UserID)
	of.Lock()
	defer of.Unlock()
	conns := of.m[c.peer.UserID]
	i := slices.Index(conns, c)
	if i < 0 {
		return
	}
	h.count.Add(-1)
	if len(conns) == 1 {
		delete(of.m, c.peer.UserID)
		return
	}
	of.m[c.peer.UserID] = append(slices.Clone(conns[:i]), conns[i+1:]...)
}
