package live_test

import (
	"context"
	"flag"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/live"
)

// The seed of a failure is printed; `-simulate SEED` runs it alone.
var only = flag.Uint64("simulate", 0, "run the simulation with this seed alone")

const seeds = 1000

// Nodes that share a store and a bad bus: each device applies exactly the history,
// in order, no later than 12 s after it was committed; nobody hears of a chat that
// he is not in, nor the text of what he hid; no connection outlives its session (RT-4,
// RT-5, AUTH-8).
func TestSimulation(t *testing.T) {
	if *only != 0 {
		run(t, *only, design{})
		return
	}
	for seed := uint64(1); seed <= seeds && !t.Failed(); seed++ {
		run(t, seed, design{})
	}
}

func run(t *testing.T, seed uint64, d design) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if err := simulate(t, seed, d); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	})
}

// changed reads right, and changes what was read.
type changed struct {
	live.Source
	change func(*messaging.News)
}

func (c changed) News(ctx context.Context, p messaging.Places) (messaging.News, error) {
	n, err := c.Source.News(ctx, p)
	c.change(&n)
	return n, err
}

func wrong(change func(*messaging.News)) func(*simulation, live.Source) live.Source {
	return func(_ *simulation, s live.Source) live.Source { return changed{s, change} }
}

// lagging reads a copy that is behind: it says that nothing has happened yet.
type lagging struct {
	live.Source
	began time.Time
}

func (l *lagging) News(ctx context.Context, p messaging.Places) (messaging.News, error) {
	if time.Since(l.began)%(20*time.Second) < 15*time.Second {
		return messaging.News{}, nil
	}
	return l.Source.News(ctx, p)
}

const never = 24 * time.Hour

// The simulation finds faults of design: each of these must be caught.
func TestSimulationCatches(t *testing.T) {
	for _, d := range []design{
		{name: "hints that are lost are never made up for", checkEvery: never},
		{name: "what was hinted at is read from a copy that lags", source: func(_ *simulation, s live.Source) live.Source {
			return &lagging{s, time.Now()}
		}},
		{name: "a removal has no place in its user's sequence", source: wrong(func(n *messaging.News) {
			for _, c := range n.Chats {
				for i := range c.Events {
					if c.Events[i].Type == messaging.MemberRemoved {
						c.Events[i].UserSeq = 0
					}
				}
			}
		})},
		{name: "other nodes do not know who hid a message", source: wrong(func(n *messaging.News) {
			for _, c := range n.Chats {
				for i := range c.Events {
					c.Events[i].HiddenFrom = nil
				}
			}
		})},
		{name: "only chats are followed", source: wrong(func(n *messaging.News) { n.Users = nil })},
		{name: "receipts are not followed", source: wrong(func(n *messaging.News) {
			for i := range n.Chats {
				n.Chats[i].Marks = nil
			}
		})},
		{name: "sessions that end are told to nobody", mute: true},
		{name: "a join does not say where it stands", source: wrong(func(n *messaging.News) {
			for _, u := range n.Users {
				for i := range u.Events {
					u.Events[i].HeadSeq = 0
				}
			}
		})},
		{name: "clients apply what is newer", jumps: true},
	} {
		t.Run(d.name, func(t *testing.T) {
			for seed := uint64(1); seed <= 100; seed++ {
				var err error
				synctest.Test(t, func(t *testing.T) { err = simulate(t, seed, d) })
				if err != nil {
					t.Logf("caught by seed %d: %.200s", seed, err.Error())
					return
				}
			}
			t.Error("not caught by 100 seeds")
		})
	}
}
