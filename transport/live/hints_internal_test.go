package live

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/bus"
)

// Notes hold all hints between them, and none is longer than a bus takes.
func TestNotesAreCut(t *testing.T) {
	long := strings.Repeat("é\n", 60)
	for name, counts := range map[string][5]int{
		"nothing": {}, "one": {1, 0, 0, 0, 0}, "few": {3, 2, 1, 0, 0}, "chats": {1000, 0, 0, 0, 0}, "users": {0, 999, 0, 0, 0},
		"sessions": {0, 0, 77, 0, 0}, "one of each kind": {1, 1, 1, 1, 1}, "typists": {0, 0, 0, 500, 0}, "seen": {0, 0, 0, 0, 500}, "all": {300, 301, 302, 303, 304},
	} {
		t.Run(name, func(t *testing.T) {
			want := note{Node: "n", All: true}
			for i := range counts[0] {
				want.Chats = append(want.Chats, chatHint{fmt.Sprint(long, i), int64(i), int64(i + 1)})
			}
			for i := range counts[1] {
				want.Users = append(want.Users, userHint{fmt.Sprint(long, i), int64(i)})
			}
			for i := range counts[2] {
				want.Ended = append(want.Ended, session{fmt.Sprint(long, i), long})
			}
			for i := range counts[3] {
				want.Typed = append(want.Typed, typist{fmt.Sprint(long, i), long, i%2 == 0})
			}
			for i := range counts[4] {
				want.Seen = append(want.Seen, seenHint{fmt.Sprint(long, i), i%2 == 0})
			}
			got := note{Node: "n"}
			for _, body := range want.encode() {
				var n note
				if err := json.Unmarshal(body, &n); err != nil || len(body) > bus.MaxNote || n.Node != "n" {
					t.Fatalf("a note of %d bytes from %q: %v", len(body), n.Node, err)
				}
				got.Chats, got.Users, got.Ended = append(got.Chats, n.Chats...), append(got.Users, n.Users...), append(got.Ended, n.Ended...)
				got.Typed, got.Seen = append(got.Typed, n.Typed...), append(got.Seen, n.Seen...)
				got.All = got.All || n.All
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-told +notes):\n%s", diff)
			}
		})
	}
	huge := note{Node: "n", Ended: []session{{"u", strings.Repeat("s", bus.MaxNote)}}}
	if got := string(huge.encode()[0]); got != `{"node":"n","all":true}` {
		t.Errorf("an id too long for a note: %.100s", got)
	}
}

// What cannot be sent is kept, up to a bound; above, others are told to look at everything.
func TestHintsAreBounded(t *testing.T) {
	h := newHints()
	add := func(chat string, seq int64) {
		h.add(messaging.Committed{Events: []messaging.Event{{ChatID: chat, Seq: seq}}})
	}
	add("a", 3)
	n, some := h.take()
	add("a", 5)
	add("b", 1)
	h.again(n)
	n, _ = h.take()
	got := map[string]int64{}
	for _, c := range n.Chats {
		got[c.ID] = c.Seq
	}
	if diff := cmp.Diff(map[string]int64{"a": 5, "b": 1}, got); diff != "" || !some || n.All {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i := range maxHints + 1 {
		add(fmt.Sprint(i), 1)
	}
	if n, some := h.take(); !some || !n.All || len(n.Chats) > 1 {
		t.Errorf("%d chats are told, all: %v", len(n.Chats), n.All)
	}
	if _, some := h.take(); some {
		t.Error("there is more to tell")
	}
}
