// Package e164 reads the phone numbers that people type, by libphonenumber's
// rules, and writes them in E.164 form (SPEC AUTH-1). It is the only package
// that compiles phone metadata, so that programs which take no numbers stay small.
package e164

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/wigwag-chat/wigwag/errs"
)

// What Parse refuses.
var (
	ErrInvalidNumber = errs.Field("phoneNumber", "invalid_phone_number", "This is not a valid phone number.")
	ErrInvalidRegion = errs.Field("region", "invalid_region", "This is not the code of a region.")
)

const (
	maxInput     = 64 // bytes
	prefixDigits = 3
	noRegion     = "ZZ" // libphonenumber's "unknown"

	// Beside spaces: ASCII, then dashes (U+2010 to U+2015), minus, and the full-width forms.
	separators = "-./()" + "\u2010\u2011\u2012\u2013\u2014\u2015\u2212" + "\uff0d\uff0e\uff0f\uff08\uff09"
)

// Parser reads phone numbers. The zero value wants them to start with +.
// It is safe for concurrent use.
type Parser struct {
	// DefaultRegion is where a number without + is dialled from when the caller
	// names no region: an ISO 3166-1 code of two letters, in either case. Default
	// none. A region that does not exist makes such numbers fail with ErrInvalidRegion.
	DefaultRegion string
	// Fictional also lets in +1 555 with four or seven more digits: numbers from
	// films, that nobody has. It is for development, where no text is sent.
	Fictional bool
}

// Parse returns number in E.164 form: + and up to 15 digits. region is where a
// number without + is dialled from, "" the parser's DefaultRegion; numbers with
// + do not need it, but a region that does not exist is ErrInvalidRegion always.
//
// A number is valid when its numbering plan has given out its range
// (IsValidNumber of libphonenumber). Numbers for fiction are valid only where
// the plan counts them in, as that of the United States does with 555-0100 to
// 555-0199 in each area code. Allowed are decimal digits of any script, one +
// before them, and between them spaces, dashes, dots, slashes and parentheses,
// in ASCII or full width; spaces also around the whole. Extensions, vanity
// letters, any other rune, invalid UTF-8 and more than 64 bytes are
// ErrInvalidNumber. Parse of a result is that result.
func (p Parser) Parse(number, region string) (e164 string, err error) {
	if region == "" {
		region = p.DefaultRegion
	}
	region = strings.ToUpper(region)
	if region == "" {
		region = noRegion
	} else if phonenumbers.GetCountryCodeForRegion(region) == 0 {
		return "", ErrInvalidRegion
	}
	if !wellFormed(number) {
		return "", ErrInvalidNumber
	}
	if made, ok := fictional(number); ok && p.Fictional {
		return made, nil
	}
	e164, ok := canonical(number, region)
	if ok && e164 != number {
		// A few typed forms lose one trunk prefix at each reading (+375 8 810…):
		// what does not come back as itself is no number.
		var again string
		again, ok = canonical(e164, noRegion)
		ok = ok && again == e164
	}
	if !ok {
		return "", ErrInvalidNumber
	}
	return e164, nil
}

// fictional reads a well-formed +1 555 number in ASCII digits.
func fictional(number string) (e164 string, ok bool) {
	if strings.ContainsFunc(number, func(r rune) bool { return r > '9' && unicode.Is(unicode.Nd, r) }) {
		return "", false
	}
	digits := strings.Map(func(r rune) rune {
		if r == '+' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, number)
	rest, ok := strings.CutPrefix(digits, "+1555")
	return digits, ok && (len(rest) == 4 || len(rest) == 7)
}

func canonical(number, region string) (e164 string, ok bool) {
	n, err := phonenumbers.Parse(number, region)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", false
	}
	return phonenumbers.Format(n, phonenumbers.E164), true
}

// Prefix returns the country calling code of a number from Parse and the three
// digits after it ("+1415" of +14155550100), the range that limits against SMS
// pumping count by; "" for what is not such a number.
func (p Parser) Prefix(e164 string) string {
	if !strings.HasPrefix(e164, "+") || !wellFormed(e164) {
		return ""
	}
	n, err := phonenumbers.Parse(e164, noRegion)
	if err != nil {
		return ""
	}
	end := len("+") + len(strconv.Itoa(int(n.GetCountryCode()))) + prefixDigits
	if len(e164) < end || phonenumbers.Format(n, phonenumbers.E164) != e164 {
		return ""
	}
	return e164[:end]
}

// wellFormed reports whether number is made of what Parse allows. The library
// is more generous: it skips what stands around the number, and reads letters
// and extensions.
func wellFormed(number string) bool {
	if len(number) > maxInput || !utf8.ValidString(number) {
		return false
	}
	number = strings.TrimFunc(number, isSpace)
	digits, plus, last := 0, false, rune(0)
	for i, r := range number {
		switch {
		case unicode.Is(unicode.Nd, r):
			digits++
		case r == '+' || r == '\uff0b':
			if plus || digits > 0 {
				return false
			}
			plus = true
		case i == 0 && r != '(' && r != '\uff08':
			return false
		case !isSpace(r) && !strings.ContainsRune(separators, r):
			return false
		}
		last = r
	}
	return digits > 0 && unicode.Is(unicode.Nd, last)
}

// isSpace knows the spaces that may stand in a number: ASCII, no-break, full width.
func isSpace(r rune) bool { return r == ' ' || r == '\u00a0' || r == '\u3000' }
