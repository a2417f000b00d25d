package storagetest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
)

// rule is one sentence of the contract and how it is checked. The name is
// "subject/what is so"; it is stable, since Backend.Without refers to it.
type rule struct {
	name    string
	says    string
	check   func(*R)
	reopens bool // applies to backends that keep their data alone
}

// rulesFor returns the rules that apply to a backend, those of a subject together.
func rulesFor(b Backend) []rule {
	var all []rule
	for _, some := range [][]rule{
		storeRules(), keyRules(), userRules(), settingRules(), relationRules(), presenceRules(), accountRules(), challengeRules(), sessionRules(),
		chatRules(), memberRules(), policyRules(), preferenceRules(), reactionRules(), appendRules(), clientIDRules(), editRules(), deleteRules(), historyRules(),
		markRules(), receiptRules(), unreadRules(), eventRules(), newsRules(),
		raceRules(), modelRules(),
	} {
		for _, r := range some {
			if !r.reopens || b.Reopen != nil {
				all = append(all, r)
			}
		}
	}
	return all
}

// groups cuts rules where the subject changes.
func groups(rules []rule) (out [][]rule) {
	last := ""
	for _, r := range rules {
		subject, _, _ := strings.Cut(r.name, "/")
		if subject != last {
			out = append(out, nil)
			last = subject
		}
		out[len(out)-1] = append(out[len(out)-1], r)
	}
	return out
}

// shop is one opened store that several rules use, one after the other.
type shop struct {
	tb      testing.TB
	backend Backend
	seed    uint64
	store   storage.Store
}

func open(tb testing.TB, b Backend, seed uint64) *shop {
	s := &shop{tb: tb, backend: b, seed: seed, store: b.Open(tb)}
	tb.Cleanup(func() {
		if err := s.store.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return s
}

// check runs a rule and returns what is wrong, "" when it is kept. The rule has a
// goroutine of its own, which its first failure ends.
func (s *shop) check(rule rule) string {
	ctx, cancel := context.WithTimeout(s.tb.Context(), 2*time.Minute)
	defer cancel()
	h := fnv.New32a()
	h.Write([]byte(rule.name))
	r := &R{
		shop: s, ctx: ctx,
		prefix: fmt.Sprintf("%07x.", h.Sum32()>>4),
		rng:    rand.New(rand.NewPCG(s.seed, uint64(h.Sum32()))),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				r.record(fmt.Sprintf("panic: %v\n%s", p, stack()))
			}
		}()
		rule.check(r)
	}()
	<-done
	if r.failure == "" {
		return ""
	}
	return fmt.Sprintf("%s does not keep the rule %q\n  %s\n%s", s.backend.Name, rule.name, rule.says, indent(r.failure))
}

func stack() string {
	buf := make([]byte, 8<<10)
	return string(buf[:runtime.Stack(buf, false)])
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}

// R is the run of one rule: the store, fresh ids, a clock that moves by itself,
// randomness from the seed, and what was found wrong. Its failing methods end
// the goroutine that calls them.
type R struct {
	*shop
	ctx    context.Context
	prefix string
	rng    *rand.Rand

	mu      sync.Mutex
	ids     int
	ticks   int
	failure string
}

func (r *R) record(failure string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure == "" {
		r.failure = failure
	}
}

// Fatalf says what is wrong and ends the rule.
func (r *R) Fatalf(format string, args ...any) {
	r.record(fmt.Sprintf(format, args...))
	runtime.Goexit()
}

// ok demands that nothing went wrong.
func (r *R) ok(err error) {
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		r.Fatalf("error: %v (%s:%d)", err, file[strings.LastIndex(file, "/")+1:], line)
	}
}

// fails demands one of the errors; where the contract leaves open which, several are named.
func (r *R) fails(what string, err error, allowed ...error) {
	for _, a := range allowed {
		if errors.Is(err, a) {
			return
		}
	}
	r.Fatalf("%s: error is %v, want %v", what, err, allowed)
}

// same demands that got is what was wanted.
func (r *R) same(what string, want, got any, options ...cmp.Option) {
	if diff := cmp.Diff(want, got, append(comparing(), options...)...); diff != "" {
		r.Fatalf("%s differs (-want +got):\n%s", what, diff)
	}
}

// race calls f for 0 to n-1 at the same time and waits for all of them.
func (r *R) race(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
	if r.failed() {
		runtime.Goexit()
	}
}

// failed tells goroutines of a race to stop waiting for one that has ended.
func (r *R) failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failure != ""
}

// id returns a new id, greater than those before.
func (r *R) id(kind string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids++
	return fmt.Sprintf("%s%s%04d", r.prefix, kind, r.ids)
}

// people returns n new user ids, ascending.
func (r *R) people(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = r.id("user")
	}
	return out
}

// epoch is when the clock of every rule begins. Its microseconds are odd, so that
// a backend which cuts them is seen.
func epoch() time.Time { return time.Date(2026, time.March, 29, 1, 59, 59, 876543000, time.UTC) }

// now is later at each call, by a time that is no whole second.
func (r *R) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ticks++
	return epoch().Add(time.Duration(r.ticks) * 1000003 * time.Microsecond)
}

// reopen closes the store and opens its data again.
func (r *R) reopen() {
	r.store = r.backend.Reopen(r.tb, r.store)
}

func (r *R) m() messaging.Store { return r.store.Messaging() }
