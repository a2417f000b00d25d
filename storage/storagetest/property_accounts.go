package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"regexp"
	"strings"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
)

// waits are times around the life of a challenge, its very end included.
func waits() gopter.Gen {
	return drawn(func(rng *rand.Rand) time.Duration {
		switch rng.Intn(4) {
		case 0:
			return auth.ChallengeTTL - time.Microsecond
		case 1:
			return auth.ChallengeTTL + time.Duration(rng.Intn(2))*time.Microsecond
		default:
			return time.Duration(rng.Int63n(int64(2 * auth.ChallengeTTL))).Truncate(time.Microsecond)
		}
	})
}

// challengeProperty is property 1 of the seed.
func challengeProperty() property {
	return property{1, "Asking for a code, in whatever notation the number is typed, stores a challenge that ends ten minutes later and holds no code.",
		func(w *world) gopter.Prop {
			return prop.ForAll(func(t typed, wait time.Duration) string {
				return w.try(func(w *world) { w.challenge(t, wait) })
			}, typedNumbers(), waits())
		}}
}

func (w *world) challenge(t typed, wait time.Duration) {
	sent := w.outbox.count()
	c, err := w.app.Auth.StartPhone(w.ctx, t.number, t.region, auth.Client{})
	w.ok(err)
	w.same("the challenge", auth.Challenge{
		SessionID: c.SessionID, PhoneNumber: t.e164,
		ExpiresAt: w.clock.Now().Add(auth.ChallengeTTL), ResendAfter: w.clock.Now().Add(auth.ResendWait),
	}, c)
	w.same("texts sent", 1, w.outbox.count()-sent)
	code := w.outbox.code(t.e164)
	if !regexp.MustCompile(`^[0-9]{6}$`).MatchString(code) {
		w.Fatalf("the code is %q, want six digits", code)
	}

	stored, ok := w.disk.challenge(c.SessionID)
	if !ok {
		w.Fatalf("no challenge was stored")
	}
	w.same("what was stored", auth.StoredChallenge{
		Challenge: c, CodeHash: stored.CodeHash, Sends: 1, CreatedAt: w.clock.Now(),
	}, stored)
	if len(stored.CodeHash) < 16 || bytes.Contains(stored.CodeHash, []byte(code)) {
		w.Fatalf("the code %s is stored as %q", code, stored.CodeHash)
	}

	w.clock.pass(wait)
	_, err = w.app.Auth.VerifyPhone(w.ctx, c.SessionID, code, "", auth.Client{})
	if wait < auth.ChallengeTTL {
		w.ok(err)
	} else {
		w.fails(fmt.Sprintf("the code after %v", wait), err, auth.ErrSessionExpired)
	}
}

// signInProperty is property 2 of the seed.
func signInProperty() property {
	return property{2, "The right code makes an account when its number is new and finds that one ever after; the tokens it gives work, and it gives them once.",
		func(w *world) gopter.Prop {
			return prop.ForAll(func(t typed, rounds, wrong int) string {
				return w.try(func(w *world) { w.signsIn(t, rounds, wrong) })
			}, typedNumbers(), gen.IntRange(1, 3), gen.IntRange(0, auth.MaxAttempts-1))
		}}
}

func (w *world) signsIn(t typed, rounds, wrong int) {
	before, err := w.app.Auth.AccountByPhone(w.ctx, t.e164)
	known := err == nil
	if !known {
		w.fails("the account before", err, auth.ErrAccountNotFound)
	}
	sessions := make(map[string]bool)
	for round := range rounds {
		c, err := w.app.Auth.StartPhone(w.ctx, t.number, t.region, auth.Client{})
		w.ok(err)
		code := w.outbox.code(t.e164)
		for i := range wrong {
			_, err := w.app.Auth.VerifyPhone(w.ctx, c.SessionID, spoil(code, i), "", auth.Client{})
			w.fails("a wrong code", err, auth.ErrInvalidCode)
		}
		name := fmt.Sprintf("Name %d", round)
		got, err := w.app.Auth.VerifyPhone(w.ctx, c.SessionID, code, name, auth.Client{})
		w.ok(err)
		w.same("created", !known, got.Created)
		a, err := w.app.Auth.AccountByPhone(w.ctx, t.e164)
		w.ok(err)
		w.same("the account's id", a.ID, got.UserID)
		if known {
			w.same("the account's id, since the last time", before.ID, a.ID)
		}
		w.checkTokens(t, got, sessions)

		_, err = w.app.Auth.VerifyPhone(w.ctx, c.SessionID, code, "", auth.Client{})
		w.fails("the same code again", err, auth.ErrSessionExpired)
		known, before = true, a
		w.clock.pass(time.Duration(round) * 26 * time.Hour)
	}
}

