// Package bus is how the nodes of one system hear of each other's commits. What a
// bus carries are notes: short, and no more than hints that something has happened,
// since the store alone is the truth. So a bus may lose, repeat and reorder
// them; a node that misses one is late, and never wrong.
//
// Package inproc connects nodes in one process, package pgbus those of one PostgreSQL database.
// Authors of others prove theirs with package bustest.
package bus

import "context"

// MaxNote is how long a note is at most, in bytes: the least that the usual carriers take.
const MaxNote = 5 << 10

// Bus carries notes between nodes. All methods are safe for concurrent use.
type Bus interface {
	// Send gives a note to all who listen, which may include the sender. The bytes
	// are the caller's again when it returns. It waits for no listener; an error means that
	// some may not get the note.
	Send(ctx context.Context, note []byte) error
	// Listen calls ready as soon as it listens, then take with each note, one after
	// the other, until the context ends or the connection is lost; the error says
	// which. What is sent while it does not listen is missed, and so is what may
	// have been lost on the way: rather than hide that, Listen fails, and the
	// caller listens again. take must not keep the bytes.
	Listen(ctx context.Context, ready func(), take func(note []byte)) error
	// Close lets go of what the node holds of the bus, after its last Listen has ended.
	Close() error
}
