// Package sqlite keeps everything in one SQLite file. It is made for one process
// on one machine: writes of any kind that come at once share one commit, reads
// run beside them. What was acknowledged is on the disk (synchronous=FULL).
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite" // registers the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/internal/bunstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options tunes a store. The zero value is ready to use.
type Options struct {
	// Migrate brings an older or empty database to this version's schema. Without
	// it Open answers storage.ErrSchemaOlder; see the function Migrate.
	Migrate bool
	// AllowUnsafe opens a database that may forget what it acknowledged when the
	// power fails. Only OpenDB can meet one.
	AllowUnsafe bool
	// Readers is the number of connections that read at once; default 4.
	Readers int
	// BusyTimeout is how long to wait for another process that writes; default 5 s.
	BusyTimeout time.Duration
	// BatchItems is the greatest number of writes in one commit; default 256.
	BatchItems int
	// MaxWaiting is the greatest number of writes that wait; more are refused as
	// Unavailable. Default 8192.
	MaxWaiting int
	// NoGroupCommit gives each write a commit of its own. It is for measuring.
	NoGroupCommit bool
	// NewID names the epoch of a new database; default random UUIDs.
	NewID func() string
}

func (o Options) withDefaults() Options {
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 5 * time.Second
	}
	return o
}

func (o Options) store() bunstore.Options {
	return bunstore.Options{
		BatchItems: o.BatchItems, BatchWaiting: o.MaxWaiting, NoGroupCommit: o.NoGroupCommit, NewID: o.NewID,
	}
}

// Store is an opened file. It is safe for concurrent use.
type Store struct {
	*bunstore.Store
}

var _ storage.Store = (*Store)(nil)

// Open opens the database in the file at path, and creates it, readable by its
// owner alone, when Options.Migrate is set. Errors: storage.ErrSchemaOlder,
// storage.ErrSchemaNewer.
func Open(ctx context.Context, path string, opt Options) (*Store, error) {
	opt = opt.withDefaults()
	if !opt.Migrate {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, storage.ErrSchemaOlder.Because(err)
		}
	}
	writer, err := openWriter(path, opt)
	if err != nil {
		return nil, err
	}
	reader, err := sql.Open("sqlite", dsn(path, opt, "_pragma=query_only(1)", "_txlock=deferred"))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	reader.SetMaxOpenConns(opt.Readers)
	reader.SetMaxIdleConns(opt.Readers)
	s, err := OpenDB(ctx, writer, reader, opt)
	if err != nil {
		return nil, errors.Join(err, writer.Close(), reader.Close())
	}
	return s, nil
}

// OpenDB opens a store on databases of the host's own, of the driver
// modernc.org/sqlite. writer begins its transactions immediate and gets one
// connection; reader may have several and only reads. Both are the store's from
// here on and closed with it; on an error they stay the caller's. The host sets
// the pragmas; OpenDB asks for those on which durability hangs: storage.ErrNotDurable.
func OpenDB(ctx context.Context, writer, reader *sql.DB, opt Options) (*Store, error) {
	writer.SetMaxOpenConns(1)
	if !opt.AllowUnsafe {
		if err := checkDurable(ctx, writer); err != nil {
			return nil, err
		}
	}
	if opt.Migrate {
		if err := bunstore.Migrate(ctx, dialect(), writer, opt.store()); err != nil {
			return nil, err
		}
	}
	if err := bunstore.CheckSchema(ctx, dialect(), writer); err != nil {
		return nil, err
	}
	log, err := logOf(ctx, writer)
	if err != nil {
		return nil, err
	}
	d := dialect()
	d.BeforeBatch = log.trim
	return &Store{bunstore.New(d, writer, reader, opt.store())}, nil
}

// Migrate brings the database in the file at path to this version's schema, and
// makes the file when there is none. Several processes may call it at once.
// storage.ErrSchemaNewer leaves the database as it is.
func Migrate(ctx context.Context, path string, opt Options) error {
	opt = opt.withDefaults()
	writer, err := openWriter(path, opt)
	if err != nil {
		return err
	}
	return errors.Join(bunstore.Migrate(ctx, dialect(), writer, opt.store()), writer.Close())
}

// openWriter makes the file if need be, for its owner alone: SQLite gives the
// files that it puts beside it the same mode.
func openWriter(path string, opt Options) (*sql.DB, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(path, opt,
		"_pragma=journal_mode(WAL)", "_pragma=secure_delete(1)", "_pragma=temp_store(MEMORY)", "_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// dsn names the file for the driver. Every connection of a pool gets the pragmas.
func dsn(path string, opt Options, more ...string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	params := append([]string{
		fmt.Sprintf("_pragma=busy_timeout(%d)", opt.BusyTimeout.Milliseconds()),
		"_pragma=synchronous(FULL)",
	}, more...)
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), OmitHost: true, RawQuery: strings.Join(params, "&")}).String()
}

// checkDurable asks for the settings that the connections really have.
func checkDurable(ctx context.Context, db *sql.DB) error {
	var (
		synchronous int
		journal     string
	)
	if err := db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	const full = 2
	if synchronous < full || journal == "off" || journal == "memory" {
		return storage.ErrNotDurable.Because(fmt.Errorf("synchronous is %d, journal_mode is %s", synchronous, journal))
	}
	return nil
}

func dialect() bunstore.Dialect {
	return bunstore.Dialect{
		SQL:        sqlitedialect.New(),
		Migrations: migrations,
		HasTable:   "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
		Clock:      "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		OneWriter:  true,
		Stamp:      "SELECT data_version, total_changes() FROM pragma_data_version",
		Given:      given,
		Classify:   classify,
	}
}

// given is one row of input.
func given(columns []bunstore.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = "? AS " + c.Name
	}
	return "(SELECT " + strings.Join(names, ", ") + ") AS v"
}

// classify tells what an error of the driver means, by SQLite's primary code.
func classify(err error) bunstore.Fault {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return bunstore.Other
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return bunstore.Unique
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return bunstore.Busy
	case sqlite3.SQLITE_FULL:
		return bunstore.Full
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM:
		return bunstore.Refused
	}
	return bunstore.Other
}
