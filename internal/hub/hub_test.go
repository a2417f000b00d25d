package hub_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/internal/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func event(chat string, seq int64) hub.Event {
	return hub.Event{ChatID: chat, Seq: seq, Body: fmt.Appendf(nil, "%s%d", chat, seq)}
}

// open is a started connection that follows one chat from a head on.
func open(h *hub.Hub, user, chat string, head int64) *hub.Conn {
	return start(connect(h, user), 0, map[string]int64{chat: head})
}

func connect(h *hub.Hub, user string) *hub.Conn {
	return h.Connect(hub.Peer{UserID: user, SessionID: "s-" + user})
}

// start starts a connection with heads that do not change.
func start(c *hub.Conn, userSeq int64, heads map[string]int64) *hub.Conn {
	for !c.Start(userSeq, heads) {
	}
	return c
}

// in and out let somebody into a chat and out of it.
func in(user, chat string, seq, userSeq int64) hub.Event {
	e := event(chat, seq)
	e.Join, e.UserSeq = user, userSeq
	return e
}

func out(user, chat string, seq, userSeq int64) hub.Event {
	e := event(chat, seq)
	e.Leave, e.UserSeq = user, userSeq
	return e
}

// waiting returns what waits for a connection, joined by spaces.
func waiting(t *testing.T, c *hub.Conn) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c.Answer([]byte("|"))
	defer cancel()
	got, err := c.Next(ctx, nil)
	if err != nil {
		return err.Error()
	}
	var words []string
	for _, b := range got {
		words = append(words, string(b.Body))
	}
	return strings.TrimSpace(strings.TrimSuffix(strings.Join(words, " "), "|"))
}

func want(t *testing.T, c *hub.Conn, events string) {
	t.Helper()
	if diff := cmp.Diff(events, waiting(t, c)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestEarlyEventsWaitForThoseBefore(t *testing.T) {
	h := hub.New(hub.Options{})
	c := open(h, "ann", "a", 4)
	defer c.Close()
	h.Publish(event("a", 7), event("a", 6), event("b", 1))
	want(t, c, "")
	h.Publish(event("a", 5))
	want(t, c, "a5 a6 a7")
	h.Publish(event("a", 6))
	want(t, c, "")
}

func TestStartDropsWhatTheHeadsCover(t *testing.T) {
	h := hub.New(hub.Options{})
	c := connect(h, "ann")
	defer c.Close()
	h.Publish(event("a", 1))
	if c.Start(1, map[string]int64{"a": 0, "b": 7}) {
		t.Error("heads that were read before event 1 will do")
	}
	h.Publish(event("a", 2), event("b", 9))
	h.SendUser("ann", 2, []byte("left"))
	h.SendUser("ann", 3, []byte("own"))
	h.Publish(event("a", 3))
	if !c.Start(2, map[string]int64{"a": 2}) { // she is no longer in b
		t.Error("fresh heads will not do")
	}
	want(t, c, "own a3")
	h.Publish(event("b", 10), event("a", 4))
	want(t, c, "a4")
}

// Heads read after Connect are fresh enough when nothing happened meanwhile, here or,
// as far as hinted at, elsewhere.
func TestOneReadingOfTheHeads(t *testing.T) {
	h := hub.New(hub.Options{})
	h.Publish(event("a", 7), event("c", 1))
	ann, bob := connect(h, "ann"), connect(h, "bob")
	defer ann.Close()
	defer bob.Close()
	heads := map[string]int64{"a": 7, "b": 3}
	h.Publish(event("c", 2)) // which is not hers
	if !ann.Start(1, heads) {
		t.Error("ann's heads will not do")
	}
	if !bob.Start(1, heads) {
		t.Error("bob's heads will not do")
	}
	h.Publish(event("a", 8), event("b", 4))
	want(t, ann, "a8 b4")
	want(t, bob, "a8 b4")

	// Event 5 of f was committed between the two readings, and is still to be published.
	early, late := connect(h, "eve"), connect(h, "fay")
	defer early.Close()
	defer late.Close()
	if !late.Start(1, map[string]int64{"f": 5}) {
		t.Error("fay's heads will not do")
	}
	if early.Start(1, map[string]int64{"f": 4}) {
		t.Error("heads older than another's will do")
	}
	h.Publish(event("f", 5), event("f", 6))
	start(early, 1, map[string]int64{"f": 5})
	want(t, early, "f6")

	cid := connect(h, "cid")
	defer cid.Close()
	h.Missed("d")
	if cid.Start(1, map[string]int64{"a": 8, "d": 5}) {
		t.Error("heads from before a hint will do")
	}
	dan := connect(h, "dan")
	defer dan.Close()
	for i := range 64 * 300 { // more than is remembered
		h.Publish(event(fmt.Sprint("x", i), 1))
	}
	if dan.Start(1, map[string]int64{"e": 1}) {
		t.Error("heads from before what is forgotten will do")
	}
}

func TestJoinAndLeaveTakeTheirPlaceInTheSequence(t *testing.T) {
	h := hub.New(hub.Options{})
	ann := open(h, "ann", "a", 0)
	defer ann.Close()
	bob := start(connect(h, "bob"), 0, nil)
	defer bob.Close()

	h.Publish(event("a", 5), out("bob", "a", 4, 2), event("a", 3), in("bob", "a", 2, 1), event("a", 1))
	want(t, bob, "a2 a3 a4")
	want(t, ann, "a1 a2 a3 a4 a5")
}

func TestBodiesForSome(t *testing.T) {
	h := hub.New(hub.Options{})
	ann, bob := open(h, "ann", "a", 0), open(h, "bob", "a", 0)
	defer ann.Close()
	defer bob.Close()
	e := event("a", 1)
	e.For = map[string][]byte{"ann": []byte("mine")}
	h.Publish(e, hub.Event{ChatID: "a", Body: []byte("receipt"), For: map[string][]byte{"ann": nil}})
	want(t, ann, "mine")
	want(t, bob, "a1 receipt")
}

func TestSlowConsumerIsCutAndHurtsNobody(t *testing.T) {
	h := hub.New(hub.Options{MaxEvents: 3})
	slow, quick := open(h, "ann", "a", 0), open(h, "bob", "a", 0)
	defer slow.Close()
	defer quick.Close()
	for seq := range int64(5) {
		h.Publish(event("a", seq+1))
		want(t, quick, fmt.Sprintf("a%d", seq+1))
	}
	if _, err := slow.Next(t.Context(), nil); !errors.Is(err, hub.ErrSlow) {
		t.Errorf("Next = %v, want ErrSlow", err)
	}
}

func TestAMissingEventCutsWhoListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(hub.Options{Logger: slog.New(slog.DiscardHandler)})
		c := open(h, "ann", "a", 0)
		defer c.Close()
		h.Publish(event("a", 2))
		_, err := c.Next(t.Context(), nil)
		if !errors.Is(err, hub.ErrGap) {
			t.Errorf("Next = %v, want ErrGap", err)
		}
	})
}

