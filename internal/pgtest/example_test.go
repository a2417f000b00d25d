package pgtest_test

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/wigwag-chat/wigwag/internal/pgtest"
)

func ExampleURL() {
	_ = func(t *testing.T) {
		db, err := sql.Open("pgx", pgtest.URL(t))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		// use db: nobody else does
	}
	// Output:
}
