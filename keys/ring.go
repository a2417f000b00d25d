package keys

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const (
	idSize   = 8
	idLabel  = "wigwag host key id v1\x00"
	redacted = "keys.Key(redacted)"
)

// ID names a key without telling it: the first 8 bytes of SHA-256 over a label
// and the key. It is stored in the clear before all that the key seals.
type ID [idSize]byte

// Key is a host key of 32 bytes. The zero Key is no key. Every form of printing
// or logging a Key shows a placeholder; Encode alone tells it.
type Key struct {
	// A function, since no printer looks inside one: where a Key is an unexported
	// field of a printed struct, its own methods are not called.
	secret func() []byte
}

func newKey(secret []byte) Key {
	return Key{func() []byte { return secret }}
}

// Generate draws a key from random; nil means crypto/rand.Reader.
func Generate(random io.Reader) (Key, error) {
	secret, err := draw(random)
	if err != nil {
		return Key{}, err
	}
	return newKey(secret), nil
}

// ParseKey reads what Encode writes: standard base64, padded, of 32 bytes.
// White space around it is allowed. Anything else is ErrBadKey.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	// The decoder skips line breaks; the length leaves no room for them.
	if len(text) != base64.StdEncoding.EncodedLen(keySize) {
		return Key{}, ErrBadKey
	}
	secret, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(secret) != keySize { // the decoder's error quotes the text: it stays here
		return Key{}, ErrBadKey
	}
	return newKey(secret), nil
}

// Encode returns the key itself in base64, for a key file or a secret manager;
// "" for the zero Key.
func (k Key) Encode() string {
	if k.secret == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(k.secret())
}

// ID returns the key's name; all zero for the zero Key.
func (k Key) ID() ID {
	if k.secret == nil {
		return ID{}
	}
	sum := sha256.Sum256(append([]byte(idLabel), k.secret()...))
	return ID(sum[:idSize])
}

// String returns a placeholder.
func (k Key) String() string { return redacted }

// GoString returns a placeholder.
func (k Key) GoString() string { return redacted }

// Format writes a placeholder for every verb: without it %d would print the bytes.
func (k Key) Format(s fmt.State, _ rune) { io.WriteString(s, redacted) }

// LogValue returns a placeholder.
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// Ring is a KMS of keys in memory: the newest wraps, any unwraps. It is
// immutable, and safe for concurrent use. To rotate, put a new key first and
// keep the older ones as long as anything is sealed under them.
type Ring struct {
	primary ID
	boxes   map[ID]*Box
}

// NewRing makes a ring. Zero Keys are left out; a ring whose primary is the
// zero Key unwraps but fails to wrap with ErrBadKey.
func NewRing(primary Key, older ...Key) *Ring {
	r := &Ring{primary: primary.ID(), boxes: make(map[ID]*Box, 1+len(older))}
	for _, k := range append([]Key{primary}, older...) {
		if k.secret == nil {
			continue
		}
		if box, err := NewBox(k.secret()); err == nil {
			r.boxes[k.ID()] = box
		}
	}
	return r
}

// Wrap seals plaintext under the primary key: the key's ID, then what Box.Seal
// writes.
func (r *Ring) Wrap(ctx context.Context, plaintext, aad []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	box, ok := r.boxes[r.primary]
	if !ok {
		return nil, ErrBadKey
	}
	sealed := make([]byte, 0, idSize+len(plaintext)+BoxOverhead)
	return box.Seal(append(sealed, r.primary[:]...), plaintext, aad), nil
}

// Unwrap opens what Wrap of a ring with the same key sealed.
func (r *Ring) Unwrap(ctx context.Context, sealed, aad []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(sealed) < idSize+BoxOverhead {
		return nil, ErrCorrupt
	}
	box, ok := r.boxes[ID(sealed[:idSize])]
	if !ok {
		return nil, ErrUnknownKey
	}
	return box.Open(nil, sealed[idSize:], aad)
}

// draw reads 32 bytes from random; nil means crypto/rand.Reader.
func draw(random io.Reader) ([]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	b := make([]byte, keySize)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, fmt.Errorf("keys: draw random bytes: %w", err)
	}
	return b, nil
}
