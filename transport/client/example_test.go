package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/client"
)

func Example() {
	ctx := context.Background()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // stands for a real one
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":{"code":"chat_not_found","message":"This chat does not exist."}}`)
			return
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id":"m1","seq":1,"text":"Hello"}`)
	}))
	defer server.Close()

	c, err := client.New(server.URL, client.Options{Tokens: client.Tokens{Access: "…", Refresh: "…"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := c.Send(ctx, "c1", api.SendMessage{Text: "Hello"})
	fmt.Println(m.Seq, m.Text, err)
	_, err = c.Chat(ctx, "c2")
	fmt.Println(errors.Is(err, messaging.ErrChatNotFound))
	// Output:
	// 1 Hello <nil>
	// true
}

func ExampleClient_Connect() {
	server := exampleServer() // for users whose token is their id
	defer server.Close()
	ctx := context.Background()
	bob, err := client.New(server.URL, client.Options{Tokens: client.Tokens{Access: "bob"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	heard := make(chan string)
	socket, err := bob.Connect(ctx, client.SocketOptions{
		Cursor: client.Cursor{}, // or the one saved by an earlier process
		Event: func(e api.Event) {
			if e.Type == "message.created" {
				heard <- e.Message.Text
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.Close()
	chat, _ := bob.OpenDirect(ctx, "ann")
	m, err := socket.Send(ctx, chat.ID, api.SendMessage{Text: "Hello, Ann"}) // waits for a connection
	fmt.Println(<-heard, m.Seq, err)
	fmt.Println(socket.Cursor().Chats[chat.ID])
	// Output:
	// Hello, Ann 1 <nil>
	// 1
}

func exampleServer() *httptest.Server {
	key, _ := keys.Generate(nil)
	app, err := wigwag.Open(context.Background(), wigwag.Config{
		Store: memory.New(memory.Options{}), Keys: keys.NewRing(key),
		Authenticator: auth.TokenFunc(func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{UserID: token}, nil
		}),
	})
	if err != nil {
		panic(err)
	}
	return httptest.NewServer(app.Handler())
}
