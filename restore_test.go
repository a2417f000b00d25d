package wigwag_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/postgres"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/client"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

// vessel is a database that can be taken back to an older state.
type vessel struct {
	open            func() (storage.Store, error)
	backup, restore func() error // while it is open; while it is not
}

func sqliteVessel(t *testing.T) vessel {
	path, copied := filepath.Join(t.TempDir(), "chat.db"), filepath.Join(t.TempDir(), "copy.db")
	return vessel{
		open: func() (storage.Store, error) {
			return sqlite.Open(context.Background(), path, sqlite.Options{Migrate: true})
		},
		backup: func() error { return statement("sqlite", path, "VACUUM INTO '"+copied+"'") },
		restore: func() error {
			return sqlite.Restore(context.Background(), copied, path, sqlite.Options{})
		},
	}
}

// A copy by CREATE DATABASE keeps what pg_dump and pg_restore keep: all but the server's identity.
func postgresVessel(t *testing.T) vessel {
	now, copied := pgtest.URL(t), pgtest.URL(t)
	u, err := url.Parse(now)
	if err != nil {
		t.Fatal(err)
	}
	v, err := url.Parse(copied)
	if err != nil {
		t.Fatal(err)
	}
	name, copyName := u.Path[1:], v.Path[1:]
	u.Path = "/postgres"
	replace := func(target, source string) error {
		if err := statement("pgx", u.String(), "DROP DATABASE "+target+" WITH (FORCE)"); err != nil {
			return err
		}
		return statement("pgx", u.String(), "CREATE DATABASE "+target+" TEMPLATE "+source)
	}
	return vessel{
		open: func() (storage.Store, error) {
			return postgres.Open(context.Background(), now, postgres.Options{Migrate: true})
		},
		backup: func() error { return replace(copyName, name) },
		restore: func() error {
			if err := replace(name, copyName); err != nil {
				return err
			}
			return postgres.NewEpoch(context.Background(), now, postgres.Options{})
		},
	}
}

func statement(driver, source, text string) error {
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(context.Background(), text)
	return err
}

// A client that comes back after an older backup was restored is told so, also
// when the restored history has grown past all that it had seen.
func TestRestoredBackupIsNoticed(t *testing.T) {
	t.Parallel()
	for name, vessels := range map[string]func(*testing.T) vessel{"sqlite": sqliteVessel, "postgres": postgresVessel} {
		for _, grown := range []int{0, 1, 8} { // messages after the restore: below, at and above the old heads
			t.Run(fmt.Sprint(name, " grown by ", grown), func(t *testing.T) {
				t.Parallel()
				noticeRestore(t, vessels(t), grown)
			})
		}
	}
}

func noticeRestore(t *testing.T, v vessel, grown int) {
	key, err := keys.Generate(nil)
	check(t, err)
	ring := keys.NewRing(key)
	old := start(t, v, ring)
	chat, _, err := old.app.Messaging.OpenDirect(t.Context(), "ann", "bob")
	check(t, err)
	old.say(t, chat.ID, "kept")
	old.stop()
	check(t, v.backup())
	old = start(t, v, ring)
	old.say(t, chat.ID, "lost")

	heard := make(chan string, 100)
	socket := old.connect(t, client.Cursor{}, heard)
	await(t, heard, "kept", "lost")
	cursor := socket.Cursor()
	check(t, socket.Close())
	old.stop()
	check(t, v.restore())

	now := start(t, v, ring)
	defer now.stop()
	want := []string{"reset", "kept"}
	for i := range grown {
		text := fmt.Sprint("other ", i)
		now.say(t, chat.ID, text)
		want = append(want, text)
	}
	answer, err := now.client(t).Sync(t.Context(), api.Sync{Epoch: cursor.Epoch, UserSeq: cursor.UserSeq, Chats: cursor.Chats})
	if err != nil || !answer.Reset || answer.Epoch == cursor.Epoch {
		t.Errorf("over HTTP: %+v, %v", answer, err)
	}
	socket = now.connect(t, cursor, heard)
	defer socket.Close()
	await(t, heard, want...)
}

// running is an app of a host whose users' tokens are their ids.
type running struct {
	app     *wigwag.App
	address string
	stop    func()
}

func start(t *testing.T, v vessel, ring *keys.Ring) running {
	t.Helper()
	store, err := v.open()
	check(t, err)
	app, err := wigwag.Open(t.Context(), wigwag.Config{
		Store: store, Keys: ring, Limits: ws.Limits{Off: true}, Logger: slog.New(slog.DiscardHandler),
		Authenticator: auth.TokenFunc(func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{UserID: token, SessionID: "s"}, nil
		}),
	})
	check(t, err)
	app.Start()
	server := httptest.NewServer(app.Handler())
	return running{app, server.URL, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		check(t, app.Stop(ctx))
		server.Close()
	}}
}

func (r running) say(t *testing.T, chat, text string) {
	t.Helper()
	_, _, err := r.app.Messaging.Send(t.Context(), messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: text})
	check(t, err)
}

func (r running) client(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.New(r.address, client.Options{
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Tokens: client.Tokens{Access: "bob"},
	})
	check(t, err)
	return c
}

// connect tells the texts that bob hears, and "reset".
func (r running) connect(t *testing.T, from client.Cursor, heard chan<- string) *client.Socket {
	t.Helper()
	s, err := r.client(t).Connect(t.Context(), client.SocketOptions{
		Cursor: from,
		Reset:  func() { heard <- "reset" },
		Event: func(e api.Event) {
			if e.Message != nil {
				heard <- e.Message.Text
			}
		},
	})
	check(t, err)
	return s
}

func await(t *testing.T, heard <-chan string, want ...string) {
	t.Helper()
	for _, text := range want {
		select {
		case got := <-heard:
			if got != text {
				t.Fatalf("heard %q, want %q of %q", got, text, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("nothing heard, want %q of %q", text, want)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
