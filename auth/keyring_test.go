package auth_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/keys"
)

func states(t testing.TB, r *rig) (out []auth.KeyState, ids []string) {
	t.Helper()
	stored, err := r.store.Auth().SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stored {
		out, ids = append(out, s.State), append(ids, s.ID)
	}
	return out, ids
}

func kids(t testing.TB, p *auth.Provider) (out []string) {
	t.Helper()
	for _, k := range keySet(t, p) {
		out = append(out, k["kid"].(string))
	}
	return out
}

func TestRotateKeys(t *testing.T) {
	r := newRig(t, nil)
	old := r.byPhone(number)
	_, first := states(t, r)
	if !cmp.Equal(kids(t, r.Provider), first) {
		t.Errorf("key set %v, stored %v", kids(t, r.Provider), first)
	}
	node := r.another()
	if _, err := node.Token(t.Context(), old.AccessToken); err != nil {
		t.Errorf("another node: %v", err)
	}
	r.pass(time.Second)
	is(t, "rotate", r.RotateKeys(t.Context()), nil)
	got, ids := states(t, r)
	if !cmp.Equal(got, []auth.KeyState{auth.KeyRetired, auth.KeyCurrent, auth.KeyAnnounced}) || !cmp.Equal(ids[:2], first) {
		t.Errorf("%v %v, before %v", got, ids, first)
	}
	fresh := r.byPhone(number)
	if part(t, fresh.AccessToken, 0)["kid"] != first[1] {
		t.Error("not signed by the key that was announced")
	}
	for name, p := range map[string]*auth.Provider{"own": r.Provider, "another node": node} {
		for _, token := range []string{old.AccessToken, fresh.AccessToken} {
			if _, err := p.Token(t.Context(), token); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// Another node that has not noticed may sign with the old key for a minute.
	r.pass(58 * time.Second)
	ch, _ := node.StartPhone(t.Context(), number, "", here)
	stale := r.keep(node.VerifyPhone(t.Context(), ch.SessionID, r.code(), "", here))
	if part(t, stale.AccessToken, 0)["kid"] != first[0] {
		t.Fatal("the node has noticed; the test proves nothing")
	}
	r.pass(auth.AccessTTL - time.Second)
	if _, err := r.Token(t.Context(), stale.AccessToken); err != nil {
		t.Errorf("at the end of its last token: %v", err)
	}
	if len(kids(t, node)) != 3 {
		t.Error("the retired key left the key set before its last token ended")
	}
	r.pass(time.Minute + 30*time.Second)
	if !cmp.Equal(kids(t, node), ids[1:]) {
		t.Errorf("key set %v", kids(t, node))
	}
	is(t, "rotate", r.RotateKeys(t.Context()), nil)
	if got, _ = states(t, r); len(got) != 3 {
		t.Errorf("an ended key is still stored: %v", got)
	}
	// Two rotations in a row: an unknown kid has the keys read again.
	r.pass(time.Second)
	is(t, "rotate", r.RotateKeys(t.Context()), nil)
	is(t, "rotate", r.RotateKeys(t.Context()), nil)
	if _, err := node.Token(t.Context(), r.byPhone(number).AccessToken); err != nil {
		t.Errorf("a key never announced to the node: %v", err)
	}
}

// Nodes that start at once on an empty store, and rotate at once, agree.
func TestNodesAtOnce(t *testing.T) {
	r := newRig(t, nil)
	nodes := make([]*auth.Provider, 8)
	for i := range nodes {
		nodes[i] = r.another()
	}
	each := func(do func(*auth.Provider) error) {
		var wg sync.WaitGroup
		for _, n := range nodes {
			wg.Go(func() { is(t, "node", do(n), nil) })
		}
		wg.Wait()
	}
	each(func(n *auth.Provider) error { _, err := n.JWKS(t.Context()); return err })
	got, ids := states(t, r)
	if !cmp.Equal(got, []auth.KeyState{auth.KeyCurrent, auth.KeyAnnounced}) {
		t.Fatalf("%v", got)
	}
	for _, n := range nodes {
		if !cmp.Equal(kids(t, n), ids) {
			t.Errorf("%v, want %v", kids(t, n), ids)
		}
	}
	each(func(n *auth.Provider) error { return n.RotateKeys(t.Context()) })
	if got, _ = states(t, r); len(got) < 3 || got[len(got)-1] != auth.KeyAnnounced || got[len(got)-2] != auth.KeyCurrent {
		t.Errorf("%v", got)
	}
}

func TestAlgorithmChanges(t *testing.T) {
	r := newRig(t, nil)
	before := r.byPhone(number)
	r.cfg.Algorithm = "ES256"
	r.Provider = r.another()
	for i, want := range []string{"EdDSA", "EdDSA", "ES256"} {
		if i > 0 {
			r.pass(time.Second)
			is(t, "rotate", r.RotateKeys(t.Context()), nil)
		}
		if got := part(t, r.byPhone(number).AccessToken, 0)["alg"]; got != want {
			t.Errorf("after %d rotations: %v", i, got)
		}
	}
	_, err := r.Token(t.Context(), before.AccessToken)
	is(t, "an older token", err, nil)
}

func TestKeysAreSealed(t *testing.T) {
	r := newRig(t, nil)
	tokens := r.byPhone(number)
	other, err := keys.Generate(nil)
	is(t, "generate", err, nil)
	r.cfg.Vault = keys.NewVault(keys.NewRing(other), r.store.Keys(), nil)
	_, err = r.another().Token(t.Context(), tokens.AccessToken)
	is(t, "another host key", err, keys.ErrUnknownKey)
	r.cfg.Vault = r.vault
	// Who can write to the store gains nothing by exchanging keys, or public keys.
	stored, _ := r.store.Auth().SigningKeys(t.Context())
	next := append([]auth.SigningKey(nil), stored...)
	next[0].Public = stored[1].Public
	ok, err := r.store.Auth().SwapSigningKeys(t.Context(), stored, next)
	if !ok || err != nil {
		t.Fatal(err)
	}
	_, err = r.another().Token(t.Context(), tokens.AccessToken)
	is(t, "an exchanged public key", err, nil)
	next[0].Private = stored[1].Private
	if ok, err = r.store.Auth().SwapSigningKeys(t.Context(), stored, next); !ok || err != nil {
		t.Fatal(err)
	}
	_, err = r.another().Token(t.Context(), tokens.AccessToken)
	is(t, "an exchanged private key", err, keys.ErrCorrupt)
}

func TestStoreAway(t *testing.T) {
	r := newRig(t, nil)
	tokens := r.byPhone(number)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	is(t, "an ended context", r.RotateKeys(ctx), context.Canceled)
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*auth.Provider{"keys known": r.Provider, "keys unknown": r.another()} {
		if _, err := p.Token(t.Context(), tokens.AccessToken); !errors.Is(err, errs.Unavailable) || errors.Is(err, errs.Unauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Maintain rotates when it is time and not before, drops what has ended, and ends with its context.
func TestMaintain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *auth.Config) { c.Now, c.RotateEvery = time.Now, 9*24*time.Hour })
		tokens := r.byPhone(number)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Maintain(ctx) }()
		time.Sleep(9*24*time.Hour - time.Minute)
		if got, _ := states(t, r); len(got) != 2 {
			t.Errorf("rotated early: %v", got)
		}
		if _, err := r.Refresh(t.Context(), tokens.RefreshToken, here); !errors.Is(err, auth.ErrTokenInvalid) {
			t.Errorf("an ended session was not swept: %v", err)
		}
		time.Sleep(2 * time.Minute)
		if got, _ := states(t, r); len(got) != 3 {
			t.Errorf("not rotated: %v", got)
		}
		time.Sleep(20 * time.Minute)
		if got, _ := states(t, r); len(got) != 2 {
			t.Errorf("the retired key is still there: %v", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestConfig(t *testing.T) {
	r := newRig(t, nil)
	for name, change := range map[string]func(*auth.Config){
		"no store":           func(c *auth.Config) { c.Store = nil },
		"no vault":           func(c *auth.Config) { c.Vault = nil },
		"no profiles":        func(c *auth.Config) { c.Profiles = nil },
		"HS256":              func(c *auth.Config) { c.Algorithm = "HS256" },
		"none":               func(c *auth.Config) { c.Algorithm = "none" },
		"cost 3":             func(c *auth.Config) { c.BcryptCost = 3 },
		"cost 32":            func(c *auth.Config) { c.BcryptCost = 32 },
		"rotation too often": func(c *auth.Config) { c.RotateEvery = time.Minute },
		"no workers":         func(c *auth.Config) { c.PasswordWorkers = -1 },
	} {
		cfg := r.cfg
		change(&cfg)
		if _, err := auth.New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := auth.New(auth.Config{Store: r.cfg.Store, Vault: r.vault, Profiles: r.profiles}); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}
