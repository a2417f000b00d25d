package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/internal/batch"
)

// runOne runs items as one batch and returns each item's outcome as text, and
// the batches that run saw.
func runOne(t *testing.T, items []int, run batch.Run[int, string]) (out []string, seen [][]int) {
	t.Helper()
	q := batch.New(batch.Options{Timeout: time.Minute}, func(ctx context.Context, items []int) ([]batch.Result[string], error) {
		seen = append(seen, slices.Clone(items))
		return run(ctx, items)
	})
	defer q.Close()
	results, err := q.DoAll(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			r.Value = "error: " + r.Err.Error()
		}
		out = append(out, r.Value)
	}
	return out, seen
}

func TestIsolatesABadItem(t *testing.T) {
	out, seen := runOne(t, []int{1, 2, 3}, func(_ context.Context, items []int) ([]batch.Result[string], error) {
		if slices.Contains(items, 2) {
			return nil, errors.New("two is bad")
		}
		return echo(items), nil
	})
	if diff := cmp.Diff([]string{"1", "error: two is bad", "3"}, out); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]int{{1, 2, 3}, {1}, {2}, {3}}, seen); diff != "" {
		t.Error(diff)
	}
}

func TestItemErrorsStayWithTheirItems(t *testing.T) {
	out, seen := runOne(t, []int{1, 2}, func(_ context.Context, items []int) ([]batch.Result[string], error) {
		results := echo(items)
		results[0].Err = errors.New("refused")
		return results, nil
	})
	if diff := cmp.Diff([]string{"error: refused", "2"}, out); diff != "" || len(seen) != 1 {
		t.Errorf("%d runs\n%s", len(seen), diff)
	}
}

func TestWholeFailuresAreNotIsolated(t *testing.T) {
	for _, err := range []error{
		fmt.Errorf("connection lost in commit: %w", batch.ErrNoIsolation),
		fmt.Errorf("begin: %w", context.Canceled),
		fmt.Errorf("begin: %w", context.DeadlineExceeded),
		batch.ErrClosed,
	} {
		out, seen := runOne(t, []int{1, 2}, func(context.Context, []int) ([]batch.Result[string], error) { return nil, err })
		want := "error: " + err.Error()
		if diff := cmp.Diff([]string{want, want}, out); diff != "" || len(seen) != 1 {
			t.Errorf("%v: %d runs\n%s", err, len(seen), diff)
		}
	}
}

// What befalls the whole while items run alone befalls the rest as well.
func TestIsolationEndsAtAWholeFailure(t *testing.T) {
	out, seen := runOne(t, []int{1, 2, 3}, func(_ context.Context, items []int) ([]batch.Result[string], error) {
		if len(items) == 1 && items[0] == 1 {
			return echo(items), nil
		}
		if len(items) == 1 {
			return nil, batch.ErrNoIsolation
		}
		return nil, errors.New("bad")
	})
	want := "error: " + batch.ErrNoIsolation.Error()
	if diff := cmp.Diff([]string{"1", want, want}, out); diff != "" || len(seen) != 3 {
		t.Errorf("%d runs\n%s", len(seen), diff)
	}
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		var seen int
		q := batch.New(batch.Options{Timeout: time.Minute}, func(ctx context.Context, _ []int) ([]batch.Result[string], error) {
			seen++
			if ctx.Value(key{}) != nil {
				t.Error("a caller's context reached the run")
			}
			<-ctx.Done()
			return nil, errors.New("interrupted") // as a driver says it
		})
		defer q.Close()
		started := time.Now()
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, 1), time.Second)
		defer cancel()
		results, err := q.DoAll(ctx, []int{1, 2})
		if err != nil || results[0].Err == nil || results[1].Err == nil || seen != 1 {
			t.Errorf("%v, %v, %d runs", results, err, seen)
		}
		if d := time.Since(started); d != time.Minute {
			t.Errorf("took %v", d)
		}
	})
}

func TestPanic(t *testing.T) {
	q := batch.New(batch.Options{}, func(_ context.Context, items []int) ([]batch.Result[string], error) {
		if slices.Contains(items, 13) {
			panic("unlucky")
		}
		if items[0] < 0 {
			return nil, nil // too few results
		}
		return echo(items), nil
	})
	defer q.Close()
	results, err := q.DoAll(t.Context(), []int{1, 13})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		p, ok := errors.AsType[*batch.PanicError](r.Err)
		if !ok || p.Value != "unlucky" || !strings.Contains(string(p.Stack), "TestPanic") || r.Err.Error() != "batch: run panicked: unlucky" {
			t.Errorf("got %v", r.Err)
		}
	}
	if _, err := q.Do(t.Context(), -1); !errors.Is(err, batch.ErrNoIsolation) {
		t.Errorf("a result short: %v", err)
	}
	if got, err := q.Do(t.Context(), 2); err != nil || got != "2" {
		t.Errorf("the worker did not survive: %q, %v", got, err)
	}
}

func TestALoneItemRunsOnce(t *testing.T) {
	out, seen := runOne(t, []int{1}, func(context.Context, []int) ([]batch.Result[string], error) { return nil, errors.New("bad") })
	if diff := cmp.Diff([]string{"error: bad"}, out); diff != "" || len(seen) != 1 {
		t.Errorf("%d runs\n%s", len(seen), diff)
	}
}

// ended is a context that ends without its caller being woken.
type ended struct {
	context.Context
	err atomic.Pointer[error]
}

func (c *ended) Err() error {
	if err := c.err.Load(); err != nil {
		return *err
	}
	return nil
}

// The worker itself withdraws what ended before the batch was taken.
func TestTakesNothingThatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		q := batch.New(batch.Options{}, g.run)
		defer q.Close()
		go q.Do(t.Context(), 1)
		synctest.Wait()
		ctx := &ended{Context: context.WithoutCancel(t.Context())}
		done := make(chan error, 1)
		go func() { _, err := q.Do(ctx, 2); done <- err }()
		go q.Do(t.Context(), 3)
		synctest.Wait()
		gone := context.Canceled
		ctx.err.Store(&gone)
		g.step <- struct{}{}
		g.want(t, []int{1}, []int{3})
		if err := <-done; err != context.Canceled {
			t.Error(err)
		}
		g.step <- struct{}{}
	})
}
