package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/wigwag-chat/wigwag/errs"
)

const (
	rsaBits = 2048
	// keysFresh is how long the keys are used as read; then another node's
	// rotation is seen. keysUnknown is how often an unknown kid may have them read.
	keysFresh   = time.Minute
	keysUnknown = time.Second
	// keyRetention is how long after its retirement a key verifies: another node
	// may sign with it until it reads the keys again, and the token then lives on.
	keyRetention = AccessTTL + keysFresh + clockSkew
)

// keyring is the signing keys of the store as this process knows them.
type keyring struct {
	*Config
	set    atomic.Pointer[keySet]
	turn   chan struct{}          // held while reading or rotating
	opened map[string]*signingKey // by kid, guarded by turn
}

// keySet is immutable.
type keySet struct {
	stored  []SigningKey
	byID    map[string]*signingKey // those that verify
	current *signingKey
	readAt  time.Time
}

type signingKey struct {
	id     string
	method jwt.SigningMethod
	signer crypto.Signer
}

func (k *keyring) init(cfg *Config) {
	k.Config, k.turn, k.opened = cfg, make(chan struct{}, 1), make(map[string]*signingKey)
}

// signing returns the key that signs now.
func (k *keyring) signing(ctx context.Context) (*signingKey, error) {
	set, err := k.get(ctx, keysFresh)
	if err != nil {
		return nil, err
	}
	return set.current, nil
}

// verifying returns the key with that kid, nil for none.
func (k *keyring) verifying(ctx context.Context, kid string) (*signingKey, error) {
	set, err := k.get(ctx, keysFresh)
	if err == nil && set.byID[kid] == nil {
		set, err = k.get(ctx, keysUnknown)
	}
	if err != nil {
		return nil, err
	}
	return set.byID[kid], nil
}

// get returns the keys as read at most so long ago.
func (k *keyring) get(ctx context.Context, fresh time.Duration) (*keySet, error) {
	isFresh := func(s *keySet) bool { return s != nil && k.Now().Sub(s.readAt) < fresh }
	if set := k.set.Load(); isFresh(set) {
		return set, nil
	}
	unlock, err := k.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if set := k.set.Load(); isFresh(set) { // somebody before us read them
		return set, nil
	}
	return k.read(ctx)
}

// lock waits for its turn, but not longer than ctx.
func (k *keyring) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case k.turn <- struct{}{}:
		return func() { <-k.turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("auth: signing keys: %w", context.Cause(ctx))
	}
}

// read reads the keys, and makes the first two in an empty store. It needs the lock.
func (k *keyring) read(ctx context.Context) (*keySet, error) {
	readAt := k.Now()
	stored, err := k.Store.SigningKeys(ctx)
	if err == nil && len(stored) == 0 {
		stored, err = k.create(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("auth: signing keys: %w", err)
	}
	set := &keySet{stored: stored, byID: make(map[string]*signingKey, len(stored)), readAt: readAt}
	for _, s := range stored {
		if ended(s, readAt) {
			continue
		}
		key, err := k.open(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("auth: signing key %s: %w", s.ID, err)
		}
		set.byID[s.ID] = key
		if s.State == KeyCurrent {
			set.current = key
		}
	}
	if set.current == nil {
		return nil, errors.New("auth: the store has signing keys, but no current one")
	}
	k.opened = set.byID
	k.set.Store(set)
	return set, nil
}

// create stores the first two keys. Of several nodes that start at once one
// stores, and all read what it stored.
func (k *keyring) create(ctx context.Context) ([]SigningKey, error) {
	var first []SigningKey
	for _, state := range []KeyState{KeyCurrent, KeyAnnounced} {
		key, err := k.generate(ctx, state)
		if err != nil {
			return nil, err
		}
		first = append(first, key)
	}
	if _, err := k.Store.SwapSigningKeys(ctx, nil, first); err != nil {
		return nil, err
	}
	return k.Store.SigningKeys(ctx)
}

// generate makes a key of the configured algorithm.
func (k *keyring) generate(ctx context.Context, state KeyState) (SigningKey, error) {
	signer, err := newSigner(k.Algorithm)
	if err != nil {
		return SigningKey{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return SigningKey{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return SigningKey{}, err
	}
	s := SigningKey{
		ID: k.NewID(), Algorithm: k.Algorithm, State: state,
		Public: public, CreatedAt: k.Now().UTC().Truncate(time.Microsecond),
	}
	s.Private, err = k.Vault.Wrap(ctx, private, keyAAD(s))
	return s, err
}

// keyAAD binds a sealed key to its kid and algorithm, so that who can write to
// the store cannot put one key in another's place.
func keyAAD(s SigningKey) []byte {
	return []byte("wigwag signing key v1\x00" + s.ID + "\x00" + s.Algorithm)
}

func newSigner(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "RS256":
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
}

// open unseals a key once. The public key is taken from it, not from the store,
// where nothing protects it against being exchanged.
func (k *keyring) open(ctx context.Context, s SigningKey) (*signingKey, error) {
	if key := k.opened[s.ID]; key != nil {
		return key, nil
	}
	private, err := k.Vault.Unwrap(ctx, s.Private, keyAAD(s))
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return nil, errs.New(errs.Internal, "bad_signing_key", "A signing key cannot be read.").Because(err)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T does not sign", parsed)
	}
	return &signingKey{id: s.ID, method: jwt.GetSigningMethod(s.Algorithm), signer: signer}, nil
}

// ended reports whether no token under s can still count.
func ended(s SigningKey, now time.Time) bool {
	return s.State == KeyRetired && !now.Before(s.RetiredAt.Add(keyRetention))
}
