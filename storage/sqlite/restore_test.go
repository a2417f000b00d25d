package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
)

// copyFile copies the bytes of a file.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What lies in the backup's log is restored, the log of the replaced database is not.
func TestRestoreAndLogs(t *testing.T) {
	t.Parallel()
	path, backup, crashed := file(t), filepath.Join(t.TempDir(), "backup.db"), filepath.Join(t.TempDir(), "crashed.db")
	s := open(t, path, sqlite.Options{Migrate: true})
	group(t, s, "chat", "ann")
	if err := send(t.Context(), s, "chat", "ann", "kept", 10); err != nil {
		t.Fatal(err)
	}
	epoch, err := s.Messaging().Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal"} { // as a crash leaves them
		copyFile(t, path+end, backup+end)
	}
	if err := send(t.Context(), s, "chat", "ann", "lost", 10); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal"} {
		copyFile(t, path+end, crashed+end)
	}
	if err := sqlite.Restore(t.Context(), backup, crashed, sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	restored := open(t, crashed, sqlite.Options{})
	got, err := restored.Messaging().Messages(t.Context(), "ann", "chat", messaging.Window{Limit: 10})
	if err != nil || len(got) != 1 || got[0].ID != "kept" {
		t.Errorf("restored: %+v, %v", got, err)
	}
	if e, err := restored.Messaging().Epoch(t.Context()); err != nil || e == epoch {
		t.Errorf("epoch %q, %v", e, err)
	}
	info, err := os.Stat(crashed)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	path, newer, text := file(t), file(t), filepath.Join(t.TempDir(), "text")
	s := open(t, path, sqlite.Options{Migrate: true})
	group(t, s, "chat", "ann")
	open(t, newer, sqlite.Options{Migrate: true}).Close()
	exec(t, newer, "INSERT INTO schema_migrations (name, group_id) VALUES ('9999', 9)")
	if err := os.WriteFile(text, []byte("this is no database, whatever its name says"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Restore(t.Context(), newer, path, sqlite.Options{}); !errors.Is(err, storage.ErrSchemaNewer) {
		t.Errorf("a newer schema: %v", err)
	}
	for _, backup := range []string{text, text + ".none"} {
		if err := sqlite.Restore(t.Context(), backup, path, sqlite.Options{}); err == nil {
			t.Errorf("restored from %s", backup)
		}
	}
	if _, err := open(t, path, sqlite.Options{}).Messaging().Chat(t.Context(), "ann", "chat"); err != nil {
		t.Errorf("what was to be replaced: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".restore-*")); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}
