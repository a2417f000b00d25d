package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/internal/batch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gate is a run that notes its batches and holds each until it is told to go on.
type gate struct {
	mu      sync.Mutex
	batches [][]int
	step    chan struct{}
}

func newGate() *gate { return &gate{step: make(chan struct{})} }

func (g *gate) run(_ context.Context, items []int) ([]batch.Result[string], error) {
	g.mu.Lock()
	g.batches = append(g.batches, slices.Clone(items))
	g.mu.Unlock()
	<-g.step
	return echo(items), nil
}

func (g *gate) want(t *testing.T, batches ...[]int) {
	t.Helper()
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if diff := cmp.Diff(batches, g.batches); diff != "" {
		t.Fatalf("batches (-want +got):\n%s", diff)
	}
}

func echo(items []int) []batch.Result[string] {
	out := make([]batch.Result[string], len(items))
	for i, item := range items {
		out[i].Value = fmt.Sprint(item)
	}
	return out
}

func TestGathersWhileOneRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := batch.New(batch.Options{MaxItems: 3}, g.run)
		defer q.Close()
		started := time.Now()
		for i := range 6 {
			go func() {
				if got, err := q.Do(t.Context(), i); err != nil || got != fmt.Sprint(i) {
					t.Errorf("item %d: %q, %v", i, got, err)
				}
			}()
			synctest.Wait()
		}
		g.want(t, []int{0}) // at once, alone
		g.step <- struct{}{}
		g.want(t, []int{0}, []int{1, 2, 3})
		g.step <- struct{}{}
		g.want(t, []int{0}, []int{1, 2, 3}, []int{4, 5})
		g.step <- struct{}{}
		synctest.Wait()
		if d := time.Since(started); d != 0 {
			t.Errorf("a timer ran: %v", d)
		}
	})
}

func TestDoAllStaysTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := batch.New(batch.Options{MaxItems: 3}, g.run)
		defer q.Close()
		all := func(items ...int) {
			go func() {
				got, err := q.DoAll(t.Context(), items)
				if diff := cmp.Diff(echo(items), got); err != nil || diff != "" {
					t.Errorf("%v: %v\n%s", items, err, diff)
				}
			}()
			synctest.Wait()
		}
		if got, err := q.DoAll(t.Context(), nil); got != nil || err != nil {
			t.Errorf("no items: %v, %v", got, err)
		}
		all(0)
		all(1, 2)
		all(3, 4) // does not fit beside 1 and 2
		all(5, 6, 7, 8, 9, 10, 11)
		for range 6 {
			g.step <- struct{}{}
			synctest.Wait()
		}
		g.want(t, []int{0}, []int{1, 2}, []int{3, 4}, []int{5, 6, 7}, []int{8, 9, 10}, []int{11})
	})
}

func TestWithdraws(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := batch.New(batch.Options{MaxItems: 2}, g.run)
		defer q.Close()
		do := func(ctx context.Context, item int) chan error {
			done := make(chan error, 1)
			go func() { _, err := q.Do(ctx, item); done <- err }()
			synctest.Wait()
			return done
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		taken, waiting, other := do(ctx, 1), do(ctx, 2), do(t.Context(), 3)
		time.Sleep(2 * time.Second)
		if err := <-waiting; err != context.DeadlineExceeded {
			t.Errorf("a waiting item whose context ended: %v", err)
		}
		select {
		case err := <-taken:
			t.Fatalf("a taken item returned before its batch: %v", err)
		default:
		}
		if _, err := q.Do(ctx, 4); err != context.DeadlineExceeded {
			t.Errorf("a context that had ended before: %v", err)
		}
		g.step <- struct{}{}
		if err := <-taken; err != nil {
			t.Errorf("the outcome of a taken item is hidden by its context: %v", err)
		}
		g.step <- struct{}{}
		if err := <-other; err != nil {
			t.Error(err)
		}
		g.want(t, []int{1}, []int{3})
	})
}

// The rest of a call that is split is withdrawn when its context ends between
// two batches, and its results say so.
func TestWithdrawsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := batch.New(batch.Options{MaxItems: 2}, g.run)
		defer q.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan []batch.Result[string], 1)
		go func() {
			results, err := q.DoAll(ctx, []int{1, 2, 3})
			if err != nil {
				t.Error(err)
			}
			done <- results
		}()
		synctest.Wait()
		cancel()
		g.step <- struct{}{}
		results := <-done
		if results[0].Err != nil || results[1].Value != "2" || results[2].Err != context.Canceled {
			t.Errorf("results: %v", results)
		}
		g.want(t, []int{1, 2})
	})
}