// checkTokens proves tokens of a new session.
func (w *world) checkTokens(t typed, got auth.Tokens, sessions map[string]bool) {
	who, err := w.app.Auth.Token(w.ctx, got.AccessToken)
	w.ok(err)
	w.same("whose token it is", got.UserID, who.UserID)
	w.same("the token's session", got.SessionID, who.SessionID)
	if sessions[got.SessionID] {
		w.Fatalf("two sign-ins share the session %s", got.SessionID)
	}
	sessions[got.SessionID] = true
	next, err := w.app.Auth.Refresh(w.ctx, got.RefreshToken, auth.Client{})
	w.ok(err)
	w.same("who refreshed", got.UserID, next.UserID)
	me, err := w.app.Users.User(w.ctx, got.UserID, got.UserID)
	w.ok(err)
	if me.Account == nil || me.Account.Phone != t.e164 {
		w.Fatalf("the profile's account is %+v, want the phone number %s", me.Account, t.e164)
	}
	if !strings.HasPrefix(me.DisplayName, "Name ") {
		w.Fatalf("the profile's name is %q, want the one given at sign-up", me.DisplayName)
	}
}

// badNumberProperty is property 3 of the seed.
func badNumberProperty() property {
	return property{3, "What is no phone number is refused by that name, and nothing is stored or sent.",
		func(w *world) gopter.Prop {
			return prop.ForAll(func(text string) string {
				return w.try(func(w *world) {
					sent, stored := w.outbox.count(), w.disk.challengeCount()
					c, err := w.app.Auth.StartPhone(w.ctx, text, "", auth.Client{})
					w.refusedField("starting", err, "phoneNumber", "invalid_phone_number")
					w.same("the challenge", auth.Challenge{}, c)
					w.same("texts sent", 0, w.outbox.count()-sent)
					w.same("challenges stored", 0, w.disk.challengeCount()-stored)
				})
			}, notNumbers())
		}}
}

// refusedField demands an Invalid error of a field.
func (w *world) refusedField(what string, err error, field, code string) {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind() != errs.Invalid || e.Code() != code || e.Details()["field"] != field {
		w.Fatalf("%s: error is %v, want %s for the field %s", what, err, code, field)
	}
}

// wrongCodeProperty is property 4 of the seed.
func wrongCodeProperty() property {
	return property{4, "A wrong code is refused and the challenge stays usable, for five wrong codes and ten minutes; after either not even the right one counts.",
		func(w *world) gopter.Prop {
			tries := gen.SliceOf(drawn(func(rng *rand.Rand) int { return rng.Intn(1000) }))
			return prop.ForAll(func(tries []int, wait time.Duration) string {
				return w.try(func(w *world) { w.wrongCodes(tries, wait) })
			}, tries, waits())
		}}
}

func (w *world) wrongCodes(tries []int, wait time.Duration) {
	tries = tries[:min(len(tries), auth.MaxAttempts+2)]
	number := w.numbers.next()
	c, err := w.app.Auth.StartPhone(w.ctx, number, "", auth.Client{})
	w.ok(err)
	code := w.outbox.code(number)
	left := func(tried int) error { // what a wrong code gets
		switch {
		case !w.clock.Now().Before(c.ExpiresAt):
			return auth.ErrSessionExpired
		case tried >= auth.MaxAttempts:
			return auth.ErrTooManyAttempts
		}
		return auth.ErrInvalidCode
	}
	for i, variant := range tries {
		wrong := spoil(code, variant)
		got, err := w.app.Auth.VerifyPhone(w.ctx, c.SessionID, wrong, "", auth.Client{})
		w.fails(fmt.Sprintf("%q for %s at attempt %d", wrong, code, i+1), err, left(i))
		w.same("tokens for a wrong code", auth.Tokens{}, got)
		_, err = w.app.Auth.AccountByPhone(w.ctx, number)
		w.fails("the account", err, auth.ErrAccountNotFound)
		w.clock.pass((wait / time.Duration(len(tries))).Truncate(time.Microsecond))
	}
	got, err := w.app.Auth.VerifyPhone(w.ctx, c.SessionID, code, "", auth.Client{})
	if want := left(len(tries)); !errors.Is(want, auth.ErrInvalidCode) {
		w.fails("the right code, too late", err, want)
		_, err = w.app.Auth.AccountByPhone(w.ctx, number)
		w.fails("the account", err, auth.ErrAccountNotFound)
		return
	}
	w.ok(err)
	w.same("created", true, got.Created)
}

// spoil makes a wrong code of a right one.
func spoil(code string, variant int) string {
	digits := []byte(code)
	switch variant % 10 {
	case 0:
		return ""
	case 1:
		return code[:len(code)-1]
	case 2:
		return code + "0"
	case 3:
		return "abcdef"
	case 4:
		return "-" + code[1:]
	case 5:
		return strings.Repeat("9", 100_000)
	case 6:
		return "' OR 1=1 --"
	default: // one digit is another
		i := variant / 10 % len(digits)
		digits[i] = '0' + (digits[i]-'0'+byte(1+variant%9))%10
		return string(digits)
	}
}
