package storagetest

import (
	"sync"
	"testing"
	"time"
)

// turn is how long one configuration runs before the other has its turn.
const turn = 500 * time.Millisecond

// BenchmarkRatio sends from 64 writers into one chat, on two configurations of a
// backend by turns, so that both meet the same weather. It reports the messages
// a second of each, and as "ratio" how many times those of first are those of second.
func BenchmarkRatio(b *testing.B, first, second Backend) {
	rivals := []*rival{newRival(b, first), newRival(b, second)}
	for b.Loop() {
		for _, r := range rivals {
			r.run(b)
		}
	}
	rates := make([]float64, len(rivals))
	for i, r := range rivals {
		rates[i] = float64(r.messages) / r.spent.Seconds()
		b.ReportMetric(rates[i], r.name+"-msgs/s")
	}
	b.ReportMetric(rates[0]/rates[1], "ratio")
}

// rival is one configuration with a busy chat.
type rival struct {
	name     string
	bench    *bench
	people   []string
	chat     room
	messages int
	spent    time.Duration
}

func newRival(b *testing.B, backend Backend) *rival {
	b.Helper()
	r := &R{shop: open(b, backend, 1), ctx: b.Context(), prefix: "bench.", rng: newRand(1)}
	people := r.people(writers)
	return &rival{
		name: backend.Name, people: people, chat: r.group(people[0], people[1:]...),
		bench: &bench{B: b, R: r, store: r.m()},
	}
}

// run lets all writers send for one turn.
func (r *rival) run(b *testing.B) {
	b.Helper()
	body := make([]byte, 200)
	before, began := r.bench.sent.Load(), time.Now()
	var wg sync.WaitGroup
	for _, sender := range r.people {
		wg.Go(func() {
			for time.Since(began) < turn {
				r.bench.append(r.chat.id, sender, body)
			}
		})
	}
	wg.Wait()
	r.spent += time.Since(began)
	r.messages += int(r.bench.sent.Load() - before)
}
