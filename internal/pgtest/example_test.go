package pgtest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/wigwag-chat/wigwag/internal/pgtest"
)

func ExampleURL() {
	_ = func(t *testing.T) {
		conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		// The database is this test's alone.
	}
	// Output:
}
