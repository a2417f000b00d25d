package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

// serve puts the whole of Wigwag, whose users' tokens are their ids, on a store.
func serve(t *testing.T, s *sqlite.Store) (*wigwag.App, string) {
	t.Helper()
	key, err := keys.Generate(bytes.NewReader(bytes.Repeat([]byte("k"), 64)))
	if err != nil {
		t.Fatal(err)
	}
	app, err := wigwag.Open(t.Context(), wigwag.Config{
		Store: s, Keys: keys.NewRing(key), Limits: ws.Limits{Off: true}, Logger: slog.New(slog.DiscardHandler),
		Authenticator: auth.TokenFunc(func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{UserID: token, SessionID: "s"}, nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(app.Handler())
	t.Cleanup(func() {
		server.Close()
		_ = app.Stop(context.Background())
	})
	return app, server.URL
}

// request makes one as ann, and returns the status and the code of an error.
func request(t *testing.T, method, address string, body, answer any) (int, string) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer ann")
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if data, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode < 300 {
		if err := json.Unmarshal(data, answer); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, ""
	}
	var failure api.Error
	if err := json.Unmarshal(data, &failure); err != nil {
		t.Fatalf("%d: %s", resp.StatusCode, data)
	}
	return resp.StatusCode, failure.Error.Code
}

// Where the disk is full writes say so and leave nothing half done, reads go on,
// and once there is room writes succeed without a restart.
func TestDiskFullThroughHTTP(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	t.Run("limit of pages", func(t *testing.T) {
		path := file(t)
		if err := sqlite.Migrate(t.Context(), path, sqlite.Options{}); err != nil {
			t.Fatal(err)
		}
		writer := raw(t, path, "&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
		s, err := sqlite.OpenDB(t.Context(), writer, raw(t, path, ""), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		limit := func(pages int) {
			if _, err := writer.ExecContext(t.Context(), fmt.Sprint("PRAGMA max_page_count = ", pages)); err != nil {
				t.Fatal(err)
			}
		}
		fillUp(t, s, path, func() { limit(1) /* what is used already stays allowed */ }, func() { limit(1 << 30) })
	})
	t.Run("small disk", func(t *testing.T) {
		dir, mounted := smallDisk(t)
		if !mounted {
			t.Log("only root may mount one; the limit of pages is the proof here")
			return
		}
		path, filler := filepath.Join(dir, "chat.db"), filepath.Join(dir, "filler")
		s := open(t, path, sqlite.Options{Migrate: true})
		fillUp(t, s, path, func() {
			f, err := os.Create(filler)
			if err != nil {
				t.Fatal(err)
			}
			for block := make([]byte, 4096); err == nil; {
				_, err = f.Write(block)
			}
			_ = f.Close()
		}, func() {
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func fillUp(t *testing.T, s *sqlite.Store, path string, fill, free func()) {
	t.Helper()
	_, base := serve(t, s)
	var chat api.Chat
	if status, code := request(t, "POST", base+"/v1/chats/direct", map[string]string{"userId": "bob"}, &chat); status >= 300 {
		t.Fatal(status, code)
	}
	messages := base + "/v1/chats/" + chat.ID + "/messages"
	text := strings.Repeat("x", 4000)
	var acked []string
	write := func() (int, string) {
		var m api.Message
		status, code := request(t, "POST", messages, map[string]string{"text": text}, &m)
		if status < 300 {
			acked = append(acked, m.ID)
		}
		return status, code
	}
	readBack := func() {
		t.Helper()
		var page struct{ Items []api.Message }
		if status, code := request(t, "GET", messages+"?after=0&limit=200", nil, &page); status != http.StatusOK {
			t.Fatalf("reading: %d %s", status, code)
		}
		if len(page.Items) != len(acked) {
			t.Fatalf("%d messages are stored, %d were acknowledged", len(page.Items), len(acked))
		}
		for i, m := range page.Items {
			if m.ID != acked[i] || m.Seq != int64(i+1) || m.Text != text {
				t.Fatalf("message %d is %s at %d", i, m.ID, m.Seq)
			}
		}
	}
	for range 3 { // full, and free again, and so on
		for range 3 {
			if status, code := write(); status != http.StatusCreated {
				t.Fatal(status, code)
			}
		}
		fill()
		refused := 0
		for range 60 { // the log may have had some room
			status, code := write()
			if status >= 300 {
				refused++
				if !(status == http.StatusInsufficientStorage && code == "storage_full" ||
					status == http.StatusServiceUnavailable && code == "storage_unavailable") {
					t.Errorf("where the disk is full: %d %s", status, code)
				}
			}
			if refused == 5 {
				break
			}
		}
		if refused == 0 {
			t.Error("nothing was refused")
		}
		readBack()
		free()
		freed := time.Now()
		for status, code := write(); status != http.StatusCreated; status, code = write() {
			if time.Since(freed) > 10*time.Second {
				t.Fatalf("10 s after there is room: %d %s", status, code)
			}
		}
		t.Logf("%d refused, writing again after %v", refused, time.Since(freed).Round(time.Millisecond))
		readBack()
	}
	whole(t, path)
}

// whole asks SQLite whether the file is sound.
func whole(t *testing.T, path string) {
	t.Helper()
	var verdict string
	err := raw(t, path, "").QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict)
	if err != nil && !errors.Is(err, sql.ErrNoRows) || verdict != "ok" {
		t.Errorf("integrity_check: %q, %v", verdict, err)
	}
}

// A checkpoint that finds no room loses nothing: what it could not move stays in the log.
func TestDiskFullAtCheckpoint(t *testing.T) {
	dir, mounted := smallDisk(t)
	if !mounted {
		t.Log("only root may mount a small disk")
		return
	}
	path := filepath.Join(dir, "chat.db")
	s := open(t, path, sqlite.Options{Migrate: true})
	group(t, s, "chat", "ann")
	// The log takes 1 MiB that the file does not have yet; then the rest of the disk goes.
	for i := range 16 {
		if err := send(t.Context(), s, "chat", "ann", fmt.Sprint(i), 64<<10); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	_ = f.Close()
	var busy, pages, moved int
	err = raw(t, path, "").QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if err == nil && busy == 0 {
		t.Error("the checkpoint found room")
	}
	if err := send(t.Context(), s, "chat", "ann", "no room", 64<<10); err == nil {
		t.Error("a write found room")
	}
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
	if err := send(t.Context(), s, "chat", "ann", "room", 10); err != nil {
		t.Error(err)
	}
	view, err := s.Messaging().Chat(t.Context(), "ann", "chat")
	if err != nil || view.HeadSeq != 17 {
		t.Errorf("afterwards: %d messages, %v", view.HeadSeq, err)
	}
	whole(t, path)
}
