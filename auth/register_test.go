package auth_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
)

func TestRegister(t *testing.T) {
	r := newRig(t, nil)
	r.maintain()
	tokens := r.register(address, "Ada")
	if !tokens.Created {
		t.Error("not created")
	}
	a, err := r.Account(t.Context(), tokens.UserID)
	if err != nil || a.Email != address || a.Verified() || a.Role != auth.RoleUser || !a.LastLogin.Equal(r.now) {
		t.Errorf("%+v, %v", a, err)
	}
	link := r.mailed(address, "Confirm")
	is(t, "verify", r.VerifyEmail(t.Context(), link), nil)
	is(t, "verify again", r.VerifyEmail(t.Context(), link), auth.ErrLinkExpired)
	if a, _ = r.Account(t.Context(), tokens.UserID); !a.Verified() {
		t.Error("not verified")
	}
	register := func(email, username string) error {
		_, _, err := r.Register(t.Context(), auth.Registration{Email: email, Username: username, Password: password}, here)
		return err
	}
	is(t, "taken address", register("ADA@Example.org", "other"), auth.ErrEmailTaken)
	if err := register("bob@example.org", "aDA"); errs.CodeOf(err) != "username_taken" || errs.KindOf(err) != errs.Conflict {
		t.Errorf("taken username: %v", err)
	}
	is(t, "the address is free again", register("bob@example.org", "bob"), nil)
}

func TestRegisterRefusals(t *testing.T) {
	r := newRig(t, func(c *auth.Config) { c.Breached = func(p string) bool { return p == "password1" } })
	ok := auth.Registration{Email: address, Username: "ada", Password: password, DisplayName: "Ada"}
	with := func(change func(*auth.Registration)) auth.Registration {
		in := ok
		change(&in)
		return in
	}
	for code, inputs := range map[string][]auth.Registration{
		"invalid_email": {
			with(func(in *auth.Registration) { in.Email = "" }), with(func(in *auth.Registration) { in.Email = "ada" }),
			with(func(in *auth.Registration) { in.Email = "Ada <ada@example.org>" }), with(func(in *auth.Registration) { in.Email = " ada@example.org" }),
			with(func(in *auth.Registration) { in.Email = "ada@example" }), with(func(in *auth.Registration) { in.Email = "ada@ex_ample.org" }),
			with(func(in *auth.Registration) { in.Email = `"a b"@example.org` }), with(func(in *auth.Registration) { in.Email = "ada@[192.0.2.1]" }),
			with(func(in *auth.Registration) { in.Email = "ada@-x.org" }), with(func(in *auth.Registration) { in.Email = "ada@example..org" }),
			with(func(in *auth.Registration) { in.Email = "àda@example.org" }), with(func(in *auth.Registration) { in.Email = "ada\x00@example.org" }),
			with(func(in *auth.Registration) { in.Email = "ada@example.org\r\nBcc: x@example.org" }),
			with(func(in *auth.Registration) { in.Email = strings.Repeat("a", 65) + "@example.org" }),
			with(func(in *auth.Registration) { in.Email = "ada@" + strings.Repeat("x.", 130) + "org" }),
		},
		"invalid_password": {
			with(func(in *auth.Registration) { in.Password = "" }), with(func(in *auth.Registration) { in.Password = "ééééééé" }),
			with(func(in *auth.Registration) { in.Password = strings.Repeat("x", 1025) }), with(func(in *auth.Registration) { in.Password = "abcdefgh\xff" }),
		},
		"breached_password":    {with(func(in *auth.Registration) { in.Password = "password1" })},
		"invalid_username":     {with(func(in *auth.Registration) { in.Username = "" }), with(func(in *auth.Registration) { in.Username = "1234" })},
		"username_taken":       {with(func(in *auth.Registration) { in.Username = "admin" })},
		"invalid_display_name": {with(func(in *auth.Registration) { in.DisplayName = " " })},
	} {
		for _, in := range inputs {
			_, _, err := r.Register(t.Context(), in, here)
			if errs.CodeOf(err) != code {
				t.Errorf("%+v: %v, want %s", in, err, code)
			}
			if e, ok := errors.AsType[*errs.Error](err); !ok || e.Details()["field"] == nil {
				t.Errorf("%v names no field", err)
			}
		}
	}
	if _, err := r.store.Auth().AccountByEmail(t.Context(), address); !errors.Is(err, auth.ErrAccountNotFound) {
		t.Errorf("a refused registration left an account: %v", err)
	}
}

