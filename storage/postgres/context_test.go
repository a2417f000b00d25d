package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/postgres"
)

// Who waits for a connection does not wait longer than his context.
func TestContextEndsWhileNoConnectionIsFree(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	s := open(t, url, postgres.Options{Migrate: true, MaxConns: 2, LockTimeout: time.Minute})
	group(t, s, "chat", "ann", "bob")
	if _, err := send(t.Context(), s, "chat", "ann", "m"); err != nil {
		t.Fatal(err)
	}
	hide := func(ctx context.Context, user string) error {
		_, err := s.Messaging().Hide(ctx, messaging.HideMessage{ChatID: "chat", MessageID: "m", UserID: user, At: noon})
		return err
	}

	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lock, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback() }()
	if _, err := lock.ExecContext(t.Context(), "SELECT 1 FROM chats FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, user := range []string{"ann", "bob"} { // both connections of the pool
		wg.Go(func() {
			if err := hide(t.Context(), user); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting < 2; {
		err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- hide(ctx, "ann") }()
	select {
	case err := <-done:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it still waits 10 s after its context ended")
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

// A statement that waits for a lock ends with its caller's context too, though a
// connection was to be had.
func TestContextEndsWaitForALock(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	s := open(t, url, postgres.Options{Migrate: true, LockTimeout: time.Minute})
	group(t, s, "chat", "ann", "bob")
	if _, err := send(t.Context(), s, "chat", "ann", "m"); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lock, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback() }()
	if _, err := lock.ExecContext(t.Context(), "SELECT 1 FROM chats FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := s.Messaging().Hide(ctx, messaging.HideMessage{ChatID: "chat", MessageID: "m", UserID: "bob", At: noon})
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it still waits 10 s after its context ended")
		_ = lock.Rollback()
		<-done
	}
}
