package limit_test

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/limit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watch is a clock that stands until it is moved.
type watch struct{ ns atomic.Int64 }

func newWatch() *watch {
	w := new(watch)
	w.ns.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return w
}

func (w *watch) now() time.Time          { return time.Unix(0, w.ns.Load()) }
func (w *watch) add(d time.Duration)     { w.ns.Add(int64(d)) }
func (w *watch) opt() limit.Options      { return limit.Options{Now: w.now} }
func (w *watch) few(n int) limit.Options { return limit.Options{Now: w.now, Keys: n} }

// retryAfter is the wait that err tells, -1 when it is nil.
func retryAfter(t testing.TB, err error) time.Duration {
	t.Helper()
	if err == nil {
		return -1
	}
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind() != errs.RateLimited || e.Code() != "rate_limited" {
		t.Fatalf("not a rate limit: %v", err)
	}
	return e.RetryAfter()
}

func TestLimiter(t *testing.T) {
	w := newWatch()
	l := limit.New(limit.Rate{Events: 6, Per: time.Minute, Burst: 3}, w.opt())
	for i := range 3 {
		if err := l.Allow("a"); err != nil {
			t.Fatalf("event %d of the burst: %v", i, err)
		}
	}
	for range 5 { // what is refused takes nothing
		if got := retryAfter(t, l.Allow("a")); got != 10*time.Second {
			t.Fatalf("over the burst: wait %v", got)
		}
	}
	if err := l.Allow("b"); err != nil {
		t.Errorf("another key: %v", err)
	}
	w.add(4 * time.Second)
	if got := retryAfter(t, l.Allow("a")); got != 6*time.Second {
		t.Errorf("after 4 s: wait %v", got)
	}
	w.add(6 * time.Second)
	if err := l.Allow("a"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	if got := retryAfter(t, l.Allow("a")); got != 10*time.Second {
		t.Errorf("one came back, two were taken: %v", got)
	}
	w.add(time.Hour)
	if got := retryAfter(t, l.Take("a", 3)); got != -1 {
		t.Errorf("a full bucket: %v", got)
	}
	if got := retryAfter(t, l.Take("a", 2)); got != 20*time.Second {
		t.Errorf("two of an empty one: %v", got)
	}
	if got := retryAfter(t, l.Take("c", 4)); got != 0 {
		t.Errorf("more than the burst: %v", got)
	}
	if l.Take("a", 0) != nil || l.Take("a", -5) != nil || retryAfter(t, l.Allow("a")) != 10*time.Second {
		t.Error("none or fewer events take or give some")
	}
}

func TestLimiterRefund(t *testing.T) {
	w := newWatch()
	l := limit.New(limit.Rate{Events: 2, Per: time.Minute}, w.opt())
	l.Refund("new")
	for _, key := range []string{"new", "a"} {
		for range 2 {
			if err := l.Allow(key); err != nil {
				t.Fatal(err)
			}
			l.Refund(key)
		}
		l.Refund(key) // more than was taken
		if err := l.Take(key, 2); err != nil {
			t.Errorf("%s: refunds do not refund: %v", key, err)
		}
		if err := l.Allow(key); err == nil {
			t.Errorf("%s: refunds fill above the burst", key)
		}
		l.Refund(key)
		if err := l.Allow(key); err != nil {
			t.Errorf("%s: a refund after a refusal: %v", key, err)
		}
	}
}

func TestNoLimit(t *testing.T) {
	for _, r := range []limit.Rate{{}, {Events: 5}, {Per: time.Second}, {Events: -1, Per: time.Second}, {Events: 1, Per: -1}} {
		l := limit.New(r, limit.Options{})
		if l != nil || l.Allow("a") != nil || l.Take("a", math.MaxInt) != nil {
			t.Errorf("%+v limits", r)
		}
		l.Refund("a")
	}
}

func TestLimiterDefaults(t *testing.T) {
	l := limit.New(limit.Rate{Events: 1, Per: 1 << 62}, limit.Options{}) // the real clock, a very slow rate
	if err := l.Allow("a"); err != nil {
		t.Fatal(err)
	}
	if got := retryAfter(t, l.Allow("a")); got < time.Hour {
		t.Errorf("wait %v", got)
	}
}

// Every event has its place in the bucket, whoever takes it: the calls of many
// goroutines get what one alone would.
func TestLimiterConcurrent(t *testing.T) {
	w := newWatch()
	l := limit.New(limit.Rate{Events: 100, Per: time.Hour}, w.opt())
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				if l.Allow("a") == nil {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if got := allowed.Load(); got != 100 {
		t.Errorf("%d of 100 allowed", got)
	}
}

func TestLimiterProperty(t *testing.T) {
	p := gopter.NewProperties(nil)
	p.Property("never more than burst and rate give, never less, and RetryAfter is just enough", prop.ForAll(
		func(events, burst int, steps []int) string {
			w := newWatch()
			rate := limit.Rate{Events: events, Per: 10 * time.Second, Burst: burst}
			l := limit.New(rate, w.opt())
			tokens := float64(burst)
			for i, ms := range steps {
				w.add(time.Duration(ms) * time.Millisecond)
				tokens = min(float64(burst), tokens+float64(ms)/1e4*float64(events))
				wait := retryAfter(t, l.Allow("a"))
				switch {
				case wait < 0 && tokens < 1-1e-6:
					return fmt.Sprintf("step %d: allowed with %v tokens", i, tokens)
				case wait >= 0 && tokens > 1+1e-6:
					return fmt.Sprintf("step %d: refused with %v tokens", i, tokens)
				case wait < 0:
					tokens--
					continue
				}
				w.add(wait)
				tokens = min(float64(burst), tokens+wait.Seconds()/10*float64(events))
				if tokens > 1+1e-6 {
					return fmt.Sprintf("step %d: told to wait %v, too long", i, wait)
				}
				if err := l.Allow("a"); err != nil {
					return fmt.Sprintf("step %d: waited %v, still refused: %v", i, wait, err)
				}
				tokens--
			}
			return ""
		},
		gen.IntRange(1, 50), gen.IntRange(1, 20), gen.SliceOfN(60, gen.IntRange(0, 700)),
	))
	p.TestingRun(t)
}

// A flood of other keys, each used up to its allowance, forgets no key that was refused.
func TestFloodKeepsTheRefused(t *testing.T) {
	const keys, burst = 500, 3
	w := newWatch()
	l := limit.New(limit.Rate{Events: burst, Per: time.Hour}, w.few(keys))
	for range burst + 1 {
		l.Allow("punished")
	}
	for i := range 40 * keys {
		for range burst {
			if err := l.Allow(fmt.Sprint(i)); err != nil {
				t.Fatalf("a new key is refused for lack of room: %v", err)
			}
		}
	}
	if l.Allow("punished") == nil {
		t.Fatal("a refused key was forgotten")
	}
	w.add(time.Hour)
	if err := l.Take("punished", burst); err != nil {
		t.Errorf("its allowance does not come back: %v", err)
	}
}
