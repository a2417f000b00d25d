// Package batch gathers concurrent calls into batches, for stores where a
// commit costs more than what is in it (group commit). While one batch runs,
// the calls that arrive gather into the next; there is no timer, so a call to
// an idle queue runs at once.
package batch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
)

var (
	// ErrClosed refuses what comes after Close.
	ErrClosed = errs.New(errs.Unavailable, "closed", "The service is shutting down.")

	// ErrOverloaded refuses what comes while MaxWaiting items wait.
	ErrOverloaded = errs.New(errs.Unavailable, "overloaded", "The service is overloaded; try again in a moment.")

	// ErrNoIsolation marks, wrapped in the error of a run, a failure of the whole
	// batch that must not be tried again item by item, because its outcome is
	// not known (the connection was lost during the commit).
	ErrNoIsolation = errors.New("batch: the failure is the whole batch's")
)

// Options bounds a Queue. Zero or negative fields mean the defaults.
type Options struct {
	MaxItems   int           // items of one batch; default 256, at most MaxWaiting
	MaxWaiting int           // items that wait for a batch; default 8192
	Timeout    time.Duration // of one run; default 30 s
	Workers    int           // batches that run at once; default 1

	// Patience is how long calls gather while another batch runs, unless they fill
	// one, before a further worker takes them: fewer and larger batches, as long as
	// those that run are quick. Default 0: any worker takes them at once.
	Patience time.Duration
}

// Result is the outcome of one item.
type Result[O any] struct {
	Value O
	Err   error
}

// Run does the work of a batch: one result for each item, in the items' order.
// Its context is the queue's and ends after Options.Timeout; it carries nothing
// of the callers'. It must not keep items, nor call the queue that runs it.
//
// An error fails the batch as a whole, and says that nothing of it was done:
// each item is then run once more by itself, in order, so that a bad one cannot
// hurt the others. Not so when the error wraps ErrNoIsolation, ErrClosed,
// context.Canceled or context.DeadlineExceeded, or when the run outlived its
// timeout: then every item gets that error, its outcome unknown. A panic becomes
// a *PanicError for every item of the run.
type Run[I, O any] = func(ctx context.Context, items []I) ([]Result[O], error)

// Queue gathers items into batches. Items run in the order of the calls that
// brought them; with more than one worker several batches run at once, and only
// the items of one call keep their order. Safe for concurrent use. It owns
// Options.Workers goroutines, which Close ends.
type Queue[I, O any] struct {
	opt   Options
	run   Run[I, O]
	calls sync.Pool // of *call[I, O]

	workers sync.WaitGroup
	wake    sync.Cond // a worker is due, or closed

	mu      sync.Mutex
	waiting []*call[I, O] // oldest first
	items   int           // of all calls in waiting
	running int           // batches
	late    bool          // the latest of them has run for Patience
	timer   *time.Timer   // that makes it late; nil without Patience
	closed  bool
}

// call is one caller with its items, all of one batch.
type call[I, O any] struct {
	ctx     context.Context
	items   []I
	results []Result[O]
	err     error         // set before done when the items were not run
	done    chan struct{} // one token when results or err stand; capacity 1

	item   [1]I         // room for the items of Do
	result [1]Result[O] // room for its results
}

// New starts a queue of which Close must be called.
func New[I, O any](opt Options, run Run[I, O]) *Queue[I, O] {
	fallback := func(v *int, standard int) {
		if *v <= 0 {
			*v = standard
		}
	}
	fallback(&opt.MaxItems, 256)
	fallback(&opt.MaxWaiting, 8192)
	fallback(&opt.Workers, 1)
	if opt.Timeout <= 0 {
		opt.Timeout = 30 * time.Second
	}
	opt.MaxItems = min(opt.MaxItems, opt.MaxWaiting)

	q := &Queue[I, O]{opt: opt, run: run}
	q.wake.L = &q.mu
	q.calls.New = func() any { return &call[I, O]{done: make(chan struct{}, 1)} }
	if opt.Patience > 0 {
		q.timer = time.AfterFunc(opt.Patience, q.overdue)
		q.timer.Stop()
	}
	for range opt.Workers {
		q.workers.Go(q.work)
	}
	return q
}

// Do brings one item and returns its result. When ctx ends before the item was
// taken into a batch, the item is withdrawn, certainly not run, and the error is
// ctx.Err(). Once it is taken Do waits for the result whatever ctx says, so that
// the caller always knows the outcome. ErrClosed and ErrOverloaded also mean
// that the item was not run.
func (q *Queue[I, O]) Do(ctx context.Context, item I) (O, error) {
	c := q.calls.Get().(*call[I, O])
	c.item[0] = item
	c.items, c.results = c.item[:], c.result[:]
	err := q.do(ctx, c)
	r := c.result[0]
	q.release(c)
	if err != nil {
		var none O
		return none, err
	}
	return r.Value, r.Err
}

// DoAll brings several items and returns a result for each, in order. The items
// stay together, in order, in one batch, and are withdrawn together as Do's
// one. More than MaxItems are run as several batches, each after the one before has
// ended; when one of those is refused or withdrawn, its items and the rest get
// that error in their results. An error of DoAll itself says that no item was run.
func (q *Queue[I, O]) DoAll(ctx context.Context, items []I) ([]Result[O], error) {
	if len(items) == 0 {
		return nil, nil
	}
	results := make([]Result[O], len(items))
	for from := 0; from < len(items); from += q.opt.MaxItems {
		to := min(from+q.opt.MaxItems, len(items))
		c := q.calls.Get().(*call[I, O])
		c.items, c.results = items[from:to], results[from:to]
		err := q.do(ctx, c)
		q.release(c)
		if err == nil {
			continue
		}
		if from == 0 {
			return nil, err
		}
		fail(results[from:], err)
		break
	}
	return results, nil
}

// Close refuses new items with ErrClosed, runs those that wait or were taken,
// and returns when the workers have ended. It may be called again, and at once
// from several goroutines. The error is always nil.
func (q *Queue[I, O]) Close() error {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.wake.Broadcast()
	q.workers.Wait()
	return nil
}

// do queues c and waits for it; an error says that its items were not run.
func (q *Queue[I, O]) do(ctx context.Context, c *call[I, O]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.ctx = ctx
	if err := q.enqueue(c); err != nil {
		return err
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
	}
	if q.withdraw(c) {
		return ctx.Err()
	}
	<-c.done
	return c.err
}

func (q *Queue[I, O]) enqueue(c *call[I, O]) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if q.items+len(c.items) > q.opt.MaxWaiting {
		return ErrOverloaded
	}
	q.waiting = append(q.waiting, c)
	q.items += len(c.items)
	if q.due() {
		q.wake.Signal()
	}
	return nil
}

// withdraw takes c out of the queue, and reports false where it was taken already.
func (q *Queue[I, O]) withdraw(c *call[I, O]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, c)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	q.items -= len(c.items)
	return true
}

// release puts c back for reuse, free of what it referred to.
func (q *Queue[I, O]) release(c *call[I, O]) {
	*c = call[I, O]{done: c.done}
	q.calls.Put(c)
}

func fail[O any](results []Result[O], err error) {
	for i := range results {
		results[i] = Result[O]{Err: err}
	}
}
