// Package storage is where everything is kept: one contract for all backends,
// made of the ports that the services declare beside themselves. The backends are
// its subpackages; storagetest proves any of them, also one from another module
// (SPEC STO-1).
package storage

import (
	"context"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

// What a backend answers when it cannot open.
var (
	// ErrSchemaNewer: a newer version of Wigwag migrated this database. Nothing was touched.
	ErrSchemaNewer = errs.New(errs.Unavailable, "schema_newer", "The database belongs to a newer version.")
	// ErrSchemaOlder: the database needs migrating, and nobody asked for it.
	ErrSchemaOlder = errs.New(errs.Unavailable, "schema_older", "The database must be migrated first.")
	// ErrNotDurable: the database is set to forget what it acknowledged.
	ErrNotDurable = errs.New(errs.Unavailable, "not_durable", "The database does not keep what it acknowledges.")
	// ErrClosed: the store was closed.
	ErrClosed = errs.New(errs.Unavailable, "store_closed", "The store is closed.")
	// ErrFull: there is no room; nothing was stored, and reads still work.
	ErrFull = errs.New(errs.StorageFull, "storage_full", "There is no room left to store this.")
)

// Store is one opened backend. It is safe for concurrent use. Operations honour
// their context, and answer ErrClosed after Close.
type Store interface {
	Keys() keys.Store
	Auth() auth.Store
	Users() users.Store
	Messaging() messaging.Store

	// Ping tells whether the store can serve.
	Ping(ctx context.Context) error
	// Close finishes what is being written and lets go of everything. Closing twice is fine.
	Close() error
}
