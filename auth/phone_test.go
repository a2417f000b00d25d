package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
)

// wrong is a code other than the right one.
func wrong(right string, n int) string {
	var i int
	fmt.Sscanf(right, "%d", &i)
	return fmt.Sprintf("%06d", (i+1+n)%1_000_000)
}

func TestPhone(t *testing.T) {
	r := newRig(t, nil)
	ch, err := r.StartPhone(t.Context(), " +1 (202) 555-0123", "", here)
	if err != nil || ch.PhoneNumber != number || !ch.ExpiresAt.Equal(r.now.Add(10*time.Minute)) || !ch.ResendAfter.Equal(r.now.Add(30*time.Second)) {
		t.Fatalf("%+v, %v", ch, err)
	}
	if len(r.texts) != 1 || r.texts[0].to != number || len(r.code()) != 6 {
		t.Fatalf("sent %v", r.texts)
	}
	_, err = r.VerifyPhone(t.Context(), ch.SessionID, r.code(), "two\nlines", here)
	if errs.CodeOf(err) != "invalid_display_name" {
		t.Errorf("bad display name: %v", err)
	}
	tokens := r.keep(r.VerifyPhone(t.Context(), ch.SessionID, r.code(), "Ada", here))
	if !tokens.Created || tokens.ExpiresIn != 15*time.Minute {
		t.Errorf("%+v", tokens)
	}
	who, err := r.Token(t.Context(), tokens.AccessToken)
	if err != nil || who.UserID != tokens.UserID || who.SessionID != tokens.SessionID || who.Role != auth.RoleUser {
		t.Errorf("%+v, %v", who, err)
	}
	if u, err := r.profiles.User(t.Context(), "", who.UserID); err != nil || u.DisplayName != "Ada" {
		t.Errorf("profile %+v, %v", u, err)
	}
	a, err := r.AccountByPhone(t.Context(), number)
	if err != nil || a.ID != who.UserID || !a.Verified() || !a.LastLogin.Equal(r.now) {
		t.Errorf("account %+v, %v", a, err)
	}
	_, err = r.VerifyPhone(t.Context(), ch.SessionID, r.code(), "", here)
	is(t, "the same code again", err, auth.ErrSessionExpired)
	if again := r.byPhone(number); again.Created || again.UserID != who.UserID || again.SessionID == who.SessionID {
		t.Errorf("second sign-in: %+v", again)
	}
}

func TestPhoneRefusals(t *testing.T) {
	r := newRig(t, func(c *auth.Config) { c.Limits.CodesPerNumber = 1 })
	for _, bad := range []string{"", "12345", "+1", "hello", "+1202555012345678", "+12025550123\x00", "\xff"} {
		if _, err := r.StartPhone(t.Context(), bad, "", here); errs.CodeOf(err) != "invalid_phone_number" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if n, err := r.store.Auth().Sweep(t.Context(), r.now.Add(time.Hour)); n != 0 || err != nil || len(r.texts) != 0 {
		t.Errorf("bad numbers stored %d challenges and sent %d texts", n, len(r.texts))
	}
	r.refuse = errors.New("gateway away")
	_, err := r.StartPhone(t.Context(), number, "", here)
	if !errors.Is(err, auth.ErrNotSent) || !errors.Is(err, r.refuse) || errs.KindOf(err) != errs.Unavailable {
		t.Errorf("not sent: %v", err)
	}
	for _, secret := range r.secrets {
		if secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells %q: %v", secret, err)
		}
	}
	r.refuse = nil
	ch, err := r.StartPhone(t.Context(), number, "", here) // the limit of 1 got its count back
	is(t, "after a failure", err, nil)
	for _, id := range []string{"", "nonsense", string(make([]byte, 1000))} {
		_, err := r.VerifyPhone(t.Context(), id, r.code(), "", here)
		is(t, "unknown session", err, auth.ErrSessionExpired)
		_, err = r.ResendPhone(t.Context(), id, here)
		is(t, "unknown session", err, auth.ErrSessionExpired)
	}
	r.pass(10 * time.Minute)
	_, err = r.VerifyPhone(t.Context(), ch.SessionID, r.code(), "", here)
	is(t, "too late", err, auth.ErrSessionExpired)
	none := newRig(t, func(c *auth.Config) { c.SMS = nil })
	_, err = none.StartPhone(t.Context(), number, "", here)
	is(t, "without a sender", err, auth.ErrNotSent)
}

