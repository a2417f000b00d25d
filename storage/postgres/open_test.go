package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/postgres"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, url string, opt postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// exec runs a statement behind the store's back.
func exec(t *testing.T, url, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func database(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Path[1:]
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

func send(ctx context.Context, s storage.Store, chat, sender, id string) (messaging.Appended, error) {
	a, err := s.Messaging().Append(ctx, []messaging.NewMessage{{
		ID: id, ChatID: chat, SenderID: sender, ClientID: id, Kind: messaging.KindText, CreatedAt: noon,
		Body: messaging.Sealed{KeyID: "k", Data: []byte(id)}, Digest: []byte(id),
	}})
	if err != nil {
		return messaging.Appended{}, err
	}
	return a[0], a[0].Err
}

func TestSchema(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	if _, err := postgres.Open(t.Context(), url, postgres.Options{}); !errors.Is(err, storage.ErrSchemaOlder) {
		t.Errorf("an empty database: %v", err)
	}
	if err := postgres.Migrate(t.Context(), url, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := open(t, url, postgres.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	exec(t, url, "INSERT INTO schema_migrations (name, group_id) VALUES ('9999', 9)")
	for _, migrate := range []bool{false, true} {
		if _, err := postgres.Open(t.Context(), url, postgres.Options{Migrate: migrate}); !errors.Is(err, storage.ErrSchemaNewer) {
			t.Errorf("a newer schema, migrate %t: %v", migrate, err)
		}
	}
}

func TestConcurrentMigration(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	var wg sync.WaitGroup
	epochs := make([]string, 4)
	for i := range epochs {
		wg.Go(func() {
			s, err := postgres.Open(t.Context(), url, postgres.Options{Migrate: true, MaxConns: 2})
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
		if e != epochs[0] || e == "" {
			t.Errorf("epochs %q and %q", e, epochs[0])
		}
	}
}

func TestFailedMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	exec(t, url, "CREATE TABLE user_events (x int)") // in the way of the last statement
	if err := postgres.Migrate(t.Context(), url, postgres.Options{}); err == nil {
		t.Fatal("migrated over a foreign table")
	}
	exec(t, url, "DROP TABLE user_events")
	if err := postgres.Migrate(t.Context(), url, postgres.Options{}); err != nil {
		t.Errorf("after the cause was gone: %v", err)
	}
}

func TestUnsafeSettingsAreRefused(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	if err := postgres.Migrate(t.Context(), url, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	exec(t, url, "ALTER DATABASE "+database(t, url)+" SET synchronous_commit = off")
	if _, err := postgres.Open(t.Context(), url, postgres.Options{}); !errors.Is(err, storage.ErrNotDurable) {
		t.Errorf("synchronous_commit off: %v", err)
	}
	open(t, url, postgres.Options{AllowUnsafe: true})
}

// What is read after a lock must be what was committed before it was had,
// whatever the database's own default is.
func TestIsolationIsTheStores(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	exec(t, url, "ALTER DATABASE "+database(t, url)+" SET default_transaction_isolation = 'serializable'")
	nodes := []*postgres.Store{open(t, url, postgres.Options{Migrate: true}), open(t, url, postgres.Options{})}
	group(t, nodes[0], "chat", "ann", "bob")
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			s := nodes[w%len(nodes)]
			for i := range 20 {
				id := fmt.Sprint(w, "-", i)
				if _, err := send(t.Context(), s, "chat", "ann", id); err != nil {
					t.Error(err)
					return
				}
				if _, err := s.Messaging().Hide(t.Context(), messaging.HideMessage{ChatID: "chat", MessageID: id, UserID: "bob", At: noon}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestEncoding(t *testing.T) {
	t.Parallel()
	admin := pgtest.URL(t)
	name := database(t, admin) + "_ascii"
	exec(t, admin, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'")
	defer exec(t, admin, "DROP DATABASE "+name+" WITH (FORCE)")
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = name
	if _, err := postgres.Open(t.Context(), u.String(), postgres.Options{Migrate: true}); !errors.Is(err, postgres.ErrEncoding) {
		t.Error(err)
	}
}

func TestAddressIsNotTold(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://ann:secret@host:port/x", postgres.Options{})
	if errs.KindOf(err) != errs.Invalid || err.Error() != "bad_database_url: This is not the address of a PostgreSQL database." {
		t.Error(err)
	}
}

func TestEpoch(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	epoch := func() string {
		t.Helper()
		s := open(t, url, postgres.Options{Migrate: true})
		defer s.Close()
		e, err := s.Messaging().Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := epoch()
	if again := epoch(); again != first {
		t.Errorf("reopened: %q, then %q", first, again)
	}
	exec(t, url, "UPDATE meta SET value = '7000000000000000000:1' WHERE name = 'system'") // as after a restore elsewhere
	moved := epoch()
	if moved == first {
		t.Error("another server kept the epoch")
	}
	if again := epoch(); again != moved {
		t.Errorf("drawn anew twice: %q, then %q", moved, again)
	}
}

// The server may end connections at any time, as when it restarts.
func TestLostConnections(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	s := open(t, url, postgres.Options{Migrate: true})
	group(t, s, "chat", "ann")
	for i := range 5 {
		exec(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		if _, err := send(t.Context(), s, "chat", "ann", fmt.Sprint("m", i)); err != nil {
			t.Errorf("send %d: %v", i, err)
		}
		exec(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		if v, err := s.Messaging().Chat(t.Context(), "ann", "chat"); err != nil || v.HeadSeq != int64(i)+1 {
			t.Errorf("read %d: head %d, %v", i, v.HeadSeq, err)
		}
	}
}

// Several nodes, hot chats, the same client ids everywhere: each message once,
// and no deadlock gets out.
func TestNodes(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	nodes := []*postgres.Store{open(t, url, postgres.Options{Migrate: true}), open(t, url, postgres.Options{}), open(t, url, postgres.Options{NoGroupCommit: true})}
	chats := []string{"a", "b", "c"}
	for _, id := range chats {
		group(t, nodes[0], id, "ann", "bob", "cid")
	}
	const messages = 60
	var wg sync.WaitGroup
	for n, s := range nodes {
		for w := range 4 {
			wg.Go(func() {
				for i := range messages {
					id := fmt.Sprint("m", (i*7+w*13)%messages)
					items := make([]messaging.NewMessage, 0, 3)
					for c := range chats { // in another order on each node
						chat := chats[(c+n)%3]
						items = append(items, messaging.NewMessage{
							ID: fmt.Sprint(chat, id, "-", n, "-", w), ChatID: chat, SenderID: "ann", ClientID: chat + id,
							Kind: messaging.KindText, CreatedAt: noon, Digest: []byte(id),
						})
					}
					got, err := s.Messaging().Append(t.Context(), items)
					if err != nil {
						t.Error(err)
						return
					}
					marks := make([]messaging.Mark, len(got))
					for k, a := range got {
						if a.Err != nil {
							t.Errorf("node %d: %v", n, a.Err)
							return
						}
						marks[k] = messaging.Mark{ChatID: a.Message.ChatID, UserID: "bob", Read: true, UpTo: a.Message.Seq, At: noon}
					}
					marked, err := s.Messaging().Mark(t.Context(), marks)
					if err != nil {
						t.Error(err)
					}
					for _, m := range marked {
						if m.Err != nil {
							t.Errorf("node %d: mark: %v", n, m.Err)
						}
					}
				}
			})
		}
	}
	wg.Wait()
	for _, chat := range chats {
		got, err := nodes[0].Messaging().Messages(t.Context(), "cid", chat, messaging.Window{Limit: 200})
		if err != nil || len(got) != messages {
			t.Errorf("chat %s: %d messages, %v", chat, len(got), err)
		}
		for i, m := range got {
			if m.Seq != int64(i)+1 {
				t.Errorf("chat %s: message %d has the number %d", chat, i, m.Seq)
			}
		}
		if view, err := nodes[1].Messaging().Chat(t.Context(), "bob", chat); err != nil || view.Unread != 0 || view.Own.ReadSeq != messages {
			t.Errorf("chat %s: unread %d, read %d, %v", chat, view.Unread, view.Own.ReadSeq, err)
		}
	}
}
