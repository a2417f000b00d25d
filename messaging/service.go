package messaging

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/maypok86/otter/v2"

	"github.com/wigwag-chat/wigwag/keys"
)

const (
	minSecret       = 32 // bytes
	defaultKeyCache = 10_000
)

// Config is what a Messenger is made of. Store, Keys and Secret are required.
// All functions and values must be safe for concurrent use, but for Rand.
type Config struct {
	Store  Store
	Keys   keys.KMS // wraps the key of each chat
	Secret []byte   // at least 32 bytes, kept for good: keys the digests that tell a retry from a reused client id

	People    People           // nil: every well-formed id is a user
	Publisher Publisher        // nil: nobody listens
	Now       func() time.Time // nil: time.Now
	NewID     func() string    // of chats and messages, never twice the same; nil: UUIDv7
	Rand      io.Reader        // of chat keys; nil: crypto/rand
	Logger    *slog.Logger     // nil: slog.Default
	KeyCache  int              // chats whose key stays in memory; 0: 10,000
}

// Messenger is the Service over a Store. It holds no chats, only keys of recent
// ones; any number of Messengers may share one store. It starts no goroutines.
type Messenger struct {
	store     Store
	kms       keys.KMS
	secret    []byte
	people    People
	publisher Publisher
	now       func() time.Time
	newID     func() string
	log       *slog.Logger
	cache     *otter.Cache[keyName, chatKey]

	randMu sync.Mutex // an injected reader need not be safe for concurrent use
	rand   io.Reader
}

var _ Service = (*Messenger)(nil)

// New makes a Messenger, or says which part of the Config is missing.
func New(c Config) (*Messenger, error) {
	switch {
	case c.Store == nil:
		return nil, errors.New("messaging: Config.Store is required")
	case c.Keys == nil:
		return nil, errors.New("messaging: Config.Keys is required")
	case len(c.Secret) < minSecret:
		return nil, fmt.Errorf("messaging: Config.Secret has %d bytes, at least %d are required", len(c.Secret), minSecret)
	case c.KeyCache < 0:
		return nil, errors.New("messaging: Config.KeyCache is negative")
	}
	if c.KeyCache == 0 {
		c.KeyCache = defaultKeyCache
	}
	cache, err := otter.New(&otter.Options[keyName, chatKey]{
		MaximumSize: 2 * c.KeyCache,               // a key stands under its id, and as the newest of its chat
		Executor:    func(task func()) { task() }, // upkeep on the caller: no goroutine outlives a call
	})
	if err != nil {
		return nil, fmt.Errorf("messaging: cache of keys: %w", err)
	}
	m := &Messenger{
		store: c.Store, kms: c.Keys, secret: append([]byte(nil), c.Secret...),
		people: c.People, publisher: c.Publisher,
		now: c.Now, newID: c.NewID, log: c.Logger, rand: c.Rand, cache: cache,
	}
	if m.now == nil {
		m.now = time.Now
	}
	if m.newID == nil {
		m.newID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if m.rand == nil {
		m.rand = rand.Reader
	}
	if m.log == nil {
		m.log = slog.Default()
	}
	return m, nil
}

// time is the present as stores keep it: UTC, whole microseconds.
func (m *Messenger) time() time.Time { return m.now().UTC().Truncate(time.Microsecond) }

// publish hands on what was committed. It comes straight after the store's
// answer and asks nothing more, so a caller who has gone takes no event along.
func (m *Messenger) publish(c Committed) {
	if m.publisher != nil && (len(c.Events)+len(c.UserEvents)+len(c.Marks) > 0 || c.Doubt != nil) {
		m.publisher.Publish(c)
	}
}

// failed returns an error of the store's. When it leaves open whether something was
// committed, those whom it would concern are told to look.
func (m *Messenger) failed(err error, chatID string, userIDs ...string) error {
	if errors.Is(err, ErrOutcomeUnknown) {
		m.publish(Committed{Doubt: &Doubt{ChatID: chatID, UserIDs: userIDs}})
	}
	return err
}

// publishChanged hands on a change whose events carry no message.
func (m *Messenger) publishChanged(c Changed) {
	events := make([]Event, len(c.Events))
	for i, e := range c.Events {
		events[i] = e.Event
		if e.Type == MemberAdded || e.Type == MemberRemoved {
			events[i].UserSeq = c.placeOf(e.UserID)
		}
	}
	m.publish(Committed{Events: events, UserEvents: c.UserEvents})
}

// placeOf is where the change of a membership stands in its user's own sequence.
func (c *Changed) placeOf(userID string) int64 {
	for _, e := range c.UserEvents {
		if e.UserID == userID {
			return e.Seq
		}
	}
	return 0
}
