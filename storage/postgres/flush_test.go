package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/storage/postgres"
)

// flushes looks at a server's log from beside the store: how far it was flushed
// when a message was acknowledged, and where the message's commit stands in it.
type flushes struct {
	mu   sync.Mutex
	conn *pgx.Conn
	from string           // where the log stood before the first message
	seen map[string]int64 // by message: up to where the log was flushed once it was acknowledged
}

// watchFlushes needs pg_walinspect, which comes with PostgreSQL since 15.
func watchFlushes(t *testing.T, address string) *flushes {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(t.Context(), "CREATE EXTENSION IF NOT EXISTS pg_walinspect"); err != nil {
		if os.Getenv(pgtest.StrictEnv) != "" {
			t.Fatal("the proof reads the log by the extension pg_walinspect of PostgreSQL 15 or later, as a superuser: ", err)
		}
		t.Skip("the extension pg_walinspect cannot be had: ", err)
	}
	f := &flushes{conn: conn, seen: make(map[string]int64)}
	if err := conn.QueryRow(t.Context(), "SELECT pg_current_wal_insert_lsn()::text").Scan(&f.from); err != nil {
		t.Fatal(err)
	}
	return f
}

// acknowledged looks once for a message. While it looks for another one it does
// not: a look that waits would come too late.
func (f *flushes) acknowledged(id string) error {
	if !f.mu.TryLock() {
		return nil
	}
	defer f.mu.Unlock()
	var flushed int64
	err := f.conn.QueryRow(context.Background(), "SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint").Scan(&flushed)
	f.seen[id] = flushed
	return err
}

// check compares what was seen with where the commits of the messages end, and
// counts the looks and the commits.
func (f *flushes) check(ctx context.Context) (looks, commits int, err error) {
	// A commit that waits for its flush brings all before it to where the log can be read.
	if _, err := f.conn.Exec(ctx, "SELECT pg_logical_emit_message(true, 'flush', '')"); err != nil {
		return 0, 0, err
	}
	rows, err := f.conn.Query(ctx, `SELECT m.id, r.xid::text, (r.end_lsn - '0/0'::pg_lsn)::bigint
		FROM pg_get_wal_records_info($1::text::pg_lsn, pg_current_wal_flush_lsn()) AS r JOIN messages AS m ON m.xmin = r.xid
		WHERE r.resource_manager = 'Transaction' AND r.record_type = 'COMMIT'`, f.from)
	if err != nil {
		return 0, 0, err
	}
	var id, xid string
	var end int64
	early, transactions := 0, make(map[string]bool)
	_, err = pgx.ForEachRow(rows, []any{&id, &xid, &end}, func() error {
		transactions[xid] = true
		if flushed, ok := f.seen[id]; ok {
			looks++
			if flushed < end {
				early++
			}
		}
		return nil
	})
	switch {
	case err != nil:
	case looks != len(f.seen) || looks == 0:
		err = fmt.Errorf("the commits of %d of %d messages are in the log", looks, len(f.seen))
	case early > 0:
		err = errEarly{early, looks}
	}
	return looks, len(transactions), err
}

// errEarly: some were acknowledged before they were flushed.
type errEarly struct{ early, looks int }

func (e errEarly) Error() string {
	return fmt.Sprintf("%d of %d messages were acknowledged before their commits were flushed", e.early, e.looks)
}

// durable lets writers send messages, each one after the other, and returns what
// was acknowledged before it was flushed.
func durable(t *testing.T, address string, s *postgres.Store, writers, each int) error {
	t.Helper()
	group(t, s, "chat", "ann")
	f := watchFlushes(t, address)
	var sending sync.WaitGroup
	for w := range writers {
		sending.Go(func() {
			for i := range each {
				id := fmt.Sprint("writer", w, "-", i)
				_, err := send(context.Background(), s, "chat", "ann", id)
				if err == nil {
					err = f.acknowledged(id)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	looks, commits, err := f.check(t.Context())
	t.Logf("%d messages by %d writers: %d commits, %d looks: %v", writers*each, writers, commits, looks, err)
	if commits < each || writers == 1 && looks < each { // a writer waits for one commit before the next
		t.Errorf("not everything was seen: %d commits, %d looks", commits, looks)
	}
	return err
}

// What was acknowledged was flushed before, also where commits are shared.
func TestAcknowledgedIsFlushed(t *testing.T) {
	for name, load := range map[string]struct{ writers, each int }{"one by one": {1, 100}, "many at once": {64, 10}} {
		t.Run(name, func(t *testing.T) {
			address := pgtest.URL(t)
			if err := durable(t, address, open(t, address, postgres.Options{Migrate: true}), load.writers, load.each); err != nil {
				t.Error(err)
			}
		})
		t.Run(name+", not with synchronous_commit=off", func(t *testing.T) { // the proof can fail
			address := pgtest.URL(t)
			s := open(t, address+"&synchronous_commit=off", postgres.Options{Migrate: true, AllowUnsafe: true})
			err := durable(t, address, s, load.writers, load.each)
			if _, noticed := errors.AsType[errEarly](err); !noticed {
				t.Errorf("nothing was noticed: %v", err)
			}
		})
	}
}
