package bus_test

import (
	"context"
	"fmt"

	"github.com/wigwag-chat/wigwag/transport/bus"
)

// lonely is the bus of a single node.
type lonely struct{}

func (lonely) Send(ctx context.Context, note []byte) error { return ctx.Err() }

func (lonely) Close() error { return nil }

func (lonely) Listen(ctx context.Context, ready func(), take func([]byte)) error {
	ready()
	<-ctx.Done()
	return ctx.Err()
}

func Example() {
	var b bus.Bus = lonely{}
	fmt.Println(b.Send(context.Background(), []byte("nobody hears this")))
	// Output: <nil>
}
