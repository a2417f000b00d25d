package messaging_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"

	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
)

// Two people talk.
func Example() {
	key, err := keys.Generate(nil) // a host keeps its key: see keys.ReadFile
	if err != nil {
		log.Fatal(err)
	}
	secret := make([]byte, 32) // likewise: see keys.Vault
	rand.Read(secret)
	chats, err := messaging.New(messaging.Config{
		Store:  memory.New(memory.Options{}).Messaging(),
		Keys:   keys.NewRing(key),
		Secret: secret,
	})
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	chat, _, err := chats.OpenDirect(ctx, "ann", "bob")
	if err != nil {
		log.Fatal(err)
	}
	hello, _, err := chats.Send(ctx, messaging.SendRequest{SenderID: "ann", ChatID: chat.ID, Text: "Hello Bob!"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hello.Seq, hello.Tally.Status())

	// Bob was away: his cursor is at the very beginning.
	missed, err := chats.Sync(ctx, messaging.SyncRequest{UserID: "bob", Chats: map[string]int64{chat.ID: 0}})
	if err != nil {
		log.Fatal(err)
	}
	for _, event := range missed.Chats[0].Events {
		fmt.Println(event.Message.SenderID, "wrote", event.Message.Text)
	}
	if err := chats.Mark(ctx, messaging.MarkRequest{UserID: "bob", ChatID: chat.ID, Read: true, UpTo: 1}); err != nil {
		log.Fatal(err)
	}
	_, _, err = chats.Send(ctx, messaging.SendRequest{SenderID: "bob", ChatID: chat.ID, Text: "Hello Ann!"})
	if err != nil {
		log.Fatal(err)
	}

	history, err := chats.Messages(ctx, "ann", chat.ID, messaging.Window{})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range history {
		fmt.Printf("%d %s: %s (%s)\n", m.Seq, m.SenderID, m.Text, m.Tally.Status())
	}
	// Output:
	// 1 sent
	// ann wrote Hello Bob!
	// 1 ann: Hello Bob! (read)
	// 2 bob: Hello Ann! (sent)
}