func TestResend(t *testing.T) {
	r := newRig(t, nil)
	ch, err := r.StartPhone(t.Context(), number, "", here)
	is(t, "start", err, nil)
	first := r.code()
	for _, wait := range []time.Duration{30, 60, 120, 240} {
		r.pass(wait*time.Second - time.Millisecond)
		_, err := r.ResendPhone(t.Context(), ch.SessionID, here)
		is(t, "too soon", err, auth.ErrResendTooSoon)
		if e, ok := errors.AsType[*errs.Error](err); !ok || e.RetryAfter() <= 0 {
			t.Errorf("no time to wait: %v", err)
		}
		r.pass(time.Millisecond)
		_, err = r.ResendPhone(t.Context(), ch.SessionID, here)
		is(t, fmt.Sprint("after ", wait*time.Second), err, nil)
	}
	r.pass(60 * time.Second)
	_, err = r.ResendPhone(t.Context(), ch.SessionID, here)
	is(t, "sixth code", err, auth.ErrTooManySends)
	if first != r.code() {
		_, err = r.VerifyPhone(t.Context(), ch.SessionID, first, "", here)
		is(t, "the first code", err, auth.ErrInvalidCode)
	}
	r.keep(r.VerifyPhone(t.Context(), ch.SessionID, r.code(), "", here))
}

// A challenge takes wrong codes and stays usable until the fifth; a right one ends it.
func TestCodesProperty(t *testing.T) {
	r := newRig(t, func(c *auth.Config) {
		c.Limits.CodesPerNumber, c.Limits.CodesPerIP, c.Limits.CodesPerPrefix = -1, -1, -1
	})
	p := gopter.NewProperties(nil)
	p.Property("five wrong codes end a challenge, one right code wins it", prop.ForAll(
		func(tries []bool) (string, error) {
			ch, err := r.StartPhone(t.Context(), number, "", here)
			if err != nil {
				return "", err
			}
			used, done := 0, false
			for i, right := range tries {
				code := r.code()
				if !right {
					code = wrong(code, i)
				}
				want := error(nil)
				switch {
				case done:
					want = auth.ErrSessionExpired
				case used == 5:
					want = auth.ErrTooManyAttempts
				case !right:
					want = auth.ErrInvalidCode
				}
				if _, err := r.VerifyPhone(t.Context(), ch.SessionID, code, "", here); !errors.Is(err, want) || (err == nil) != (want == nil) {
					return fmt.Sprintf("try %d: %v, want %v", i+1, err, want), nil
				}
				used, done = min(used+1, 5), done || want == nil
			}
			return "", nil
		},
		gen.SliceOfN(8, gen.Weighted([]gen.WeightedGen{{Weight: 4, Gen: gen.Const(false)}, {Weight: 1, Gen: gen.Const(true)}})),
	))
	p.TestingRun(t)
}

