package hub_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/internal/hub"
)

// oracle is a store of memberships and sequences, with what was committed and
// has yet to be published, and what each connection may and must hear.
type oracle struct {
	rnd     *rand.Rand
	hub     *hub.Hub
	heads   map[string]int64           // by chat
	userSeq map[string]int64           // by user
	inside  map[string]map[string]bool // chat, user
	out     map[string]int64           // chat and user: where he was removed last
	flying  []func()                   // publishings that have not happened yet
	commits []commit
	conns   []*watched
	resumed int
}

// commit is one event, and who was inside when it happened, its subject included.
type commit struct {
	chat string
	seq  int64
	who  []string
}

type watched struct {
	conn  *hub.Conn
	user  string
	seq   int64            // heads read last
	heads map[string]int64 // …
	from  int              // commits before
	live  bool
	heard map[string][]int64
}

func (o *oracle) commit(chat string, change func(*hub.Event)) {
	o.heads[chat]++
	e := event(chat, o.heads[chat])
	var who []string
	for u := range o.inside[chat] {
		who = append(who, u)
	}
	if change != nil {
		change(&e)
		for _, u := range []string{e.Join, e.Leave} {
			if u != "" {
				o.userSeq[u]++
				e.UserSeq = o.userSeq[u]
				if !slices.Contains(who, u) {
					who = append(who, u)
				}
			}
		}
	}
	o.commits = append(o.commits, commit{chat, e.Seq, who})
	o.flying = append(o.flying, func() { o.hub.Publish(e) })
}

func (o *oracle) step(t *testing.T) {
	chats, users := []string{"a", "b", "c"}, []string{"ann", "bob", "cid"}
	chat, user := chats[o.rnd.IntN(3)], users[o.rnd.IntN(3)]
	_, exists := o.heads[chat]
	switch op := o.rnd.IntN(12); {
	case !exists && op < 2: // a new chat with one or more members
		o.heads[chat], o.inside[chat] = 0, map[string]bool{}
		for _, u := range users[:1+o.rnd.IntN(3)] {
			o.inside[chat][u] = true
			o.userSeq[u]++
			seq := o.userSeq[u]
			o.flying = append(o.flying, func() { o.hub.Listen(u, chat, 0, seq) })
		}
	case exists && op < 3:
		o.commit(chat, nil)
	case exists && op < 4 && o.inside[chat][user]:
		o.commit(chat, func(e *hub.Event) { e.Leave = user })
		delete(o.inside[chat], user)
		o.out[chat+user] = o.heads[chat]
	case exists && op < 5 && !o.inside[chat][user]:
		o.commit(chat, func(e *hub.Event) { e.Join = user })
		o.inside[chat][user] = true
	case op < 8 && len(o.flying) > 0:
		i := o.rnd.IntN(len(o.flying))
		publish := o.flying[i]
		o.flying = slices.Delete(o.flying, i, i+1)
		publish()
	case op == 8 && len(o.conns) < 8:
		o.conns = append(o.conns, &watched{conn: connect(o.hub, user), user: user, heard: map[string][]int64{}})
	case len(o.conns) > 0:
		o.advance(t, o.conns[o.rnd.IntN(len(o.conns))], op)
	}
}

// advance makes one step of coming to life, or reads.
func (o *oracle) advance(t *testing.T, w *watched, op int) {
	switch {
	case w.live:
		w.read(t)
	case w.heads == nil || op == 9:
		w.seq, w.heads, w.from = o.userSeq[w.user], map[string]int64{}, len(o.commits)
		for chat, in := range o.inside {
			if in[w.user] {
				w.heads[chat] = o.heads[chat]
			}
		}
	default:
		if w.live = w.conn.Start(w.seq, w.heads); !w.live {
			w.seq, w.heads = 0, nil
		}
	}
}

func (w *watched) read(t *testing.T) {
	time.Sleep(50 * time.Millisecond) // of the bubble: what gathers is handed out
	w.conn.Answer([]byte("|"))
	items, err := w.conn.Next(t.Context(), nil)
	if err != nil {
		return
	}
	for _, i := range items[:len(items)-1] {
		var seq int64
		fmt.Sscan(string(i.Body[1:]), &seq)
		w.heard[string(i.Body[:1])] = append(w.heard[string(i.Body[:1])], seq)
	}
}

// check compares what a connection heard with what happened since its heads while
// its user was a member: of a membership that lasts everything, of one that has
// ended maybe less, and nothing else; the beginning of it when it is to resume.
func (o *oracle) check(w *watched) error {
	err := w.conn.Err()
	if err != nil && !errors.Is(err, hub.ErrGap) {
		return err
	}
	if err != nil {
		o.resumed++
	}
	for _, chat := range []string{"a", "b", "c"} {
		heard := w.heard[chat]
		for _, c := range o.commits[w.from:] {
			if c.chat != chat || !slices.Contains(c.who, w.user) {
				continue
			}
			if len(heard) > 0 && heard[0] == c.seq {
				heard = heard[1:]
			} else if err == nil && o.inside[chat][w.user] && c.seq > o.out[chat+w.user] {
				return fmt.Errorf("%s, who started at %v, heard %v of %s and not %d", w.user, w.heads, w.heard[chat], chat, c.seq)
			}
		}
		if len(heard) > 0 {
			return fmt.Errorf("%s, who started at %v, heard %v of %s: %v is not for him", w.user, w.heads, w.heard[chat], chat, heard)
		}
	}
	return nil
}

// However commits, their publishing and the steps of connections interleave:
// a connection hears, from its heads on, what happened while its user was a
// member, once and in order, and nothing else; or it is told to resume.
func TestEveryInterleaving(t *testing.T) { synctest.Test(t, everyInterleaving) }

func everyInterleaving(t *testing.T) {
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 3000
	t.Logf("seed %d", parameters.Seed())
	live, resumed := 0, 0
	properties := gopter.NewProperties(parameters)
	properties.Property("what is heard", prop.ForAll(func(seed int64) string {
		o := &oracle{
			rnd: rand.New(rand.NewPCG(uint64(seed), 0)), hub: hub.New(hub.Options{GapWait: time.Hour, Crowd: 1 + int(seed&1)*99}),
			heads: map[string]int64{}, userSeq: map[string]int64{}, inside: map[string]map[string]bool{}, out: map[string]int64{},
		}
		for range 300 {
			o.step(t)
		}
		for _, publish := range o.flying {
			publish()
		}
		var faults []string
		for _, w := range o.conns {
			for !w.live {
				o.advance(t, w, 0)
			}
		}
		for _, w := range o.conns {
			w.read(t)
			if err := o.check(w); err != nil {
				faults = append(faults, err.Error())
			}
			w.conn.Close()
		}
		live, resumed = live+len(o.conns), resumed+o.resumed
		if n := o.hub.Connections(""); n != 0 {
			faults = append(faults, fmt.Sprint(n, " connections left"))
		}
		return strings.Join(faults, "\n")
	}, gen.Int64()))
	properties.TestingRun(t)
	t.Logf("%d connections, %d of them told to resume", live, resumed)
	if resumed > live/2 {
		t.Errorf("%d of %d connections had to resume", resumed, live)
	}
}
