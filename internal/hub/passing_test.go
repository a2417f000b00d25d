package hub_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/wigwag-chat/wigwag/internal/hub"
)

func passing(chat, key, body string) hub.Event {
	return hub.Event{ChatID: chat, Key: key, Body: []byte(body)}
}

func TestTheLatestOfWhatPasses(t *testing.T) {
	h := hub.New(hub.Options{})
	c := open(h, "ann", "a", 0)
	defer c.Close()
	h.Publish(passing("a", "x", "x1"), passing("a", "y", "y1"), event("a", 1), passing("a", "x", "x2"))
	h.SendPassing("ann", "y", []byte("y2"))
	want(t, c, "a1 x2 y2")
	h.Publish(passing("a", "x", "x3"))
	want(t, c, "x3")
}

func TestWhatPassesGoesToSome(t *testing.T) {
	h := hub.New(hub.Options{})
	ann, bob, eve := open(h, "ann", "a", 0), open(h, "bob", "a", 0), open(h, "eve", "b", 0)
	for _, c := range []*hub.Conn{ann, bob, eve} {
		defer c.Close()
	}
	e := passing("a", "x", "x")
	e.To = []string{"bob", "eve", "nobody"}
	h.Publish(e)
	want(t, ann, "")
	want(t, bob, "x")
	want(t, eve, "") // is not in the chat
}

// A full queue drops what passes, but not the newest of a key that waits there.
func TestTheLatestStaysInAFullQueue(t *testing.T) {
	h := hub.New(hub.Options{MaxEvents: 3})
	c := open(h, "ann", "a", 0)
	defer c.Close()
	h.Publish(event("a", 1))
	h.Publish(event("a", 2))
	h.Publish(passing("a", "x", "x1"))
	h.Publish(passing("a", "x", "x2 is longer"))
	h.Publish(passing("a", "y", "y1"))
	want(t, c, "a1 a2 x2 is longer")

	full := hub.New(hub.Options{MaxBytes: 400})
	c = open(full, "ann", "a", 0)
	defer c.Close()
	full.Publish(passing("a", "x", "x1"))
	full.Publish(event("a", 1))
	full.Publish(event("a", 2)) // beyond the bytes
	full.Publish(passing("a", "x", "x2"))
	want(t, c, "a1 a2 x2")
}

// What passes is dropped before a connection is cut, and never cuts one.
func TestWhatPassesMakesRoom(t *testing.T) {
	h := hub.New(hub.Options{MaxEvents: 3})
	c := open(h, "ann", "a", 0)
	defer c.Close()
	for i := range 10 {
		h.Publish(passing("a", fmt.Sprint(i), fmt.Sprint("p", i)))
	}
	h.Publish(event("a", 1))
	h.Publish(event("a", 2))
	want(t, c, "a1 a2")
	for seq := range int64(3) {
		h.Publish(event("a", 3+seq))
	}
	h.Publish(passing("a", "x", "x"))
	if err := c.Err(); err != nil {
		t.Errorf("cut by what passes: %v", err)
	}
	h.Publish(event("a", 6))
	if err := c.Err(); !errors.Is(err, hub.ErrSlow) {
		t.Errorf("the connection has %v, want ErrSlow", err)
	}
}

// What is published in one call is one run, whatever its size, and Take hands it
// out as one item.
func TestTakeAndReady(t *testing.T) {
	h := hub.New(hub.Options{MaxEvents: 1})
	ready := 0
	c := h.Connect(hub.Peer{UserID: "ann", Ready: func() { ready++ }})
	defer c.Close()
	start(c, 0, map[string]int64{"a": 0})
	h.Publish(event("a", 1), event("a", 2), event("a", 3))
	items, err := c.Take(nil)
	if err != nil || len(items) != 1 || string(items[0].Body) != "a1,a2,a3" {
		t.Errorf("took %d items, %v", len(items), err)
	}
	h.Publish(event("a", 4)) // Take has not found nothing yet: no second call
	items, _ = c.Take(nil)
	if none, err := c.Take(nil); ready != 1 || len(items) != 1 || len(none) != 0 || err != nil {
		t.Errorf("asked for %d writers, took %d and %d, %v", ready, len(items), len(none), err)
	}
	c.Fail(errors.New("over"))
	if _, err := c.Take(nil); ready != 2 || err == nil {
		t.Errorf("asked for %d writers, Take = %v", ready, err)
	}
}

// Who starts within a run, has a body of his own, or leaves, gets his part of it.
func TestPartsOfARun(t *testing.T) {
	h := hub.New(hub.Options{})
	ann, bob, cid := open(h, "ann", "a", 0), started(h, "bob", 0), start(connect(h, "cid"), 0, map[string]int64{"a": 2})
	for _, c := range []*hub.Conn{ann, bob, cid} {
		defer c.Close()
	}
	mine := event("a", 5)
	mine.For = map[string][]byte{"ann": []byte("mine"), "cid": nil}
	h.Publish(event("a", 1), event("a", 2), event("a", 3), in("bob", "a", 4, 1), mine, event("a", 6), out("cid", "a", 7, 1), event("a", 8))
	want(t, ann, "a1 a2 a3 a4 mine a6 a7 a8")
	want(t, bob, "a4 a5 a6 a7 a8")
	want(t, cid, "a3 a4 a6 a7")
}
