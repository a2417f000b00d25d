package live_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/live"
)

// crowdOf is a group of so many members, all connected, whose feed runs.
func crowdOf(t *testing.T, n int) (w *world, chat string, conns []*hub.Conn) {
	w = newWorld(t, live.Options{})
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint("m", i)
	}
	g, _, err := w.CreateGroup(t.Context(), messaging.NewGroup{CreatorID: ids[0], Title: "G", MemberIDs: ids[1:]})
	must(t, err)
	for _, id := range ids {
		c, _ := w.connect(t.Context(), id)
		t.Cleanup(c.Close)
		conns = append(conns, c)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.feed.Run(ctx, w) }()
	t.Cleanup(func() { stop(); <-ended })
	return w, g.ID, conns
}

// marks returns who told a connection how far he has read, in order.
func marks(t *testing.T, c *hub.Conn) (all []string) {
	t.Helper()
	for _, e := range waiting(t, c) {
		if e.Type == api.EventReceipt && e.UserSeq == 0 {
			all = append(all, fmt.Sprintf("%s %d", e.UserID, *e.ReadSeq))
		}
	}
	return all
}

func read(t *testing.T, w *world, user, chat string, upTo int64) {
	t.Helper()
	must(t, w.Mark(t.Context(), messaging.MarkRequest{UserID: user, ChatID: chat, Read: true, UpTo: upTo}))
}

func heard(t *testing.T, conns []*hub.Conn, want map[int]string) {
	t.Helper()
	synctest.Wait()
	for i, c := range conns {
		if got := fmt.Sprint(marks(t, c)); got != fmt.Sprintf("[%s]", want[i]) {
			t.Errorf("member %d hears %s, want [%s]", i, got, want[i])
		}
	}
}

func TestReceiptsOfACrowdGoToTheSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, chat, conns := crowdOf(t, 60)
		for i := range 100 { // far enough that all senders are known from the reader's mark on
			w.send("m0", chat, fmt.Sprint("before", i))
		}
		read(t, w, "m9", chat, 100)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for _, c := range conns {
			marks(t, c) // where the reader was is not known: all hear
		}
		first, second := w.send("m1", chat, "one"), w.send("m2", chat, "two")
		read(t, w, "m9", chat, first.Seq)
		time.Sleep(100 * time.Millisecond)
		heard(t, conns, map[int]string{1: fmt.Sprint("m9 ", first.Seq)})
		// Within the same second the latest wins.
		third := w.send("m3", chat, "three")
		read(t, w, "m9", chat, second.Seq)
		read(t, w, "m9", chat, third.Seq)
		heard(t, conns, nil)
		time.Sleep(2 * time.Second)
		last := fmt.Sprint("m9 ", third.Seq)
		heard(t, conns, map[int]string{2: last, 3: last})
	})
}

func TestReceiptsOfFewGoToAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, chat, conns := crowdOf(t, 40)
		for i := range 20 { // more connections than people
			c, _ := w.connect(t.Context(), fmt.Sprint("m", i))
			t.Cleanup(c.Close)
		}
		m := w.send("m1", chat, "hello")
		read(t, w, "m0", chat, m.Seq)
		want := map[int]string{}
		for i := range conns[1:] {
			want[i+1] = fmt.Sprint("m0 ", m.Seq)
		}
		heard(t, conns, want)
	})
}

// Whatever is left out between, in the end everybody whom it concerns knows the last mark.
func TestReceiptsEndRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, chat, conns := crowdOf(t, 55)
		newest := make(map[int]map[string]int64)
		for i := range conns {
			newest[i] = map[string]int64{}
		}
		hear := func() {
			for i, c := range conns {
				for _, e := range waiting(t, c) {
					if e.Type == api.EventReceipt && e.UserSeq == 0 {
						if *e.ReadSeq < newest[i][e.UserID] {
							t.Errorf("member %d hears of %s going back", i, e.UserID)
						}
						newest[i][e.UserID] = *e.ReadSeq
					}
				}
			}
		}
		var last int64
		for i := range 400 {
			last = w.send(fmt.Sprint("m", i%5), chat, fmt.Sprint(i)).Seq
			read(t, w, fmt.Sprint("m", 5+i%50), chat, last)
			if i%17 == 0 {
				time.Sleep(130 * time.Millisecond)
				hear()
			}
		}
		for i := range 50 {
			read(t, w, fmt.Sprint("m", 5+i), chat, last)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		hear()
		for sender := range 5 {
			for i := range 50 {
				// Who read the sender's newest message before hears no more of him.
				if got, own := newest[sender][fmt.Sprint("m", 5+i)], last-int64((4-sender+5)%5); got < own {
					t.Errorf("sender %d knows that member %d read up to %d, not %d", sender, 5+i, got, own)
				}
			}
		}
	})
}
