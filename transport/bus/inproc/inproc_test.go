package inproc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/transport/bus"
	"github.com/wigwag-chat/wigwag/transport/bus/bustest"
	"github.com/wigwag-chat/wigwag/transport/bus/inproc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBus(t *testing.T) {
	bustest.Run(t, func(*testing.T) (bus.Bus, bus.Bus) {
		var b inproc.Bus
		return &b, &b
	})
}

// Who does not keep up is told that he missed something.
func TestSlowListener(t *testing.T) {
	var b inproc.Bus
	ready, taken, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- b.Listen(t.Context(), func() { close(ready) }, func([]byte) { <-taken })
	}()
	<-ready
	for range 2000 {
		if err := b.Send(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	close(taken)
	if err := <-ended; !errors.Is(err, inproc.ErrSlow) {
		t.Errorf("Listen ended with %v", err)
	}
}

func Example() {
	var b inproc.Bus
	ctx, stop := context.WithCancel(context.Background())
	ready, heard := make(chan struct{}), make(chan string)
	go b.Listen(ctx, func() { close(ready) }, func(note []byte) { heard <- string(note) })
	<-ready
	if err := b.Send(ctx, []byte("something happened")); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-heard)
	stop()
	// Output: something happened
}
