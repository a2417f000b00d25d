// Package bustest proves a bus: its rules are those of bus.Bus.
package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/transport/bus"
)

const patience = 20 * time.Second

// Run checks the rules on a bus that open makes anew for each of them: two ends of it,
// as two nodes have them, which Run closes.
func Run(t *testing.T, open func(t *testing.T) (a, b bus.Bus)) {
	for _, r := range []struct {
		name  string
		check func(*testing.T, bus.Bus, bus.Bus)
	}{
		{"notes reach all who listen", reach},
		{"notes are bytes of any kind and up to the greatest length", kinds},
		{"the sender may use his bytes again", reuse},
		{"the context ends both", ends},
		{"concurrent notes all come", concurrent},
	} {
		t.Run(r.name, func(t *testing.T) {
			a, b := open(t)
			t.Cleanup(func() {
				if err := errors.Join(a.Close(), b.Close()); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			r.check(t, a, b)
		})
	}
}

// ear is one Listen.
type ear struct {
	t     *testing.T
	notes chan string
	stop  context.CancelFunc
	done  chan error
}

func listen(t *testing.T, b bus.Bus) *ear {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	e := &ear{t: t, notes: make(chan string, 4096), stop: stop, done: make(chan error, 1)}
	ready := make(chan struct{})
	go func() {
		e.done <- b.Listen(ctx, func() { close(ready) }, func(note []byte) { e.notes <- string(note) })
	}()
	select {
	case <-ready:
	case err := <-e.done:
		t.Fatalf("Listen ended before it was ready: %v", err)
	case <-time.After(patience):
		t.Fatal("Listen is not ready")
	}
	t.Cleanup(e.end)
	return e
}

func (e *ear) end() {
	e.t.Helper()
	e.stop()
	select {
	case err := <-e.done:
		if !errors.Is(err, context.Canceled) {
			e.t.Errorf("Listen ended with %v, want that of its context", err)
		}
		e.done <- err
	case <-time.After(patience):
		e.t.Fatal("Listen outlives its context")
	}
}

// hears waits until all of the notes have come, in whatever order and among whatever others.
func (e *ear) hears(want ...string) {
	e.t.Helper()
	missing := slices.Clone(want)
	timeout := time.After(patience)
	for len(missing) > 0 {
		select {
		case note := <-e.notes:
			if i := slices.Index(missing, note); i >= 0 {
				missing = slices.Delete(missing, i, i+1)
			}
		case <-timeout:
			e.t.Fatalf("%d of %d notes are missing, %.40q first", len(missing), len(want), missing[0])
		}
	}
}

func send(t *testing.T, b bus.Bus, notes ...string) {
	t.Helper()
	for _, n := range notes {
		if err := b.Send(t.Context(), []byte(n)); err != nil {
			t.Fatal(err)
		}
	}
}

func reach(t *testing.T, a, b bus.Bus) {
	send(t, a, "before anybody listens")
	first, second, third := listen(t, a), listen(t, b), listen(t, b)
	send(t, a, "one", "two")
	send(t, b, "three")
	for _, e := range []*ear{second, third} {
		e.hears("one", "two", "three")
	}
	first.hears("three")
	second.end()
	send(t, b, "four")
	third.hears("four")
}

func kinds(t *testing.T, a, b bus.Bus) {
	e := listen(t, b)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	notes := []string{"x", string(all), `{"a":"'; \\ $1"}`, strings.Repeat("m", bus.MaxNote), strings.Repeat("\x00", bus.MaxNote)}
	send(t, a, notes...)
	e.hears(notes...)
}

func reuse(t *testing.T, a, b bus.Bus) {
	e := listen(t, b)
	note := []byte("the first")
	if err := a.Send(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	copy(note, "overwrote")
	e.hears("the first")
}

func ends(t *testing.T, a, b bus.Bus) {
	listen(t, b).end()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Send(ctx, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Send under an ended context: %v", err)
	}
	if err := a.Listen(ctx, func() {}, func([]byte) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("Listen under an ended context: %v", err)
	}
}

func concurrent(t *testing.T, a, b bus.Bus) {
	e := listen(t, b)
	var want []string
	failed := make(chan error)
	for i := range 4 {
		var notes []string
		for j := range 50 {
			notes = append(notes, fmt.Sprintf("%d of %d", j, i))
		}
		want = append(want, notes...)
		from := a
		if i%2 == 1 {
			from = b
		}
		go func() {
			var err error
			for _, n := range notes {
				err = errors.Join(err, from.Send(t.Context(), []byte(n)))
			}
			failed <- err
		}()
	}
	for range 4 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	e.hears(want...)
}
