package live_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// record is the oracle: what happened, when, and what was seen of it.
type record struct {
	mu       sync.Mutex
	messages map[string][]messaging.Message // by chat
	hidden   map[string]bool                // by user and message
	reads    []reading
	current  map[string]string    // sessions by user
	user     map[string]string    // of sessions
	ended    map[string]time.Time // sessions
	number   int
	samples  []sample
	faults   []error
}

type reading struct {
	chat, user string
	upTo       int64
	at         time.Time
}

// sample is where everything stood at a time.
type sample struct {
	at    time.Time
	heads map[string]int64           // by chat
	in    map[string]map[string]stay // by chat and user
}

// stay is a membership, by the places of its beginning and end.
type stay struct{ from, to int64 }

func (l *record) init() {
	l.messages, l.hidden = make(map[string][]messaging.Message), make(map[string]bool)
	l.current, l.user, l.ended = make(map[string]string), make(map[string]string), make(map[string]time.Time)
}

func (l *record) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Errorf(format, args...))
}

func (l *record) verdict() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.faults...)
}

func (l *record) session(user string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current[user] == "" {
		l.current[user] = "first of " + user
		l.user[l.current[user]] = user
	}
	return l.current[user]
}

// owners are the users of sessions that have not ended; of all, if the ended ones are kept quiet.
func (l *record) owners(ids []string, all bool) map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	owners := make(map[string]string)
	for _, id := range ids {
		if _, ended := l.ended[id]; !ended || all {
			owners[id] = l.user[id]
		}
	}
	return owners
}

// renew ends a user's session and begins another.
func (l *record) renew(user string) (old string) {
	old = l.session(user)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number++
	l.current[user] = fmt.Sprint("session ", l.number)
	l.user[l.current[user]] = user
	l.ended[old] = time.Now()
	return old
}

func (l *record) sent(m messaging.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages[m.ChatID] = append(l.messages[m.ChatID], m)
}

func (l *record) some(rnd *rand.Rand, chat string) (messaging.Message, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.messages[chat]
	if len(all) == 0 {
		return messaging.Message{}, false
	}
	return all[rnd.IntN(len(all))], true
}

// afterHiding and a name is the text of an edit that came after he hid the message.
const afterHiding = "after hiding by "

func (l *record) hide(user, message string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hidden[user+" "+message] = true
}

func (l *record) read(chat, user string, upTo int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads = append(l.reads, reading{chat, user, upTo, time.Now()})
}

// heard checks what comes live: no text of what its reader hid before it was written.
func (l *record) heard(user string, h hearing) {
	l.mu.Lock()
	hidden := l.hidden[user+" "+h.message]
	l.mu.Unlock()
	if hidden && h.text == afterHiding+user {
		l.fault("%s hears the text of a message that he hid", user)
	}
}

// members are those of a chat now, and all who ever were, by their stays.
func (l *record) members(ctx context.Context, store messaging.Store, chat string) map[string]stay {
	now := make(map[string]stay)
	for user, stays := range l.stays(ctx, store, chat) {
		if last := stays[len(stays)-1]; last.to == 0 {
			now[user] = last
		}
	}
	return now
}

// stays reads who was in a chat and when, out of its own events.
func (l *record) stays(ctx context.Context, store messaging.Store, chat string) map[string][]stay {
	all := make(map[string][]stay)
	for _, user := range []string{"ann", "bob", "cid"} { // first members have no event
		own, err := store.UserEvents(ctx, user, 0, messaging.MaxSync)
		if err != nil {
			panic(err)
		}
		for _, e := range own {
			switch {
			case e.ChatID != chat:
			case e.Type == messaging.ChatJoined:
				all[user] = append(all[user], stay{from: e.HeadSeq})
			case e.Type == messaging.ChatLeft:
				all[user][len(all[user])-1].to = e.HeadSeq
			}
		}
	}
	return all
}

// sample notes where everything stands, and checks who should know what stood so
// a while ago.
func (l *record) sample(s *simulation) {
	ctx, now := context.Background(), sample{at: time.Now(), heads: make(map[string]int64), in: make(map[string]map[string]stay)}
	for _, chat := range s.chats {
		now.in[chat] = l.members(ctx, s.store, chat)
		for user := range now.in[chat] {
			v, err := s.store.Chat(ctx, user, chat)
			if err == nil {
				now.heads[chat] = v.HeadSeq
			}
		}
	}
	l.samples = append(l.samples, now)
	for _, then := range l.samples {
		if age := now.at.Sub(then.at); age < bound || age > bound+3*time.Second {
			continue
		}
		for _, p := range s.people {
			for _, g := range p.gadgets {
				l.late(g, then, now)
			}
		}
	}
	for _, p := range s.people {
		for _, g := range p.gadgets {
			g.mu.Lock()
			session, conn := g.session, g.conn
			g.mu.Unlock()
			l.mu.Lock()
			ended, over := l.ended[session]
			l.mu.Unlock()
			if over && conn != nil && conn.Err() == nil && time.Since(ended) > bound {
				l.fault("a connection of %s outlives its session by %s", g.name, time.Since(ended))
			}
		}
	}
}

// late checks that a gadget which was there all the time knows what stood then.
func (l *record) late(g *gadget, then, now sample) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.since.IsZero() || g.since.After(then.at) {
		return
	}
	for chat, head := range then.heads {
		was, in := then.in[chat][g.name]
		is, still := now.in[chat][g.name]
		if !in || !still || was != is {
			continue
		}
		if have := int64(len(g.applied[chat])); have < head {
			l.fault("%s knows %d events of %d, %s later", g.name, have, head, now.at.Sub(then.at))
		}
		if g.sim.short {
			continue
		}
		for _, r := range l.reads {
			if who, ok := now.in[chat][r.user]; r.chat != chat || !ok || who.from >= r.upTo || then.in[chat][r.user] != who || r.at.After(then.at) || r.user == g.name {
				continue
			}
			if have := g.marks[chat][r.user]; have < r.upTo {
				l.fault("%s knows that %s read up to %d, not %d, %s later", g.name, r.user, have, r.upTo, now.at.Sub(r.at))
			}
		}
	}
}

// whole compares all that was applied with the history, and all that was heard
// with who was inside.
func (l *record) whole(s *simulation) {
	ctx := context.Background()
	for _, chat := range s.chats {
		stays := l.stays(ctx, s.store, chat)
		news, err := s.nodes[0].News(ctx, messaging.Places{Chats: []messaging.Head{{ChatID: chat}}})
		must(s.t, err)
		var history []place
		for _, c := range news.Chats {
			for _, e := range c.Events {
				history = append(history, placeOf(api.FromEvent(e, "")))
			}
		}
		for _, p := range s.people {
			for _, g := range p.gadgets {
				got := g.applied[chat]
				if diff := cmp.Diff(history[:min(len(got), len(history))], got); diff != "" && len(got) > 0 {
					l.fault("%s applied something else (-history +applied):\n%s", g.name, diff)
				}
				for _, h := range g.heard {
					if h.chat == chat && !inside(stays[g.name], h.seq) {
						l.fault("%s hears %d of a chat that he is not in: %v", g.name, h.seq, stays[g.name])
					}
				}
			}
		}
	}
}

func inside(stays []stay, seq int64) bool {
	for _, s := range stays {
		if seq >= s.from && (s.to == 0 || seq <= s.to) {
			return true
		}
	}
	return false
}
