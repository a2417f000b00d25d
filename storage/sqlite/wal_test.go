package sqlite_test

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/storage/sqlite"
)

// Where reads overlap without end, SQLite never starts its log anew by itself.
// Still the log must not grow with all that was ever written.
func TestLogStaysBoundedUnderReads(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{Migrate: true})
	group(t, s, "chat", "ann")
	db := raw(t, path, "")
	var last *sql.Tx
	// turn begins a read before it ends the one before: somebody always reads.
	turn := func() {
		t.Helper()
		next, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var chats int
		if err := next.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM chats").Scan(&chats); err != nil {
			t.Fatal(err)
		}
		if last != nil {
			_ = last.Rollback()
		}
		last = next
	}
	defer func() { _ = last.Rollback() }()
	sent := make(chan error, 1)
	for i := range 96 {
		turn()
		go func() { sent <- send(t.Context(), s, "chat", "ann", fmt.Sprint("m", i), 1<<20) }()
		for waiting := true; waiting; {
			select {
			case err := <-sent:
				if err != nil {
					t.Fatal(err)
				}
				waiting = false
			case <-time.After(100 * time.Millisecond): // it may wait for us
				turn()
			}
		}
	}
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(48 << 20); info.Size() > most {
		t.Errorf("the log has %d MiB after 96 MiB were written", info.Size()>>20)
	}
}
