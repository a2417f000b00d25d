package e164_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
	"github.com/nyaruka/phonenumbers"

	"github.com/wigwag-chat/wigwag/phone/e164"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ number, region, want string }{
		{"+14155550100", "", "+14155550100"},
		{"+12025550123", "", "+12025550123"}, // the US plan's numbers for fiction, in an area code that exists
		{" +1 415 555 0100 ", "", "+14155550100"},
		{"+1 (415) 555-0100", "", "+14155550100"},
		{"(+1) 415.555.0100", "", "+14155550100"},
		{"+1/415/555/0100", "", "+14155550100"},
		{"+1\u00a0415\u2011555\u20130100", "", "+14155550100"},
		{"\uff0b\uff11\uff14\uff11\uff15\uff15\uff15\uff15\uff10\uff11\uff10\uff10", "", "+14155550100"},
		{"\uff0b\uff11\uff08\uff14\uff11\uff15\uff09\uff15\uff15\uff15\uff0d\uff10\uff11\uff10\uff10", "", "+14155550100"},
		{"+1415\u0665\u0665\u06650100", "", "+14155550100"}, // Arabic-Indic digits
		{"415 555 0100", "US", "+14155550100"},
		{"415 555 0100", "us", "+14155550100"},
		{"1 415 555 0100", "US", "+14155550100"},
		{"030 123456", "DE", "+4930123456"},
		{"011 49 30 123456", "US", "+4930123456"},
		{"06 12345678", "IT", "+390612345678"}, // the zero is part of Italian numbers
		{"+44 (0)20 7946 0958", "", "+442079460958"},
		{"+14155550100", "DE", "+14155550100"},
	} {
		if got, err := (e164.Parser{}).Parse(c.number, c.region); err != nil || got != c.want {
			t.Errorf("%+q in %q: %q, %v; want %q", c.number, c.region, got, err, c.want)
		}
	}
}

func TestParseDefaultRegion(t *testing.T) {
	german := e164.Parser{DefaultRegion: "de"}
	if got, err := german.Parse("030 123456", ""); err != nil || got != "+4930123456" {
		t.Errorf("in the default region: %q, %v", got, err)
	}
	if got, err := german.Parse("415 555 0100", "US"); err != nil || got != "+14155550100" {
		t.Errorf("in a named region: %q, %v", got, err)
	}
	if _, err := (e164.Parser{}).Parse("415 555 0100", ""); !errors.Is(err, e164.ErrInvalidNumber) {
		t.Errorf("without a region: %v", err)
	}
	for _, region := range []string{"ZZ", "U", "USA", "001", "1", "U\x00", "\xff"} {
		if _, err := (e164.Parser{}).Parse("+14155550100", region); !errors.Is(err, e164.ErrInvalidRegion) {
			t.Errorf("region %q: %v", region, err)
		}
	}
}

func TestPrefix(t *testing.T) {
	for number, want := range map[string]string{
		"+14155550100":   "+1415",
		"+442079460958":  "+44207",
		"+4930123456":    "+49301",
		"14155550100":    "",
		"+1 415 5550100": "",
		"+14":            "",
		"":               "",
		"+abc":           "",
	} {
		if got := (e164.Parser{}).Prefix(number); got != want {
			t.Errorf("%q: %q; want %q", number, got, want)
		}
	}
}

// Forms that change again when their result is read are refused.
func TestParseIsStable(t *testing.T) {
	for _, number := range []string{"+37588104371744", "+37588109263979"} {
		if got, err := (e164.Parser{}).Parse(number, ""); err == nil {
			again, err := (e164.Parser{}).Parse(got, "")
			t.Errorf("%s is read as %s, and that as %q, %v", number, got, again, err)
		}
	}
}

