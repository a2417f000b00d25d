package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

const (
	checkName = "vault/check" // where Check keeps its value; no secret's name
	maxName   = 100           // bytes
	aadLabel  = "wigwag secret v1\x00"
)

// Vault keeps the random secrets of the process (a key of signing keys, a key
// of code hashes) in a Store, sealed under a KMS. Nodes that share a store
// agree on every secret. It is a KMS too, that of the host, and safe for
// concurrent use.
type Vault struct {
	kms   KMS
	store Store

	random   io.Reader
	randomMu sync.Mutex // an injected reader need not be safe for concurrent use

	mu    sync.RWMutex
	cache map[string][]byte // one entry for each purpose that the program names
}

// NewVault makes a vault; random is where new secrets come from, nil means
// crypto/rand.Reader.
func NewVault(kms KMS, store Store, random io.Reader) *Vault {
	return &Vault{kms: kms, store: store, random: random, cache: make(map[string][]byte)}
}

// Check proves that the host's key is the one that the store was begun with:
// at first use it seals a check value, afterwards it opens that. ErrWrongKey
// when the key is another; errors of the store or of the KMS as they are.
// A key that is rotated stays right as long as it is kept in the ring.
func (v *Vault) Check(ctx context.Context) error {
	_, err := v.load(ctx, checkName)
	if errors.Is(err, ErrUnknownKey) || errors.Is(err, ErrCorrupt) {
		return ErrWrongKey.Because(err)
	}
	return err
}

// Secret returns the 32 random bytes kept under name, made at first use: of
// several callers, on whatever node, the first to store wins and all get its
// bytes. Afterwards it is answered from memory. The result is the caller's own.
// Names are the program's, never a user's: 1 to 100 bytes of [a-z0-9._/-],
// else ErrBadName. ErrUnknownKey and ErrCorrupt when what is stored does not open.
func (v *Vault) Secret(ctx context.Context, name string) ([]byte, error) {
	if !ValidName(name) || name == checkName {
		return nil, ErrBadName
	}
	v.mu.RLock()
	secret, ok := v.cache[name]
	v.mu.RUnlock()
	if ok {
		return slices.Clone(secret), nil
	}
	secret, err := v.load(ctx, name)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	v.cache[name] = secret
	v.mu.Unlock()
	return slices.Clone(secret), nil
}

// Wrap seals plaintext as the vault's KMS does.
func (v *Vault) Wrap(ctx context.Context, plaintext, aad []byte) ([]byte, error) {
	return v.kms.Wrap(ctx, plaintext, aad)
}

// Unwrap opens what Wrap sealed, as the vault's KMS does.
func (v *Vault) Unwrap(ctx context.Context, sealed, aad []byte) ([]byte, error) {
	return v.kms.Unwrap(ctx, sealed, aad)
}

// load reads and opens the secret under name, and makes it where there is none.
func (v *Vault) load(ctx context.Context, name string) ([]byte, error) {
	aad := []byte(aadLabel + name)
	sealed, err := v.store.Secret(ctx, name)
	if errors.Is(err, ErrNoSecret) {
		sealed, err = v.create(ctx, name, aad)
	}
	if err != nil {
		return nil, fmt.Errorf("keys: secret %q: %w", name, err)
	}
	// Our own new value is opened as well: what another node stored first comes
	// back in its place, and a KMS that cannot open what it sealed fails here
	// and not at the next start.
	secret, err := v.kms.Unwrap(ctx, sealed, aad)
	if err == nil && len(secret) != keySize {
		err = ErrCorrupt
	}
	if err != nil {
		return nil, fmt.Errorf("keys: open secret %q: %w", name, err)
	}
	return secret, nil
}

func (v *Vault) create(ctx context.Context, name string, aad []byte) ([]byte, error) {
	v.randomMu.Lock()
	secret, err := draw(v.random)
	v.randomMu.Unlock()
	if err != nil {
		return nil, err
	}
	sealed, err := v.kms.Wrap(ctx, secret, aad)
	if err != nil {
		return nil, err
	}
	return v.store.PutSecret(ctx, name, sealed)
}

// ValidName reports whether name may name a secret: 1 to 100 bytes of
// [a-z0-9._/-].
func ValidName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '/', c == '-':
		default:
			return false
		}
	}
	return true
}
