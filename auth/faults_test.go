package auth_test

import (
	"context"
	"errors"
	"testing"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
)

// inactive is a store whose accounts are switched off.
type inactive struct{ auth.Store }

func off(a auth.Account, err error) (auth.Account, error) {
	a.Active = false
	return a, err
}

func (s inactive) EnsurePhone(ctx context.Context, a auth.Account) (auth.Account, bool, error) {
	a, created, err := s.Store.EnsurePhone(ctx, a)
	a.Active = false
	return a, created, err
}

func (s inactive) Account(ctx context.Context, id string) (auth.Account, error) {
	return off(s.Store.Account(ctx, id))
}

func (s inactive) AccountByEmail(ctx context.Context, key string) (auth.Account, error) {
	return off(s.Store.AccountByEmail(ctx, key))
}

func TestInactiveAccount(t *testing.T) {
	r := newRig(t, nil)
	tokens := r.register(address, "ada")
	r.byPhone(number)
	r.cfg.Store = inactive{r.cfg.Store}
	r.Provider = r.another()
	ch, err := r.StartPhone(t.Context(), number, "", here)
	is(t, "start", err, nil)
	_, err = r.VerifyPhone(t.Context(), ch.SessionID, r.code(), "", here)
	is(t, "by phone", err, auth.ErrAccountInactive)
	_, err = r.Login(t.Context(), address, password, here)
	is(t, "by password", err, auth.ErrAccountInactive)
	_, err = r.Login(t.Context(), address, "wrong horse", here)
	is(t, "by a wrong password", err, auth.ErrInvalidCredentials)
	_, err = r.Refresh(t.Context(), tokens.RefreshToken, here)
	is(t, "by refresh", err, auth.ErrAccountInactive)
	if errs.KindOf(err) != errs.Forbidden || errs.CodeOf(err) != "account_inactive" {
		t.Error(err)
	}
	is(t, "forgot", r.ForgotPassword(t.Context(), address, here), nil)
}

// away is whoever keeps profiles, failing after the check.
type away struct {
	auth.Profiles
	err error
}

func (a away) Create(context.Context, string, string, string) error { return a.err }

// Where the profile cannot be made, the account does not stay, though the caller has gone.
func TestRegisterIsUndone(t *testing.T) {
	r := newRig(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	fault := errors.New("profiles away")
	r.cfg.Profiles = cancelling{away{r.profiles, fault}, cancel}
	r.Provider = r.another()
	in := auth.Registration{Email: address, Username: "ada", Password: password}
	_, _, err := r.Register(ctx, in, here)
	is(t, "register", err, fault)
	if _, err := r.cfg.Store.AccountByEmail(t.Context(), address); !errors.Is(err, auth.ErrAccountNotFound) {
		t.Errorf("the account stayed: %v", err)
	}
}

// cancelling cancels the caller's context on the way.
type cancelling struct {
	away
	cancel func()
}

func (c cancelling) Create(ctx context.Context, id, username, displayName string) error {
	c.cancel()
	return c.away.Create(ctx, id, username, displayName)
}

// Without randomness nothing is sent and nobody signs in.
func TestNoRandomness(t *testing.T) {
	r := newRig(t, func(c *auth.Config) { c.Rand = empty{} })
	_, err := r.StartPhone(t.Context(), number, "", here)
	is(t, "start", err, errEmpty)
	_, _, err = r.Register(t.Context(), auth.Registration{Email: address, Username: "ada", Password: password}, here)
	is(t, "register", err, errEmpty)
	if len(r.texts) != 0 {
		t.Errorf("sent %v", r.texts)
	}
}

var errEmpty = errors.New("no randomness left")

type empty struct{}

func (empty) Read([]byte) (int, error) { return 0, errEmpty }
