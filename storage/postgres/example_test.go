package postgres_test

import (
	"context"
	"log"

	"github.com/wigwag-chat/wigwag/storage/postgres"
)

func Example() {
	ctx := context.Background()
	store, err := postgres.Open(ctx, "postgres://wigwag@localhost/wigwag", postgres.Options{Migrate: true})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
}