func TestDoubtCutsThoseWhomItConcerns(t *testing.T) {
	h := hub.New(hub.Options{Logger: slog.New(slog.DiscardHandler)})
	ann, bob, cyd := open(h, "ann", "a", 1), open(h, "bob", "b", 1), started(h, "cyd", 0)
	for _, c := range []*hub.Conn{ann, bob, cyd} {
		defer c.Close()
	}
	h.Doubt("a", "cyd", "dan")
	h.Doubt("c")
	resumes(t, ann)
	resumes(t, cyd)
	again := open(h, "ann", "a", 3) // nobody published these
	defer again.Close()
	h.Publish(event("a", 4), event("b", 2))
	want(t, again, "a4")
	want(t, bob, "b2")
}

func TestEndAndClose(t *testing.T) {
	h := hub.New(hub.Options{})
	gone, stays := h.Connect(hub.Peer{UserID: "ann", SessionID: "s1"}), h.Connect(hub.Peer{UserID: "ann", SessionID: "s2"})
	defer gone.Close()
	defer stays.Close()
	errRevoked := errors.New("revoked")
	h.End("ann", []string{"s1"}, errRevoked)
	if _, err := gone.Next(t.Context(), nil); !errors.Is(err, errRevoked) {
		t.Errorf("Next = %v, want revoked", err)
	}
	start(stays, 0, nil)
	want(t, stays, "")
	errStop := errors.New("stop")
	h.Close(errStop)
	if _, err := stays.Next(t.Context(), nil); !errors.Is(err, errStop) {
		t.Errorf("Next = %v, want stop", err)
	}
	late := connect(h, "bob")
	if _, err := late.Next(t.Context(), nil); !errors.Is(err, errStop) {
		t.Errorf("Next of a late one = %v, want stop", err)
	}
	gone.Close()
	stays.Close()
	late.Close()
	if n := h.Connections(""); n != 0 {
		t.Errorf("%d connections left", n)
	}
}

// Whatever the order in which concurrent commits are published, and whenever a
// connection comes, it sees every event above its start once and in order.
func TestConcurrentPublishers(t *testing.T) {
	const events, readers = 2000, 8
	h := hub.New(hub.Options{MaxEvents: events + 1, MaxBytes: 1 << 30, MaxParked: events, GapWait: time.Minute})
	var head struct {
		sync.Mutex
		seq int64
	}
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			c := connect(h, "ann")
			defer c.Close()
			var start int64
			for ok := false; !ok; {
				head.Lock()
				start = head.seq
				head.Unlock()
				ok = c.Start(0, map[string]int64{"a": start})
			}
			var got []hub.Item
			for int64(len(got)) < events-start {
				var err error
				if got, err = c.Next(t.Context(), got); err != nil {
					t.Errorf("Next: %v", err)
					return
				}
			}
			for i, b := range got {
				if w := fmt.Sprintf("a%d", start+1+int64(i)); string(b.Body) != w {
					t.Errorf("event %d = %s, want %s", i, b.Body, w)
					return
				}
			}
		})
	}
	for range 16 {
		wg.Go(func() {
			for {
				head.Lock()
				if head.seq == events {
					head.Unlock()
					return
				}
				head.seq++ // committed
				seq := head.seq
				head.Unlock()
				if rand.IntN(4) == 0 {
					time.Sleep(0) // let others overtake
				}
				h.Publish(event("a", seq))
			}
		})
	}
	wg.Wait()
}

func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := hub.New(hub.Options{})
			conns := make([]*hub.Conn, n)
			for i := range conns {
				conns[i] = open(h, fmt.Sprint(i), "a", 0)
				defer conns[i].Close()
			}
			body := make([]byte, 300)
			var bodies []hub.Item
			var seq int64
			b.ReportAllocs()
			for b.Loop() {
				seq++
				h.Publish(hub.Event{ChatID: "a", Seq: seq, Body: body})
				if seq%64 == 0 {
					for _, c := range conns {
						bodies, _ = c.Next(b.Context(), bodies[:0])
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
		})
	}
}
