package messaging

import (
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/wigwag-chat/wigwag/errs"
)

func TestCursor(t *testing.T) {
	for _, c := range []cursor{{0, "a"}, {math.MaxInt64, strings.Repeat("ü", MaxID/2)}, {math.MinInt64, "x y"}} {
		text := c.encode(chatList)
		if got, err := parseCursor(chatList, text); err != nil || got != c {
			t.Errorf("%+v came back as %+v, %v", c, got, err)
		}
		if _, err := parseCursor(memberList, text); !errors.Is(err, errs.Invalid) {
			t.Errorf("another list takes the cursor: %v", err)
		}
	}
	good := cursor{7, "user"}.encode(memberList)
	for _, bad := range []string{
		"x", good[:8], good + "\n", good[:4] + "\r\n" + good[4:], good + "=", "!" + good, strings.Repeat(good, 20),
		cursor{7, ""}.encode(memberList), cursor{7, "a\x00"}.encode(memberList), cursor{7, "\xff"}.encode(memberList),
		base64.RawURLEncoding.EncodeToString([]byte("\x02m\x00\x00\x00\x00\x00\x00\x00\x00id")),
	} {
		_, err := parseCursor(memberList, bad)
		if errs.CodeOf(err) != "invalid_cursor" || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzListCursor: nothing but what encode wrote is taken, and nothing panics.
func FuzzListCursor(f *testing.F) {
	f.Add("")
	f.Add("AW0AAAAAAAAAAGlk")
	f.Add(cursor{1, "some-id"}.encode(memberList))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(memberList, text)
		switch {
		case err != nil && errs.CodeOf(err) != "invalid_cursor":
			t.Fatalf("%q: %v", text, err)
		case err == nil && text != "" && (c.encode(memberList) != text || !wellFormed(c.id)):
			t.Fatalf("%q is taken for %+v", text, c)
		}
	})
}
