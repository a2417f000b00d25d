// Package postgres keeps everything in PostgreSQL, for any number of nodes.
// Messages and receipts that come at once share commits; every other write has a
// transaction of its own. What was acknowledged is on the server's disk.
package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/internal/bunstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrEncoding: the database does not keep text as UTF-8.
var ErrEncoding = errs.New(errs.Unavailable, "wrong_encoding", "The database must be encoded in UTF-8.")

// Options tunes a store. The zero value is ready to use.
type Options struct {
	// Migrate brings an older or empty database to this version's schema. Without
	// it Open answers storage.ErrSchemaOlder; see the function Migrate.
	Migrate bool
	// AllowUnsafe opens a server that may forget what it acknowledged: with fsync,
	// synchronous_commit or full_page_writes off.
	AllowUnsafe bool
	// MaxConns is the greatest number of connections; default 16, at least 2.
	MaxConns int
	// ConnIdleTime is how long a connection stays open unused; default 5 min.
	ConnIdleTime time.Duration
	// StatementTimeout, LockTimeout and IdleTimeout end statements, waits for locks
	// and transactions that stand still; defaults 30 s, 10 s and 30 s.
	StatementTimeout time.Duration
	LockTimeout      time.Duration
	IdleTimeout      time.Duration
	// AnswerTimeout is how long the server may take to answer a statement, on a
	// network that may have swallowed it; then the connection is given up, and the
	// others that are as old with it. Default StatementTimeout and 5 s more.
	AnswerTimeout time.Duration
	// ApplicationName is shown in pg_stat_activity; default the URL's, else "wigwag".
	ApplicationName string
	// BatchWorkers is the greatest number of group commits at once; default 2. While
	// one runs, messages gather for 10 ms, or until they fill another.
	BatchWorkers int
	// BatchItems is the greatest number of messages and marks in one commit; default 256.
	BatchItems int
	// MaxWaiting is the greatest number of them that wait; more are refused as
	// Unavailable. Default 8192.
	MaxWaiting int
	// NoGroupCommit gives each message a commit of its own. It is for measuring.
	NoGroupCommit bool
	// NewID names the epochs; default random UUIDs.
	NewID func() string
}

func (o Options) withDefaults() Options {
	fallback := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	fallback(&o.ConnIdleTime, 5*time.Minute)
	fallback(&o.StatementTimeout, 30*time.Second)
	fallback(&o.LockTimeout, 10*time.Second)
	fallback(&o.IdleTimeout, 30*time.Second)
	fallback(&o.AnswerTimeout, o.StatementTimeout+5*time.Second)
	if o.MaxConns <= 0 {
		o.MaxConns = 16
	}
	o.MaxConns = max(o.MaxConns, 2)
	if o.BatchWorkers <= 0 {
		o.BatchWorkers = 2
	}
	return o
}

func (o Options) store() bunstore.Options {
	return bunstore.Options{
		BatchItems: o.BatchItems, BatchWaiting: o.MaxWaiting, BatchWorkers: o.BatchWorkers,
		WriteTimeout: 2 * o.StatementTimeout, NoGroupCommit: o.NoGroupCommit, NewID: o.NewID,
	}
}

// Store is an opened database. It is safe for concurrent use, as are several
// stores on one database.
type Store struct {
	*bunstore.Store
}

var _ storage.Store = (*Store)(nil)

