package main

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// meter counts what happens. All of it is safe for concurrent use.
type meter struct {
	start time.Time

	done      atomic.Int64 // what the mode counts: messages acknowledged, pages, reconnects, live connections
	delivered atomic.Int64 // messages that reached a connection, each once
	failed    atomic.Int64
	in, out   atomic.Int64 // bytes of WebSocket payloads and HTTP

	ack     histogram // from when it was due until it was answered
	deliver histogram // from when it was due until it reached somebody else
	lag     histogram // open loop: how late this program sent, included in the others

	mu       sync.Mutex
	failures map[string]int
}

// elapsed is the time since the load began.
func (m *meter) elapsed() time.Duration { return time.Since(m.start) }

// fail counts a failure under a short reason.
func (m *meter) fail(why string) {
	m.failed.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.failures) >= 100 {
		why = "other"
	}
	m.failures[why]++
}

func (m *meter) allFailures() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.failures)
}

// sample is all counters at one moment.
type sample struct {
	at                               time.Duration
	done, delivered, failed, in, out int64
	ack, deliver, lag                counts
	client                           process
	servers                          []process
}

// sample reads the counters, and the usage of processes as well as it can be read.
func (m *meter) sample(pids []int) sample {
	s := sample{
		at: m.elapsed(), done: m.done.Load(), delivered: m.delivered.Load(), failed: m.failed.Load(), in: m.in.Load(), out: m.out.Load(),
		ack: m.ack.snapshot(), deliver: m.deliver.snapshot(), lag: m.lag.snapshot(),
	}
	s.client, _ = processOf(0)
	for _, pid := range pids {
		p, _ := processOf(pid) // one that has ended counts as nothing
		s.servers = append(s.servers, p)
	}
	return s
}

// point is one interval of the plot. Rates are per second.
type point struct {
	Seconds    float64 `json:"seconds"` // since the load began, at the interval's end
	Rate       float64 `json:"rate"`
	Deliveries float64 `json:"deliveries"`
	Errors     int64   `json:"errors"`
	Ack        summary `json:"ack"`
	Receive    summary `json:"receive"`
}

func pointOf(before, now sample) point {
	seconds := (now.at - before.at).Seconds()
	if seconds <= 0 {
		return point{Seconds: now.at.Seconds()}
	}
	return point{
		Seconds: now.at.Seconds(), Errors: now.failed - before.failed,
		Rate:       float64(now.done-before.done) / seconds,
		Deliveries: float64(now.delivered-before.delivered) / seconds,
		Ack:        now.ack.since(before.ack).summary(), Receive: now.deliver.since(before.deliver).summary(),
	}
}

// pace calls do at start+offset, and every so often after, until the context
// ends or do returns false. When do takes longer, the next calls follow at once
// and are told when they were due: nothing is left out, so that latencies
// measured from then show what waiting users see.
func pace(ctx context.Context, start time.Time, offset, every time.Duration, do func(due time.Time) bool) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for k := 0; ; k++ {
		due := start.Add(offset + time.Duration(k)*every)
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
		}
		if ctx.Err() != nil || !do(due) {
			return
		}
	}
}

// waitFor waits until a condition holds, and gives up when progress stands still
// for patience.
func waitFor(patience time.Duration, progress func() int64, holds func() bool) bool {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	last, since := progress(), time.Now()
	for !holds() {
		<-tick.C
		if now := progress(); now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) > patience {
			return false
		}
	}
	return true
}
