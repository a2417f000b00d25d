package live

import (
	"math"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

const (
	// crowd is how many listen to a chat at most for a receipt to go to all of
	// them at once. Above, it goes to those whose messages it is about, and at
	// most one a second of each reader.
	crowd         = 50
	receiptsEvery = time.Second

	remembered  = 256         // newest messages of a crowded chat whose senders are known
	forgetAfter = time.Minute // of a crowded chat in which nothing happens

	unknown    = math.MaxInt64 // floor of a chat without a message yet
	overtaking = 64            // messages after the first one noted that may have been published before it
)

// receipts are moved watermarks of crowded chats that wait to be told.
type receipts struct {
	mu    sync.Mutex
	chats map[string]*crowded
}

// crowded is a chat with many listeners.
type crowded struct {
	senders [remembered]sent // a ring
	next    int
	floor   int64 // of every message above it the sender is known

	told    map[string]messaging.Watermark // by reader: what was told last
	waiting map[string]messaging.Watermark // by reader: the newest that was not
	due     time.Time                      // when those may be told

	people  int // who listened when it was last counted
	counted time.Time
	used    time.Time
}

type sent struct {
	seq    int64
	sender string
}

// sent notes who sent a message, where receipts will be about it.
func (f *Feed) sent(chatID string, seq int64, sender string) {
	r := &f.receipts
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.chats[chatID]
	if c == nil {
		if f.hub.Followers(chatID) <= crowd {
			return
		}
		c = f.crowd(chatID)
	}
	if c.floor == unknown {
		c.floor = seq + overtaking
	}
	old := &c.senders[c.next%remembered]
	c.floor = max(c.floor, old.seq)
	*old = sent{seq, sender}
	c.next++
	c.used = time.Now()
}

// crowd makes the state of a crowded chat; the receipts are locked.
func (f *Feed) crowd(chatID string) *crowded {
	c := &crowded{
		floor: unknown, told: make(map[string]messaging.Watermark), waiting: make(map[string]messaging.Watermark), used: time.Now(),
	}
	f.receipts.chats[chatID] = c
	return c
}

// moved tells of a watermark: at once, or in a crowded chat soon.
func (f *Feed) moved(w messaging.Watermark) {
	if f.hub.Followers(w.ChatID) > crowd && f.later(w) {
		f.unread.signal()
		return
	}
	f.tell(w, nil)
}

// later keeps a watermark of a crowded chat, and reports whether it is one: many
// connections may be those of few people.
func (f *Feed) later(w messaging.Watermark) bool {
	r := &f.receipts
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.chats[w.ChatID]
	if c == nil {
		c = f.crowd(w.ChatID)
	}
	now := time.Now()
	c.used = now
	if now.Sub(c.counted) >= receiptsEvery {
		c.people, c.counted = len(f.hub.Listeners(w.ChatID)), now
	}
	if c.people <= crowd {
		delete(c.waiting, w.UserID)
		return false
	}
	if old, ok := c.waiting[w.UserID]; !ok || old.Version < w.Version {
		c.waiting[w.UserID] = w
	}
	return true
}

// tell delivers a receipt to some users who listen, or to all, but its reader.
func (f *Feed) tell(w messaging.Watermark, to []string) {
	f.hub.Publish(hub.Event{
		ChatID: w.ChatID, Body: encode(api.FromWatermark(w, f.now())), To: to, For: map[string][]byte{w.UserID: nil},
		Key: "receipt\x00" + w.ChatID + "\x00" + w.UserID,
	})
}

// tellReceipts tells what is due, and returns when to look again.
func (f *Feed) tellReceipts(now time.Time) (wait time.Duration) {
	type receipt struct {
		mark messaging.Watermark
		to   []string
	}
	var all []receipt
	r := &f.receipts
	r.mu.Lock()
	wait = receiptsEvery
	for id, c := range r.chats {
		switch {
		case len(c.waiting) == 0:
			if now.Sub(c.used) > forgetAfter {
				delete(r.chats, id)
			}
			continue
		case now.Before(c.due):
			wait = min(wait, c.due.Sub(now))
			continue
		}
		c.due = now.Add(receiptsEvery)
		for user, w := range c.waiting {
			all = append(all, receipt{w, c.concerned(w)})
			c.told[user] = w
		}
		clear(c.waiting)
	}
	r.mu.Unlock()
	for _, one := range all {
		if one.to == nil || len(one.to) > 0 {
			f.tell(one.mark, one.to)
		}
	}
	return wait
}

// concerned returns the senders of the messages that a watermark newly covers; nil
// when they are not all known.
func (c *crowded) concerned(w messaging.Watermark) []string {
	old, ok := c.told[w.UserID]
	from := min(old.DeliveredSeq, old.ReadSeq)
	if old.DeliveredSeq == w.DeliveredSeq {
		from = old.ReadSeq
	} else if old.ReadSeq == w.ReadSeq {
		from = old.DeliveredSeq
	}
	if !ok || from < c.floor {
		return nil
	}
	seen := map[string]bool{w.UserID: true}
	to := []string{}
	for _, s := range c.senders {
		if s.seq > from && s.seq <= w.DeliveredSeq && !seen[s.sender] {
			seen[s.sender] = true
			to = append(to, s.sender)
		}
	}
	return to
}
