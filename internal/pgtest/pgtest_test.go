package pgtest_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/internal/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

func TestEachCallGivesADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	first, second := connect(t, pgtest.URL(t)), connect(t, pgtest.URL(t))
	if _, err := first.Exec(t.Context(), "CREATE TABLE only_here (id int)"); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := second.QueryRow(t.Context(), "SELECT to_regclass('only_here') IS NOT NULL").Scan(&there); err != nil {
		t.Fatal(err)
	}
	if there {
		t.Error("a table made in one database is seen in the other")
	}
}

func TestTheDatabaseIsDroppedUnderItsUsers(t *testing.T) {
	t.Parallel()
	admin := pgtest.URL(t)
	var name string
	var left *pgx.Conn
	t.Run("inner", func(t *testing.T) {
		conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
		if err != nil {
			t.Fatal(err)
		}
		left, name = conn, conn.Config().Database
	})
	defer func() { _ = left.Close(t.Context()) }()

	var there bool
	err := connect(t, admin).QueryRow(t.Context(),
		"SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
	if err != nil {
		t.Fatal(err)
	}
	if there {
		t.Errorf("database %s outlived its test", name)
	}
}

// The suite's claims of durability hold only on a server that keeps its word.
func TestTheServerIsDurable(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.URL(t))
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			t.Fatal(err)
		}
		if value != "on" {
			t.Errorf("%s is %s", setting, value)
		}
	}
}

// fake stands for a test that URL ends.
type fake struct {
	testing.TB
	fatal, skipped bool
}

type ended struct{}

func (f *fake) Helper()               {}
func (f *fake) Fatalf(string, ...any) { f.fatal = true; panic(ended{}) }
func (f *fake) Skipf(string, ...any)  { f.skipped = true; panic(ended{}) }

func TestWithoutAServer(t *testing.T) {
	for _, strict := range []bool{false, true} {
		t.Setenv(pgtest.ServerEnv, "")
		if err := os.Unsetenv(pgtest.StrictEnv); err != nil {
			t.Fatal(err)
		}
		if strict {
			t.Setenv(pgtest.StrictEnv, "1")
		}
		inner := &fake{TB: t}
		func() {
			defer func() {
				if r := recover(); r != (any)(ended{}) {
					t.Errorf("URL went on without a server: %v", r)
				}
			}()
			pgtest.URL(inner)
		}()
		if inner.fatal != strict || inner.skipped == strict {
			t.Errorf("strict %t: fatal %t, skipped %t", strict, inner.fatal, inner.skipped)
		}
	}
}
