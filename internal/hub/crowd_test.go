package hub_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
)

// What comes quickly to a crowd goes together, in order; what comes now and then, and
// to few, at once.
func TestCrowdsGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(hub.Options{})
		crowd := make([]*hub.Conn, 100)
		for i := range crowd {
			crowd[i] = open(h, fmt.Sprint("user", i), "a", 0)
			defer crowd[i].Close()
		}
		few := open(h, "user0", "b", 0)
		defer few.Close()
		is := func(what, events string) {
			t.Helper()
			for _, c := range crowd[1:] {
				if got := waiting(t, c); got != events {
					t.Fatalf("%s: %q, want %q", what, got, events)
				}
			}
		}
		h.Publish(event("a", 1))
		is("the first", "a1")
		time.Sleep(10 * time.Millisecond)
		h.Publish(event("a", 2))
		is("one after a while", "a2")
		for seq := int64(3); seq < 8; seq++ {
			h.Publish(event("a", seq), event("b", seq-2))
			time.Sleep(time.Millisecond)
		}
		is("many, at once", "")
		want(t, few, "b1 b2 b3 b4 b5")
		time.Sleep(10 * time.Millisecond)
		is("many, after a moment", "a3 a4 a5 a6 a7")

		// Nobody hears what came after he left, nor before he joined.
		left := crowd[0]
		waiting(t, left)
		h.Publish(event("a", 8), out("user0", "a", 9, 1), event("a", 10))
		want(t, left, "a8 a9")
		late := start(connect(h, "late"), 0, nil)
		defer late.Close()
		h.Publish(event("a", 11), in("late", "a", 12, 1), event("a", 13))
		time.Sleep(50 * time.Millisecond)
		want(t, late, "a12 a13")
		want(t, left, "")
		is("all the same", "a8 a9 a10 a11 a12 a13")

		for seq := int64(14); seq < 14+300; seq++ { // more than may gather
			h.Publish(event("a", seq))
		}
		if got := waiting(t, crowd[1]); len(got) < 1000 {
			t.Errorf("what gathers has no bound: %q", got)
		}
	})
}
