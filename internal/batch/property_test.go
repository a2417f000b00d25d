package batch_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/internal/batch"
)

// item is the n-th item of a caller.
type item struct{ caller, n int }

var errPoison = errors.New("poison")

// TestProperty drives callers of generated shapes against runs of generated
// costs: each item is committed exactly once or its caller has an error that
// says it was not, and a caller's items are committed in its order.
func TestProperty(t *testing.T) {
	p := gopter.NewProperties(nil)
	p.Property("every item once, in its caller's order, and its outcome known", prop.ForAll(
		func(seeds []uint16, maxItems, workers, cost uint8) (failure string) {
			synctest.Test(t, func(t *testing.T) {
				failure = drive(t.Context(), seeds, batch.Options{
					MaxItems: 1 + int(maxItems%7), Workers: 1 + int(workers%3), Patience: time.Duration(workers/3%3) * time.Millisecond,
				}, time.Duration(cost%5)*time.Millisecond)
			})
			return failure
		},
		gen.SliceOfN(12, gen.UInt16()), gen.UInt8(), gen.UInt8(), gen.UInt8(),
	))
	p.TestingRun(t)
}

func drive(ctx context.Context, seeds []uint16, opt batch.Options, cost time.Duration) string {
	var (
		mu        sync.Mutex
		committed = make(map[item]int)
		last      = make(map[int]int)
		failure   string
	)
	report := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if failure == "" {
			failure = fmt.Sprintf(format, args...)
		}
	}
	poison := func(it item) bool { return (it.caller*7+it.n*3)%11 == 0 }
	q := batch.New(opt, func(_ context.Context, items []item) ([]batch.Result[item], error) {
		time.Sleep(cost)
		if len(items) > opt.MaxItems {
			report("a batch of %d items", len(items))
		}
		for _, it := range items {
			if poison(it) {
				return nil, errPoison
			}
		}
		mu.Lock()
		defer mu.Unlock()
		out := make([]batch.Result[item], len(items))
		for i, it := range items {
			if last[it.caller] >= it.n && failure == "" {
				failure = fmt.Sprintf("%v committed after item %d", it, last[it.caller])
			}
			last[it.caller] = it.n
			committed[it]++
			out[i].Value = it
		}
		return out, nil
	})
	check := func(it item, got item, err error) {
		mu.Lock()
		n := committed[it]
		mu.Unlock()
		switch {
		case err == nil && (got != it || n != 1):
			report("%v acknowledged as %v, committed %d times", it, got, n)
		case errors.Is(err, errPoison) != poison(it) && !errors.Is(err, context.DeadlineExceeded):
			report("%v: %v", it, err)
		case err != nil && n != 0:
			report("%v: committed, but told %v", it, err)
		}
	}
	var wg sync.WaitGroup
	for caller, seed := range seeds {
		wg.Go(func() {
			n := 0
			next := func() item { n++; return item{caller, n} }
			for call := range int(seed % 4) {
				ctx, cancel := context.WithTimeout(ctx, time.Duration(seed/4%9)*time.Millisecond+time.Microsecond)
				if size := int(seed>>(4+call)) % 12; size > 1 {
					items := make([]item, size)
					for i := range items {
						items[i] = next()
					}
					results, err := q.DoAll(ctx, items)
					for i, it := range items {
						if err != nil {
							check(it, item{}, err)
						} else {
							check(it, results[i].Value, results[i].Err)
						}
					}
				} else {
					it := next()
					got, err := q.Do(ctx, it)
					check(it, got, err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	q.Close()
	mu.Lock()
	defer mu.Unlock()
	for it, n := range committed {
		if n != 1 && failure == "" {
			failure = fmt.Sprintf("%v committed %d times", it, n)
		}
	}
	return failure
}
