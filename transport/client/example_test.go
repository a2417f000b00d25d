package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/wigwag-chat/wigwag/messaging"
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
