package memory_test

import (
	"context"
	"fmt"

	"github.com/wigwag-chat/wigwag/storage/memory"
)

// A store for a test or a demonstration: nothing to set up, nothing left behind.
func Example() {
	ctx := context.Background()
	store := memory.New(memory.Options{Epoch: "first"})
	defer store.Close()

	epoch, err := store.Messaging().Epoch(ctx)
	fmt.Println(epoch, err)
	// Output: first <nil>
}
