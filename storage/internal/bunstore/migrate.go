package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/storage"
)

const (
	migrationsTable = "schema_migrations"
	locksTable      = "schema_migration_locks" // bun makes it; it is not used

	metaEpoch  = "epoch"
	metaSystem = "system"
)

var (
	errNoEpoch   = errs.New(errs.Internal, "no_epoch", "The database has no epoch.")
	errChatID    = errs.New(errs.Internal, "chat_id_taken", "There is another chat with this id.")
	errAccountID = errs.New(errs.Internal, "account_id_taken", "There is another account with this id or number.")
)

// Migrate brings a database to this version's schema, step by step; each step is
// atomic with its mark. Concurrent calls, also of other processes, wait for each
// other. A database that is newer is left alone: ErrSchemaNewer.
func Migrate(ctx context.Context, d Dialect, db *sql.DB, opt Options) error {
	if d.LockSchema != nil {
		release, err := d.LockSchema(ctx, db)
		if err != nil {
			return fmt.Errorf("storage: lock the schema: %w", err)
		}
		defer release()
	}
	m, err := migrator(d, db, opt)
	if err != nil {
		return err
	}
	if err := m.Init(ctx); err != nil {
		return fmt.Errorf("storage: migrate: %w", err)
	}
	if err := CheckSchema(ctx, d, db); !errors.Is(err, storage.ErrSchemaOlder) {
		return err
	}
	if _, err := m.Migrate(ctx); err != nil {
		return fmt.Errorf("storage: migrate: %w", err)
	}
	return nil
}

// CheckSchema reports whether a database has this version's schema, without
// changing anything: ErrSchemaOlder or ErrSchemaNewer when not.
func CheckSchema(ctx context.Context, d Dialect, db *sql.DB) error {
	known, err := names(d.Migrations)
	if err != nil {
		return err
	}
	b := bun.NewDB(db, d.SQL)
	there, err := list[int](ctx, b, d.HasTable, migrationsTable)
	if err != nil {
		return fmt.Errorf("storage: read the schema: %w", err)
	}
	var applied []string
	if len(there) > 0 {
		if applied, err = list[string](ctx, b, "SELECT name FROM "+migrationsTable); err != nil {
			return fmt.Errorf("storage: read the schema: %w", err)
		}
	}
	for _, name := range applied {
		if !slices.Contains(known, name) {
			return storage.ErrSchemaNewer.Because(fmt.Errorf("migration %s is not known", name))
		}
	}
	for _, name := range known {
		if !slices.Contains(applied, name) {
			return storage.ErrSchemaOlder
		}
	}
	return nil
}

// names returns the numbers of the migrations.
func names(migrations fs.FS) ([]string, error) {
	files, err := fs.Glob(migrations, "migrations/*.up.sql")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("storage: no migrations: %w", err)
	}
	for i, f := range files {
		files[i], _, _ = strings.Cut(strings.TrimPrefix(f, "migrations/"), "_")
	}
	return files, nil
}

// migrator makes a migrator whose steps mark themselves, in their own transactions.
func migrator(d Dialect, db *sql.DB, opt Options) (*migrate.Migrator, error) {
	if opt.NewID == nil {
		opt.NewID = uuid.NewString
	}
	known, err := names(d.Migrations)
	if err != nil {
		return nil, err
	}
	steps := migrate.NewMigrations()
	for _, name := range known {
		files, err := fs.Glob(d.Migrations, "migrations/"+name+"_*.up.sql")
		if err != nil || len(files) != 1 {
			return nil, fmt.Errorf("storage: migration %s: %d files, %w", name, len(files), err)
		}
		text, err := fs.ReadFile(d.Migrations, files[0])
		if err != nil {
			return nil, err
		}
		steps.Add(migrate.Migration{
			Name: name,
			Up: func(ctx context.Context, m *migrate.Migrator, step *migrate.Migration) error {
				return m.DB().RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
					return apply(ctx, tx, string(text), step, opt.NewID)
				})
			},
		})
	}
	return migrate.NewMigrator(bun.NewDB(db, d.SQL), steps,
		migrate.WithTableName(migrationsTable), migrate.WithLocksTableName(locksTable),
		// The mark that the migrator sets is set by the step already.
		migrate.WithMarkAppliedOnSuccess(true), migrate.WithUpsert(true)), nil
}

// apply runs one step and marks it, unless another process was faster.
func apply(ctx context.Context, tx bun.Tx, text string, step *migrate.Migration, newID func() string) error {
	marked, err := exec(ctx, tx, "INSERT INTO "+migrationsTable+" (name, group_id) VALUES ? ON CONFLICT DO NOTHING",
		tuples{{step.Name, step.GroupID}})
	if err != nil || marked == 0 {
		return err
	}
	// Not through bun, which would look for arguments in the text.
	if _, err := tx.Tx.ExecContext(ctx, text); err != nil {
		return err
	}
	_, err = exec(ctx, tx, "INSERT INTO meta (name, value) VALUES ? ON CONFLICT DO NOTHING", tuples{{metaEpoch, newID()}})
	return err
}

// NewEpoch draws a new epoch for a database that was restored from a backup.
func NewEpoch(ctx context.Context, d Dialect, db *sql.DB, opt Options) error {
	if opt.NewID == nil {
		opt.NewID = uuid.NewString
	}
	n, err := exec(ctx, bun.NewDB(db, d.SQL), "UPDATE meta SET value = ? WHERE name = ?", opt.NewID(), metaEpoch)
	if err := must(1, n, err); err != nil {
		return fmt.Errorf("storage: new epoch: %w", err)
	}
	return nil
}

// Renew draws a new epoch when the database is another one than before, by a
// name that its server gives it: after a restore or a failover what clients
// have seen may never have happened. "" changes nothing.
func (s *Store) Renew(ctx context.Context, system string) error {
	if system == "" {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := find[string](ctx, tx, errNoEpoch, "SELECT value FROM meta WHERE name = ?"+s.dialect.Lock, metaEpoch); err != nil {
			return err
		}
		before, err := list[string](ctx, tx, "SELECT value FROM meta WHERE name = ?", metaSystem)
		if err != nil || len(before) > 0 && before[0] == system {
			return err
		}
		if _, err := exec(ctx, tx, `INSERT INTO meta (name, value) VALUES ?
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, tuples{{metaSystem, system}}); err != nil || len(before) == 0 {
			return err
		}
		n, err := exec(ctx, tx, "UPDATE meta SET value = ? WHERE name = ?", s.opt.NewID(), metaEpoch)
		return must(1, n, err)
	})
}
