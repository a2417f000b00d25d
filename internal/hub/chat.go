package hub

import (
	"errors"
	"hash/maphash"
	"sync"
	"time"
)

// ErrGap fails connections that can no longer be told what happened in order;
// they resume from the store.
var ErrGap = errors.New("hub: events are missing")

// chat is one chat that somebody here listens to. It puts commits, which
// callers publish concurrently, back into the order of the sequence.
type chat struct {
	hub *Hub
	id  string

	mu     sync.Mutex
	gone   bool // out of the hub's map: look it up again
	subs   map[*Conn]*follow
	last   int64 // newest sequence handed out, or known to be older than every start
	isSet  bool  // whether last is known
	parked map[int64]Event
	timer  *time.Timer // runs while events are parked behind a gap
}

// follow is one connection's subscription to one chat.
type follow struct {
	from    int64 // events up to here are not for it
	byEvent bool  // made by Join or Listen, not by Follow: heads read earlier do not know it
}

// withChat runs f on the chat's state under its lock, made if need be, and
// removes the state when nobody listens any more.
func (h *Hub) withChat(id string, f func(*chat)) {
	sh := &h.chats[maphash.String(h.seed, id)%shards]
	for {
		sh.Lock()
		ch := sh.m[id]
		if ch == nil {
			ch = &chat{hub: h, id: id, subs: make(map[*Conn]*follow), parked: make(map[int64]Event)}
			sh.m[id] = ch
		}
		sh.Unlock()

		ch.mu.Lock()
		if ch.gone {
			ch.mu.Unlock()
			continue
		}
		f(ch)
		if len(ch.subs) == 0 {
			ch.gone = true
			ch.stopTimer()
			sh.Lock()
			delete(sh.m, id)
			sh.Unlock()
		}
		ch.mu.Unlock()
		return
	}
}

// listened reports whether anybody listens to the chat, without making state for it.
func (h *Hub) listened(id string) bool {
	sh := &h.chats[maphash.String(h.seed, id)%shards]
	sh.Lock()
	defer sh.Unlock()
	return sh.m[id] != nil
}

// Publish hands events out, each chat's in the order of its sequence: one that
// comes early waits for those before it. Commits of one chat may be published
// concurrently, each event exactly once. It never blocks on a connection.
func (h *Hub) Publish(events ...Event) {
	for _, e := range events {
		if !h.listened(e.ChatID) && (e.Join == "" || h.Connections(e.Join) == 0) {
			continue
		}
		h.withChat(e.ChatID, func(ch *chat) { ch.take(e) })
	}
}

// Listeners calls f for each user who listens to a chat here, once each.
func (h *Hub) Listeners(chatID string, f func(userID string)) {
	if !h.listened(chatID) {
		return
	}
	seen := make(map[string]struct{})
	h.withChat(chatID, func(ch *chat) {
		for c := range ch.subs {
			seen[c.user] = struct{}{}
		}
	})
	for u := range seen {
		f(u)
	}
}

func (ch *chat) take(e Event) {
	switch {
	case e.Seq == 0:
		ch.hand(e)
	case !ch.isSet && len(ch.subs) == 0:
		// Nobody listened until this event lets somebody in: all before it is history.
		ch.last, ch.isSet = e.Seq-1, true
		ch.take(e)
	case ch.isSet && e.Seq <= ch.last:
		// Older than every listener's start.
	case ch.isSet && e.Seq == ch.last+1:
		ch.hand(e)
		ch.last = e.Seq
		ch.drain()
	default:
		ch.parked[e.Seq] = e
		if len(ch.parked) > ch.hub.opt.MaxParked {
			ch.giveUp()
			return
		}
		ch.startTimer()
	}
}

// known tells that everything up to head is in the store for whoever starts now.
func (ch *chat) known(head int64) {
	if ch.isSet {
		return
	}
	ch.last, ch.isSet = head, true
	for seq := range ch.parked {
		if seq <= head {
			delete(ch.parked, seq)
		}
	}
	ch.drain()
}

func (ch *chat) drain() {
	for {
		e, ok := ch.parked[ch.last+1]
		if !ok {
			break
		}
		delete(ch.parked, e.Seq)
		ch.hand(e)
		ch.last = e.Seq
	}
	ch.stopTimer()
	if len(ch.parked) > 0 {
		ch.startTimer()
	}
}

// hand gives one event, whose turn it is, to all who listen.
func (ch *chat) hand(e Event) {
	if e.Join != "" {
		for _, c := range ch.hub.connsOf(e.Join) {
			ch.add(c, &follow{from: e.Seq - 1, byEvent: true})
		}
	}
	for c, f := range ch.subs {
		if e.Seq != 0 && e.Seq <= f.from {
			continue
		}
		body := e.Body
		if e.Own != "" && c.user == e.Own {
			body = e.OwnBody
		}
		if body != nil {
			c.push(entry{chat: ch.id, seq: e.Seq, Item: Item{Body: body}})
		}
	}
	if e.Leave != "" {
		for c := range ch.subs {
			if c.user == e.Leave {
				ch.remove(c)
			}
		}
	}
}

func (ch *chat) add(c *Conn, f *follow) {
	if ch.subs[c] != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return // its Close has let go of its chats already, or will not know this one
	}
	c.follows[ch.id] = f
	ch.subs[c] = f
}

func (ch *chat) remove(c *Conn) {
	delete(ch.subs, c)
	c.mu.Lock()
	delete(c.follows, ch.id)
	c.mu.Unlock()
}

func (ch *chat) startTimer() {
	if ch.timer == nil {
		ch.timer = time.AfterFunc(ch.hub.opt.GapWait, func() {
			ch.mu.Lock()
			defer ch.mu.Unlock()
			if !ch.gone && ch.timer != nil && len(ch.parked) > 0 {
				ch.giveUp()
			}
		})
	}
}

func (ch *chat) stopTimer() {
	if ch.timer != nil {
		ch.timer.Stop()
		ch.timer = nil
	}
}

// giveUp cuts all who listen: an event that never came may have been a removal,
// so skipping it could tell somebody what is no longer his to know.
func (ch *chat) giveUp() {
	ch.hub.opt.Logger.Warn("events are missing, connections resume", "chat", ch.id, "after", ch.last)
	for c := range ch.subs {
		c.Fail(ErrGap)
	}
	clear(ch.parked)
	ch.isSet = false
	ch.stopTimer()
}
