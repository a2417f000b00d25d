package messaging

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/wigwag-chat/wigwag/keys"
)

// Additional data begins with its purpose, so that nothing sealed for one opens
// for another. The rest is length-prefixed: no two places share an encoding.
const (
	chatKeyPurpose = "wigwag chat key v1"
	contentPurpose = "wigwag content v1"
	textField      = "text"
)

const (
	chatKeySize = 32
	firstKeyID  = "1" // key ids are names within one chat
)

// keyName names a key of a chat; an empty id is the newest.
type keyName struct{ chatID, id string }

// chatKey is an opened key. A Box seals 2^32 values safely, more than one chat
// will ever hold.
type chatKey struct {
	id  string
	box *keys.Box
}

// newKey draws the first key of a chat and wraps it.
func (m *Messenger) newKey(ctx context.Context, chatID string) (WrappedKey, error) {
	secret := make([]byte, chatKeySize)
	if err := m.draw(secret); err != nil {
		return WrappedKey{}, fmt.Errorf("messaging: draw a chat key: %w", err)
	}
	data, err := m.kms.Wrap(ctx, secret, keyAAD(chatID, firstKeyID))
	if err != nil {
		return WrappedKey{}, fmt.Errorf("messaging: wrap a chat key: %w", err)
	}
	return WrappedKey{ID: firstKeyID, Data: data}, nil
}

// draw fills b with randomness.
func (m *Messenger) draw(b []byte) error {
	m.randMu.Lock()
	defer m.randMu.Unlock()
	_, err := io.ReadFull(m.rand, b)
	return err
}

// key returns an opened key, from the cache where it can. Failures are not
// kept: the next call asks again.
func (m *Messenger) key(ctx context.Context, chatID, keyID string) (chatKey, error) {
	name := keyName{chatID, keyID}
	if k, ok := m.cache.GetIfPresent(name); ok {
		return k, nil
	}
	wrapped, err := m.store.Key(ctx, chatID, keyID)
	if err != nil {
		return chatKey{}, err
	}
	secret, err := m.kms.Unwrap(ctx, wrapped.Data, keyAAD(chatID, wrapped.ID))
	if err != nil {
		return chatKey{}, fmt.Errorf("messaging: unwrap a chat key: %w", err)
	}
	box, err := keys.NewBox(secret)
	clear(secret)
	if err != nil {
		return chatKey{}, fmt.Errorf("messaging: chat key: %w", err)
	}
	k := chatKey{id: wrapped.ID, box: box}
	m.cache.Set(name, k)
	m.cache.Set(keyName{chatID, k.id}, k)
	return k, nil
}

// seal encrypts a text for one revision of one message.
func (k chatKey) seal(chatID, messageID string, revision int, text string) Sealed {
	data := make([]byte, 0, len(text)+keys.BoxOverhead)
	aad := contentAAD(chatID, messageID, revision, k.id)
	return Sealed{KeyID: k.id, Data: k.box.Seal(data, []byte(text), aad)}
}

// open decrypts what seal made for the same place. ErrUnreadable when it never
// will; any other error is of the moment (context, store, key service).
func (m *Messenger) open(ctx context.Context, chatID, messageID string, revision int, body Sealed) (string, error) {
	k, err := m.key(ctx, chatID, body.KeyID)
	var text []byte
	if err == nil {
		text, err = k.box.Open(nil, body.Data, contentAAD(chatID, messageID, revision, body.KeyID))
	}
	if !lost(err) {
		return string(text), err
	}
	m.log.WarnContext(ctx, "messaging: a text cannot be decrypted",
		"chat", chatID, "message", messageID, "revision", revision, "error", err)
	return "", ErrUnreadable.Because(err)
}

// lost tells a failure that no retry mends: of the body, of the key, or of the
// store's row of the key.
func lost(err error) bool {
	return err != nil && (errors.Is(err, keys.ErrCorrupt) || errors.Is(err, keys.ErrUnknownKey) ||
		errors.Is(err, keys.ErrBadKey) || errors.Is(err, ErrChatNotFound))
}

func keyAAD(chatID, keyID string) []byte {
	return appendFields(make([]byte, 0, 192), chatKeyPurpose, chatID, keyID)
}

func contentAAD(chatID, messageID string, revision int, keyID string) []byte {
	b := appendFields(make([]byte, 0, 192), contentPurpose, chatID, messageID, textField, keyID)
	return binary.BigEndian.AppendUint64(b, uint64(revision))
}

// appendFields encodes strings so that different lists give different bytes.
func appendFields(b []byte, fields ...string) []byte {
	for _, f := range fields {
		b = binary.AppendUvarint(b, uint64(len(f)))
		b = append(b, f...)
	}
	return b
}
