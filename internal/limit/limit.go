// Package limit keeps limits by key in the memory of one process (SPEC AUTH-12):
// Limiter for how often something may happen, Backoff for how soon a failure
// may be followed by another try. Keys are any strings: an address, an account,
// an address with an endpoint.
//
// # At the bound of keys
//
// A key is never refused for lack of room. Instead an old one is forgotten,
// and to be forgotten is to get a fresh allowance; so an attacker may bring keys
// without end to have a punished one dropped. Therefore keys that were refused
// (or that wait) and those that were not are kept apart, up to Options.Keys of
// each: only punished keys displace punished keys. An attacker has to
// get that many other keys punished first, at Burst+1 events or Free+1 failures
// each, while the address that they come from is limited in its turn. A key that was
// never refused can be displaced by any Options.Keys others, which gives it
// its Burst, or its Free failures, once more. Where keys cost nothing (identifiers
// that are typed in), put a limit by address before the one by key.
//
// Nothing here owns a goroutine: what is to be cleaned is cleaned by the calls.
package limit

import (
	"math"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/wigwag-chat/wigwag/errs"
)

// ErrRateLimited refuses what comes too often; RetryAfter says when to come again.
var ErrRateLimited = errs.New(errs.RateLimited, "rate_limited", "Too many requests; try again later.")

// Rate allows Events in each Per on average, and Burst at once: a token bucket
// that starts full. Without positive Events and Per there is no limit.
type Rate struct {
	Events int
	Per    time.Duration
	Burst  int // default Events
}

// Options bounds what is remembered.
type Options struct {
	Keys int              // that were refused, and as many that were not; default 100,000
	Now  func() time.Time // default time.Now
}

// Limiter limits events by key. A nil Limiter allows everything. It is safe for
// concurrent use.
type Limiter struct {
	limit rate.Limit
	burst int
	now   func() time.Time

	// A bucket moves from fresh to refused, and leaves either when it is full again.
	fresh, refused *otter.Cache[string, *rate.Limiter]
}

// New makes a limiter; nil, that is no limit, for a Rate without one.
func New(r Rate, opt Options) *Limiter {
	if r.Events <= 0 || r.Per <= 0 {
		return nil
	}
	if r.Burst <= 0 {
		r.Burst = r.Events
	}
	opt = opt.withDefaults()
	l := &Limiter{limit: rate.Limit(float64(r.Events) / r.Per.Seconds()), burst: r.Burst, now: opt.Now}
	// After this time without use a bucket is full again, as a new one is:
	// forgetting it changes nothing.
	full := otter.ExpiryAccessing[string, *rate.Limiter](seconds(float64(r.Burst) / float64(l.limit)))
	l.fresh, l.refused = newCache(opt, full), newCache(opt, full)
	return l
}

// Allow takes one event of key, or returns ErrRateLimited with the time until
// there will be one. What is refused takes nothing.
func (l *Limiter) Allow(key string) error { return l.Take(key, 1) }

// Take takes n events of key, all or none. More than Burst are refused always,
// without a time to come again; fewer than one are allowed always.
func (l *Limiter) Take(key string, n int) error {
	if l == nil || n <= 0 {
		return nil
	}
	if n > l.burst {
		return ErrRateLimited
	}
	bucket := l.bucket(key)
	now := l.now()
	if bucket.AllowN(now, n) {
		return nil
	}
	l.refused.Set(key, bucket)
	l.fresh.Invalidate(key)
	missing := float64(n) - bucket.TokensAt(now)
	return ErrRateLimited.After(max(seconds(missing/float64(l.limit)), time.Nanosecond))
}

// Refund gives back one event that Allow took, of something that turned out not
// to count. A bucket never holds more than Burst.
func (l *Limiter) Refund(key string) {
	if l == nil {
		return
	}
	l.bucket(key).AllowN(l.now(), -1) // adds one; what is over the burst is cut at the next use
}

// bucket returns the bucket of key, a new one where there is none.
func (l *Limiter) bucket(key string) *rate.Limiter {
	if bucket, ok := l.refused.GetIfPresent(key); ok {
		return bucket
	}
	var moved *rate.Limiter
	bucket, _ := l.fresh.ComputeIfAbsent(key, func() (*rate.Limiter, bool) {
		// Another call may have moved it just now: it is in refused before it leaves fresh.
		if moved, _ = l.refused.GetIfPresent(key); moved != nil {
			return nil, true
		}
		return rate.NewLimiter(l.limit, l.burst), false
	})
	if moved != nil {
		return moved
	}
	return bucket
}

// seconds is s as a duration, rounded up, so that waiting it is always enough.
func seconds(s float64) time.Duration {
	if ns := math.Ceil(s * float64(time.Second)); ns < math.MaxInt64 {
		return time.Duration(ns)
	}
	return math.MaxInt64
}

func (opt Options) withDefaults() Options {
	if opt.Keys <= 0 {
		opt.Keys = 100_000
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return opt
}

func newCache[V any](opt Options, expiry otter.ExpiryCalculator[string, V]) *otter.Cache[string, V] {
	return otter.Must(&otter.Options[string, V]{
		MaximumSize:      opt.Keys,
		ExpiryCalculator: expiry,
		Clock:            clock(opt.Now),
		Executor:         func(fn func()) { fn() }, // no goroutines, hence nothing to close
	})
}

// clock drives a cache's expiry. It does not tick: calls do the cleaning.
type clock func() time.Time

func (c clock) NowNano() int64                      { return c().UnixNano() }
func (c clock) Tick(time.Duration) <-chan time.Time { return nil }
