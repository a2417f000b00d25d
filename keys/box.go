package keys

import (
	"crypto/aes"
	"crypto/cipher"
)

const (
	keySize    = 32 // AES-256
	boxVersion = 1
)

// BoxOverhead is how many bytes a sealed value is longer than its plaintext:
// version 1, nonce 12, tag 16.
const BoxOverhead = 1 + 12 + 16

// Box seals values under one data key with AES-256-GCM. It is safe for
// concurrent use. A key should not seal more than 2^32 values, since nonces
// are random (NIST SP 800-38D, section 8.3).
type Box struct{ aead cipher.AEAD }

// NewBox makes a Box of a key of 32 bytes, or returns ErrBadKey.
func NewBox(key []byte) (*Box, error) {
	if len(key) != keySize {
		return nil, ErrBadKey
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrBadKey.Because(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, ErrBadKey.Because(err)
	}
	return &Box{aead}, nil
}

// Seal encrypts plaintext, bound to aad, and appends to dst one version byte,
// a nonce of 12 random bytes, the ciphertext and a tag of 16 bytes. dst must
// not overlap plaintext.
func (b *Box) Seal(dst, plaintext, aad []byte) []byte {
	return b.aead.Seal(append(dst, boxVersion), nil, plaintext, aad)
}

// Open appends to dst the plaintext that Seal was given. Anything but the
// unchanged bytes of a Seal by the same key with the same aad is ErrCorrupt.
// dst must not overlap sealed.
func (b *Box) Open(dst, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < BoxOverhead || sealed[0] != boxVersion {
		return nil, ErrCorrupt
	}
	plaintext, err := b.aead.Open(dst, nil, sealed[1:], aad)
	if err != nil {
		return nil, ErrCorrupt
	}
	return plaintext, nil
}