func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := batch.New(batch.Options{MaxItems: 9, MaxWaiting: 3}, g.run)
		defer q.Close()
		for i := range 3 { // one runs, two wait
			go q.Do(t.Context(), i)
			synctest.Wait()
		}
		if _, err := q.DoAll(t.Context(), []int{7, 8}); !errors.Is(err, batch.ErrOverloaded) {
			t.Errorf("two more: %v", err)
		}
		go q.Do(t.Context(), 3)
		synctest.Wait()
		if _, err := q.Do(t.Context(), 9); !errors.Is(err, batch.ErrOverloaded) {
			t.Errorf("one more: %v", err)
		}
		g.step <- struct{}{}
		g.want(t, []int{0}, []int{1, 2, 3})
		go q.Do(t.Context(), 4) // the taken ones have left room
		g.step <- struct{}{}
		g.want(t, []int{0}, []int{1, 2, 3}, []int{4})
		g.step <- struct{}{}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := batch.New(batch.Options{MaxItems: 1}, g.run)
		for i := range 3 {
			go func() {
				if _, err := q.Do(t.Context(), i); err != nil {
					t.Errorf("item %d: %v", i, err)
				}
			}()
			synctest.Wait()
		}
		closed := make(chan error, 2)
		for range cap(closed) {
			go func() { closed <- q.Close() }()
		}
		synctest.Wait()
		if _, err := q.Do(t.Context(), 9); !errors.Is(err, batch.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		for range 3 {
			if len(closed) != 0 {
				t.Error("Close returned while items waited")
			}
			g.step <- struct{}{}
			synctest.Wait()
		}
		for range cap(closed) {
			if err := <-closed; err != nil {
				t.Error(err)
			}
		}
		g.want(t, []int{0}, []int{1}, []int{2})
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestWorkersRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := batch.New(batch.Options{MaxItems: 2, Workers: 2}, g.run)
		defer q.Close()
		for i := range 5 {
			go q.Do(t.Context(), i)
			synctest.Wait()
		}
		g.want(t, []int{0}, []int{1}) // two in flight, three gather
		g.step <- struct{}{}
		g.want(t, []int{0}, []int{1}, []int{2, 3})
		for range 3 {
			g.step <- struct{}{}
		}
	})
}

func TestPatience(t *testing.T) {
	const patience = 10 * time.Millisecond
	start := func(t *testing.T, items int) (*gate, func(int)) {
		g := newGate()
		q := batch.New(batch.Options{MaxItems: 3, Workers: 2, Patience: patience}, g.run)
		sent := 0
		send := func(n int) {
			for range n {
				go q.Do(t.Context(), sent)
				synctest.Wait()
				sent++
			}
		}
		t.Cleanup(func() {
			close(g.step)
			q.Close()
		})
		send(items)
		return g, send
	}
	t.Run("a second batch waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g, _ := start(t, 3)
			g.want(t, []int{0})
			g.step <- struct{}{}
			g.want(t, []int{0}, []int{1, 2})
		})
	})
	t.Run("unless it is full", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g, send := start(t, 4)
			g.want(t, []int{0}, []int{1, 2, 3})
			send(4) // both workers are busy
			g.want(t, []int{0}, []int{1, 2, 3})
			g.step <- struct{}{}
			g.want(t, []int{0}, []int{1, 2, 3}, []int{4, 5, 6})
		})
	})
	t.Run("or the first is slow", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g, send := start(t, 2)
			time.Sleep(patience - 1)
			g.want(t, []int{0})
			time.Sleep(time.Nanosecond)
			g.want(t, []int{0}, []int{1})
			send(1) // the second one has not run for long
			g.want(t, []int{0}, []int{1})
		})
	})
	t.Run("also for who comes late", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g, send := start(t, 1)
			time.Sleep(2 * patience)
			g.want(t, []int{0})
			send(1)
			g.want(t, []int{0}, []int{1})
		})
	})
	t.Run("and goes on after a rest", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g, send := start(t, 1)
			g.step <- struct{}{}
			synctest.Wait()
			time.Sleep(2 * patience)
			send(2)
			g.want(t, []int{0}, []int{1})
		})
	})
}
