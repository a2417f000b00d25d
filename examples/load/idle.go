package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// idle holds connections that do nothing, and at the end asks each for a sign of
// life. With -pid it tells what they cost the server in memory, which takes a server
// that has just been started: one that has worked keeps memory that it does not use.
func (b *bench) idle(ctx context.Context) error {
	fresh := b.memory()
	users, err := b.signUp(ctx, b.opt.users)
	if err != nil {
		return err
	}
	if err := b.checkLimits(ctx, users[0]); err != nil {
		return err
	}
	before := b.memory()
	conns, err := b.connect(ctx, users, b.opt.connections)
	if err != nil {
		return err
	}
	b.say("holding them for %v", b.opt.duration)
	err = b.measure(ctx, 0, 0, func(ctx context.Context) error { return b.hold(ctx, conns) })
	if err != nil {
		return err
	}
	dead := len(conns) - int(b.meter.done.Load())
	b.report.problem(dead > 0, "%d of %d connections did not live to the end", dead, len(conns))
	for i, held := range b.report.Servers {
		b.report.Memory = append(b.report.Memory, footprint{
			PID: held.PID, Name: held.Name, Fresh: fresh[i], Before: before[i], Held: held.RSS,
			KiBPerConnection: float64(held.RSS-fresh[i]) / 1024 / float64(len(conns)),
		})
	}
	return nil
}

// footprint is the resident memory of a server process in bytes: when the run
// began, when its users had signed up, and with all connections open. What a
// connection costs counts from the beginning: memory that the process took to
// sign users up, and kept, would else hide it.
type footprint struct {
	PID              int     `json:"pid"`
	Name             string  `json:"name"`
	Fresh            int64   `json:"freshBytes"`
	Before           int64   `json:"beforeBytes"`
	Held             int64   `json:"heldBytes"`
	KiBPerConnection float64 `json:"kibPerConnection"`
}

func (b *bench) memory() (rss []int64) {
	for _, pid := range b.opt.pids {
		rss = append(rss, rssOf(pid))
	}
	return rss
}

// hold reads all connections, so that the server's pings are answered, and after
// the duration sends a ping of its own on each.
func (b *bench) hold(ctx context.Context, conns []*conn) error {
	asked := make([]atomic.Int64, len(conns)) // elapsed
	var reading sync.WaitGroup
	var closing atomic.Bool
	for i, c := range conns {
		reading.Go(func() {
			for {
				frame, err := c.read()
				if err != nil {
					if !closing.Load() {
						b.meter.fail(reason(err))
					}
					return
				}
				if _, ok := replyTo(frame); ok && succeeded(frame) {
					b.meter.ack.record(b.meter.elapsed() - time.Duration(asked[i].Load()))
					b.meter.done.Add(1)
				}
			}
		})
	}
	over, cancel := context.WithTimeout(ctx, b.opt.duration)
	<-over.Done()
	cancel()
	for i, c := range conns {
		asked[i].Store(int64(b.meter.elapsed()))
		_ = c.write([]byte(`{"id":"1","type":"ping"}`)) // the reader learns why
	}
	waitFor(patience, b.meter.done.Load, func() bool { return b.meter.done.Load() == int64(len(conns)) })
	closing.Store(true)
	for _, c := range conns {
		c.close()
	}
	reading.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", ctx.Err())
	}
	return nil
}
