package hub

import "errors"

// ErrGap fails connections that can no longer be told what happened in order;
// they resume from the store.
var ErrGap = errors.New("hub: events are missing")

// follow is one connection's subscription to one chat. Which of a join and a
// leave is the later one is told by the user's own sequence, in whatever order
// they come.
type follow struct {
	conn  *Conn
	at    int   // where it stands in the chat's list
	from  int64 // events up to here are not for it
	asOf  int64 // the place in the user's sequence at which he was a member
	least int64 // his heads must be at least here: what is below was not kept for him
}

// settle takes what heads, read at a place of the user's sequence, say of the
// chat. It reports whether they were read late enough.
func (ch *chat) settle(c *Conn, userSeq, head int64) bool {
	f := c.follow(ch.id)
	if f == nil {
		f = &follow{conn: c, asOf: userSeq}
		missed := ch.happenedSince(c.began)
		if ch.isSet && head < ch.last { // another one's heads were read after his
			missed, f.least = true, ch.last
		}
		if !ch.add(f, userSeq) { // from here on it hears
			return true
		}
		if missed { // and the heads are, or may be, older
			return false
		}
	}
	if head < f.least {
		return false
	}
	f.from, f.asOf = max(f.from, head), max(f.asOf, userSeq) // some up to head may still be on their way here
	ch.known(head)
	f.least = 0
	return true
}

// happenedSince reports whether something may have been published that a connection
// which does not follow the chat has not heard.
func (ch *chat) happenedSince(tick uint64) bool {
	return ch.tick > tick || ch.hub.passed(ch.id).tick > tick || ch.hub.forgot.Load() > tick
}

// unsettle takes that heads do not name the chat: he left, unless he joined later.
func (ch *chat) unsettle(c *Conn, userSeq int64) {
	if f := c.follow(ch.id); f != nil && f.asOf <= userSeq {
		ch.remove(f)
	}
}

// join subscribes a connection to what comes above from, unless its heads know
// better. Late means that some of it was not kept: then heads are to be read, by a
// connection that has started after it was cut.
func (ch *chat) join(c *Conn, from, userSeq int64, late bool) {
	if c.knows(userSeq) {
		return
	}
	f := c.follow(ch.id)
	if f == nil {
		f = &follow{conn: c, from: from}
		if !ch.add(f, userSeq) {
			return
		}
	}
	f.asOf = max(f.asOf, userSeq) // where it was followed: the leave before is still on its way
	if !late {
		return
	}
	f.least = max(f.least, from)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started {
		c.failLocked(ErrGap)
	}
	c.behind = max(c.behind, userSeq)
}

// knows reports whether heads have told of a place in the user's sequence.
func (c *Conn) knows(userSeq int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return userSeq <= c.userSeq
}

// add subscribes a connection, unless it has failed, or its user has left since.
func (ch *chat) add(f *follow, userSeq int64) bool {
	c := f.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	at, left := c.left[ch.id]
	if c.err != nil || left && userSeq < at {
		return false
	}
	delete(c.left, ch.id)
	if c.follows == nil {
		c.follows = make(map[string]*follow)
	}
	c.follows[ch.id] = f
	f.at = len(ch.subs)
	ch.subs = append(ch.subs, f)
	ch.size.Store(int64(len(ch.subs)))
	return true
}

// follow returns the connection's subscription to a chat, nil when there is none.
// It changes under the chat's lock only.
func (c *Conn) follow(chatID string) *follow {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.follows[chatID]
}

func (ch *chat) remove(f *follow) {
	last := len(ch.subs) - 1
	ch.subs[f.at] = ch.subs[last]
	ch.subs[f.at].at = f.at
	ch.subs[last] = nil
	ch.subs = ch.subs[:last]
	ch.size.Store(int64(last))
	f.conn.mu.Lock()
	delete(f.conn.follows, ch.id)
	f.conn.mu.Unlock()
}

// leave ends what the user of e.Leave hears.
func (ch *chat) leave(e Event) {
	if e.Leave == "" {
		return
	}
	for _, c := range ch.hub.connsOf(e.Leave) {
		if f := c.follow(ch.id); f != nil {
			if f.asOf >= e.UserSeq {
				continue // he is back already
			}
			ch.remove(f)
		}
		c.mu.Lock()
		if !c.started { // nothing held of a membership that is over: part of it may not be his
			c.discard(func(held entry) bool { return held.chat == ch.id && held.asOf < e.UserSeq })
		}
		if c.left == nil {
			c.left = make(map[string]int64)
		}
		c.left[ch.id] = max(c.left[ch.id], e.UserSeq)
		if len(c.left) > maxLeft {
			c.failLocked(ErrGap)
		}
		c.mu.Unlock()
	}
}
