package limit

import (
	"math"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/wigwag-chat/wigwag/errs"
)

// ErrBackoff refuses a try that comes too soon after failures; RetryAfter says
// when to try again.
var ErrBackoff = errs.New(errs.RateLimited, "rate_limited", "Too many failed attempts; try again later.")

// BackoffRule says how long failures of one key make the next try wait: the
// first Free not at all, the next one Base, and each one after twice as long as
// the last, up to Max. Failures are forgotten once none has come for twice Max.
// Without a positive Base nothing ever waits.
type BackoffRule struct {
	Free int
	Base time.Duration
	Max  time.Duration // at least Base
}

// Backoff counts failures by key. A nil Backoff allows everything. It is safe
// for concurrent use; tries of one key that run at once may all pass Check
// before the first of them fails, so bound their number elsewhere (a Limiter).
type Backoff struct {
	rule BackoffRule
	now  func() time.Time

	// A mark is in waiting when its failures are above Free, else in free. What
	// writes a mark does so while it holds the key in free.
	free, waiting *otter.Cache[string, mark]
}

// mark is what is known of a key: its failures in a row, and until when it waits.
type mark struct {
	failures int
	until    time.Time
}

// NewBackoff makes a backoff; nil, that is none, for a rule without Base.
func NewBackoff(rule BackoffRule, opt Options) *Backoff {
	if rule.Base <= 0 {
		return nil
	}
	rule.Max = max(rule.Max, rule.Base)
	opt = opt.withDefaults()
	memory := time.Duration(math.MaxInt64)
	if rule.Max < memory/2 {
		memory = 2 * rule.Max
	}
	expiry := otter.ExpiryWriting[string, mark](memory)
	return &Backoff{rule: rule, now: opt.Now, free: newCache(opt, expiry), waiting: newCache(opt, expiry)}
}

// Check returns nil when key may try, else ErrBackoff with the time to wait.
// It counts nothing.
func (b *Backoff) Check(key string) error {
	if b == nil {
		return nil
	}
	if m, ok := b.waiting.GetIfPresent(key); ok {
		if wait := m.until.Sub(b.now()); wait > 0 {
			return ErrBackoff.After(wait)
		}
	}
	return nil
}

// Fail counts a failed try of key; its wait starts now.
func (b *Backoff) Fail(key string) {
	if b == nil {
		return
	}
	now := b.now()
	b.free.Compute(key, func(m mark, _ bool) (mark, otter.ComputeOp) {
		if w, ok := b.waiting.GetIfPresent(key); ok {
			m = w
		}
		m.failures++
		if m.failures <= b.rule.Free {
			return m, otter.WriteOp
		}
		// A failure never shortens a wait, whatever the clock does meanwhile.
		if until := now.Add(b.rule.wait(m.failures)); until.After(m.until) {
			m.until = until
		}
		b.waiting.Set(key, m)
		return mark{}, otter.InvalidateOp
	})
}

// Success forgets the failures of key.
func (b *Backoff) Success(key string) {
	if b == nil {
		return
	}
	b.free.Compute(key, func(mark, bool) (mark, otter.ComputeOp) {
		b.waiting.Invalidate(key)
		return mark{}, otter.InvalidateOp
	})
}

// wait is how long the n-th failure in a row makes the next try wait.
func (r BackoffRule) wait(n int) time.Duration {
	n -= r.Free
	if n <= 0 {
		return 0
	}
	d := r.Base
	for ; n > 1 && d < r.Max; n-- {
		if d > r.Max/2 { // doubling might overflow
			return r.Max
		}
		d *= 2
	}
	return min(d, r.Max)
}
