package wigwag_test

import (
	"context"
	"fmt"
	"log"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
)

// A program with users of its own calls the services directly.
func Example() {
	ctx := context.Background()
	key, err := keys.Generate(nil)
	if err != nil {
		log.Fatal(err)
	}
	app, err := wigwag.Open(ctx, wigwag.Config{
		Store: memory.New(memory.Options{}),
		Keys:  keys.NewRing(key),
		Authenticator: auth.TokenFunc(func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{UserID: token}, nil // whatever the program knows of its users
		}),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer app.Stop(ctx)

	chat, _, err := app.Messaging.OpenDirect(ctx, "ann", "bob")
	if err != nil {
		log.Fatal(err)
	}
	if _, _, err := app.Messaging.Send(ctx, messaging.SendRequest{SenderID: "ann", ChatID: chat.ID, Text: "hi bob"}); err != nil {
		log.Fatal(err)
	}
	chats, err := app.Messaging.Chats(ctx, "bob", messaging.List{})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range chats.Items {
		fmt.Printf("%s: %q, %d unread\n", c.PeerID, c.LastMessage.Text, c.Unread)
	}
	// Output: ann: "hi bob", 1 unread
}
