package hub_test

import (
	"context"
	"fmt"

	"github.com/wigwag-chat/wigwag/internal/hub"
)

func Example() {
	h := hub.New(hub.Options{})
	c := h.Connect(hub.Peer{UserID: "ann", SessionID: "session-1"})
	defer c.Close()
	for ok := false; !ok; {
		ok = c.Start(0, map[string]int64{"chat-1": 0}) // heads, read anew each time
	}

	h.Publish(hub.Event{ChatID: "chat-1", Seq: 2, Body: []byte("world")}) // comes early
	h.Publish(hub.Event{ChatID: "chat-1", Seq: 1, Body: []byte("hello")})

	items, err := c.Next(context.Background(), nil)
	fmt.Printf("%s %s %v\n", items[0].Body, items[1].Body, err)
	// Output: hello world <nil>
}
