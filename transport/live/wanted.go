package live

import (
	"sync"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
)

// places are up to where those who listen here were told what has no place in the
// hub: receipts of chats, and the users' own sequences. An entry may stand too low,
// then something is told twice; never too high.
type places struct {
	mu       sync.Mutex
	versions map[string]int64 // of receipts, by chat
	users    map[string]int64 // of own events, by user
}

func newPlaces() places {
	return places{versions: make(map[string]int64), users: make(map[string]int64)}
}

// start notes where a user's connection starts, unless another one of his, or
// of the chat's, is further behind.
func (p *places) start(userID string, heads messaging.Heads) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.users[userID]; !ok {
		p.users[userID] = heads.UserSeq
	}
	for _, h := range heads.Chats {
		if _, ok := p.versions[h.ChatID]; !ok {
			p.versions[h.ChatID] = h.ReceiptVersion
		}
	}
}

// told moves the places on over what was delivered, if nothing is missing before it.
func (p *places) told(c messaging.Committed) {
	if len(c.UserEvents)+len(c.Marks) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range c.UserEvents {
		if at, ok := p.users[e.UserID]; ok && at == e.Seq-1 {
			p.users[e.UserID] = e.Seq
		}
	}
	for _, w := range c.Marks {
		if at, ok := p.versions[w.ChatID]; ok && at == w.Version-1 {
			p.versions[w.ChatID] = w.Version
		}
	}
}

// caughtUp moves places to where the store was read.
func (p *places) caughtUp(chatID string, version int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.versions[chatID] = max(p.versions[chatID], version)
}

func (p *places) userCaughtUp(userID string, seq int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users[userID] = max(p.users[userID], seq)
}

// version is 0 where a chat's is not known: whoever joined just now hears all marks.
func (p *places) version(chatID string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.versions[chatID]
}

func (p *places) user(userID string) (seq int64, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seq, known = p.users[userID]
	return seq, known
}

// prune forgets whom and what nobody listens to any more.
func (p *places) prune(h *hub.Hub) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.users {
		if h.Connections(id) == 0 {
			delete(p.users, id)
		}
	}
	for id := range p.versions {
		if h.Followers(id) == 0 {
			delete(p.versions, id)
		}
	}
}

// wanted is what is to be read because other nodes have hinted at it, or because
// it is time to look.
type wanted struct {
	mu    sync.Mutex
	chats map[string]chatHint // the least that is there; zeros: to be looked at
	users map[string]int64
	all   bool // chats and users, and whether sessions live
	wake  chan struct{}
}

func newWanted() wanted {
	return wanted{chats: make(map[string]chatHint), users: make(map[string]int64), wake: make(chan struct{}, 1)}
}

// chat wants a chat; without Seq and Version it is looked at whatever is known.
func (w *wanted) chat(c chatHint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch was, ok := w.chats[c.ID]; {
	case ok && (was.Seq+was.Version == 0 || c.Seq+c.Version == 0):
		w.chats[c.ID] = chatHint{ID: c.ID}
	default:
		w.chats[c.ID] = chatHint{c.ID, max(was.Seq, c.Seq), max(was.Version, c.Version)}
	}
	w.signal()
}

// user wants a user; without seq he is looked at whatever is known.
func (w *wanted) user(u userHint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was, ok := w.users[u.ID]
	if ok && was == 0 || u.Seq == 0 {
		w.users[u.ID] = 0
	} else {
		w.users[u.ID] = max(was, u.Seq)
	}
	w.signal()
}

func (w *wanted) everything() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = true
	w.signal()
}

func (w *wanted) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take returns at most messaging.MaxNews chats and users, and whether there are more.
func (w *wanted) take() (chats []chatHint, users []userHint, more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, c := range w.chats {
		if len(chats) == messaging.MaxNews {
			break
		}
		chats = append(chats, c)
		delete(w.chats, id)
	}
	for id, seq := range w.users {
		if len(users) == messaging.MaxNews {
			break
		}
		users = append(users, userHint{id, seq})
		delete(w.users, id)
	}
	return chats, users, len(w.chats)+len(w.users) > 0
}

// takeAll reports whether everything is to be looked at.
func (w *wanted) takeAll() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.all
	w.all = false
	return all
}
