package storagetest

import (
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

// writers is how many send at the same time in the benchmarks of a busy store.
const writers = 64

// Benchmark measures what a chat server does most: sends by one and by 64 writers,
// into one chat and into 64, the direct chat of two people, a page of history, a
// catch-up, unread counts and the list of chats. Each has a fresh store. An
// operation is one call; sends store one message of 200 bytes each.
func Benchmark(b *testing.B, backend Backend) {
	for _, m := range []struct {
		name string
		run  func(*bench)
	}{
		{"send/1 writer 1 chat", func(b *bench) { b.send(1, 1) }},
		{"send/64 writers 1 chat", func(b *bench) { b.send(writers, 1) }},
		{"send/64 writers 64 chats", func(b *bench) { b.send(writers, writers) }},
		{"send/direct", (*bench).direct},
		{"mark/direct", (*bench).marks},
		{"history/page of 50", (*bench).history},
		{"events/catch-up of 100", (*bench).catchUp},
		{"unread", (*bench).unread},
		{"chats/list of 50", (*bench).list},
	} {
		b.Run(m.name, func(b *testing.B) {
			b.ReportAllocs()
			r := &R{shop: open(b, backend, 1), ctx: b.Context(), prefix: "bench.", rng: newRand(1)}
			defer func() {
				if r.failed() {
					b.Error(r.failure)
				}
			}()
			m.run(&bench{B: b, R: r, store: r.m()})
		})
	}
}

// bench is one running benchmark.
type bench struct {
	*testing.B
	*R
	store messaging.Store
	sent  atomic.Int64
}

// next makes a message at little cost.
func (b *bench) next(chat, sender string, body []byte) messaging.NewMessage {
	n := b.sent.Add(1)
	id := strconv.FormatInt(n, 36)
	return messaging.NewMessage{
		ID: id, ChatID: chat, SenderID: sender, ClientID: id, Kind: messaging.KindText,
		Body: messaging.Sealed{KeyID: "key", Data: body}, Digest: body[:32], CreatedAt: epoch().Add(time.Duration(n) * time.Microsecond),
	}
}

func (b *bench) append(chat, sender string, body []byte) {
	out, err := b.store.Append(b.ctx, []messaging.NewMessage{b.next(chat, sender, body)})
	if err == nil {
		err = out[0].Err
	}
	if err != nil {
		b.Error(err)
	}
}

// send has writers who send, each to a chat of his own or all to one.
func (b *bench) send(writers, chats int) {
	people := b.people(writers)
	rooms := make([]string, chats)
	for i := range rooms {
		if chats == 1 {
			rooms[i] = b.group(people[0], people[1:]...).id
		} else {
			rooms[i] = b.group(people[i]).id
		}
	}
	body := make([]byte, 200)
	var next atomic.Int64
	b.SetParallelism((writers + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	if writers == 1 {
		for b.Loop() {
			b.append(rooms[0], people[0], body)
		}
	} else {
		b.RunParallel(func(pb *testing.PB) {
			i := int(next.Add(1)-1) % writers
			for pb.Next() {
				b.append(rooms[i%chats], people[i], body)
			}
		})
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}

func (b *bench) direct() {
	p := b.people(2)
	c := b.R.direct(p[0], p[1])
	body := make([]byte, 200)
	for b.Loop() {
		b.append(c.id, p[0], body)
	}
}

func (b *bench) marks() {
	p := b.people(2)
	c := b.R.direct(p[0], p[1])
	b.fill(c, p[0], 1000)
	mark := messaging.Mark{ChatID: c.id, UserID: p[1], Read: true, At: epoch()}
	for b.Loop() {
		mark.UpTo = mark.UpTo%1000 + 1
		if _, err := b.store.Mark(b.ctx, []messaging.Mark{mark}); err != nil {
			b.Fatal(err)
		}
	}
}

// fill sends n messages.
func (b *bench) fill(c room, sender string, n int) {
	body := make([]byte, 200)
	for n > 0 {
		items := make([]messaging.NewMessage, min(n, 200))
		for i := range items {
			items[i] = b.next(c.id, sender, body)
		}
		for _, out := range b.R.append(items...) {
			b.ok(out.Err)
		}
		n -= len(items)
	}
}

func (b *bench) history() {
	const filled = 5000
	p := b.people(2)
	c := b.R.direct(p[0], p[1])
	b.fill(c, p[0], filled)
	w := messaging.Window{Limit: 50}
	for b.Loop() {
		w.Before = 51 + (w.Before*31)%(filled-50) // all over the history
		page, err := b.store.Messages(b.ctx, p[1], c.id, w)
		if err != nil || len(page) != 50 {
			b.Fatal(len(page), err)
		}
	}
}

func (b *bench) catchUp() {
	const filled = 5000
	p := b.people(2)
	c := b.R.direct(p[0], p[1])
	b.fill(c, p[0], filled)
	for b.Loop() {
		page, err := b.store.Events(b.ctx, p[1], c.id, filled-100, 100)
		if err != nil || len(page) != 100 {
			b.Fatal(len(page), err)
		}
	}
}

func (b *bench) unread() {
	p := b.people(2)
	var last room
	for range 20 {
		last = b.group(p[0], p[1])
		b.fill(last, p[0], 250)
		last.read(p[1], 200)
	}
	for b.Loop() {
		n, err := b.store.Unread(b.ctx, last.id, p[1:])
		if err != nil || n[0].Chat != 50 || n[0].Total != 1000 {
			b.Fatal(n, err)
		}
	}
}

func (b *bench) list() {
	p := b.people(2)
	for range 100 {
		b.fill(b.group(p[0], p[1]), p[0], 20)
	}
	for b.Loop() {
		page, err := b.store.Chats(b.ctx, p[1], messaging.ChatList{Limit: 50})
		if err != nil || len(page) != 50 {
			b.Fatal(len(page), err)
		}
	}
}
