package storage_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/memory"
)

// A host takes a store for what it is, whatever backend stands behind it.
func Example() {
	var store storage.Store = memory.New(memory.Options{})
	fmt.Println("ready:", store.Ping(context.Background()) == nil)

	_ = store.Close()
	err := store.Ping(context.Background())
	fmt.Println("closed:", errors.Is(err, storage.ErrClosed), errors.Is(err, errs.Unavailable))
	// Output:
	// ready: true
	// closed: true true
}
