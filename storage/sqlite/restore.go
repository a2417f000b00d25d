package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/internal/bunstore"
)

// Restore puts the backup in one file, which stays as it is, in the place of the
// database at path, and draws a new epoch: clients then notice, as they come
// back, that what they have seen may never have happened. No process may have the
// database at path open. On an error it is left as it was, unless the
// file system failed between removing its log and replacing it.
// storage.ErrSchemaNewer; an older backup is restored, for Open to migrate.
func Restore(ctx context.Context, backup, path string, opt Options) (err error) {
	opt = opt.withDefaults()
	if _, err := os.Stat(backup); err != nil {
		return fmt.Errorf("sqlite: restore: %w", err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".restore-") // on the same file system
	if err != nil {
		return fmt.Errorf("sqlite: restore: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	made := filepath.Join(dir, "restored.db")
	if err := copyBackup(ctx, backup, made, opt); err != nil {
		return fmt.Errorf("sqlite: restore: %w", err)
	}
	if err := renew(ctx, made, opt); err != nil {
		return fmt.Errorf("sqlite: restore: %w", err)
	}
	return replace(made, path)
}

// copyBackup copies what the backup and its write-ahead log hold.
func copyBackup(ctx context.Context, backup, made string, opt Options) error {
	f, err := os.OpenFile(made, os.O_CREATE|os.O_EXCL, 0o600) // SQLite fills an empty file, and keeps its mode
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(backup, opt))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", made)
	return errors.Join(err, db.Close())
}

func renew(ctx context.Context, made string, opt Options) error {
	writer, err := openWriter(made, opt)
	if err != nil {
		return err
	}
	err = bunstore.CheckSchema(ctx, dialect(), writer)
	if err == nil || errors.Is(err, storage.ErrSchemaOlder) {
		err = bunstore.NewEpoch(ctx, dialect(), writer, opt.store())
	}
	return errors.Join(err, writer.Close()) // which puts the log into the file
}

// replace moves a whole database into the place of another. The other's log goes
// first: it must never meet a file that it does not belong to.
func replace(made, path string) error {
	if err := flush(made); err != nil {
		return fmt.Errorf("sqlite: restore: %w", err)
	}
	for _, end := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("sqlite: restore: %w", err)
		}
	}
	if err := os.Rename(made, path); err != nil {
		return fmt.Errorf("sqlite: restore: %w", err)
	}
	if err := flush(filepath.Dir(path)); err != nil {
		return fmt.Errorf("sqlite: restore: %w", err)
	}
	return nil
}

// flush brings a file or folder to the disk.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
