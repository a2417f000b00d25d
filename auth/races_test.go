package auth_test

import (
	"context"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
)

// during is a store in which something happens at the moment of a write.
type during struct {
	auth.Store
	createSession func()
}

func (d during) CreateSession(ctx context.Context, s auth.StoredSession) error {
	d.createSession()
	return d.Store.CreateSession(ctx, s)
}

// A login by the old password that is under way while the password changes does
// not outlive the change, which ends the other sessions.
func TestLoginWhileThePasswordChanges(t *testing.T) {
	r := newRig(t, nil)
	ada := r.register(address, "ada")
	other := r.another()
	r.cfg.Store = during{Store: r.cfg.Store, createSession: func() {
		by := auth.Identity{UserID: ada.UserID, SessionID: ada.SessionID}
		is(t, "change", other.ChangePassword(t.Context(), by, password, "another horse"), nil)
	}}
	_, err := r.another().Login(t.Context(), "ada", password, here)
	is(t, "login", err, auth.ErrInvalidCredentials)
	sessions, err := r.Sessions(t.Context(), ada.UserID)
	if err != nil || len(sessions) != 1 || sessions[0].ID != ada.SessionID {
		t.Errorf("sessions %+v, %v", sessions, err)
	}
}

// Logins at once that all raise the cost of the hash all succeed.
func TestLoginsAtOnceRaiseTheCost(t *testing.T) {
	r := newRig(t, nil)
	r.register(address, "ada")
	store := r.cfg.Store
	r.cfg.BcryptCost = 5
	first := r.another()
	r.cfg.Store = raised{store, func() { r.keep(first.Login(t.Context(), "ada", password, here)) }}
	r.keep(r.another().Login(t.Context(), "ada", password, here))
}

// raised is a store in which another login raises the cost first.
type raised struct {
	auth.Store
	login func()
}

func (s raised) SetPassword(ctx context.Context, id, old, hash string, at time.Time) (bool, error) {
	s.login()
	return s.Store.SetPassword(ctx, id, old, hash, at)
}

// A caller who goes away the moment the password is set leaves no other session behind.
func TestPasswordIsSetAndTheCallerGone(t *testing.T) {
	for _, how := range []string{"change", "reset"} {
		t.Run(how, func(t *testing.T) {
			r := newRig(t, nil)
			ada := r.register(address, "ada")
			thief := r.keep(r.Login(t.Context(), "ada", password, here))
			r.maintain()
			r.mailed(address, "Confirm")
			is(t, "forgot", r.ForgotPassword(t.Context(), address, here), nil)
			link := r.mailed(address, "new password")
			ctx, cancel := context.WithCancel(t.Context())
			r.cfg.Store = left{r.cfg.Store, cancel}
			p := r.another()
			if how == "reset" {
				is(t, how, p.ResetPassword(ctx, link, "another horse"), nil)
			} else {
				is(t, how, p.ChangePassword(ctx, auth.Identity{UserID: ada.UserID, SessionID: ada.SessionID}, password, "another horse"), nil)
			}
			_, err := r.Token(t.Context(), thief.AccessToken)
			is(t, "the other session", err, auth.ErrTokenRevoked)
			if !r.ended(thief.SessionID) {
				t.Error("OnRevoked was not told")
			}
		})
	}
}

// left is a store whose caller goes away once a password is set.
type left struct {
	auth.Store
	cancel func()
}

func (s left) SetPassword(ctx context.Context, id, old, hash string, at time.Time) (bool, error) {
	set, err := s.Store.SetPassword(ctx, id, old, hash, at)
	s.cancel()
	return set, err
}