// However many guess at once, five are compared.
func TestGuessesAtOnce(t *testing.T) {
	r := newRig(t, nil)
	ch, err := r.StartPhone(t.Context(), number, "", here)
	is(t, "start", err, nil)
	var compared, refused, won atomic.Int32
	var wg sync.WaitGroup
	for i := range 20 {
		code := wrong(r.code(), i)
		if i%4 == 3 {
			code = r.code()
		}
		wg.Go(func() {
			_, err := r.VerifyPhone(t.Context(), ch.SessionID, code, "", here)
			switch {
			case err == nil:
				won.Add(1)
				compared.Add(1)
			case errors.Is(err, auth.ErrInvalidCode):
				compared.Add(1)
			case errors.Is(err, auth.ErrTooManyAttempts), errors.Is(err, auth.ErrSessionExpired):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if compared.Load() > 5 || won.Load() > 1 || compared.Load()+refused.Load() != 20 {
		t.Fatalf("%d compared, %d won, %d refused", compared.Load(), won.Load(), refused.Load())
	}
}

// Numbers that sign in at once for the first time get one account.
func TestFirstSignInsAtOnce(t *testing.T) {
	r := newRig(t, nil)
	var created atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		ch, err := r.StartPhone(t.Context(), number, "", here)
		is(t, "start", err, nil)
		code := r.code()
		wg.Go(func() {
			tokens, err := r.VerifyPhone(t.Context(), ch.SessionID, code, "Ada", here)
			is(t, "verify", err, nil)
			if tokens.Created {
				created.Add(1)
			}
		})
	}
	wg.Wait()
	if created.Load() != 1 {
		t.Fatalf("%d accounts made", created.Load())
	}
}

func TestPhoneLimits(t *testing.T) {
	start := func(r *rig, number string, c auth.Client) error {
		_, err := r.StartPhone(t.Context(), number, "", c)
		return err
	}
	v6 := func(n int) auth.Client { return auth.Client{IP: fmt.Sprintf("2001:db8::%x", n)} }
	for _, c := range []struct {
		name   string
		limits auth.Limits
		second string // another number
		client auth.Client
		want   error
	}{
		{"same number", auth.Limits{CodesPerNumber: 1}, number, v6(2), errs.RateLimited},
		{"same number in development", auth.Limits{CodesPerNumber: 1, IPOff: true, PrefixOff: true}, number, v6(2), errs.RateLimited},
		{"another number", auth.Limits{CodesPerNumber: 1}, "+12025550124", v6(2), nil},
		{"same /64", auth.Limits{CodesPerIP: 1}, "+12025550124", v6(2), errs.RateLimited},
		{"another /64", auth.Limits{CodesPerIP: 1}, "+12025550124", auth.Client{IP: "2001:db8:1::1"}, nil},
		{"no address", auth.Limits{CodesPerIP: 1}, "+12025550124", auth.Client{}, nil},
		{"addresses off", auth.Limits{CodesPerIP: 1, IPOff: true}, "+12025550124", v6(1), nil},
		{"same prefix", auth.Limits{CodesPerPrefix: 1}, "+12025550124", v6(2), errs.RateLimited},
		{"prefixes off", auth.Limits{CodesPerPrefix: 1, PrefixOff: true}, "+12025550124", v6(2), nil},
	} {
		r := newRig(t, func(cfg *auth.Config) { cfg.Limits = c.limits })
		is(t, c.name, start(r, number, v6(1)), nil)
		is(t, c.name, start(r, c.second, c.client), c.want)
	}
	r := newRig(t, nil)
	for range 20 {
		is(t, "twenty a day", start(r, number, here), nil)
	}
	is(t, "one more", start(r, number, here), errs.RateLimited)
}

// Who goes away while the text is on its way does not get the limits' counts
// back: perhaps it has left.
func TestLeavingDoesNotEvadeLimits(t *testing.T) {
	r := newRig(t, func(c *auth.Config) { c.Limits = auth.Limits{CodesPerIP: 2} })
	ch, err := r.StartPhone(t.Context(), number, "", here)
	is(t, "start", err, nil)
	r.pass(auth.ResendWait)
	var leave func()
	r.cfg.SMS = sender(func(context.Context, string, string) error { leave(); return context.Canceled })
	p := r.another()
	for what, send := range map[string]func(context.Context) error{
		"start":  func(ctx context.Context) error { _, err := p.StartPhone(ctx, number, "", here); return err },
		"resend": func(ctx context.Context) error { _, err := p.ResendPhone(ctx, ch.SessionID, here); return err },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		leave = cancel
		is(t, what, send(ctx), auth.ErrNotSent)
	}
	_, err = p.StartPhone(t.Context(), "+12025550124", "", here)
	is(t, "a third", err, errs.RateLimited)
}

type sender func(ctx context.Context, to, text string) error

func (s sender) SendSMS(ctx context.Context, to, text string) error { return s(ctx, to, text) }

// An error that quotes a number as URLs do does not tell it either.
func TestEscapedNumberIsRedacted(t *testing.T) {
	r := newRig(t, nil)
	r.cfg.SMS = sender(func(_ context.Context, to, text string) error {
		return fmt.Errorf("Get \"https://sms.example.org/?%s\": refused", url.Values{"to": {to}}.Encode())
	})
	_, err := r.another().StartPhone(t.Context(), number, "", here)
	if !errors.Is(err, auth.ErrNotSent) || strings.Contains(err.Error(), number[1:]) {
		t.Error(err)
	}
}
