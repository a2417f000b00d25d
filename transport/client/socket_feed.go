package client

import (
	"context"
	"maps"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

const (
	maxQueue   = 1024 // steps that wait for the application before events are left to be fetched
	fetchChats = 20   // a request
	fetchLimit = 50   // events a chat; fewer while connections break before the answer is through
)

// feed puts what comes live and what is fetched into one order for the
// application: the next of a sequence is taken, an older one ignored, and before a
// newer one what lies between is fetched. Guarded by Socket.mu.
type feed struct {
	told  Cursor        // by the application
	have  Cursor        // with what waits for it
	queue []step        // what waits
	some  chan struct{} // holds one token while something does

	seen     map[string]int64 // of chats: newest place known of
	userSeen int64            // of one's own sequence
	need     map[string]bool  // chats to be fetched
	limit    int              // events to be fetched of a chat
}

// step is one thing to tell: the cursor with it, and the handler's call.
type step struct {
	mark func(*Cursor)
	call func()
}

func newFeed(c Cursor) feed {
	return feed{told: c.clone(), have: c.clone(), limit: fetchLimit, some: make(chan struct{}, 1)}
}

// tell calls the handlers.
func (s *Socket) tell(ctx context.Context) {
	for {
		select {
		case <-s.some:
		case <-ctx.Done():
			return
		}
		for ctx.Err() == nil {
			s.mu.Lock()
			if len(s.queue) == 0 {
				s.mu.Unlock()
				break
			}
			next := s.queue[0]
			s.queue[0] = step{}
			s.queue = s.queue[1:]
			next.mark(&s.told)
			if l := s.link; l != nil && len(s.queue) == maxQueue/2 {
				l.wake()
			}
			s.mu.Unlock()
			if next.call != nil {
				next.call()
			}
		}
	}
}

// put appends a step, and marks it.
func (s *Socket) put(mark func(*Cursor), call func()) {
	mark(&s.have)
	s.queue = append(s.queue, step{mark, call})
	select {
	case s.some <- struct{}{}:
	default:
	}
}

func (s *Socket) event(e api.Event, mark func(*Cursor)) {
	var call func()
	if s.opt.Event != nil {
		call = func() { s.opt.Event(e) }
	}
	s.put(mark, call)
}

// hello compares where the server stands with what is there.
func (s *Socket) hello(h api.Hello) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ahead := s.have.UserSeq > h.UserSeq
	for id, head := range h.Heads {
		ahead = ahead || s.have.Chats[id] > head
	}
	switch {
	case s.have.Epoch == "":
		s.put(func(c *Cursor) { c.Epoch, c.UserSeq = h.Epoch, h.UserSeq }, nil)
	case s.have.Epoch != h.Epoch || ahead:
		s.reset(h.Epoch, h.UserSeq)
	}
	s.seen, s.userSeen, s.need = make(map[string]int64), h.UserSeq, make(map[string]bool)
	maps.Copy(s.seen, h.Heads)
	for id, head := range h.Heads {
		if head > s.have.Chats[id] || h.ReceiptVersions[id] != s.have.Receipts[id] {
			s.need[id] = true
		}
	}
}

// reset begins anew.
func (s *Socket) reset(epoch string, userSeq int64) {
	s.put(func(c *Cursor) { *c = Cursor{Epoch: epoch, UserSeq: userSeq}.clone() }, s.opt.Reset)
}

// live takes events as they happen, and reports whether something is to be fetched.
func (s *Socket) live(events []api.Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		s.take(e, len(s.queue) >= maxQueue)
	}
	return len(s.need) > 0 || s.userSeen > s.have.UserSeq
}

// take takes one event. full: it is to be fetched when there is room again.
func (s *Socket) take(e api.Event, full bool) {
	switch {
	case e.UserSeq > 0:
		s.userSeen = max(s.userSeen, e.UserSeq)
		if e.Type == string(messaging.ChatJoined) {
			s.need[e.ChatID] = true // all of it, or what came while away
		}
		if e.UserSeq == s.have.UserSeq+1 && !full {
			s.event(e, func(c *Cursor) { c.UserSeq = e.UserSeq })
		}
	case e.Seq > 0:
		s.seen[e.ChatID] = max(s.seen[e.ChatID], e.Seq)
		switch next := s.have.Chats[e.ChatID] + 1; {
		case e.Seq == next && !full:
			s.event(e, func(c *Cursor) { c.Chats[e.ChatID] = e.Seq })
		case e.Seq >= next:
			s.need[e.ChatID] = true
		}
	case full && e.Type == api.EventReceipt:
		s.need[e.ChatID] = true
	case !full:
		s.event(e, func(c *Cursor) { c.Receipts[e.ChatID] = max(c.Receipts[e.ChatID], e.Version) })
	}
}

// fetched takes what was fetched. A place that live events reached meanwhile is passed over.
func (s *Socket) fetched(ask api.Sync, a api.SyncAnswer, h api.Hello) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = min(2*s.limit, fetchLimit)
	if a.Reset {
		s.reset(a.Epoch, h.UserSeq)
		for id := range s.seen {
			s.need[id] = true
		}
		return
	}
	for _, e := range a.User.Events {
		if e.UserSeq > s.have.UserSeq { // there may be holes: a position that a later one replaces
			if e.Type == string(messaging.ChatJoined) {
				s.need[e.ChatID] = true
			}
			s.event(e, func(c *Cursor) { c.UserSeq = e.UserSeq })
		}
	}
	if a.User.TooLong {
		s.put(func(c *Cursor) {}, s.opt.Reload)
	}
	s.put(func(c *Cursor) { c.UserSeq = max(c.UserSeq, a.User.Head) }, nil)
	for _, chat := range a.Chats {
		s.chat(chat)
		delete(ask.Chats, chat.ID)
		if s.have.Chats[chat.ID] < s.seen[chat.ID] {
			s.need[chat.ID] = true
		}
	}
	for id := range ask.Chats { // those one is no longer in
		delete(s.seen, id)
	}
}

func (s *Socket) chat(chat api.ChatSync) {
	have := s.have.Chats[chat.ID]
	if chat.TooLong && chat.Head > have {
		call := func() {
			if s.opt.Snapshot != nil {
				s.opt.Snapshot(chat)
			}
		}
		s.put(func(c *Cursor) { c.Chats[chat.ID] = chat.Head }, call)
	}
	for _, e := range chat.Events {
		if e.Seq == s.have.Chats[chat.ID]+1 {
			s.event(e, func(c *Cursor) { c.Chats[chat.ID] = e.Seq })
		}
	}
	if chat.ReceiptVersion == s.have.Receipts[chat.ID] {
		return
	}
	for _, w := range chat.Receipts {
		s.event(api.Event{
			Type: api.EventReceipt, ChatID: chat.ID, UserID: w.UserID,
			DeliveredSeq: &w.DeliveredSeq, ReadSeq: &w.ReadSeq, Version: w.Version,
		}, func(*Cursor) {})
	}
	s.put(func(c *Cursor) { c.Receipts[chat.ID] = max(c.Receipts[chat.ID], chat.ReceiptVersion) }, nil)
}
