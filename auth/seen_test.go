package auth_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
)

// held is a store whose answer about a session can be held back.
type held struct {
	auth.Store
	reads    int
	answered chan struct{} // nil: not held
	goOn     chan struct{}
}

func (h *held) Session(ctx context.Context, id string) (auth.Session, error) {
	h.reads++
	s, err := h.Store.Session(ctx, id)
	if h.answered != nil {
		close(h.answered)
		<-h.goOn
		h.answered = nil
	}
	return s, err
}

func remembering(t *testing.T) (*rig, *held) {
	h := &held{}
	r := newRig(t, func(c *auth.Config) {
		h.Store = c.Store
		c.Store, c.SessionFresh = h, time.Second
	})
	return r, h
}

func TestSessionsAreReadOnceASecond(t *testing.T) {
	r, h := remembering(t)
	tokens := r.byPhone(number)
	token := func(what string, want error) {
		t.Helper()
		_, err := r.Token(t.Context(), tokens.AccessToken)
		is(t, what, err, want)
	}
	for range 5 {
		token("fresh", nil)
	}
	if h.reads != 1 {
		t.Errorf("%d reads for five requests", h.reads)
	}
	r.pass(time.Second)
	token("after a second", nil)
	if h.reads != 2 {
		t.Errorf("%d reads after a second", h.reads)
	}
	r.pass(-time.Hour) // a clock that was put back makes nothing live longer
	_, _ = r.Token(t.Context(), tokens.AccessToken)
	is(t, "check", r.Check(t.Context(), auth.Identity{UserID: tokens.UserID, SessionID: tokens.SessionID}), nil)
	if h.reads == 2 {
		t.Error("no read with a clock put back")
	}
}

func TestEndedSessionsAreForgotten(t *testing.T) {
	for name, end := range map[string]func(r *rig, tokens auth.Tokens) error{
		"revoked": func(r *rig, s auth.Tokens) error { return r.Revoke(t.Context(), s.UserID, s.SessionID) },
		"all":     func(r *rig, s auth.Tokens) error { return r.RevokeOthers(t.Context(), s.UserID, "") },
		"an old refresh token": func(r *rig, s auth.Tokens) error {
			first, err := r.Refresh(t.Context(), s.RefreshToken, here)
			if err != nil {
				return err
			}
			r.secrets = append(r.secrets, first.RefreshToken)
			r.pass(auth.RefreshGrace + time.Second)
			if _, err := r.Token(t.Context(), s.AccessToken); err != nil { // seen again
				return err
			}
			_, err = r.Refresh(t.Context(), s.RefreshToken, here)
			is(t, "reuse", err, auth.ErrTokenRevoked)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := remembering(t)
			tokens := r.byPhone(number)
			_, err := r.Token(t.Context(), tokens.AccessToken)
			is(t, "before", err, nil)
			is(t, "ending", end(r, tokens), nil)
			_, err = r.Token(t.Context(), tokens.AccessToken)
			is(t, "its token", err, auth.ErrTokenRevoked)
		})
	}
}

// A session that is read while it ends is not remembered as it was.
func TestReadOvertakenByAnEnding(t *testing.T) {
	r, h := remembering(t)
	tokens := r.byPhone(number)
	h.answered, h.goOn = make(chan struct{}), make(chan struct{})
	answered, read := h.answered, make(chan error)
	go func() {
		_, err := r.Token(t.Context(), tokens.AccessToken)
		read <- err
	}()
	<-answered
	is(t, "revoke", r.Revoke(t.Context(), tokens.UserID, tokens.SessionID), nil)
	close(h.goOn)
	is(t, "the read before", <-read, nil)
	_, err := r.Token(t.Context(), tokens.AccessToken)
	is(t, "its token", err, auth.ErrTokenRevoked)
}

// Another process on the store notices after SessionFresh, and not later.
func TestAnotherNodeNoticesInTime(t *testing.T) {
	r, _ := remembering(t)
	tokens, node := r.byPhone(number), r.another()
	_, err := node.Token(t.Context(), tokens.AccessToken)
	is(t, "before", err, nil)
	is(t, "revoke", r.Revoke(t.Context(), tokens.UserID, tokens.SessionID), nil)
	r.pass(time.Second)
	_, err = node.Token(t.Context(), tokens.AccessToken)
	is(t, "after a second", err, auth.ErrTokenRevoked)
}

// A token that was accepted before ends when it says, and with its key.
func TestAcceptedTokensEnd(t *testing.T) {
	r, _ := remembering(t)
	tokens := r.byPhone(number)
	token := func(what string, want error) {
		t.Helper()
		_, err := r.Token(t.Context(), tokens.AccessToken)
		is(t, what, err, want)
	}
	token("at first", nil)
	r.pass(auth.AccessTTL - time.Microsecond)
	token("to the end", nil)
	r.pass(time.Second)
	token("beyond it", auth.ErrTokenExpired)
	forged := tokens.AccessToken[:len(tokens.AccessToken)-4] + "AAAA"
	_, err := r.Token(t.Context(), forged)
	is(t, "another signature", err, auth.ErrTokenInvalid)
}

func TestAcceptedTokensEndWithTheirKey(t *testing.T) {
	r, h := remembering(t)
	tokens := r.byPhone(number)
	_, err := r.Token(t.Context(), tokens.AccessToken)
	is(t, "before", err, nil)
	is(t, "rotate", r.RotateKeys(t.Context()), nil)
	before, err := h.SigningKeys(t.Context())
	is(t, "keys", err, nil)
	after := slices.Clone(before)
	for i := range after { // as an operator does with a key that has leaked
		if after[i].State == auth.KeyRetired {
			after[i].RetiredAt = r.clock().Add(-time.Hour)
		}
	}
	if swapped, err := h.SwapSigningKeys(t.Context(), before, after); err != nil || !swapped {
		t.Fatal(swapped, err)
	}
	r.pass(time.Minute) // when keys are read again
	_, err = r.Token(t.Context(), tokens.AccessToken)
	is(t, "without its key", err, auth.ErrTokenInvalid)
}

func TestSessionFreshIsBounded(t *testing.T) {
	for _, d := range []time.Duration{-1, time.Minute + 1} {
		r := newRig(t, nil)
		r.cfg.SessionFresh = d
		if _, err := auth.New(r.cfg); err == nil {
			t.Errorf("%v is taken", d)
		}
	}
}
