package auth_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
)

func TestLogin(t *testing.T) {
	r := newRig(t, nil)
	ada := r.register(address, "ada.12025550199")
	phone := r.byPhone(number)
	is(t, "first password", r.ChangePassword(t.Context(), auth.Identity{UserID: phone.UserID}, "", password), nil)
	for identifier, want := range map[string]string{
		address: ada.UserID, " ADA@example.ORG ": ada.UserID, "Ada.12025550199": ada.UserID, "ａｄａ.12025550199": ada.UserID,
		number: phone.UserID, "+1 (202) 555-0123": phone.UserID,
	} {
		if tokens, err := r.Login(t.Context(), identifier, password, here); err != nil || tokens.UserID != want || tokens.Created {
			t.Errorf("%q: %+v, %v", identifier, tokens, err)
		}
	}
}

// Nothing in the answer tells what was wrong, and every wrong name backs off like every other.
func TestLoginTellsNothing(t *testing.T) {
	names := []string{address, "ada", number, "nobody@example.org", "nobody", "+12025550199", "", "\xff", "a b", "ada@", strings.Repeat("x", 5000)}
	var first []string
	for _, name := range names {
		r := newRig(t, nil)
		r.register(address, "ada")
		r.byPhone(number) // an account without a password
		var answers []string
		for i := range 12 {
			_, err := r.Login(t.Context(), name, "wrong horse", here)
			e, ok := errors.AsType[*errs.Error](err)
			if !ok {
				t.Fatal(err)
			}
			answers = append(answers, err.Error()+e.RetryAfter().String())
			if i > 8 {
				r.pass(time.Second)
			}
		}
		if first == nil {
			first = answers
			if !strings.Contains(answers[0], "invalid_credentials") || !strings.Contains(answers[9], "rate_limited") {
				t.Errorf("%q", answers)
			}
		}
		if diff := cmp.Diff(first, answers); diff != "" {
			t.Errorf("%q is answered otherwise than %q: %s", name, names[0], diff)
		}
	}
}

// The spelling of a name that does not exist counts as little as that of one that does.
func TestLoginSpellings(t *testing.T) {
	for _, known := range []bool{true, false} {
		r := newRig(t, nil)
		if known {
			r.byPhone(number)
		}
		var err error
		for _, name := range []string{number, "+1 202 555 0123", "+1-202-555-0123", "+1(202)5550123", "+1.202.555.0123", " +12025550123 "} {
			_, err = r.Login(t.Context(), name, "wrong horse", auth.Client{})
			is(t, name, err, auth.ErrInvalidCredentials)
		}
		_, err = r.Login(t.Context(), number, "wrong horse", auth.Client{})
		is(t, "the seventh", err, errs.RateLimited)
	}
}

func TestLoginBackOff(t *testing.T) {
	r := newRig(t, nil)
	r.register(address, "ada")
	var compared atomic.Int32
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			_, err := r.Login(t.Context(), "ada", "wrong horse", auth.Client{})
			if errors.Is(err, auth.ErrInvalidCredentials) {
				compared.Add(1)
			}
		})
	}
	wg.Wait()
	if compared.Load() != 6 { // 5 free, and the one that starts the wait
		t.Errorf("%d of 30 guesses at once were compared", compared.Load())
	}
	_, err := r.Login(t.Context(), "ada", password, here)
	is(t, "while waiting", err, errs.RateLimited)
	r.pass(time.Second)
	r.keep(r.Login(t.Context(), "ada", password, here)) // never locked out for good
	_, err = r.Login(t.Context(), "ada", "wrong horse", here)
	is(t, "success forgave", err, auth.ErrInvalidCredentials)

	r = newRig(t, nil)
	for i := range 21 {
		_, err = r.Login(t.Context(), strings.Repeat("n", 3+i), "wrong horse", here)
		is(t, "many names", err, auth.ErrInvalidCredentials)
	}
	_, err = r.Login(t.Context(), "another", "wrong horse", here)
	is(t, "one address", err, errs.RateLimited)
	_, err = r.Login(t.Context(), "another", "wrong horse", auth.Client{IP: "192.0.2.2"})
	is(t, "another address", err, auth.ErrInvalidCredentials)
}

// A login that cannot succeed takes as long as one that could.
func TestLoginTime(t *testing.T) {
	if testing.Short() {
		t.Skip("hashes at a real cost")
	}
	r := newRig(t, func(c *auth.Config) { c.BcryptCost = 8; c.Limits.FailureWait = -1 })
	r.register(address, "ada")
	if known, unknown := r.compareLogins(); unknown < known/2 || unknown > known*2 {
		t.Errorf("known %v, unknown %v", known, unknown)
	}
}

func TestPasswordIsUsedWhole(t *testing.T) {
	r := newRig(t, nil)
	long := strings.Repeat("x", 1000)
	for i, pair := range [][2]string{{long + "a", long + "b"}, {"abcdefgh\x00one", "abcdefgh\x00two"}, {"Passwort", "passwort"}} {
		name := "user" + string(rune('a'+i))
		_, _, err := r.Register(t.Context(), auth.Registration{Email: name + "@example.org", Username: name, Password: pair[0]}, here)
		is(t, "register", err, nil)
		_, err = r.Login(t.Context(), name, pair[1], here)
		is(t, "another password", err, auth.ErrInvalidCredentials)
		r.keep(r.Login(t.Context(), name, pair[0], here))
	}
	_, _, err := r.Register(t.Context(), auth.Registration{Email: "e@example.org", Username: "accent", Password: "caf\u00e9caf\u00e9"}, here)
	is(t, "register", err, nil)
	r.keep(r.Login(t.Context(), "accent", "cafe\u0301cafe\u0301", here))
}

