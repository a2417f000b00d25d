package messaging

import (
	"errors"
	"strings"
	"testing"

	"github.com/wigwag-chat/wigwag/errs"
)

func TestCheckText(t *testing.T) {
	for name, text := range map[string]string{
		"one rune":         "x",
		"the longest":      strings.Repeat("𝄞", MaxText),
		"inner white":      "\t a \n",
		"control alone":    "\x01",
		"joined emoji":     "👩‍👩‍👧",
		"visible format":   "\u0600", // Arabic number sign
		"combining":        "e\u0301",
		"right-to-left":    "\u200fשלום",
		"replacement rune": "\ufffd",
	} {
		if err := checkText(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"empty":           {"", ErrEmptyMessage},
		"white":           {" \t\r\n\v\f\u0085\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000", ErrEmptyMessage},
		"zero width":      {"\u200b\u200c\u200d\ufeff\u2060", ErrEmptyMessage},
		"marks of order":  {" \u200e\u200f\u202a\u202e\u2066\u00ad ", ErrEmptyMessage},
		"one too long":    {strings.Repeat("a", MaxText+1), ErrMessageTooLong},
		"wide and long":   {strings.Repeat("𝄞", MaxText+1), ErrMessageTooLong},
		"a mebibyte":      {strings.Repeat("\xff", 1<<20), ErrMessageTooLong},
		"NUL":             {"a\x00b", errs.Invalid},
		"not UTF-8":       {"a\xff", errs.Invalid},
		"half a rune":     {"a\xe2\x82", errs.Invalid},
		"lone surrogate":  {"\xed\xa0\x80", errs.Invalid},
		"overlong":        {"\xc0\x80", errs.Invalid},
		"beyond Unicode":  {"\xf4\x90\x80\x80", errs.Invalid},
		"white, then bad": {" \xff", errs.Invalid},
	} {
		if err := checkText(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestWellFormed(t *testing.T) {
	for _, id := range []string{"a", "0192-ab", "user@host", "Ü b", strings.Repeat("a", MaxID)} {
		if !wellFormed(id) {
			t.Errorf("%q is refused", id)
		}
	}
	for _, id := range []string{"", "a\x00", "a\n", "\x7f", "\u0085", "\xff", strings.Repeat("a", MaxID+1)} {
		if wellFormed(id) {
			t.Errorf("%q is taken", id)
		}
	}
}

func TestCheckWindow(t *testing.T) {
	for _, w := range []Window{{}, {Before: 9}, {After: 9, Limit: MaxPage}, {Around: 1, Limit: 1}, {Offset: maxOffset}} {
		got, err := checkWindow(w)
		if err != nil || got.Limit != max(w.Limit, map[bool]int{true: defaultPage}[w.Limit == 0]) {
			t.Errorf("%+v: %+v, %v", w, got, err)
		}
	}
	for _, w := range []Window{
		{Before: 1, After: 1}, {After: 1, Around: 1}, {Before: 1, Around: 2}, {Before: 1, Offset: 1},
		{Before: -1}, {After: -1}, {Around: -1}, {Offset: -1}, {Offset: maxOffset + 1}, {Limit: -1}, {Limit: MaxPage + 1},
	} {
		if _, err := checkWindow(w); !errors.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v", w, err)
		}
	}
}
