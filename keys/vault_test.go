package keys_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/keys"
)

// shelf is a Store in memory that can be told to fail, and to hold back the
// answer "there is none" until several callers have it.
type shelf struct {
	mu      sync.Mutex
	sealed  map[string][]byte
	err     error
	reads   int
	waiting *sync.WaitGroup
}

func newShelf() *shelf { return &shelf{sealed: make(map[string][]byte)} }

func (s *shelf) Secret(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	s.reads++
	sealed, ok, err := s.sealed[name], s.sealed[name] != nil, s.err
	s.mu.Unlock()
	if s.waiting != nil {
		s.waiting.Done()
		s.waiting.Wait()
	}
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("shelf: %w", keys.ErrNoSecret)
	}
	return bytes.Clone(sealed), nil
}

func (s *shelf) PutSecret(_ context.Context, name string, sealed []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	if s.sealed[name] == nil {
		s.sealed[name] = bytes.Clone(sealed)
	}
	return bytes.Clone(s.sealed[name]), nil
}

func TestVaultCheck(t *testing.T) {
	ctx, store := t.Context(), newShelf()
	a, b := newKey(t, 1), newKey(t, 2)
	for _, c := range []struct {
		name string
		ring *keys.Ring
		want error
	}{
		{"first use", keys.NewRing(a), nil},
		{"same key", keys.NewRing(a), nil},
		{"rotated", keys.NewRing(b, a), nil},
		{"another key", keys.NewRing(b), keys.ErrWrongKey},
	} {
		if err := keys.NewVault(c.ring, store, nil).Check(ctx); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for name := range store.sealed {
		store.sealed[name][20] ^= 1
	}
	if err := keys.NewVault(keys.NewRing(a), store, nil).Check(ctx); !errors.Is(err, keys.ErrWrongKey) || errs.KindOf(err) != errs.Unavailable {
		t.Errorf("a damaged check value: %v", err)
	}
	store.err = errors.New("disk away")
	if err := keys.NewVault(keys.NewRing(a), store, nil).Check(ctx); !errors.Is(err, store.err) || errors.Is(err, keys.ErrWrongKey) {
		t.Errorf("a store that fails: %v", err)
	}
}

func TestVaultSecret(t *testing.T) {
	ctx, store := t.Context(), newShelf()
	ring := keys.NewRing(newKey(t, 1))
	vault := keys.NewVault(ring, store, nil)
	first, err := vault.Secret(ctx, "auth/codes.v1")
	if err != nil || len(first) != 32 {
		t.Fatalf("%d bytes, %v", len(first), err)
	}
	if bytes.Contains(store.sealed["auth/codes.v1"], first) {
		t.Error("stored in the clear")
	}
	reads := store.reads
	kept := bytes.Clone(first)
	clear(first) // a caller may wipe its copy
	again, err := vault.Secret(ctx, "auth/codes.v1")
	if err != nil || !bytes.Equal(again, kept) || store.reads != reads {
		t.Errorf("second call: %v, %d reads", err, store.reads-reads)
	}
	restarted, err := keys.NewVault(ring, store, nil).Secret(ctx, "auth/codes.v1")
	if err != nil || !bytes.Equal(restarted, kept) {
		t.Errorf("after a restart: %v", err)
	}
	other, err := vault.Secret(ctx, "auth/refresh")
	if err != nil || bytes.Equal(other, kept) {
		t.Errorf("another name: %v", err)
	}

	store.sealed["auth/moved"] = store.sealed["auth/refresh"]
	if _, err := vault.Secret(ctx, "auth/moved"); !errors.Is(err, keys.ErrCorrupt) {
		t.Errorf("a secret put under another name opens: %v", err)
	}
	short, _ := ring.Wrap(ctx, []byte("short"), []byte("wigwag secret v1\x00auth/short"))
	store.sealed["auth/short"] = short
	if _, err := vault.Secret(ctx, "auth/short"); !errors.Is(err, keys.ErrCorrupt) {
		t.Errorf("a secret of five bytes: %v", err)
	}
	if _, err := keys.NewVault(keys.NewRing(newKey(t, 2)), store, nil).Secret(ctx, "auth/codes.v1"); !errors.Is(err, keys.ErrUnknownKey) {
		t.Errorf("under another host key: %v", err)
	}
	if _, err := keys.NewVault(ring, newShelf(), strings.NewReader("short")).Secret(ctx, "a"); err == nil {
		t.Error("made a secret without randomness")
	}
	for _, name := range []string{"", "Upper", "a b", "ü", "a\x00", strings.Repeat("a", 101), "vault/check"} {
		if _, err := vault.Secret(ctx, name); !errors.Is(err, keys.ErrBadName) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	if !keys.ValidName(strings.Repeat("z", 100)) {
		t.Error("a name of 100 bytes is refused")
	}
}

// Nodes that start at once all find no secret, all make one, and agree.
func TestVaultFirstWins(t *testing.T) {
	const nodes = 8
	ring, store := keys.NewRing(newKey(t, 1)), newShelf()
	store.waiting = new(sync.WaitGroup)
	store.waiting.Add(nodes)
	got := make([][]byte, nodes)
	var wg sync.WaitGroup
	shared := keys.NewVault(ring, store, nil)
	for i := range nodes {
		vault := shared
		if i%2 == 0 {
			vault = keys.NewVault(ring, store, nil)
		}
		wg.Go(func() {
			var err error
			if got[i], err = vault.Secret(t.Context(), "auth/codes"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range got {
		if !bytes.Equal(got[i], got[0]) {
			t.Fatalf("node %d has another secret", i)
		}
	}
}

func TestVaultIsKMS(t *testing.T) {
	ring := keys.NewRing(newKey(t, 1))
	var kms keys.KMS = keys.NewVault(ring, newShelf(), nil)
	sealed, err := kms.Wrap(t.Context(), []byte("x"), []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ring.Unwrap(t.Context(), sealed, []byte("a")); err != nil || string(got) != "x" {
		t.Errorf("ring opens %q, %v", got, err)
	}
	if got, err := kms.Unwrap(t.Context(), sealed, []byte("a")); err != nil || string(got) != "x" {
		t.Errorf("vault opens %q, %v", got, err)
	}
}