// Open opens the database that a URL or a string of keywords and values names,
// as libpq takes them. Errors: storage.ErrSchemaOlder, storage.ErrSchemaNewer,
// storage.ErrNotDurable, ErrEncoding.
func Open(ctx context.Context, url string, opt Options) (*Store, error) {
	opt = opt.withDefaults()
	db, err := open(url, opt, opt.StatementTimeout, opt.LockTimeout, opt.AnswerTimeout)
	if err != nil {
		return nil, err
	}
	s, err := openStore(ctx, url, db, opt)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func openStore(ctx context.Context, url string, db *sql.DB, opt Options) (*Store, error) {
	if err := checkSettings(ctx, db, opt.AllowUnsafe); err != nil {
		return nil, err
	}
	if opt.Migrate {
		if err := Migrate(ctx, url, opt); err != nil {
			return nil, err
		}
	}
	if err := bunstore.CheckSchema(ctx, dialect(), db); err != nil {
		return nil, err
	}
	system := systemOf(ctx, db)
	s := &Store{bunstore.New(dialect(), db, db, opt.store())}
	if err := s.Renew(ctx, system); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Migrate brings a database to this version's schema. Several nodes may call it
// at once. storage.ErrSchemaNewer leaves the database as it is.
func Migrate(ctx context.Context, url string, opt Options) error {
	opt = opt.withDefaults()
	// A step may take long, and so may waiting for another node's: ctx limits both.
	db, err := open(url, opt, 0, 0, 0)
	if err != nil {
		return err
	}
	return errors.Join(bunstore.Migrate(ctx, dialect(), db, opt.store()), db.Close())
}

// NewEpoch tells a database's clients, as they come back, that it was restored
// from a backup: they forget what they have and load anew. Call it after
// pg_restore and before nodes open the database. Open itself notices when the
// server is another one, or was brought back to a point in time.
func NewEpoch(ctx context.Context, url string, opt Options) error {
	opt = opt.withDefaults()
	db, err := open(url, opt, opt.StatementTimeout, opt.LockTimeout, opt.AnswerTimeout)
	if err != nil {
		return err
	}
	return errors.Join(bunstore.NewEpoch(ctx, dialect(), db, opt.store()), db.Close())
}

// open makes the pool; nothing is connected yet.
func open(url string, opt Options, statement, lock, answer time.Duration) (*sql.DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// The error of the parser may quote the URL with its password.
		return nil, errs.New(errs.Invalid, "bad_database_url", "This is not the address of a PostgreSQL database.")
	}
	// bun writes arguments into the text, so there is nothing to prepare.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	if opt.ApplicationName == "" {
		opt.ApplicationName = cmp.Or(config.RuntimeParams["application_name"], "wigwag")
	}
	for name, value := range map[string]string{
		"application_name":                    opt.ApplicationName,
		"client_encoding":                     "UTF8",
		"standard_conforming_strings":         "on",
		"default_transaction_isolation":       "read committed", // a statement after a lock sees what was committed before it
		"statement_timeout":                   millis(statement),
		"lock_timeout":                        millis(lock),
		"idle_in_transaction_session_timeout": millis(opt.IdleTimeout),
		// Every statement finds its rows by an index, also while a table is too young to
		// have statistics: plans are made once, for good, and never compiled.
		"plan_cache_mode":   "force_generic_plan",
		"enable_seqscan":    "off",
		"enable_hashjoin":   "off",
		"enable_mergejoin":  "off",
		"enable_bitmapscan": "off",
		"jit":               "off",
	} {
		config.RuntimeParams[name] = value
	}
	if answer > 0 {
		config.ConnectTimeout = min(config.ConnectTimeout, answer)
	}
	p := &patience{answer: answer}
	config.DialFunc = p.dialer()
	db := stdlib.OpenDB(*config, stdlib.OptionResetSession(p.fresh))
	db.SetMaxOpenConns(opt.MaxConns)
	db.SetMaxIdleConns(opt.MaxConns)
	db.SetConnMaxIdleTime(opt.ConnIdleTime)
	return db, nil
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// checkSettings refuses servers that would lose or change what they are given.
func checkSettings(ctx context.Context, db *sql.DB, allowUnsafe bool) error {
	var fsync, synchronous, pages, encoding string
	err := db.QueryRowContext(ctx, `SELECT current_setting('fsync'), current_setting('synchronous_commit'),
		current_setting('full_page_writes'), current_setting('server_encoding')`).Scan(&fsync, &synchronous, &pages, &encoding)
	switch {
	case err != nil:
		return fmt.Errorf("postgres: %w", err)
	case encoding != "UTF8":
		return ErrEncoding.Because(fmt.Errorf("server_encoding is %s", encoding))
	case !allowUnsafe && (fsync == "off" || synchronous == "off" || pages == "off"):
		return storage.ErrNotDurable.Because(fmt.Errorf("fsync is %s, synchronous_commit %s, full_page_writes %s", fsync, synchronous, pages))
	}
	return nil
}

// systemOf names the server's history: another system, or the same one restored
// or failed over, has another name. "" when this role may not ask.
func systemOf(ctx context.Context, db *sql.DB) (name string) {
	err := db.QueryRowContext(ctx, `SELECT s.system_identifier::text || ':' || c.timeline_id::text
		FROM pg_control_system() AS s, pg_control_checkpoint() AS c`).Scan(&name)
	if err != nil {
		return ""
	}
	return name
}

func dialect() bunstore.Dialect {
	return bunstore.Dialect{
		SQL:        pgdialect.New(),
		Migrations: migrations,
		HasTable:   "SELECT 1 WHERE to_regclass(?) IS NOT NULL",
		Lock:       " FOR UPDATE",
		Clock:      "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
		Given:      given,
		Pipe:       withPipe,
		Snapshot:   &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		Classify:   classify,
		LockSchema: lockSchema,
	}
}

// schemaLock is the key of the advisory lock of migrators: "wigwag" in ASCII.
const schemaLock int64 = 0x776967776167

// lockSchema keeps other nodes out while one migrates. The server gives the lock
// back when the connection ends, however it ends.
func lockSchema(ctx context.Context, db *sql.DB) (func(), error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", schemaLock); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() {
		// On an error the connection is gone, and the lock with it.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", schemaLock)
		_ = conn.Close()
	}, nil
}