func TestCostIsRaised(t *testing.T) {
	r := newRig(t, nil)
	tokens := r.register(address, "ada")
	r.cfg.BcryptCost = 5
	r.Provider = r.another()
	_, err := r.Login(t.Context(), "ada", "wrong horse", here)
	is(t, "wrong", err, auth.ErrInvalidCredentials)
	for _, want := range []int{4, 5, 5} {
		a, _ := r.Account(t.Context(), tokens.UserID)
		if cost, _ := bcrypt.Cost([]byte(a.PasswordHash)); cost != want {
			t.Errorf("cost %d, want %d", cost, want)
		}
		r.keep(r.Login(t.Context(), "ada", password, here))
	}
	r.cfg.BcryptCost = 6
	r.Provider = r.another()
	is(t, "change", r.ChangePassword(t.Context(), auth.Identity{UserID: tokens.UserID}, password, "another horse"), nil)
	r.keep(r.Login(t.Context(), "ada", "another horse", here))
}

func TestChangePassword(t *testing.T) {
	r := newRig(t, nil)
	one := r.register(address, "ada")
	two := r.keep(r.Login(t.Context(), "ada", password, here))
	by := auth.Identity{UserID: one.UserID, SessionID: one.SessionID}
	err := r.ChangePassword(t.Context(), by, "wrong horse", "another horse")
	if e, _ := errors.AsType[*errs.Error](err); !errors.Is(err, auth.ErrInvalidCredentials) || e.Details()["field"] != "oldPassword" {
		t.Errorf("wrong old password: %v", err)
	}
	err = r.ChangePassword(t.Context(), by, password, "short")
	if e, _ := errors.AsType[*errs.Error](err); !errors.Is(err, auth.ErrInvalidPassword) || e.Details()["field"] != "newPassword" {
		t.Errorf("bad new password: %v", err)
	}
	is(t, "change", r.ChangePassword(t.Context(), by, password, "another horse"), nil)
	if !r.ended(two.SessionID) || r.ended(one.SessionID) {
		t.Errorf("ended %v", r.revoked)
	}
	if _, err := r.Token(t.Context(), two.AccessToken); !errors.Is(err, auth.ErrTokenRevoked) {
		t.Errorf("the other session: %v", err)
	}
	for range 6 {
		err = r.ChangePassword(t.Context(), by, "wrong horse", "third horse")
		is(t, "a guess", err, auth.ErrInvalidCredentials)
	}
	is(t, "guessing the old one", r.ChangePassword(t.Context(), by, "another horse", "third horse"), errs.RateLimited)
	is(t, "nobody", r.ChangePassword(t.Context(), auth.Identity{UserID: "x"}, "", "third horse"), auth.ErrAccountNotFound)
}

// Changes at once from one old password: one wins, the others' is then wrong.
func TestChangesAtOnce(t *testing.T) {
	r := newRig(t, func(c *auth.Config) { c.Limits.FailureWait = -1 })
	tokens := r.register(address, "ada")
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			err := r.ChangePassword(t.Context(), auth.Identity{UserID: tokens.UserID}, password, "another horse")
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, auth.ErrInvalidCredentials) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d changed it", won.Load())
	}
}

// Hashing is bounded: more than can work and wait are told so at once, and who
// gives up while waiting leaves.
func TestHashingIsBounded(t *testing.T) {
	r := newRig(t, func(c *auth.Config) { c.PasswordWorkers, c.PasswordQueue, c.BcryptCost = 1, 2, 8 })
	var busy, done atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := r.Login(t.Context(), "nobody", "wrong horse", auth.Client{})
			switch {
			case errors.Is(err, auth.ErrBusy) && errs.KindOf(err) == errs.Unavailable:
				busy.Add(1)
			case errors.Is(err, auth.ErrInvalidCredentials), errors.Is(err, errs.RateLimited):
				done.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if busy.Load() == 0 || done.Load() < 3 {
		t.Errorf("%d busy, %d done", busy.Load(), done.Load())
	}
}

// A hash from when the cost was lower does not answer sooner than no account.
func TestLoginTimeAtAnOlderCost(t *testing.T) {
	if testing.Short() {
		t.Skip("hashes at a real cost")
	}
	r := newRig(t, func(c *auth.Config) { c.BcryptCost = 6; c.Limits.FailureWait = -1 })
	r.register(address, "ada")
	r.cfg.BcryptCost = 9
	r.Provider = r.another()
	if known, unknown := r.compareLogins(); known < unknown/2 {
		t.Errorf("known %v, unknown %v", known, unknown)
	}
}

// compareLogins times wrong passwords of a known and an unknown name. On a busy
// machine single times mean little: the two are taken by turns, until the best
// of one comes near the best of the other. A fault keeps them far apart.
func (r *rig) compareLogins() (known, unknown time.Duration) {
	known, unknown = time.Hour, time.Hour
	for n := range 40 {
		known, unknown = min(known, r.loginTime("ada")), min(unknown, r.loginTime("nobody"))
		if n >= 2 && known >= unknown*2/3 && unknown >= known*2/3 {
			break
		}
	}
	return known, unknown
}

// loginTime is how long a wrong password takes.
func (r *rig) loginTime(name string) time.Duration {
	begin := time.Now()
	_, err := r.Login(r.t.Context(), name, "wrong horse", auth.Client{})
	is(r.t, name, err, auth.ErrInvalidCredentials)
	return time.Since(begin)
}

func TestNoBackOff(t *testing.T) {
	r := newRig(t, func(c *auth.Config) { c.Limits.FreeFailures, c.Limits.FreeFailuresPerIP = -1, -1 })
	for range 30 {
		_, err := r.Login(t.Context(), "nobody", "wrong horse", here)
		is(t, "without a limit", err, auth.ErrInvalidCredentials)
	}
}
