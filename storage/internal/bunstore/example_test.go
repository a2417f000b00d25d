package bunstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
)

// The package is used through its dialects, which own the schema of their files.
func Example() {
	dir, err := os.MkdirTemp("", "wigwag")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, path := context.Background(), filepath.Join(dir, "chat.db")

	_, err = sqlite.Open(ctx, path, sqlite.Options{})
	fmt.Println(errors.Is(err, storage.ErrSchemaOlder))
	fmt.Println(sqlite.Migrate(ctx, path, sqlite.Options{}))
	store, err := sqlite.Open(ctx, path, sqlite.Options{})
	fmt.Println(err, store.Close())
	// Output:
	// true
	// <nil>
	// <nil> <nil>
}
