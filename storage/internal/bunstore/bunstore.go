// Package bunstore keeps everything in an SQL database through bun: one
// implementation of the ports for SQLite and PostgreSQL. What differs between
// the two stands in a Dialect; the packages sqlite and postgres fill it in.
//
// Rows are private structs, mapped to the types of the contract. bun writes
// arguments into the text of a statement and would silently repair strings that
// are no UTF-8, so every method refuses those first.
package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/internal/batch"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/users"
)

// Fault is the class of a driver's error.
type Fault int

// The classes.
const (
	Other     Fault = iota
	Transient       // of concurrency: undone, and likely to succeed when tried again
	Unique          // a unique value is taken
	Full            // no room
	Busy            // could not get its turn in time; undone
	Lost            // the connection is gone; undone, unless it was the commit
	Refused         // the server would not do it now: undone
	Wrong           // the statement or its values are at fault: undone
)

// Dialect is what differs between databases.
type Dialect struct {
	SQL        schema.Dialect
	Migrations fs.FS
	// HasTable is a query with a row when the table of that name exists.
	HasTable string
	// Lock is appended to a SELECT that locks its rows.
	Lock string
	// Clock is the database's own time, in microseconds since 1970 as a number.
	Clock string
	// Given is the relation v of a prepared statement's input.
	Given func([]Column) string
	// Pipe runs fn with a transaction on a connection of the store's, of one snapshot
	// when it only reads; what fn has not committed is undone. Nil: prepared statements
	// run in a transaction of database/sql.
	Pipe func(ctx context.Context, conn *sql.Conn, reads bool, fn func(Pipe) error) error
	// Snapshot are the options of a transaction that reads.
	Snapshot *sql.TxOptions
	// OneWriter sends every write through the queue, where concurrent ones share a commit.
	OneWriter bool
	// Stamp, with OneWriter, reads two numbers that are as before only when neither
	// another connection has changed the database nor this one, nor has this one
	// taken another's place.
	Stamp string
	// BeforeBatch runs, where set, before each batch of the queue, in its worker.
	BeforeBatch func(context.Context)
	// Classify tells what an error of the driver means.
	Classify func(error) Fault
	// LockSchema keeps other migrators out until release is called; nil where
	// a transaction does that.
	LockSchema func(ctx context.Context, db *sql.DB) (release func(), err error)
}

// patience is longer than a commit takes on a database that is well: what comes
// during one shares the next.
const patience = 10 * time.Millisecond

// Options tunes a Store. Zero fields mean the defaults.
type Options struct {
	BatchItems    int           // writes that share a commit at most; 256
	BatchWaiting  int           // writes that wait at most; 8192
	BatchWorkers  int           // batches at once; 1
	WriteTimeout  time.Duration // of one transaction that writes; 30 s
	NoGroupCommit bool          // one transaction a write, for measuring
	NewID         func() string // names an epoch; random UUIDs
}

// Store is an opened database. It owns the databases that it was given.
type Store struct {
	dialect Dialect
	opt     Options
	writer  *bun.DB
	reader  *bun.DB
	queue   *batch.Queue[job, outcome]

	statements *statements
	prepared   map[*Statement]*sql.Stmt // of the queue's one worker, where it runs them by database/sql
	recent     *recent                  // likewise its own; nil where there are more writers
	lookups    *lookups
	looking    sync.Map        // *Statement to *sql.Stmt of the reader, likewise
	watched    func(Pipe) Pipe // in tests: shows what goes through it

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup // those that entered; added to under mu while not closed
}

var _ storage.Store = (*Store)(nil)

// New makes a store of a database of the right schema. reader may be writer.
func New(d Dialect, writer, reader *sql.DB, opt Options) *Store {
	if opt.WriteTimeout <= 0 {
		opt.WriteTimeout = 30 * time.Second
	}
	if opt.NewID == nil {
		opt.NewID = uuid.NewString
	}
	if opt.NoGroupCommit {
		opt.BatchItems = 1
	}
	s := &Store{
		dialect: d, opt: opt, writer: bun.NewDB(writer, d.SQL),
		statements: newStatements(d), lookups: newLookups(d), prepared: make(map[*Statement]*sql.Stmt),
		watched: func(p Pipe) Pipe { return p },
	}
	if d.OneWriter {
		s.recent = newRecent()
	}
	s.reader = s.writer
	if reader != writer {
		s.reader = bun.NewDB(reader, d.SQL)
	}
	s.queue = batch.New(batch.Options{
		MaxItems:   opt.BatchItems,
		MaxWaiting: opt.BatchWaiting,
		Workers:    opt.BatchWorkers,
		Patience:   patience,
		// Above the transaction's own limit, so that this one reports.
		Timeout: 2 * opt.WriteTimeout,
	}, s.run)
	return s
}

// Keys returns the port of package keys.
func (s *Store) Keys() keys.Store { return secrets{s} }

// Auth returns the port of package auth.
func (s *Store) Auth() auth.Store { return accounts{s} }

// Users returns the port of package users.
func (s *Store) Users() users.Store { return profiles{s} }

// Messaging returns the port of package messaging.
func (s *Store) Messaging() messaging.Store { return chats{s} }

// Ping asks the database for an answer.
func (s *Store) Ping(ctx context.Context) error {
	return s.readOne(ctx, func(ctx context.Context, db bun.IDB) error {
		_, err := list[int](ctx, db, "SELECT 1")
		return err
	})
}

// Close refuses new calls, waits for those that run, and closes the databases.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.calls.Wait()
	err := s.queue.Close()
	for _, stmt := range s.prepared {
		err = errors.Join(err, stmt.Close())
	}
	s.looking.Range(func(_, stmt any) bool {
		err = errors.Join(err, stmt.(*sql.Stmt).Close())
		return true
	})
	err = errors.Join(err, s.writer.Close())
	if s.reader != s.writer {
		err = errors.Join(err, s.reader.Close())
	}
	return err
}

// enter begins a call; leave ends it.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return storage.ErrClosed
	}
	s.calls.Add(1)
	return nil
}

func (s *Store) leave() { s.calls.Done() }
