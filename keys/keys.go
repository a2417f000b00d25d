// Package keys holds what encrypts Wigwag's data at rest (SPEC SEC-1): the
// host's keys, the data keys that they wrap, and the secrets of the process.
//
// There are two levels. A host key comes from the host: from a file, from its
// configuration, or from a key service behind KMS; it never lies in the store.
// Everything else (one key a chat, one secret a purpose) is random, sealed
// under a host key, and kept in the store. The cipher is AES-256-GCM with
// random nonces throughout; additional data binds each sealed value to its
// place, so that a value copied elsewhere does not open.
//
// Errors of this package never say what was sealed, nor any part of a key.
package keys

import (
	"context"

	"github.com/wigwag-chat/wigwag/errs"
)

// What goes wrong with keys and what they seal.
var (
	ErrWrongKey    = errs.New(errs.Unavailable, "wrong_host_key", "The data was encrypted under another host key.")
	ErrUnknownKey  = errs.New(errs.Unavailable, "unknown_host_key", "The key that sealed this value is not in the key ring.")
	ErrCorrupt     = errs.New(errs.Internal, "corrupt_ciphertext", "The sealed value is damaged or belongs elsewhere.")
	ErrBadKey      = errs.New(errs.Invalid, "bad_key", "A key is 32 bytes, in text base64.")
	ErrExposedFile = errs.New(errs.Invalid, "key_file_exposed", "The key file is open to others than its owner; use mode 0600.")
	ErrBadName     = errs.New(errs.Invalid, "bad_secret_name", "A secret's name is 1 to 100 bytes of a-z, 0-9, '.', '_', '/' and '-'.")
	ErrNoSecret    = errs.New(errs.NotFound, "no_secret", "There is no secret of this name.")
)

// KMS wraps small secrets (data keys, signing keys; up to a few KiB) under keys
// that the host holds. Ring is the one for keys in the process's memory; an
// adapter to a cloud's key service is another. Implementations are safe for
// concurrent use and honour ctx.
type KMS interface {
	// Wrap seals plaintext under the primary key, bound to aad.
	Wrap(ctx context.Context, plaintext, aad []byte) ([]byte, error)

	// Unwrap opens what Wrap made with the same aad: ErrUnknownKey when the key
	// that sealed it is not held, ErrCorrupt when it was changed, when aad is
	// another, or when it never came from Wrap.
	Unwrap(ctx context.Context, sealed, aad []byte) ([]byte, error)
}

// Store is the port that a backend implements for the secrets of a Vault. A
// name is 1 to 100 bytes of [a-z0-9._/-]; a value is opaque, up to 8 KiB.
type Store interface {
	// Secret returns the value stored under name, or ErrNoSecret.
	Secret(ctx context.Context, name string) ([]byte, error)

	// PutSecret stores sealed under name unless something stands there, and
	// returns what is stored now: the first value put, for every caller, however
	// many nodes put at once. It is atomic and durable when it returns.
	PutSecret(ctx context.Context, name string, sealed []byte) ([]byte, error)
}
