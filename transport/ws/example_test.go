package ws_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/live"
	"github.com/wigwag-chat/wigwag/transport/ws"
	"github.com/wigwag-chat/wigwag/users"
)

// A host with users of its own puts the WebSocket on its own mux. (Package
// wigwag does this and more.)
func Example() {
	ctx := context.Background()
	store := memory.New(memory.Options{})
	key, _ := keys.Generate(nil)
	feed := live.New(live.Options{})
	people, _ := users.New(users.Config{Store: store.Users(), Foreign: true})
	chats, _ := messaging.New(messaging.Config{
		Store: store.Messaging(), Keys: keys.NewRing(key), Secret: make([]byte, 32), Publisher: feed,
	})
	handler, err := ws.New(ws.Config{
		Messaging: chats, Users: people, Feed: feed,
		Authenticator: auth.TokenFunc(func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{UserID: token}, nil // the host's own check
		}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /chat/v1/ws", handler)
	server := httptest.NewServer(mux)
	defer server.Close()
	defer handler.Stop(ctx)

	conn, _, err := websocket.Dial(ctx, server.URL+"/chat/v1/ws", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer bob"}}, Subprotocols: []string{ws.Subprotocol},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.CloseNow()
	var hello api.Hello
	wsjson.Read(ctx, conn, &hello)
	fmt.Println(hello.Type, hello.UserID)

	chat, _, _ := chats.OpenDirect(ctx, "ann", "bob")
	chats.Send(ctx, messaging.SendRequest{SenderID: "ann", ChatID: chat.ID, Text: "Hello, Bob"})
	for {
		var frame api.Events
		wsjson.Read(ctx, conn, &frame)
		for _, e := range frame.Events {
			fmt.Println(e.Type)
			if e.Message != nil {
				fmt.Println(e.Message.Text)
				return
			}
		}
	}
	// Output:
	// hello bob
	// chat.joined
	// message.created
	// Hello, Bob
}
