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

// hints gather what the other nodes are to be told.
type hints struct {
	mu    sync.Mutex
	chats map[string]chatHint
	users map[string]int64
	ended map[session]struct{}
	typed map[writer]bool
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
	h.typed = make(map[writer]bool)
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
	h.all = h.all || n.All
	h.bound()
}

func (h *hints) bound() {
	if len(h.chats)+len(h.users)+len(h.ended)+len(h.typed) > maxHints {
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
	n.All = h.all
	some = len(n.Chats)+len(n.Users)+len(n.Ended)+len(n.Typed) > 0 || n.All
	h.clear()
	return n, some
}

// encode cuts a note into such as a bus takes.
func (n note) encode() [][]byte {
	body, err := json.Marshal(n)
	if err == nil && len(body) <= bus.MaxNote {
		return [][]byte{body}
	}
	if len(n.Chats)+len(n.Users)+len(n.Ended)+len(n.Typed) <= 1 { // an id of the host's, longer than any note
		return note{Node: n.Node, All: true}.encode()
	}
	left, right := n, n
	right.All = false
	switch { // a kind apart, or one kind in halves
	case len(n.Chats) > 0 && len(n.Users)+len(n.Ended)+len(n.Typed) > 0:
		left.Users, left.Ended, left.Typed, right.Chats = nil, nil, nil, nil
	case len(n.Users) > 0 && len(n.Ended)+len(n.Typed) > 0:
		left.Ended, left.Typed, right.Users = nil, nil, nil
	case len(n.Ended) > 0 && len(n.Typed) > 0:
		left.Typed, right.Ended = nil, nil
	default:
		left.Chats, right.Chats = halves(n.Chats)
		left.Users, right.Users = halves(n.Users)
		left.Ended, right.Ended = halves(n.Ended)
		left.Typed, right.Typed = halves(n.Typed)
	}
	return append(left.encode(), right.encode()...)
}

func halves[T any](list []T) (left, right []T) { return list[:len(list)/2], list[len(list)/2:] }
