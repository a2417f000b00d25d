package live_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/live"
)

// counter knows what is unread; messaging.Service does.
type counter struct{}

func (counter) Unread(_ context.Context, _ string, userIDs []string) ([]messaging.UnreadCount, error) {
	counts := make([]messaging.UnreadCount, len(userIDs))
	for i := range counts {
		counts[i] = messaging.UnreadCount{Chat: 1, Total: 3}
	}
	return counts, nil
}

func Example() {
	ctx, stop := context.WithCancel(context.Background())
	feed := live.New(live.Options{})
	ended := make(chan struct{})
	go func() { defer close(ended); feed.Run(ctx, counter{}) }()
	defer func() { stop(); <-ended }()

	conn := feed.Hub().Connect(hub.Peer{UserID: "bob"}) // a transport does, for one connection
	defer conn.Close()
	for ok := false; !ok; {
		ok = conn.Start(0, map[string]int64{"chat-1": 0})
	}

	feed.Publish(messaging.Committed{Events: []messaging.Event{{ // messaging does, after each commit
		ChatID: "chat-1", Seq: 1, Type: messaging.MessageDeleted, MessageID: "message-1",
	}}})
	var items []hub.Item
	for len(items) < 2 { // one after the other, or both at once
		var err error
		if items, err = conn.Next(ctx, items); err != nil {
			fmt.Println(err)
			return
		}
	}
	for _, item := range items {
		var e api.Event
		json.Unmarshal(item.Body, &e)
		fmt.Println(e.Type, e.ChatID)
	}
	// Output:
	// message.deleted chat-1
	// unread chat-1
}