// Where addresses must be verified, a taken one gets the same answer.
func TestRegisterVerifiedFirst(t *testing.T) {
	r := newRig(t, func(c *auth.Config) {
		c.RequireVerifiedEmail = true
		c.Templates.ResetURL = "https://chat.example/reset#{token}"
	})
	r.maintain()
	type answer struct {
		Tokens   auth.Tokens
		SignedIn bool
		Err      error
	}
	register := func(email, username string) answer {
		tokens, signedIn, err := r.Register(t.Context(), auth.Registration{Email: email, Username: username, Password: password}, here)
		return answer{tokens, signedIn, err}
	}
	first := register(address, "ada")
	older := r.mailed(address, "Confirm")
	second := register("Ada@example.org", "mallory")
	reset := r.mailed(address, "https://chat.example/reset#")
	if diff := cmp.Diff(first, second); diff != "" || first.Err != nil || first.SignedIn {
		t.Errorf("the answers differ: %s", diff)
	}
	for _, email := range []string{address, "new@example.org"} {
		if a := register(email, "ADA"); errs.CodeOf(a.Err) != "username_taken" {
			t.Errorf("%s: %v", email, a.Err)
		}
	}
	_, err := r.Login(t.Context(), "ada", password, here)
	is(t, "not verified", err, auth.ErrEmailNotVerified)
	newer := r.mailed(address, "Confirm")
	is(t, "the older link", r.VerifyEmail(t.Context(), older), auth.ErrLinkExpired)
	is(t, "the newer link", r.VerifyEmail(t.Context(), newer), nil)
	r.keep(r.Login(t.Context(), "ada", password, here))
	// Who did not register himself takes the account over by the mail that told him.
	is(t, "reset", r.ResetPassword(t.Context(), reset, "another horse"), nil)
	_, err = r.Login(t.Context(), "ada", password, here)
	is(t, "old password", err, auth.ErrInvalidCredentials)
	if _, err := auth.New(auth.Config{Store: r.cfg.Store, Vault: r.vault, Profiles: r.profiles, RequireVerifiedEmail: true}); err == nil {
		t.Error("made without a Mailer")
	}
}

func TestRegisterAtOnce(t *testing.T) {
	r := newRig(t, nil)
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			_, signedIn, err := r.Register(t.Context(), auth.Registration{Email: address, Username: "ada", Password: password}, here)
			switch {
			case err == nil && signedIn:
				made.Add(1)
			case !errors.Is(err, auth.ErrEmailTaken) && errs.CodeOf(err) != "username_taken":
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Fatalf("%d made", made.Load())
	}
}

func TestForgotAndReset(t *testing.T) {
	r := newRig(t, nil)
	r.maintain()
	tokens := r.register(address, "ada")
	r.mailed(address, "Confirm")
	forgot := func(email string) error { return r.ForgotPassword(t.Context(), email, here) }
	is(t, "no address", forgot("ada"), auth.ErrInvalidEmail)
	is(t, "unknown", forgot("nobody@example.org"), nil)
	is(t, "known", forgot("ADA@example.org"), nil)
	link := r.mailed(address, "new password")
	is(t, "bad password", r.ResetPassword(t.Context(), link, "short"), auth.ErrInvalidPassword)
	is(t, "bad link", r.ResetPassword(t.Context(), "nonsense", "another horse"), auth.ErrLinkExpired)
	is(t, "another purpose", r.VerifyEmail(t.Context(), link), auth.ErrLinkExpired)
	is(t, "reset", r.ResetPassword(t.Context(), link, "another horse"), nil)
	is(t, "reset again", r.ResetPassword(t.Context(), link, "third horse"), auth.ErrLinkExpired)
	if !r.ended(tokens.SessionID) {
		t.Error("the session lives on")
	}
	_, err := r.Login(t.Context(), address, password, here)
	is(t, "old password", err, auth.ErrInvalidCredentials)
	r.keep(r.Login(t.Context(), address, "another horse", here))
	if a, _ := r.Account(t.Context(), tokens.UserID); !a.EmailVerified {
		t.Error("the mail proved the address")
	}
	is(t, "forgot again", forgot(address), nil)
	link = r.mailed(address, "new password")
	r.pass(time.Hour)
	is(t, "late", r.ResetPassword(t.Context(), link, "third horse"), auth.ErrLinkExpired)

	for range 20 { // more than an address gets a day, and the answer stays
		is(t, "flood", forgot(address), nil)
	}
	none := newRig(t, func(c *auth.Config) { c.Mailer = nil })
	is(t, "without a Mailer", none.ForgotPassword(t.Context(), address, here), auth.ErrNotSent)
	none.register(address, "ada")
}

// What cannot be sent is logged without what was to be sent, and what waits
// when Maintain stops is still sent.
func TestMails(t *testing.T) {
	r := newRig(t, nil)
	r.register(address, "ada")
	r.refuse = errors.New("mail host away")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	is(t, "maintain", r.Maintain(ctx), nil)
	r.mailed(address, "Confirm")
	if !strings.Contains(r.log.String(), "mail host away") {
		t.Errorf("not logged: %s", r.log.String())
	}
	r.cfg.Limits = auth.Limits{RequestsPerIP: -1, MailsPerEmail: -1}
	r.Provider = r.another()
	var err error
	for range 300 {
		if err = r.ForgotPassword(t.Context(), address, here); err != nil {
			break
		}
	}
	is(t, "more than can wait", err, auth.ErrBusy)
}
