package users_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/users"
)

// People choose a username and are found by it, in any case and width.
func Example() {
	ctx := context.Background()
	profiles, err := users.New(users.Config{Store: memory.New(memory.Options{}).Users()})
	if err != nil {
		log.Fatal(err)
	}
	if err := profiles.Create(ctx, "id-1", "Ada", "Ada Lovelace"); err != nil {
		log.Fatal(err)
	}
	found, err := profiles.FindByUsername(ctx, "id-2", "ａｄａ")
	fmt.Println(found.Username, found.DisplayName, err)

	err = profiles.Create(ctx, "id-2", "ADA", "")
	fmt.Println(errors.Is(err, users.ErrUsernameTaken))
	// Output:
	// Ada Ada Lovelace <nil>
	// true
}

// A host with users of its own says which ids exist.
func ExampleConfig_lookup() {
	ctx := context.Background()
	profiles, err := users.New(users.Config{
		Store: memory.New(memory.Options{}).Users(),
		Lookup: func(_ context.Context, ids []string) (existing []string, err error) {
			return []string{"employee-7"}, nil // SELECT id FROM employees WHERE id = ANY(…)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(profiles.Missing(ctx, []string{"employee-7", "employee-8"}))
	// Output: [employee-8] <nil>
}
