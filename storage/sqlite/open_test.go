package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// file names a database that does not exist yet.
func file(t *testing.T) string { return filepath.Join(t.TempDir(), "a b?c#%41.db") }

func open(t *testing.T, path string, opt sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// exec runs a statement behind the store's back.
func exec(t *testing.T, path, statement string) {
	t.Helper()
	db := raw(t, path, "")
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func raw(t *testing.T, path, params string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+escape(path)+"?_pragma=busy_timeout(5000)"+params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func escape(path string) string {
	var out []byte
	for _, c := range []byte(path) {
		switch c {
		case '?', '#', '%', ' ':
			out = append(out, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

func group(t *testing.T, s storage.Store, id string, members ...string) {
	t.Helper()
	n := messaging.NewChat{ID: id, Kind: messaging.Group, CreatedBy: members[0], CreatedAt: noon}
	for i, m := range members {
		role := messaging.RoleMember
		if i == 0 {
			role = messaging.RoleOwner
		}
		n.Members = append(n.Members, messaging.NewMember{UserID: m, Role: role})
	}
	if _, err := s.Messaging().CreateChat(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

func send(ctx context.Context, s storage.Store, chat, sender, id string, size int) error {
	a, err := s.Messaging().Append(ctx, []messaging.NewMessage{{
		ID: id, ChatID: chat, SenderID: sender, Kind: messaging.KindText, CreatedAt: noon,
		Body: messaging.Sealed{KeyID: "k", Data: make([]byte, size)},
	}})
	if err != nil {
		return err
	}
	return a[0].Err
}

func TestSchema(t *testing.T) {
	path := file(t)
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); !errors.Is(err, storage.ErrSchemaOlder) {
		t.Errorf("no file: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file was made without being asked for")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); !errors.Is(err, storage.ErrSchemaOlder) {
		t.Errorf("an empty file: %v", err)
	}
	if err := sqlite.Migrate(t.Context(), path, sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, sqlite.Options{})
	epoch, err := s.Messaging().Epoch(t.Context())
	if err != nil || epoch == "" {
		t.Fatalf("epoch %q, %v", epoch, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	exec(t, path, "INSERT INTO schema_migrations (name, group_id) VALUES ('9999', 9)")
	for _, migrate := range []bool{false, true} {
		if _, err := sqlite.Open(t.Context(), path, sqlite.Options{Migrate: migrate}); !errors.Is(err, storage.ErrSchemaNewer) {
			t.Errorf("a newer schema, migrate %t: %v", migrate, err)
		}
	}
}

func TestConcurrentMigration(t *testing.T) {
	path := file(t)
	var wg sync.WaitGroup
	epochs := make([]string, 6)
	for i := range epochs {
		wg.Go(func() {
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{Migrate: true})
			if err != nil {
				t.Error(err)
				return
			}
			if epochs[i], err = s.Messaging().Epoch(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, e := range epochs {
		if e != epochs[0] {
			t.Errorf("epochs %q and %q", e, epochs[0])
		}
	}
}

func TestFailedMigrationLeavesNothing(t *testing.T) {
	path := file(t)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	exec(t, path, "CREATE TABLE user_events (x)") // in the way of the last statement
	if err := sqlite.Migrate(t.Context(), path, sqlite.Options{}); err == nil {
		t.Fatal("migrated over a foreign table")
	}
	exec(t, path, "DROP TABLE user_events")
	if err := sqlite.Migrate(t.Context(), path, sqlite.Options{}); err != nil {
		t.Errorf("after the cause was gone: %v", err)
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{Migrate: true})
	group(t, s, "chat", "ann")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%q has the mode %v", suffix, info.Mode())
		}
	}
}

func TestUnsafeSettingsAreRefused(t *testing.T) {
	path := file(t)
	if err := sqlite.Migrate(t.Context(), path, sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, pragmas := range []string{"&_pragma=synchronous(NORMAL)", "&_pragma=synchronous(OFF)", "&_pragma=synchronous(FULL)&_pragma=journal_mode(MEMORY)"} {
		writer, reader := raw(t, path, pragmas), raw(t, path, "")
		if _, err := sqlite.OpenDB(t.Context(), writer, reader, sqlite.Options{}); !errors.Is(err, storage.ErrNotDurable) {
			t.Errorf("%s: %v", pragmas, err)
		}
		s, err := sqlite.OpenDB(t.Context(), writer, reader, sqlite.Options{AllowUnsafe: true})
		if err != nil {
			t.Fatalf("%s, allowed: %v", pragmas, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFullDisk(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{Migrate: true})
	group(t, s, "chat", "ann", "bob")
	if err := send(t.Context(), s, "chat", "ann", "first", 10); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	full, err := sqlite.OpenDB(t.Context(), raw(t, path, "&_pragma=max_page_count(120)&_txlock=immediate"), raw(t, path, ""), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	if err := send(t.Context(), full, "chat", "ann", "huge", 1<<20); !errors.Is(err, storage.ErrFull) || errs.KindOf(err) != errs.StorageFull {
		t.Errorf("no room: %v", err)
	}
	// One that fits is not hurt by one beside it that does not.
	var wg sync.WaitGroup
	for _, m := range []struct {
		id   string
		size int
	}{{"huge again", 1 << 20}, {"small", 10}} {
		wg.Go(func() {
			if err := send(t.Context(), full, "chat", "bob", m.id, m.size); (err == nil) != (m.id == "small") {
				t.Errorf("%s: %v", m.id, err)
			}
		})
	}
	wg.Wait()
	got, err := full.Messaging().Messages(t.Context(), "ann", "chat", messaging.Window{Limit: 10})
	if err != nil || len(got) != 2 || got[1].ID != "small" || got[1].Seq != 2 {
		t.Errorf("afterwards: %d messages, %v", len(got), err)
	}
}

func TestAnotherProcessWrites(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{Migrate: true, BusyTimeout: time.Millisecond})
	group(t, s, "chat", "ann")
	other := raw(t, path, "&_txlock=immediate")
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := send(t.Context(), s, "chat", "ann", "m1", 1); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("while another process writes: %v", err)
	}
	if _, err := s.Messaging().Heads(t.Context(), "ann"); err != nil {
		t.Errorf("a read beside it: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := send(t.Context(), s, "chat", "ann", "m2", 1); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestContextsAndClosing(t *testing.T) {
	s := open(t, file(t), sqlite.Options{Migrate: true})
	group(t, s, "chat", "ann")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := send(ended, s, "chat", "ann", "m1", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	if _, err := s.Messaging().Chat(ended, "ann", "chat"); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	if v, err := s.Messaging().Chat(t.Context(), "ann", "chat"); err != nil || v.HeadSeq != 0 {
		t.Errorf("after a cancelled write: head %d, %v", v.HeadSeq, err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := send(t.Context(), s, "chat", "ann", "m2", 1); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("write after Close: %v", err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("ping after Close: %v", err)
	}
}

// Close waits for what is being written: success was stored, the rest was refused.
func TestCloseUnderWriters(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{Migrate: true})
	group(t, s, "chat", "ann")
	var (
		wg     sync.WaitGroup
		stored atomic.Int64
		first  = make(chan struct{}, 1)
	)
	for w := range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				err := send(t.Context(), s, "chat", "ann", fmt.Sprint(w, "-", i), 1)
				if errors.Is(err, storage.ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				stored.Add(1)
				select {
				case first <- struct{}{}:
				default:
				}
			}
		})
	}
	<-first
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	view, err := open(t, path, sqlite.Options{}).Messaging().Chat(t.Context(), "ann", "chat")
	if err != nil || view.HeadSeq != stored.Load() {
		t.Errorf("%d acknowledged, head %d, %v", stored.Load(), view.HeadSeq, err)
	}
}
