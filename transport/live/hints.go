package live

import (
	"encoding/json"
	"sync"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/bus"
)

// maxHints is how many chats, users and sessions are named to other nodes at
// most while the bus takes nothing; above, they are told to look at everything.
const maxHints = 10_000

// note is what nodes tell each other: up to where chats and users have come at least.
type note struct {
	Node  string     `json:"node"`
	Chats []chatHint `json:"chats,omitempty"`
	Users []userHint `json:"users,omitempty"`
	Ended []session  `json:"ended,omitempty"`
	Typed []typist   `json:"typed,omitempty"`
	Seen  []seenHint `json:"seen,omitempty"`
	All   bool       `json:"all,omitempty"` // anything may have happened
}

type chatHint struct {
	ID      string `json:"id"`
	Seq     int64  `json:"seq,omitempty"`
	Version int64  `json:"version,omitempty"` // of receipts
}

type userHint struct {
	ID  string `json:"id"`
	Seq int64  `json:"seq"`
}

// session is one of authentication that has ended.
type session struct {
	User string `json:"user"`
	ID   string `json:"id"`
}

// typist is somebody who is writing, or has stopped.
type typist struct {
	Chat   string `json:"chat"`
	User   string `json:"user"`
	Typing bool   `json:"typing"`
}

// seenHint is somebody whose presence has changed, or may be seen by others than before.
type seenHint struct {
	ID   string `json:"id"`
	Hide bool   `json:"hide,omitempty"`
}

// hints gather what the other nodes are to be told.
type hints struct {
	mu    sync.Mutex
	chats map[string]chatHint
	users map[string]int64
	ended map[session]struct{}
	typed map[writer]bool
	seen  map[string]bool
	all   bool
	wake  chan struct{} // holds one token while there is something
}

func newHints() *hints {
	h := &hints{wake: make(chan struct{}, 1)}
	h.clear()
	return h
}

func (h *hints) clear() {
	h.chats, h.users, h.ended, h.all = make(map[string]chatHint), make(map[string]int64), make(map[session]struct{}), false
	h.typed, h.seen = make(map[writer]bool), make(map[string]bool)
}

// add notes what was committed here.
func (h *hints) add(c messaging.Committed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(c.Events); n > 0 {
		h.chat(chatHint{ID: c.Events[n-1].ChatID, Seq: c.Events[n-1].Seq})
	}
	for _, w := range c.Marks {
		h.chat(chatHint{ID: w.ChatID, Version: w.Version})
	}
	for _, e := range c.UserEvents {
		h.users[e.UserID] = max(h.users[e.UserID], e.Seq)
	}
	h.all = h.all || c.Doubt != nil // rare: an outage of the store
	h.bound()
}

func (h *hints) chat(c chatHint) {
	was := h.chats[c.ID]
	h.chats[c.ID] = chatHint{c.ID, max(was.Seq, c.Seq), max(was.Version, c.Version)}
}

// end notes sessions that ended here.
func (h *hints) end(userID string, ids []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range ids {
		h.ended[session{userID, id}] = struct{}{}
	}
	h.bound()
}

// typing notes that somebody is writing, or has stopped. It is told once at most.
func (h *hints) typing(w writer, typing bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.typed[w] = typing
	h.bound()
}

// presence notes users whose presence is to be told.
func (h *hints) presence(ids []string, hide bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range ids {
		h.seen[id] = h.seen[id] || hide
	}
	h.bound()
}

// again puts back what could not be sent.
func (h *hints) again(n note) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range n.Chats {
		h.chat(c)
	}
	for _, u := range n.Users {
		h.users[u.ID] = max(h.users[u.ID], u.Seq)
	}
	for _, s := range n.Ended {
		h.ended[s] = struct{}{}
	}
	for _, s := range n.Seen {
		h.seen[s.ID] = h.seen[s.ID] || s.Hide
	}
	h.all = h.all || n.All
	h.bound()
}

func (h *hints) bound() {
	if len(h.chats)+len(h.users)+len(h.ended)+len(h.typed)+len(h.seen) > maxHints {
		h.clear()
		h.all = true
	}
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// take returns what there is to tell.
func (h *hints) take() (n note, some bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.chats {
		n.Chats = append(n.Chats, c)
	}
	for id, seq := range h.users {
		n.Users = append(n.Users, userHint{id, seq})
	}
	for s := range h.ended {
		n.Ended = append(n.Ended, s)
	}
	for w, typing := range h.typed {
		n.Typed = append(n.Typed, typist{w.chat, w.user, typing})
	}
	for id, hide := range h.seen {
		n.Seen = append(n.Seen, seenHint{id, hide})
	}
	n.All = h.all
	some = n.size() > 0 || n.All
	h.clear()
	return n, some
}

// size is how much a note names.
func (n note) size() int {
	return len(n.Chats) + len(n.Users) + len(n.Ended) + len(n.Typed) + len(n.Seen)
}

// encode cuts a note into such as a bus takes.
func (n note) encode() [][]byte {
	body, err := json.Marshal(n)
	if err == nil && len(body) <= bus.MaxNote {
		return [][]byte{body}
	}
	if n.size() <= 1 { // an id of the host's, longer than any note
		return note{Node: n.Node, All: true}.encode()
	}
	left, right := note{Node: n.Node, All: n.All}, note{Node: n.Node}
	half := n.size() / 2
	left.Chats, right.Chats = split(n.Chats, &half)
	left.Users, right.Users = split(n.Users, &half)
	left.Ended, right.Ended = split(n.Ended, &half)
	left.Typed, right.Typed = split(n.Typed, &half)
	left.Seen, right.Seen = split(n.Seen, &half)
	return append(left.encode(), right.encode()...)
}

// split cuts a list where as many are left of it as are wanted, and counts them off.
func split[T any](list []T, want *int) (left, right []T) {
	n := min(*want, len(list))
	*want -= n
	return list[:n], list[n:]
}
