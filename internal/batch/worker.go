package batch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
)

// PanicError is what the items of a run get when it panics. It is meant for
// logs: its text names the value, Stack says where.
type PanicError struct {
	Value any
	Stack []byte
}

// Error names the value that run panicked with.
func (e *PanicError) Error() string { return fmt.Sprintf("batch: run panicked: %v", e.Value) }

// work runs batches until the queue is closed and empty.
func (q *Queue[I, O]) work() {
	var (
		calls []*call[I, O]
		items []I
	)
	for {
		calls, items = q.take(calls[:0], items[:0])
		if len(calls) == 0 {
			return
		}
		results := q.results(items)
		for _, c := range calls {
			n := copy(c.results, results)
			results = results[n:]
			c.done <- struct{}{} // c is its caller's from here on
		}
		clear(calls)
		clear(items)
		q.ended()
		// The callers just answered come back with their next items before the
		// next batch is taken; without this, big and tiny batches alternate.
		runtime.Gosched()
	}
}

// take waits for calls and moves as many as one batch holds into calls and
// items; none when the queue is closed and empty.
func (q *Queue[I, O]) take(calls []*call[I, O], items []I) ([]*call[I, O], []I) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(calls) == 0 {
		for !q.due() {
			if q.closed {
				return nil, nil
			}
			q.wake.Wait()
		}
		n := 0
		for _, c := range q.waiting {
			// Its caller may not have come to withdraw it yet.
			if err := c.ctx.Err(); err != nil {
				q.items -= len(c.items)
				c.err = err
				c.done <- struct{}{}
				n++
				continue
			}
			if len(items)+len(c.items) > q.opt.MaxItems {
				break
			}
			q.items -= len(c.items)
			calls = append(calls, c)
			items = append(items, c.items...)
			n++
		}
		q.waiting = slices.Delete(q.waiting, 0, n)
	}
	q.running++
	q.late = false
	if q.timer != nil {
		q.timer.Reset(q.opt.Patience)
	}
	if q.due() {
		q.wake.Signal()
	}
	return calls, items
}

// due tells whether a worker that has nothing to do may take what waits.
func (q *Queue[I, O]) due() bool {
	return len(q.waiting) > 0 && (q.running == 0 || q.late || q.timer == nil || q.items >= q.opt.MaxItems || q.closed)
}

// overdue ends the patience with the batches that run.
func (q *Queue[I, O]) overdue() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.late = true
	q.wake.Signal()
}

// ended notes the end of a batch, whose worker looks for more.
func (q *Queue[I, O]) ended() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running--; q.running == 0 && q.timer != nil {
		q.timer.Stop()
	}
}

// results runs a batch, and item by item when it fails as a whole.
func (q *Queue[I, O]) results(items []I) []Result[O] {
	results, whole, err := q.attempt(items)
	if err == nil {
		return results
	}
	results = make([]Result[O], len(items))
	if _, panicked := errors.AsType[*PanicError](err); whole || panicked || len(items) == 1 {
		fail(results, err)
		return results
	}
	for i := range items {
		one, whole, err := q.attempt(items[i : i+1])
		switch {
		case err == nil:
			results[i] = one[0]
		case whole: // what failed here would fail for the rest, one timeout after another
			fail(results[i:], err)
			return results
		default:
			results[i].Err = err
		}
	}
	return results
}

// attempt calls run once; whole says that an error must not be isolated.
func (q *Queue[I, O]) attempt(items []I) (results []Result[O], whole bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), q.opt.Timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			results, err = nil, &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	results, err = q.run(ctx, items)
	if err == nil && len(results) != len(items) {
		err = fmt.Errorf("batch: %d results for %d items: %w", len(results), len(items), ErrNoIsolation)
	}
	// Drivers do not always wrap the context's error: the context itself is asked too.
	whole = err != nil && (ctx.Err() != nil ||
		errors.Is(err, ErrNoIsolation) || errors.Is(err, ErrClosed) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
	return results, whole, err
}
