package memory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/memory"
)

func TestReopenKeepsDataAndClosesTheOld(t *testing.T) {
	ctx := t.Context()
	old := memory.New(memory.Options{})
	if _, err := old.Keys().PutSecret(ctx, "a", []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	epoch, err := old.Messaging().Epoch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s := old.Reopen()
	if err := old.Ping(ctx); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("ping of the store before: %v, want %v", err, storage.ErrClosed)
	}
	got, err := s.Keys().Secret(ctx, "a")
	if err != nil || string(got) != "sealed" {
		t.Errorf("secret after reopening: %q, %v", got, err)
	}
	if again, err := s.Messaging().Epoch(ctx); err != nil || again != epoch {
		t.Errorf("epoch after reopening: %q, %v; before %q", again, err, epoch)
	}
}

func TestNothingIsAliased(t *testing.T) {
	ctx := t.Context()
	store := memory.New(memory.Options{}).Messaging()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	key := []byte("key")
	if _, err := store.CreateChat(ctx, messaging.NewChat{
		ID: "c", Kind: messaging.Group, CreatedBy: "ada", CreatedAt: at,
		Members: []messaging.NewMember{{UserID: "ada", Role: messaging.RoleOwner}},
		Key:     messaging.WrappedKey{ID: "k", Data: key},
	}); err != nil {
		t.Fatal(err)
	}
	body, digest := []byte("body"), []byte("digest")
	out, err := store.Append(ctx, []messaging.NewMessage{{
		ID: "m", ChatID: "c", SenderID: "ada", Kind: messaging.KindText,
		Body: messaging.Sealed{KeyID: "k", Data: body}, Digest: digest, CreatedAt: at,
	}})
	if err != nil || out[0].Err != nil {
		t.Fatal(err, out[0].Err)
	}
	for _, b := range [][]byte{key, body, digest, out[0].Message.Body.Data, out[0].Message.Digest} {
		b[0] = 'X'
	}
	k, err := store.Key(ctx, "c", "")
	if err != nil || string(k.Data) != "key" {
		t.Errorf("key: %q, %v", k.Data, err)
	}
	m, err := store.Message(ctx, "ada", "c", "m")
	if err != nil || string(m.Body.Data) != "body" || string(m.Digest) != "digest" {
		t.Errorf("message: %q, %q, %v", m.Body.Data, m.Digest, err)
	}
}
