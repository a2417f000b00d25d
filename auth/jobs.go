package auth

import (
	"context"
	"sync"
	"time"
)

const (
	maxJobs    = 256              // that wait
	jobWorkers = 4                // that run at once
	jobTimeout = 30 * time.Second // of one
	stopGrace  = 5 * time.Second  // for what waits when Maintain is told to stop
)

// job is what a caller must not wait for, since the time would tell whether an
// address has an account: looking it up, storing a token, sending a mail.
type job func(ctx context.Context) error

// queued hands a job to Maintain; ErrBusy when too many wait.
func (p *Provider) queued(j job) error {
	select {
	case p.jobs <- j:
		return nil
	default:
		return ErrBusy
	}
}

// Maintain sends what mails are waiting, and once a minute sweeps what has
// ended, reads the signing keys that other nodes may have rotated, and rotates
// them when they are due. It blocks until ctx ends, then gives waiting mails
// 5 s, and returns nil. Faults are logged and tried again the next minute. One
// call a process; any number of processes on one store.
func (p *Provider) Maintain(ctx context.Context) error {
	last, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var workers sync.WaitGroup
	for range jobWorkers {
		workers.Go(func() { p.work(ctx, last) })
	}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for ctx.Err() == nil {
		p.tidy(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	defer time.AfterFunc(stopGrace, stop).Stop()
	workers.Wait()
	return nil
}

// work runs jobs until ctx ends and none is left. They run under last, so that
// stopping does not lose the mail at hand.
func (p *Provider) work(ctx, last context.Context) {
	run := func(j job) {
		ctx, cancel := context.WithTimeout(last, jobTimeout)
		defer cancel()
		if err := j(ctx); err != nil {
			p.cfg.Logger.ErrorContext(ctx, "mail not sent", "error", err)
		}
	}
	for {
		select {
		case j := <-p.jobs:
			run(j)
			continue
		case <-ctx.Done():
		}
		select {
		case j := <-p.jobs:
			run(j)
		default:
			return
		}
	}
}

// sweepAfter keeps what has ended for a while, so that whoever comes late is
// told "expired" and not "invalid".
const sweepAfter = 24 * time.Hour

func (p *Provider) tidy(ctx context.Context) {
	n, err := p.cfg.Store.Sweep(ctx, p.now().Add(-sweepAfter))
	if err != nil && ctx.Err() == nil {
		p.cfg.Logger.ErrorContext(ctx, "sweep failed", "error", err)
	}
	if n > 0 {
		p.cfg.Logger.DebugContext(ctx, "swept", "rows", n)
	}
	if err := p.keys.rotate(ctx, true); err != nil && ctx.Err() == nil {
		p.cfg.Logger.ErrorContext(ctx, "rotation of signing keys failed", "error", err)
	}
}
