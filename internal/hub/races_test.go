package hub_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
)

// started is a connection that is in no chat yet.
func started(h *hub.Hub, user string, userSeq int64) *hub.Conn {
	return start(connect(h, user), userSeq, nil)
}

// tooEarly is the first Start of a connection whose heads are from before something that nobody kept.
func tooEarly(t *testing.T, h *hub.Hub, c *hub.Conn, userSeq int64, heads map[string]int64) {
	t.Helper()
	for chat := range heads {
		h.Publish(hub.Event{ChatID: chat, Body: []byte("a receipt, say"), To: []string{}})
	}
	if c.Start(userSeq, heads) {
		t.Error("heads from before what has happened will do")
	}
}

func resumes(t *testing.T, c *hub.Conn) {
	t.Helper()
	if err := c.Err(); !errors.Is(err, hub.ErrGap) {
		t.Errorf("the connection has %v, want ErrGap", err)
	}
}

// Another one's heads were read after a removal that hers do not know.
func TestHeadsOlderThanAnothersAreReadAgain(t *testing.T) {
	h := hub.New(hub.Options{})
	ann, bob := connect(h, "ann"), connect(h, "bob")
	defer ann.Close()
	defer bob.Close()
	tooEarly(t, h, ann, 1, map[string]int64{"a": 8})
	tooEarly(t, h, bob, 1, map[string]int64{"a": 8})
	if !bob.Start(1, map[string]int64{"a": 9}) {
		t.Error("bob's heads will not do")
	}
	h.Publish(out("ann", "a", 9, 2))
	if !ann.Start(1, map[string]int64{"a": 8}) {
		t.Error("ann is out, there is nothing to read again")
	}
	h.Publish(event("a", 10))
	want(t, ann, "")
	want(t, bob, "a10")

	// The same with a message at 9, which is not kept for ann.
	cid, dan := connect(h, "cid"), connect(h, "dan")
	defer cid.Close()
	defer dan.Close()
	tooEarly(t, h, cid, 1, map[string]int64{"b": 8})
	start(dan, 1, map[string]int64{"b": 9})
	if cid.Start(1, map[string]int64{"b": 8}) {
		t.Error("cid misses event 9")
	}
	h.Publish(event("b", 9), event("b", 10))
	start(cid, 1, map[string]int64{"b": 9})
	want(t, cid, "b10")
	want(t, dan, "b10")
}

func TestALeaveThatOvertakesItsJoin(t *testing.T) {
	h := hub.New(hub.Options{})
	ann := started(h, "ann", 4)
	defer ann.Close()
	h.Publish(out("ann", "a", 9, 6))
	h.Publish(in("ann", "a", 8, 5)) // nobody listens to the chat, so nothing tells the order
	h.Publish(event("a", 9), event("a", 10))
	want(t, ann, "")
	h.Publish(in("ann", "a", 11, 7), event("a", 12))
	want(t, ann, "a11 a12")
}

func TestAJoinThatIsOlderThanTheConnection(t *testing.T) {
	h := hub.New(hub.Options{})
	ann := started(h, "ann", 6) // her heads know that she joined at 5 and left at 6
	defer ann.Close()
	h.Publish(in("ann", "a", 8, 5), event("a", 10))
	want(t, ann, "")
}

func TestAJoinThatAnothersHeadsHavePassed(t *testing.T) {
	h := hub.New(hub.Options{})
	ann, bob := started(h, "ann", 0), open(h, "bob", "a", 9)
	defer ann.Close()
	defer bob.Close()
	h.Publish(in("ann", "a", 8, 1))
	resumes(t, ann) // event 9 will not come to her

	// One that is still starting only reads its heads again.
	cid := connect(h, "cid")
	defer cid.Close()
	h.Publish(in("cid", "a", 7, 1))
	if cid.Start(0, nil) {
		t.Error("heads from before the join will do")
	}
	if !cid.Start(1, map[string]int64{"a": 9}) {
		t.Error("heads from after it will not")
	}
	h.Publish(event("a", 10))
	want(t, cid, "a10")
}

func TestAJoinParkedWhenHeadsPassIt(t *testing.T) {
	h := hub.New(hub.Options{})
	ann, bob := started(h, "ann", 0), connect(h, "bob")
	defer ann.Close()
	defer bob.Close()
	tooEarly(t, h, bob, 0, map[string]int64{"a": 7})
	h.Publish(in("ann", "a", 8, 1)) // parked: where bob starts is not known
	start(bob, 0, map[string]int64{"a": 8})
	resumes(t, ann)
}

func TestGivingUpForgetsNoJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(hub.Options{Logger: slog.New(slog.DiscardHandler)})
		ann, bob := started(h, "ann", 0), open(h, "bob", "a", 5)
		defer ann.Close()
		defer bob.Close()
		h.Publish(in("ann", "a", 7, 1))
		time.Sleep(2 * time.Second)
		resumes(t, ann)
		resumes(t, bob)
		again := open(h, "bob", "a", 7)
		defer again.Close()
		h.Publish(event("a", 8))
		want(t, again, "a8")
	})
}

func TestTheLastListenerTakesNoJoinAlong(t *testing.T) {
	h := hub.New(hub.Options{})
	ann, bob := started(h, "ann", 0), open(h, "bob", "a", 5)
	defer ann.Close()
	h.Publish(in("ann", "a", 7, 1)) // parked behind 6
	bob.Close()
	resumes(t, ann)
}

