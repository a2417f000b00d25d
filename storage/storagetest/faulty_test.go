package storagetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/storagetest/internal/faulty"
)

// Every planted defect must be caught, by each of the rules that are named for it.
func TestFaultyStoresAreCaught(t *testing.T) {
	const seed = 1 // always the same random commands: what they find once they find again
	defects := faulty.All()
	if len(defects) < 16 {
		t.Errorf("%d defects, want 16 or more", len(defects))
	}
	for _, d := range defects {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			b := Backend{
				Name:   "the store that " + d.Name,
				Open:   func(testing.TB) storage.Store { return d.Open() },
				Reopen: func(_ testing.TB, s storage.Store) storage.Store { return d.Reopen(s) },
			}
			rules := rulesFor(b)
			for _, name := range d.CaughtBy {
				i := slices.IndexFunc(rules, func(r rule) bool { return r.name == name })
				if i < 0 {
					t.Fatalf("there is no rule %q", name)
				}
				report := open(t, b, seed).check(rules[i])
				if report == "" {
					t.Errorf("%s is not caught by %q ", b.Name, name)
					continue
				}
				if strings.Contains(report, "panic:") {
					t.Errorf("%q does not catch it but panics:\n%s", name, report)
				}
				t.Log(report)
			}
		})
	}
}

// A rule that a backend says it does not keep is never passed over in silence.
func TestWithoutMustBeTrue(t *testing.T) {
	broken, kept := rule{name: "a/broken"}, rule{name: "a/kept"}
	b := Backend{Name: "mine", Without: []string{"a/broken"}}
	for _, c := range []struct {
		rule   rule
		report string
		fails  bool
		skips  bool
	}{
		{kept, "", false, false}, {kept, "found", true, false}, {broken, "", true, false}, {broken, "found", false, true},
	} {
		v := judge(b, c.rule, c.report)
		if (v.fail != "") != c.fails || (v.skip != "") != c.skips {
			t.Errorf("%s that reports %q: %+v", c.rule.name, c.report, v)
		}
	}
	if got, want := replay("TestX/a/is_so", 7), "WIGWAG_SEED=7 go test -run '^TestX$/^a$/^is_so$' ."; got != want {
		t.Errorf("replay is %s, want %s", got, want)
	}
}

// Names of rules are what backends and reports refer to.
func TestRuleNames(t *testing.T) {
	rules := rulesFor(Backend{Reopen: func(testing.TB, storage.Store) storage.Store { return nil }})
	seen := map[string]bool{}
	for _, r := range rules {
		subject, name, ok := strings.Cut(r.name, "/")
		if !ok || subject == "" || name == "" || strings.Contains(name, "/") || seen[r.name] {
			t.Errorf("rule name %q is not subject/what is so, or stands twice", r.name)
		}
		if r.says == "" {
			t.Errorf("rule %q says nothing", r.name)
		}
		seen[r.name] = true
	}
	t.Logf("%d rules", len(rules))
}