// invalid lists what is refused in the region US.
func invalid() []string {
	const good = "+14155550100"
	bad := []string{
		"", " ", "+", "++", "-", "()", "0", "1", "911", "112", "+1", "+1415", "+1415555010", "+141555501000",
		"hello", "null", "12345", "+0", "+00000000000", "00000000000", "+999123456789", "+1234567890123456789",
		"+15550100", "+15550100001", "+15555550100", "+447700900123", // fictional, and outside what the plans assign
		"+11115550100", "+10005550100", "+14151550100", "+1 415 55", "+800123", "+49", "+4915", "+86 1", "+390",
		"+1415555O1OO", "1-800-FLOWERS", "+1800FLOWERS", "+1 415 KLONDIKE", "tel:+14155550100", "sms:+14155550100",
		"+14155550100;ext=5", "+14155550100 ext 5", "+14155550100 ext. 5", "+14155550100x5", "+14155550100,5", "+14155550100;5",
		"+14155550100#", "*+14155550100", "+1*4155550100", "+1415#5550100", "+14155550100 or +14155550101", "+14155550100/+14155550101",
		"++14155550100", "+1+4155550100", "14155550100+", "-+14155550100", ".14155550100", "+14155550100-", "+14155550100(", "+14155550100.",
		"abc+14155550100", "+14155550100abc", "phone: +14155550100", "+14155550100\n", "\n+14155550100", "+1415\t5550100", "+1415\r\n5550100",
		"+14155550100\x00", "\x00+14155550100", "+1415\x005550100", "+1415555\xff0100", "\xc3+14155550100", "+1415555\xed\xa0\x800100", "\xff\xfe",
		"+1415\u200b5550100", "\u202a+14155550100\u202c", "\ufeff+14155550100", "+1415\u00ad5550100", "+1415\u20605550100",
		"+1415555\u00b9\u00b2\u00b30", "+1415555\u2160", "+\u4e00\u4e8c\u4e09", "\u260e +14155550100", "+1415555010\U0001f51f",
		"+1415~5550100", "[+1]4155550100", "+1_4155550100", "+1'415'5550100", "+1 415 555 0100 0100", "+14155550100'--", "<b>+14155550100</b>",
		"{\"phone\":1}", "1e10", "0x14155550100", "+1.4e9", "-14155550100", "NaN", "+14155550100@example.org", "+14155550100?", "%2B14155550100",
		good + strings.Repeat(" ", 64-len(good)+1), strings.Repeat("1", 65), "+" + strings.Repeat("1", 1<<20), strings.Repeat("(", 60) + "1",
	}
	for _, r := range "!\"$%&':;<=>?@\\^_`{|}~xX" {
		bad = append(bad, "+1415"+string(r)+"5550100")
	}
	return bad
}

func TestParseRefuses(t *testing.T) {
	bad := invalid()
	if len(bad) < 100 {
		t.Fatalf("only %d strings", len(bad))
	}
	for _, number := range bad {
		got, err := (e164.Parser{}).Parse(number, "US")
		if got != "" || !errors.Is(err, e164.ErrInvalidNumber) {
			t.Errorf("%.80q: %q, %v", number, got, err)
		}
	}
}

// regions are those with an example number, in a fixed order.
func regions() (list []string) {
	for region := range phonenumbers.GetSupportedRegions() {
		if phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE) != nil {
			list = append(list, region)
		}
	}
	slices.Sort(list)
	return list
}

