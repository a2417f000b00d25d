package storagetest

import (
	"fmt"
	"math/rand"
	"strings"
	"sync"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"

	"github.com/wigwag-chat/wigwag/phone/e164"
)

// drawn generates what f draws. It does not shrink.
func drawn[T any](f func(*rand.Rand) T) gopter.Gen {
	return func(p *gopter.GenParameters) *gopter.GenResult {
		return gopter.NewGenResult(f(p.Rng), gopter.NoShrinker)
	}
}

// sequence generates slices that are longer than others by a factor.
func sequence(factor int, g gopter.Gen) gopter.Gen {
	return func(p *gopter.GenParameters) *gopter.GenResult {
		return gen.SliceOf(g)(p.WithSize(factor * p.MaxSize))
	}
}

func choose[T any](rng *rand.Rand, of ...T) T { return of[rng.Intn(len(of))] }

// numbers gives out numbers that are valid and differ: German mobile ones.
type numbers struct {
	mu sync.Mutex
	n  int
}

func (n *numbers) next() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.n++
	return fmt.Sprintf("+49151%08d", 10_000_000+n.n)
}

// typed is a phone number as people write it.
type typed struct{ e164, number, region string }

func (t typed) String() string { return fmt.Sprintf("%+q in %q", t.number, t.region) }

// plan is a range of numbers of one country: # stands for a digit.
type plan struct{ region, digits string }

func plans() []plan {
	return []plan{
		{"US", "+1202#######"}, {"US", "+12125550###"}, {"CA", "+1416#######"}, {"GB", "+4477########"}, {"DE", "+49160#######"},
		{"DE", "+4930########"}, {"FR", "+336########"}, {"IT", "+39347#######"}, {"IN", "+9198########"}, {"BR", "+551198#######"},
		{"JP", "+8190########"}, {"CN", "+86138########"}, {"NG", "+234803#######"}, {"ZA", "+2782#######"}, {"AU", "+614########"},
		{"MX", "+5255########"}, {"EG", "+2010########"}, {"IL", "+97254#######"}, {"RS", "+38164#######"}, {"SG", "+658#######"},
		{"KE", "+254712######"}, {"RU", "+7916#######"}, {"UA", "+38067#######"}, {"ID", "+62812########"}, {"PL", "+48501######"},
	}
}

// drawNumber draws a number that its country has given out.
func drawNumber(rng *rand.Rand) (number, region string) {
	for {
		p := choose(rng, plans()...)
		number := strings.Map(func(r rune) rune {
			if r == '#' {
				return '0' + rune(rng.Intn(10))
			}
			return r
		}, p.digits)
		if got, err := (e164.Parser{}).Parse(number, ""); err == nil && got == number {
			return number, p.region
		}
	}
}

// typedNumbers are valid numbers of many countries in the notations of people.
func typedNumbers() gopter.Gen {
	return drawn(func(rng *rand.Rand) typed {
		number, region := drawNumber(rng)
		t := typed{e164: number, number: number}
		if rng.Intn(2) == 0 {
			t.number = spread(rng, t.number)
		}
		switch rng.Intn(4) {
		case 0: // digits of another script
			zero := choose(rng, '\uff10', '\u0660', '\u06f0')
			t.number = strings.Map(func(r rune) rune {
				if '0' <= r && r <= '9' {
					return zero + r - '0'
				}
				return r
			}, t.number)
		case 1:
			t.number = " " + t.number + "\u3000"
		}
		if rng.Intn(3) == 0 { // a region says nothing about what starts with +
			t.region = choose(rng, region, "US", "de")
		}
		return t
	})
}

// spread puts separators between digits, never two together.
func spread(rng *rand.Rand, number string) string {
	var b strings.Builder
	for i, r := range number {
		if i > 4 && rng.Intn(3) == 0 {
			b.WriteString(choose(rng, " ", "-", ".", "/", "\u00a0", "\u2011"))
		}
		b.WriteRune(r)
	}
	return b.String()
}

// notNumbers are strings of many kinds that no telephone has.
func notNumbers() gopter.Gen {
	return drawn(func(rng *rand.Rand) string {
		number, _ := drawNumber(rng)
		digits := func(n int) string {
			var b strings.Builder
			for range n {
				b.WriteByte(byte('0' + rng.Intn(10)))
			}
			return b.String()
		}
		at := rng.Intn(len(number) + 1)
		switch rng.Intn(14) {
		case 0:
			return drawBlank(rng, 20)
		case 1: // words
			return drawText(rng, 60) + "n"
		case 2: // without a country
			return number[1:]
		case 3: // too short for North America, where every number has ten digits
			return "+1" + choose(rng, "", "2", "9") + digits(rng.Intn(9))
		case 4: // too long for any country
			return number + digits(16+rng.Intn(20))
		case 5: // a country code that nobody has
			return "+" + choose(rng, "0", "210", "259", "384", "422", "999") + digits(5+rng.Intn(8))
		case 6: // an area that does not exist
			return "+1" + choose(rng, "0", "1") + digits(9)
		case 7: // something inside that is no part of a number
			return number[:at] + choose(rng, "x", "#", "*", ",", ";", "@", "'", "\x00", "\xff", "\u202d", "\u200b", "☎", "O", "DROP") + number[at:]
		case 8: // a sign too many, or in the wrong place
			return choose(rng, "+"+number, number+"+", number[1:]+"+", number[:4]+"+"+number[4:])
		case 9: // an extension
			return number + choose(rng, " ext. ", "x", ";ext=", " #", ",,") + digits(3)
		case 10: // what other software makes of it
			return choose(rng, "tel:", "whatsapp:", "<", "\"") + number
		case 11: // two of them
			return number + choose(rng, " ", ", ", "\n", "; ") + number
		case 12:
			return number + strings.Repeat(" ", 70)
		default: // bytes
			b := make([]byte, rng.Intn(24))
			rng.Read(b)
			return string(b) + "\xfe"
		}
	}).WithShrinker(noShrinkToNumber)
}

// noShrinkToNumber shrinks a string as far as it stays no number.
func noShrinkToNumber(v any) gopter.Shrink {
	return gen.StringShrinker(v).Filter(func(v any) bool {
		_, err := (e164.Parser{}).Parse(v.(string), "")
		return err != nil
	})
}
