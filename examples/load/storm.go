package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const syncLimit = 1000 // events of a chat in one answer

// away is a client that loses its connection and resumes where it was.
type away struct {
	user    user
	conn    *conn
	epoch   string
	userSeq int64
	heads   map[string]int64
	heard   heard
}

// storm cuts all connections at once, sends what they are to miss, and lets all
// come back at once, as after a restart or a failed network. A reconnect counts
// until the client is up to date.
func (b *bench) storm(ctx context.Context) error {
	users, err := b.signUp(ctx, b.opt.connections+1) // the last one stays, and sends
	if err != nil {
		return err
	}
	if err := b.checkLimits(ctx, users[0]); err != nil {
		return err
	}
	b.say("making %d groups of %d", b.opt.chats, len(users))
	chats := make([]string, b.opt.chats)
	for i := range chats {
		if chats[i], err = b.api.makeGroup(ctx, fmt.Sprintf("Load %d", i), users); err != nil {
			return err
		}
	}
	s := &stormRun{b: b, chats: chats, sender: users[len(users)-1], scan: newScanner(b.mark)}
	defer s.cut()
	b.say("opening %d connections", b.opt.connections)
	g, dialing := errgroup.WithContext(ctx)
	g.SetLimit(dialsAtOnce)
	for _, u := range users[:b.opt.connections] {
		a := &away{user: u}
		s.clients = append(s.clients, a)
		g.Go(func() error {
			c, h, err := b.dial(dialing, a.user)
			a.conn, a.epoch, a.userSeq, a.heads = c, h.Epoch, h.UserSeq, h.Heads
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	b.say("%s", b.opt)
	b.report.settled = func() {
		a := s.account()
		b.report.Accounting = &a
	}
	return b.measure(ctx, 0, 0, s.run)
}

type stormRun struct {
	b       *bench
	chats   []string
	sender  user
	clients []*away
	scan    *scanner
	ledger  ledger

	duplicates, contrary atomic.Int64
}

func (s *stormRun) cut() {
	for _, a := range s.clients {
		if a.conn != nil {
			a.conn.close()
			a.conn = nil
		}
	}
}

func (s *stormRun) run(ctx context.Context) error {
	for range s.b.opt.rounds {
		s.cut()
		if err := s.send(ctx); err != nil {
			return fmt.Errorf("send while all are away: %w", err)
		}
		start := time.Now()
		var wg sync.WaitGroup
		for i, a := range s.clients {
			due := start
			if s.b.opt.rate > 0 {
				due = start.Add(time.Duration(float64(i) / s.b.opt.rate * float64(time.Second)))
			}
			wg.Go(func() {
				// One reconnect each; pace waits for the time that it is due.
				pace(ctx, due, 0, time.Hour, func(due time.Time) bool {
					s.b.meter.lag.record(time.Since(due))
					if err := s.resume(ctx, a); err != nil {
						s.b.meter.fail(reason(err))
						return false
					}
					s.b.meter.ack.record(time.Since(due))
					s.b.meter.done.Add(1)
					return false
				})
			})
		}
		wg.Wait()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// send sends what this round's clients are to miss, one message after the other.
func (s *stormRun) send(ctx context.Context) error {
	if s.b.opt.missed == 0 {
		return nil
	}
	c, _, err := s.b.dial(ctx, s.sender)
	if err != nil {
		return err
	}
	defer c.close()
	for range s.b.opt.missed {
		n, _ := s.ledger.begin(s.b.meter.elapsed())
		data, err := c.ask(ctx, string(newTemplate(s.b.mark, s.chats[n%len(s.chats)], 0, s.b.opt.size).set(n)))
		if err != nil {
			return err
		}
		d, ok := s.scan.message(data)
		if !ok || d.n != n || !s.ledger.record(n).is(d.id) {
			return errors.New("strange answer")
		}
		s.ledger.record(n).seq.Store(d.seq)
	}
	return nil
}

// resume connects and asks for what has changed, if anything has.
func (s *stormRun) resume(ctx context.Context, a *away) error {
	c, h, err := s.b.dial(ctx, a.user)
	if err != nil {
		return err
	}
	a.conn = c
	if h.Epoch != a.epoch {
		return errors.New("another epoch: the server's data was replaced")
	}
	for {
		behind := maps.Clone(a.heads)
		maps.DeleteFunc(behind, func(chat string, seq int64) bool { return h.Heads[chat] == seq })
		if len(behind) == 0 && a.userSeq == h.UserSeq {
			return nil
		}
		frame, err := json.Marshal(map[string]any{
			"id": "sync", "type": "sync", "epoch": a.epoch, "userSeq": a.userSeq, "chats": behind, "limit": syncLimit,
		})
		if err != nil {
			return err
		}
		data, err := c.ask(ctx, string(frame))
		if err != nil {
			return err
		}
		var answer struct {
			User  struct{ Head int64 }
			Chats []struct {
				ID   string
				Head int64
			}
			More bool
		}
		if err := json.Unmarshal(data, &answer); err != nil {
			return err
		}
		s.scan.events(data, func(d delivery) { s.take(a, d) })
		a.userSeq = answer.User.Head
		for _, chat := range answer.Chats {
			a.heads[chat.ID] = chat.Head
		}
		if !answer.More {
			return nil
		}
	}
}

func (s *stormRun) take(a *away, d delivery) {
	r := s.ledger.record(d.n)
	switch {
	case r == nil || !r.is(d.id):
		s.contrary.Add(1)
	case !a.heard.add(d.n):
		s.duplicates.Add(1)
	default:
		s.b.meter.delivered.Add(1)
	}
}

func (s *stormRun) account() accounting {
	a := accounting{
		Sent: s.ledger.sent.Load(), Duplicates: s.duplicates.Load(), Contradicted: s.contrary.Load(),
	}
	for n := range int(a.Sent) {
		if s.ledger.record(n).seq.Load() > 0 {
			a.Acknowledged++
		}
	}
	a.Unanswered = a.Sent - a.Acknowledged
	for _, client := range s.clients {
		a.settle(&s.ledger, client.heard)
	}
	return a
}
