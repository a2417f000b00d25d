package main

import (
	"errors"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"context"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

var errHelp = flag.ErrHelp

// Every quantile is within 1 % of the exact one, over all magnitudes.
func TestQuantiles(t *testing.T) {
	params := gopter.DefaultTestParameters()
	t.Logf("seed %d", params.Seed())
	properties := gopter.NewProperties(params)
	properties.Property("within 1 % of the nearest rank", prop.ForAll(func(seed uint64, n int, q float64) bool {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var h histogram
		values := make([]time.Duration, n)
		for i := range values {
			values[i] = time.Duration(math.Exp(rnd.Float64() * math.Log(maxValue)))
			h.record(values[i])
		}
		slices.Sort(values)
		exact := float64(values[max(0, int(math.Ceil(q*float64(n)))-1)])
		got := float64(h.snapshot().quantile(q))
		return math.Abs(got-exact) <= exact/100
	}, gen.UInt64(), gen.IntRange(1, 2000), gen.Float64Range(0, 1)))
	properties.TestingRun(t)
}

func TestHistogram(t *testing.T) {
	var h histogram
	if s := h.snapshot().summary(); s != (summary{}) {
		t.Errorf("of nothing: %+v", s)
	}
	h.record(-time.Second)
	h.record(24 * time.Hour)
	early := h.snapshot()
	if got := early.quantile(1); got < 18*time.Minute {
		t.Errorf("a day counts as %v", got)
	}
	for range 99 {
		h.record(100)
	}
	h.record(200)
	late := h.snapshot().since(early)
	if got, want := late.summary(), (summary{Count: 100, P50: 1e-4, P90: 1e-4, P99: 1e-4, P999: 2e-4, Max: 2e-4}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for d := time.Duration(0); d < 1<<20; d += 7 {
		if mid := middle(bucketOf(d)); bucketOf(mid) != bucketOf(d) {
			t.Fatalf("the middle %d of the bucket of %d lies in another", mid, d)
		}
	}
}

// A server that stands still for a second must show in the latencies of all that
// was due meanwhile, not of one message alone.
func TestPaceOmitsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second-time.Nanosecond)
		defer cancel()
		start := time.Now()
		var h histogram
		var dues []time.Duration
		pace(ctx, start, 5*time.Millisecond, 10*time.Millisecond, func(due time.Time) bool {
			if len(dues) == 50 {
				time.Sleep(time.Second)
			}
			dues = append(dues, due.Sub(start))
			h.record(time.Since(due))
			return true
		})
		if len(dues) != 200 {
			t.Fatalf("%d calls in 2 s at 100 a second", len(dues))
		}
		for i, due := range dues {
			if want := 5*time.Millisecond + time.Duration(i)*10*time.Millisecond; due != want {
				t.Fatalf("call %d was due after %v, want %v", i, due, want)
			}
		}
		// The first one waits for 1 s, the next one for 990 ms, … 100 in all.
		if c := h.snapshot(); c.quantile(0.5) > 15*time.Millisecond || math.Abs(c.quantile(0.75).Seconds()-0.5) > 0.02 || math.Abs(c.quantile(1).Seconds()-1) > 0.01 {
			t.Errorf("p50 %v, p75 %v, max %v; want about 0, 500 ms, 1 s", c.quantile(0.5), c.quantile(0.75), c.quantile(1))
		}
	})
}

func TestPaceStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		pace(ctx, time.Now(), 0, time.Second, func(time.Time) bool { n++; return n < 3 })
		if n != 3 {
			t.Errorf("%d calls, want 3", n)
		}
		cancel()
		pace(ctx, time.Now(), 0, time.Second, func(time.Time) bool { t.Error("called after the end"); return false })
	})
}

func TestWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		moves := func() int64 { return int64(min(time.Since(start), 3*time.Second) / time.Second) }
		if waitFor(2*time.Second, moves, func() bool { return false }) {
			t.Error("what never holds held")
		}
		if took := time.Since(start).Round(100 * time.Millisecond); took != 5*time.Second {
			t.Errorf("gave up after %v, want 2 s after the last move at 3 s", took)
		}
		if !waitFor(time.Second, moves, func() bool { return time.Since(start) > 5500*time.Millisecond }) {
			t.Error("gave up on what holds in time")
		}
	})
}

func TestMeasureWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{
			opt: options{interval: time.Second}, meter: &meter{failures: map[string]int{}},
			progress: newProgress(io.Discard), report: &report{names: namesOf(history)},
		}
		err := b.measure(t.Context(), 2*time.Second, 5*time.Second, func(ctx context.Context) error {
			pace(ctx, b.meter.start, 50*time.Millisecond, 100*time.Millisecond, func(time.Time) bool {
				b.meter.done.Add(1)
				b.meter.ack.record(time.Millisecond)
				return true
			})
			time.Sleep(3 * time.Second) // what is in flight
			b.meter.done.Add(1)
			b.meter.ack.record(3 * time.Second)
			return errors.ErrUnsupported
		})
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("the load's error became %v", err)
		}
		got := []any{b.report.Total, b.report.Seconds, b.report.Rate, b.report.Ack.Count, b.report.Ack.Max > 2900}
		if diff := cmp.Diff([]any{int64(50), 5.0, 10.0, uint64(51), true}, got); diff != "" {
			t.Errorf("total, seconds, rate, latencies, slow one counted (-want +got):\n%s", diff)
		}
	})
}
