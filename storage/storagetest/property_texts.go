package storagetest

import (
	"fmt"
	"math/rand"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"

	"github.com/wigwag-chat/wigwag/messaging"
)

// texts are what people may send: every script, pictures, marks that combine or
// turn the direction, up to the longest.
func texts() gopter.Gen {
	return drawn(func(rng *rand.Rand) string { return drawText(rng, messaging.MaxText) }).
		SuchThat(sendable).WithShrinker(gen.StringShrinker)
}

// sendable tells whether a text may be sent, and certainly shows something.
func sendable(text string) bool {
	return utf8.ValidString(text) && !strings.Contains(text, "\x00") &&
		utf8.RuneCountInString(text) <= messaging.MaxText && strings.IndexFunc(text, visibleRune) >= 0
}

func visibleRune(r rune) bool {
	return unicode.In(r, unicode.Letter, unicode.Number, unicode.Punct, unicode.Symbol)
}

// drawText draws a text of at most so many runes.
func drawText(rng *rand.Rand, most int) string {
	var b strings.Builder
	for range 1 + rng.Intn(3) {
		b.WriteString(drawPassage(rng))
	}
	runes := []rune(b.String())
	if !sendable(b.String()) {
		runes = append([]rune{'a'}, runes...)
	}
	if rng.Intn(25) == 0 { // to the very limit
		for len(runes) < most {
			runes = append(runes, runes[:min(len(runes), most-len(runes))]...)
		}
	}
	if text := string(runes[:min(len(runes), most)]); sendable(text) {
		return text
	}
	return string(append([]rune{'a'}, runes[:min(len(runes), most-1)]...))
}

func drawPassage(rng *rand.Rand) string {
	switch rng.Intn(8) {
	case 0:
		return choose(rng, difficultTexts()...)
	case 1: // pictures, some of several runes
		return repeat(rng, func() string {
			return choose(rng, "😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇷🇸", "👍🏽", "1️⃣", "❤️", "🫠", "🧑🏿‍🚀", "☎︎")
		})
	case 2: // marks on letters
		return repeat(rng, func() string {
			return string(append([]rune{drawRune(rng, unicode.Latin)}, drawRune(rng, unicode.Mn), drawRune(rng, unicode.Mn)))
		})
	case 3: // both directions, with marks that force them
		return repeat(rng, func() string {
			return choose(rng, "\u202e", "\u2066", "\u2069", "\u200f", "\u061c", "") +
				string(drawRune(rng, choose(rng, unicode.Hebrew, unicode.Arabic, unicode.Latin))) + choose(rng, " ", "", "12")
		})
	case 4: // anything that UTF-8 can say
		return repeat(rng, func() string {
			for {
				if r := rune(1 + rng.Intn(unicode.MaxRune)); utf8.ValidRune(r) {
					return string(r)
				}
			}
		})
	case 5: // what a computer could take for its own
		return choose(rng, `{"text":"\u0000"}`, "'; DROP TABLE messages; --", "<script>alert(1)</script>", "\\u0000 %00 &#0;",
			"$1 ?1 :name", "\t\r\n", "NULL", "../../etc/passwd", "{{.}}", "=1+1", "\u0085\u2028\u2029")
	case 6:
		return drawBlank(rng, 6) + "x" + drawBlank(rng, 6)
	default: // words of one script
		script := choose(rng, unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Arabic, unicode.Hebrew, unicode.Devanagari, unicode.Thai,
			unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Tamil, unicode.Ethiopic, unicode.Georgian, unicode.Armenian, unicode.Khmer)
		return repeat(rng, func() string { return string(drawRune(rng, script)) + choose(rng, "", "", "", " ", "\n") })
	}
}

func repeat(rng *rand.Rand, f func() string) string {
	var b strings.Builder
	for range 1 + rng.Intn(20) {
		b.WriteString(f())
	}
	return b.String()
}

// drawRune draws a rune of a table, each range as likely as any other.
func drawRune(rng *rand.Rand, table *unicode.RangeTable) rune {
	i := rng.Intn(len(table.R16) + len(table.R32))
	if i < len(table.R16) {
		r := table.R16[i]
		return rune(r.Lo) + rune(r.Stride)*rune(rng.Intn(int(r.Hi-r.Lo)/int(r.Stride)+1))
	}
	r := table.R32[i-len(table.R16)]
	return rune(r.Lo) + rune(r.Stride)*rune(rng.Intn(int(r.Hi-r.Lo)/int(r.Stride)+1))
}

// blanks are texts of which nothing is to be seen, the empty one included.
func blanks() gopter.Gen {
	return drawn(func(rng *rand.Rand) string {
		return drawBlank(rng, choose(rng, 0, 1, 3, 40, messaging.MaxText))
	}).WithShrinker(gen.StringShrinker)
}

// drawBlank draws at most so many runes of white space and of no width.
func drawBlank(rng *rand.Rand, most int) string {
	var b strings.Builder
	only := drawRune(rng, unicode.White_Space)
	alike := rng.Intn(3) == 0
	for range rng.Intn(most + 1) {
		switch {
		case alike:
			b.WriteRune(only)
		case rng.Intn(3) == 0:
			b.WriteRune(choose(rng, '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u180e', '\u200e', '\u200f',
				'\u061c', '\u202a', '\u202e', '\u2066', '\u2069'))
		default:
			b.WriteRune(drawRune(rng, unicode.White_Space))
		}
	}
	return b.String()
}

// line is one message of a conversation: who sends it, as a place in a list of
// people that wraps around, and what.
type line struct {
	from int
	text string
}

func (l line) String() string { return fmt.Sprintf("%d: %s", l.from, brief(l.text)) }

// lines are a conversation, also an empty one.
func lines() gopter.Gen { return gen.SliceOf(aLine()) }

func aLine() gopter.Gen {
	return drawn(func(rng *rand.Rand) line { return line{rng.Intn(1000), drawText(rng, messaging.MaxText)} })
}