func TestParseProperty(t *testing.T) {
	all := regions()
	var parser e164.Parser
	formats := []phonenumbers.PhoneNumberFormat{phonenumbers.E164, phonenumbers.INTERNATIONAL}
	types := []phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE}

	p := gopter.NewProperties(nil)
	p.Property("a valid number of any region comes back in E.164 form, and nothing beside it does", prop.ForAll(
		func(region string, format, kind int, tail, at uint8) string {
			n := phonenumbers.GetExampleNumberForType(region, types[kind])
			if n == nil {
				return ""
			}
			// Neighbours in the numbering plan, where they are valid.
			if v := n.GetNationalNumber()/1000*1000 + uint64(tail); v != 0 {
				old := n.GetNationalNumber()
				n.NationalNumber = &v
				if !phonenumbers.IsValidNumber(n) {
					n.NationalNumber = &old
				}
			}
			want := phonenumbers.Format(n, phonenumbers.E164)
			typed := phonenumbers.Format(n, formats[format])
			if got, err := parser.Parse(typed, ""); err != nil || got != want {
				return fmt.Sprintf("%q is read as %q, %v; want %q", typed, got, err, want)
			}
			if got, err := parser.Parse(want, ""); err != nil || got != want {
				return fmt.Sprintf("%q comes back as %q, %v", want, got, err)
			}
			prefix := parser.Prefix(want)
			if cc := fmt.Sprintf("+%d", n.GetCountryCode()); len(prefix) != len(cc)+3 || !strings.HasPrefix(want, prefix) || !strings.HasPrefix(prefix, cc) {
				return fmt.Sprintf("%q has the prefix %q", want, prefix)
			}
			i := int(at) % len(want)
			for _, junk := range []string{"x", ";", "\x00", "\xff", "\n", "+1"} {
				typed := want[:i] + junk + want[i:]
				if got, err := parser.Parse(typed, ""); got != "" || !errors.Is(err, e164.ErrInvalidNumber) {
					return fmt.Sprintf("%q is read as %q, %v", typed, got, err)
				}
			}
			return ""
		},
		gen.IntRange(0, len(all)-1).Map(func(i int) string { return all[i] }),
		gen.IntRange(0, len(formats)-1), gen.IntRange(0, len(types)-1), gen.UInt8(), gen.UInt8(),
	))
	p.TestingRun(t)
}

func FuzzParse(f *testing.F) {
	f.Add("+14155550100", "")
	f.Add("(030) 123456", "DE")
	f.Add("+37588104371744", "")
	f.Add("\uff0b\uff11 415 555 0100", "us")
	f.Add("+1415\x005550100", "US")
	f.Fuzz(func(t *testing.T, number, region string) {
		var parser e164.Parser
		got, err := parser.Parse(number, region)
		parser.Prefix(number)
		if err != nil {
			if got != "" || !errors.Is(err, e164.ErrInvalidNumber) && !errors.Is(err, e164.ErrInvalidRegion) {
				t.Fatalf("%q in %q: %q, %v", number, region, got, err)
			}
			return
		}
		if len(got) > 16 || got[0] != '+' || strings.Trim(got[1:], "0123456789") != "" {
			t.Fatalf("%q in %q: %q is not E.164", number, region, got)
		}
		if again, err := parser.Parse(got, ""); err != nil || again != got {
			t.Fatalf("%q in %q: %q comes back as %q, %v", number, region, got, again, err)
		}
		if parser.Prefix(got) == "" {
			t.Fatalf("%q has no prefix", got)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, number := range []string{"+14155550100", "+1 (415) 555-0100", "nonsense"} {
		b.Run(number, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e164.Parser{}.Parse(number, "US")
			}
		})
	}
}

func TestFictionalNumbersAreForDevelopment(t *testing.T) {
	for number, want := range map[string]string{
		"+15550100": "+15550100", "+1 (555) 010-0001": "+15550100001", "+1555012": "", "15550100": "", "+25550100": "",
		"+1555010\uff100": "", "+1555010\u0660": "", "+15550100\uff10": "", // no digit is passed over
	} {
		if got, err := (e164.Parser{Fictional: true}).Parse(number, ""); got != want || (err == nil) != (want != "") {
			t.Errorf("Parse(%q) = %q, %v, want %q", number, got, err, want)
		}
		if got, err := (e164.Parser{}).Parse(number, ""); err == nil {
			t.Errorf("the strict parser takes %q as %q", number, got)
		}
	}
}
