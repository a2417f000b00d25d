package hub

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// chat is one chat that somebody here listens to. It puts commits, which
// callers publish concurrently, back into the order of the sequence.
type chat struct {
	hub *Hub
	id  string

	mu     sync.Mutex
	gone   bool // out of the hub's map: look it up again
	subs   []*follow
	size   atomic.Int64 // of subs
	ready  []Event      // in order up to last, and not handed out yet
	tick   uint64       // when something was published last
	last   int64        // newest sequence handed out, or known to be in the store when somebody started
	isSet  bool         // whether last is known
	parked map[int64]Event
	timer  *time.Timer // runs while events are parked behind a gap

	flushed time.Time   // when something was handed out to a crowd last
	soon    *time.Timer // runs while something is ready and waits for more

	in inbox
}

// withChat runs f on the chat's state under its lock, made if need be, and
// removes the state when nobody listens any more.
func (h *Hub) withChat(id string, f func(*chat)) {
	sh := &h.chats[maphash.String(h.seed, id)%shards]
	for {
		sh.Lock()
		ch := sh.m[id]
		if ch == nil {
			ch = &chat{hub: h, id: id, parked: make(map[int64]Event)}
			sh.m[id] = ch
		}
		sh.Unlock()

		ch.mu.Lock()
		if ch.gone {
			ch.mu.Unlock()
			continue
		}
		f(ch)
		ch.flush()
		if len(ch.subs) == 0 {
			ch.skipParked()
		}
		if len(ch.subs) == 0 {
			ch.gone = true
			sh.Lock()
			delete(sh.m, id)
			h.passedBy(sh, id, ch.last)
			sh.Unlock()
		}
		ch.mu.Unlock()
		return
	}
}

// lookUp returns the state of a chat that somebody listens to.
func (h *Hub) lookUp(id string) *chat {
	sh := &h.chats[maphash.String(h.seed, id)%shards]
	sh.Lock()
	defer sh.Unlock()
	return sh.m[id]
}

// listened reports whether anybody listens to the chat, without making state
// for it. If not, it notes that an event up to seq passes by.
func (h *Hub) listened(id string, seq int64) bool {
	sh := &h.chats[maphash.String(h.seed, id)%shards]
	sh.Lock()
	defer sh.Unlock()
	if sh.m[id] != nil {
		return true
	}
	h.passedBy(sh, id, seq)
	return false
}

// passed returns what happened in a chat with nobody listening, of late.
func (h *Hub) passed(id string) pass {
	sh := &h.chats[maphash.String(h.seed, id)%shards]
	sh.Lock()
	defer sh.Unlock()
	return sh.passed[id]
}

// passedBy notes what nobody hears; the shard is locked.
func (h *Hub) passedBy(sh *shard, id string, seq int64) {
	now := h.tick.Add(1)
	if len(sh.passed) >= maxPassed {
		clear(sh.passed) // only the last moments count
		h.forgot.Store(now)
	}
	sh.passed[id] = pass{max(seq, sh.passed[id].seq), now}
}

// online reports whether a user, if any is named, has connections here.
func (h *Hub) online(userID string) bool { return userID != "" && h.Connections(userID) > 0 }

// Followers returns how many connections listen to a chat here.
func (h *Hub) Followers(chatID string) int {
	if ch := h.lookUp(chatID); ch != nil {
		return int(ch.size.Load())
	}
	return 0
}

// Listeners returns the users who listen to a chat here, once each.
func (h *Hub) Listeners(chatID string) (userIDs []string) {
	if h.lookUp(chatID) == nil {
		return nil
	}
	seen := make(map[string]bool)
	h.withChat(chatID, func(ch *chat) {
		for _, f := range ch.subs {
			if u := f.conn.peer.UserID; !seen[u] {
				seen[u] = true
				userIDs = append(userIDs, u)
			}
		}
	})
	return userIDs
}

func (ch *chat) take(e Event) {
	ch.tick = ch.hub.tick.Add(1)
	if !ch.isSet && len(ch.subs) == 0 {
		// Nobody listened until this event lets somebody in: all before it is history,
		// unless it was overtaken.
		ch.last, ch.isSet = max(e.Seq-1, ch.hub.passed(ch.id).seq), true
	}
	switch {
	case e.Seq == 0:
		ch.flush()
		ch.handPassing(e)
	case ch.isSet && e.Seq <= ch.last:
		ch.skip(e)
	case ch.isSet && e.Seq == ch.last+1:
		ch.turn(e)
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
// Others who have yet to start must know as much: what was parked up to here is let go.
func (ch *chat) known(head int64) {
	if ch.isSet {
		return
	}
	ch.last, ch.isSet = head, true
	for _, f := range ch.subs {
		f.least = max(f.least, head)
	}
	for seq, e := range ch.parked {
		if seq <= head {
			delete(ch.parked, seq)
			ch.skip(e)
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
		ch.turn(e)
	}
	if len(ch.parked) == 0 && ch.timer == nil {
		return
	}
	ch.stopTimer()
	if len(ch.parked) > 0 {
		ch.startTimer()
	}
}

// skip lets go of an event that comes when its turn has passed: heads that
// somebody started with were beyond it. What it says of members still counts.
func (ch *chat) skip(e Event) {
	if e.Join != "" || e.Leave != "" {
		ch.flush()
	}
	if e.Join != "" {
		for _, c := range ch.hub.connsOf(e.Join) {
			ch.join(c, max(ch.last, e.Seq), e.UserSeq, true)
		}
	}
	ch.leave(e)
}

func (ch *chat) startTimer() {
	if ch.timer != nil || !ch.isSet { // before it is set, nothing is known to be missing
		return
	}
	opt := ch.hub.opt
	if opt.Missing == nil {
		ch.after(opt.GapWait, ch.giveUp)
		return
	}
	ch.after(opt.GapWait/10, func() {
		opt.Missing(ch.id, ch.last)
		ch.after(opt.GapWait-opt.GapWait/10, ch.giveUp)
	})
}

// after runs f under the chat's lock, unless the timer is stopped before.
func (ch *chat) after(d time.Duration, f func()) {
	var mine *time.Timer
	mine = time.AfterFunc(d, func() {
		ch.hub.withChat(ch.id, func(now *chat) {
			if now == ch && ch.timer == mine {
				f()
			}
		})
	})
	ch.timer = mine
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
	ch.flush()
	for len(ch.subs) > 0 {
		f := ch.subs[len(ch.subs)-1]
		f.conn.Fail(ErrGap)
		ch.remove(f)
	}
	ch.skipParked()
}

// skipParked lets go of all that is parked, and of what it waits for.
func (ch *chat) skipParked() {
	ch.stopTimer()
	if len(ch.parked) > 0 && !ch.isSet {
		ch.last, ch.isSet = ch.hub.passed(ch.id).seq, true
	}
	for seq := range ch.parked {
		ch.last = max(ch.last, seq)
	}
	for _, e := range ch.parked {
		ch.skip(e)
	}
	clear(ch.parked)
}
