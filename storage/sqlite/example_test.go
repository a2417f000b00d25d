package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/wigwag-chat/wigwag/storage/sqlite"
)

func Example() {
	dir, err := os.MkdirTemp("", "wigwag")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "chat.db"), sqlite.Options{Migrate: true})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	fmt.Println(store.Ping(ctx))
	// Output: <nil>
}
