package limit_test

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/internal/limit"
)

func TestBackoff(t *testing.T) {
	w := newWatch()
	b := limit.NewBackoff(limit.BackoffRule{Free: 2, Base: 30 * time.Second, Max: 3 * time.Minute}, w.opt())
	var waits []time.Duration
	for range 7 {
		b.Fail("a")
		wait := retryAfter(t, b.Check("a"))
		waits = append(waits, wait)
		if wait > 0 {
			w.add(wait - 1)
			if b.Check("a") == nil {
				t.Fatalf("may try 1 ns before the end of %v", wait)
			}
			w.add(1)
			if err := b.Check("a"); err != nil {
				t.Fatalf("waited %v: %v", wait, err)
			}
		}
	}
	want := []time.Duration{-1, -1, 30 * time.Second, time.Minute, 2 * time.Minute, 3 * time.Minute, 3 * time.Minute}
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if err := b.Check("b"); err != nil {
		t.Errorf("another key: %v", err)
	}
	b.Success("a")
	b.Fail("a")
	if err := b.Check("a"); err != nil {
		t.Errorf("a success does not forget: %v", err)
	}
	b.Success("nobody")
}

func TestBackoffForgets(t *testing.T) {
	w := newWatch()
	b := limit.NewBackoff(limit.BackoffRule{Base: time.Second, Max: time.Minute}, w.opt())
	for range 3 {
		b.Fail("a")
	}
	w.add(2*time.Minute - time.Nanosecond)
	b.Fail("a")
	if got := retryAfter(t, b.Check("a")); got != 8*time.Second {
		t.Errorf("the fourth failure, within the memory: %v", got)
	}
	w.add(2 * time.Minute)
	b.Fail("a")
	if got := retryAfter(t, b.Check("a")); got != time.Second {
		t.Errorf("a failure after the memory: %v", got)
	}
}

func TestBackoffClockStepsBack(t *testing.T) {
	w := newWatch()
	b := limit.NewBackoff(limit.BackoffRule{Base: time.Minute, Max: time.Minute}, w.opt())
	b.Fail("a")
	w.add(-10 * time.Second)
	b.Fail("a")
	if got := retryAfter(t, b.Check("a")); got != 70*time.Second {
		t.Errorf("wait %v", got)
	}
}

func TestBackoffExtremes(t *testing.T) {
	for _, rule := range []limit.BackoffRule{{}, {Free: 3}, {Base: -1, Max: time.Hour}} {
		b := limit.NewBackoff(rule, limit.Options{})
		b.Fail("a")
		b.Success("a")
		if b != nil || b.Check("a") != nil {
			t.Errorf("%+v makes wait", rule)
		}
	}
	w := newWatch()
	b := limit.NewBackoff(limit.BackoffRule{Base: time.Hour}, w.opt()) // Max below Base
	b.Fail("a")
	b.Fail("a")
	if got := retryAfter(t, b.Check("a")); got != time.Hour {
		t.Errorf("wait %v", got)
	}
	b = limit.NewBackoff(limit.BackoffRule{Base: time.Second, Max: math.MaxInt64}, w.opt())
	for range 200 { // doubling must not overflow
		b.Fail("a")
	}
	if got := retryAfter(t, b.Check("a")); got < 100*365*24*time.Hour {
		t.Errorf("wait %v", got)
	}
}

// Failures at once are all counted: the wait is that of their number.
func TestBackoffConcurrent(t *testing.T) {
	w := newWatch()
	b := limit.NewBackoff(limit.BackoffRule{Free: 10, Base: time.Second, Max: 1 << 20 * time.Second}, w.opt())
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { b.Fail("a") })
	}
	wg.Wait()
	if got := retryAfter(t, b.Check("a")); got != 512*time.Second {
		t.Errorf("wait %v", got)
	}
}

// A flood of other keys that stay below the punishment forgets none that waits.
func TestFloodKeepsTheWaiting(t *testing.T) {
	const keys, free = 500, 3
	w := newWatch()
	b := limit.NewBackoff(limit.BackoffRule{Free: free, Base: time.Minute, Max: time.Hour}, w.few(keys))
	for range free + 1 {
		b.Fail("punished")
	}
	for i := range 40 * keys {
		for range free {
			b.Fail(fmt.Sprint(i))
		}
	}
	if got := retryAfter(t, b.Check("punished")); got != time.Minute {
		t.Fatalf("a waiting key was forgotten: %v", got)
	}
}

func BenchmarkLimit(b *testing.B) {
	keys := make([]string, 50_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("192.0.2.%d/login", i)
	}
	b.Run("allow", func(b *testing.B) {
		l := limit.New(limit.Rate{Events: 1000, Per: time.Second}, limit.Options{})
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			l.Allow(keys[i%len(keys)])
		}
	})
	b.Run("check", func(b *testing.B) {
		bo := limit.NewBackoff(limit.BackoffRule{Base: time.Second, Max: time.Minute}, limit.Options{})
		bo.Fail(keys[0])
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			bo.Check(keys[i%len(keys)])
		}
	})
}
