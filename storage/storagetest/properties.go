package storagetest

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/leanovate/gopter"
)

// property is one numbered property of SPEC section 13: one gopter property,
// driven through the real services on a backend.
type property struct {
	number int // that of the seed
	says   string
	holds  func(w *world) gopter.Prop
}

// cases is how many a property must pass.
const cases = 100

// properties lists those of this version.
func properties() []property {
	return []property{
		challengeProperty(), signInProperty(), badNumberProperty(), wrongCodeProperty(), // 1 to 4
		deliveryProperty(), statusProperty(), blankProperty(), // 5 to 7
		groupProperty(), broadcastProperty(), removalProperty(), // 11, 12, 14
		arrivalProperty(), departureProperty(), retrievalProperty(), tellingProperty(), hidingPresenceProperty(), // 16 to 20
		encryptionProperty(), erasureProperty(), authenticationProperty(), // 27 to 29
		editProperty(), editedProperty(), // 30, 31
		tombstoneProperty(), hidingProperty(), windowProperty(), // 32 to 34
		findingProperty(), settingsProperty(), privacyProperty(), // 35, 37, 38
	}
}

func (p property) name() string { return fmt.Sprintf("Property %02d", p.number) }

// runProperties runs every property as a subtest on a store of its own, as many
// at once as the test binary's -parallel allows: most of the time is the disk's.
func runProperties(t *testing.T, b Backend) {
	seed := chooseSeed(t)
	for _, p := range properties() {
		t.Run(p.name(), func(t *testing.T) {
			t.Parallel()
			runRule(t, open(t, b, seed), rule{name: p.name(), says: p.says, check: p.check})
		})
	}
}

// check draws cases until one fails or enough have passed.
func (p property) check(r *R) {
	w := newWorld(r)
	defer w.stop()
	parameters := gopter.DefaultTestParametersWithSeed(r.rng.Int64())
	parameters.MinSuccessfulTests = cases
	parameters.MaxSize = 7 // of slices, exclusive; texts have sizes of their own
	result := p.holds(w).Check(parameters)
	if result.Passed() {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v after %d cases that hold\n", result.Status, result.Succeeded)
	for i, a := range result.Args {
		fmt.Fprintf(&b, "argument %d: %s\n", i+1, shown(a.Arg))
		if a.Shrinks > 0 {
			fmt.Fprintf(&b, "  shrunk %d times from %s\n", a.Shrinks, shown(a.OrigArg))
		}
	}
	for _, label := range result.Labels {
		fmt.Fprintln(&b, label)
	}
	if result.Error != nil {
		fmt.Fprintf(&b, "%v\n%s\n", result.Error, result.ErrorStack)
	}
	r.Fatalf("%s", b.String())
}

// shown prints an argument so that it can be told apart from any other, cut
// where it is long.
func shown(v any) string {
	text := fmt.Sprintf("%+v", v)
	switch v := v.(type) {
	case string:
		text = fmt.Sprintf("%+q", v)
	case []string:
		text = fmt.Sprintf("%+q", v)
	}
	const most = 2000
	if len(text) > most {
		text = fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:most], ""), len(text))
	}
	return text
}

// brief is a text as steps show it.
func brief(text string) string {
	if n := utf8.RuneCountInString(text); n > 40 {
		return fmt.Sprintf("%+q… (%d runes)", string([]rune(text)[:40]), n)
	}
	return fmt.Sprintf("%+q", text)
}