// Nobody listened when event 9 passed by.
func TestAJoinThatWasOvertakenUnheard(t *testing.T) {
	h := hub.New(hub.Options{})
	ann, bob := started(h, "ann", 0), started(h, "bob", 0)
	defer ann.Close()
	defer bob.Close()
	h.Publish(event("a", 9), in("ann", "a", 8, 1))
	resumes(t, ann)
	h.Publish(event("new", 1))
	h.Listen("bob", "new", 0, 1)
	resumes(t, bob)
}

// While a first connection reads its heads nothing is known to be missing.
func TestStartMayTakeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(hub.Options{})
		c := connect(h, "ann")
		defer c.Close()
		tooEarly(t, h, c, 0, map[string]int64{"a": 0})
		h.Publish(event("a", 2))
		time.Sleep(time.Minute)
		start(c, 0, map[string]int64{"a": 1})
		want(t, c, "a2")
	})
}

func TestJoinBetweenTheHeadsAndStart(t *testing.T) {
	h := hub.New(hub.Options{})
	c := connect(h, "ann")
	defer c.Close()
	h.Publish(in("ann", "a", 8, 1), event("a", 9))
	h.Listen("ann", "new", 0, 2)
	h.Publish(event("new", 1))
	start(c, 0, nil) // read before she joined
	want(t, c, "a8 a9 new1")
	h.Listen("ann", "old", 0, 0) // heads know it, or that she left
	h.Publish(event("old", 1))
	want(t, c, "")
}

func TestABurstAndALargeAnswerAreNotSlowness(t *testing.T) {
	h := hub.New(hub.Options{})
	c := open(h, "ann", "a", 0)
	defer c.Close()
	for seq := range int64(1000) { // members added by one call
		h.Publish(event("a", seq+1))
	}
	c.Answer(make([]byte, 8<<20))
	if items, err := c.Next(t.Context(), nil); err != nil || len(items) != 1001 {
		t.Errorf("%d items, %v", len(items), err)
	}
}

func TestRoom(t *testing.T) {
	h := hub.New(hub.Options{})
	c := open(h, "ann", "a", 0)
	defer c.Close()
	c.Answer(make([]byte, 1<<20))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Room(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Room = %v with a full queue", err)
	}
	done := make(chan error)
	go func() { done <- c.Room(t.Context()) }()
	if _, err := c.Next(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("Room = %v", err)
	}
	c.Answer(make([]byte, 1<<20))
	go func() { done <- c.Room(t.Context()) }()
	c.Close()
	if err := <-done; !errors.Is(err, hub.ErrClosed) {
		t.Errorf("Room = %v", err)
	}
}

func TestLimitAndFailed(t *testing.T) {
	h := hub.New(hub.Options{MaxEvents: 1})
	failed := 0
	peer := hub.Peer{UserID: "ann", Limit: 1, Failed: func() { failed++ }}
	first, second := h.Connect(peer), h.Connect(peer)
	if first.Err() != nil || !errors.Is(second.Err(), hub.ErrTooMany) {
		t.Errorf("errors %v and %v", first.Err(), second.Err())
	}
	second.Close()
	for range 3 {
		h.SendUser("ann", 0, []byte("x"))
	}
	first.Close()
	if failed != 1 {
		t.Errorf("told %d times of a failure", failed)
	}
	third := h.Connect(peer)
	third.Close()
	if third.Err(); failed != 1 || h.Connections("") != 0 {
		t.Errorf("told %d times, %d connections", failed, h.Connections(""))
	}
}

func TestChatsLeftAreBounded(t *testing.T) {
	h := hub.New(hub.Options{})
	c := started(h, "ann", 0)
	defer c.Close()
	for i := range int64(1025) {
		h.Publish(out("ann", "chat"+string(rune(0x4E00+i)), 1, i+1))
	}
	resumes(t, c)
}

// A user who was removed and let in again on another node: his own event of
// joining comes before the chat's of his removal. What lies between is not his to hear.
func TestListenBeforeTheRemovalHasCome(t *testing.T) {
	h := hub.New(hub.Options{})
	ann, bob := connect(h, "ann"), connect(h, "bob")
	defer ann.Close()
	defer bob.Close()
	start(ann, 1, map[string]int64{"a": 5})
	start(bob, 1, map[string]int64{"a": 5})
	h.Listen("ann", "a", 8, 3) // joined at 9
	h.Listen("ann", "a", 8, 3)
	h.Publish(event("a", 6), out("ann", "a", 7, 2), event("a", 8), in("ann", "a", 9, 3), event("a", 10))
	want(t, ann, "a9 a10")
	want(t, bob, "a6 a7 a8 a9 a10")
	if last, known, listened := h.Place("a"); last != 10 || !known || !listened {
		t.Errorf("the chat stands at %d, %v, %v", last, known, listened)
	}
}

// Who can help with a gap is asked before anybody is cut.
func TestMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan int64, 9)
		h := hub.New(hub.Options{
			Logger:  slog.New(slog.DiscardHandler),
			Missing: func(chat string, after int64) { asked <- after },
		})
		ann := start(connect(h, "ann"), 1, map[string]int64{"a": 5})
		defer ann.Close()
		h.Publish(event("a", 8))
		time.Sleep(200 * time.Millisecond)
		if after := <-asked; after != 5 {
			t.Errorf("asked for events after %d, want 5", after)
		}
		h.Publish(event("a", 6), event("a", 7))
		want(t, ann, "a6 a7 a8")
		time.Sleep(2 * time.Second)
		if err := ann.Err(); err != nil || len(asked) > 0 {
			t.Errorf("the connection has %v, asked %d times more", err, len(asked))
		}
		h.Publish(event("a", 10))
		time.Sleep(2 * time.Second)
		if after := <-asked; after != 8 {
			t.Errorf("asked for events after %d, want 8", after)
		}
		resumes(t, ann)
	})
}
