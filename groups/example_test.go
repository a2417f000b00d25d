package groups_test

import (
	"context"
	"fmt"
	"log"

	"github.com/wigwag-chat/wigwag/groups"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
)

// A group outlives its founder.
func Example() {
	key, err := keys.Generate(nil) // a host keeps its key: see keys.ReadFile
	if err != nil {
		log.Fatal(err)
	}
	chats, err := messaging.New(messaging.Config{
		Store:  memory.New(memory.Options{}).Messaging(),
		Keys:   keys.NewRing(key),
		Secret: make([]byte, 32), // from keys.Vault, never zeros
	})
	if err != nil {
		log.Fatal(err)
	}
	g, err := groups.New(groups.Config{Messaging: chats})
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	trip, _, err := g.Create(ctx, messaging.NewGroup{CreatorID: "ann", Title: "Trip", MemberIDs: []string{"bob", "cid"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(g.Remove(ctx, "bob", trip.ID, "cid"))
	if err := g.Leave(ctx, "ann", trip.ID); err != nil {
		log.Fatal(err)
	}
	members, err := g.Members(ctx, "bob", trip.ID, messaging.List{})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range members.Items {
		fmt.Println(m.UserID, m.Role)
	}
	// Output:
	// not_an_admin: Only admins may do this.
	// bob owner
	// cid member
}
