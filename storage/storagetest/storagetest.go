// Package storagetest proves a storage backend: the rules of the contract that
// the ports state, a model that random commands are compared with, concurrent
// histories, and the properties of the product through the real services
// (SPEC STO-1, section 13). The author of a backend, in whatever module, calls
// [Run] and [Benchmark] from a test; docs/backends.md tells how.
//
// A failure prints the rule's name and sentence, what was done (shrunk, where
// commands are random), the difference, and the line that runs it again with
// the same seed. Without WIGWAG_SEED each run draws a new one.
package storagetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wigwag-chat/wigwag/storage"
)

// Backend tells how to open what is to be proven.
type Backend struct {
	// Name of the backend, for reports.
	Name string

	// Open returns a fresh store: empty, migrated, not shared with any other.
	// What it needs is released with tb.Cleanup; the suite closes the store.
	Open func(tb testing.TB) storage.Store

	// Reopen closes s and opens the same data again, as a new process would.
	// nil: the backend keeps nothing, and rules about reopening do not apply.
	Reopen func(tb testing.TB, s storage.Store) storage.Store

	// Without names rules that the backend is known not to keep. They run
	// nevertheless, as skipped tests that say what they found; when one is kept, or
	// does not exist, the run fails: the list tells the truth.
	Without []string
}

// Run proves a backend. Every rule is a subtest, grouped by subject; each group
// opens one store and its rules share it under fresh ids.
func Run(t *testing.T, b Backend) {
	seed := chooseSeed(t)
	rules := rulesFor(b)
	for _, name := range b.Without {
		if !slices.ContainsFunc(rules, func(r rule) bool { return r.name == name }) {
			t.Errorf("Without names %q, which is no rule that applies to %s", name, b.Name)
		}
	}
	for _, group := range groups(rules) {
		subject, _, _ := strings.Cut(group[0].name, "/")
		t.Run(subject, func(t *testing.T) {
			shop := open(t, b, seed)
			for _, rule := range group {
				_, name, _ := strings.Cut(rule.name, "/")
				t.Run(name, func(t *testing.T) { runRule(t, shop, rule) })
			}
		})
	}
	t.Run("properties", func(t *testing.T) { runProperties(t, b) })
}

func runRule(t *testing.T, shop *shop, rule rule) {
	v := judge(shop.backend, rule, shop.check(rule))
	switch {
	case v.fail != "":
		t.Fatalf("%s\n  seed: %d\n  replay: %s", v.fail, shop.seed, replay(t.Name(), shop.seed))
	case v.skip != "":
		t.Skip(v.skip)
	}
}

// verdict is what becomes of the test of a rule; neither: it passes.
type verdict struct{ fail, skip string }

// judge weighs what a rule found, "" for nothing, against what the backend says of itself.
func judge(b Backend, rule rule, report string) verdict {
	known := slices.Contains(b.Without, rule.name)
	switch {
	case known && report == "":
		return verdict{fail: fmt.Sprintf("%s keeps the rule %q: take it out of Without", b.Name, rule.name)}
	case known:
		return verdict{skip: "as Without says, " + report}
	}
	return verdict{fail: report}
}

// replay is the command that runs one test again with the same seed.
func replay(test string, seed uint64) string {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return fmt.Sprintf("WIGWAG_SEED=%d go test -run '%s' .", seed, strings.Join(parts, "/"))
}

func chooseSeed(tb testing.TB) uint64 {
	text, ok := os.LookupEnv("WIGWAG_SEED")
	if !ok {
		return rand.Uint64N(1 << 32)
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		tb.Fatalf("WIGWAG_SEED: %v", err)
	}
	return seed
}
