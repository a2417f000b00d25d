// Package memory keeps everything in the memory of the process: the reference
// store, for tests and demonstrations. It keeps the whole contract of storage
// while the process lives, and its data end with the process: "durable" in the
// contract means "until then". Nothing is ever given back to the system, and
// reads scan, so it is no store for production.
package memory

import (
	"context"
	"crypto/rand"
	"sync"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/users"
)

// Options sets up a Store. The zero value is ready to use.
type Options struct {
	// Epoch names the history; "" draws a random one.
	Epoch string
}

// Store is a storage.Store in memory, safe for concurrent use: one lock, writes
// one after the other. What goes in and what comes out is copied, so callers may
// change their slices afterwards.
type Store struct {
	mu     sync.RWMutex
	closed bool
	data   *data
}

var _ storage.Store = (*Store)(nil)

// data is what outlives a Store when it is reopened.
type data struct {
	messagingData
	authData
	presenceData
	profiles map[string]users.StoredProfile
	settings map[string]map[string]string // by user and name
	secrets  map[string][]byte
}

// between is who means what to whom.
type between struct {
	ownerID, userID string
	kind            users.RelationKind
}

// New returns an empty store.
func New(o Options) *Store {
	if o.Epoch == "" {
		o.Epoch = rand.Text()
	}
	return &Store{data: &data{
		messagingData: newMessagingData(o.Epoch),
		authData:      newAuthData(),
		presenceData:  newPresenceData(),
		profiles:      make(map[string]users.StoredProfile),
		settings:      make(map[string]map[string]string),
		secrets:       make(map[string][]byte),
	}}
}

// Reopen closes the store and returns another one on its data, as if a process
// had ended and the next had begun. Tests of restarts use it.
func (s *Store) Reopen() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return &Store{data: s.data}
}

// Keys returns the port for secrets.
func (s *Store) Keys() keys.Store { return keyStore{s} }

// Auth returns the port for accounts and sessions.
func (s *Store) Auth() auth.Store { return authStore{s} }

// Users returns the port for profiles.
func (s *Store) Users() users.Store { return userStore{s} }

// Messaging returns the port for chats.
func (s *Store) Messaging() messaging.Store { return messagingStore{s} }

// Ping tells whether the store is open.
func (s *Store) Ping(ctx context.Context) error {
	_, unlock, err := s.read(ctx)
	if err == nil {
		unlock()
	}
	return err
}

// Close waits for what is going on; later calls answer storage.ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// read takes the lock for reading, and write for writing. The context is asked
// once the lock is held: who waited in vain has changed nothing.
func (s *Store) read(ctx context.Context) (*data, func(), error) {
	s.mu.RLock()
	if err := s.refuse(ctx); err != nil {
		s.mu.RUnlock()
		return nil, nil, err
	}
	return s.data, s.mu.RUnlock, nil
}

func (s *Store) write(ctx context.Context) (*data, func(), error) {
	s.mu.Lock()
	if err := s.refuse(ctx); err != nil {
		s.mu.Unlock()
		return nil, nil, err
	}
	return s.data, s.mu.Unlock, nil
}

func (s *Store) refuse(ctx context.Context) error {
	if s.closed {
		return storage.ErrClosed
	}
	return ctx.Err()
}
