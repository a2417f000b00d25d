package storagetest

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
)

func challengeRules() []rule {
	return []rule{
		{name: "challenges/right code wins once", check: rightCode,
			says: "TryChallenge counts an attempt, then compares: at most one call succeeds; ErrSessionExpired when unknown, expired or done."},
		{name: "challenges/five attempts", check: fiveAttempts,
			says: "At most MaxAttempts compare: then ErrTooManyAttempts, also for the right code."},
		{name: "challenges/parallel guesses share five attempts", check: parallelGuesses,
			says: "Of any number of concurrent calls at most MaxAttempts compare."},
		{name: "challenges/parallel right codes have one winner", check: parallelWinners,
			says: "Of any number of concurrent calls at most one succeeds."},
		{name: "challenges/resend replaces the code and doubles the wait", check: resend,
			says: "ResendChallenge counts a send, replaces the code's hash, and sets ResendAfter to Now + Wait·2^(Sends-1), Sends being the new count."},
		{name: "challenges/resend refuses in order", check: resendRefuses,
			says: "In this order: ErrSessionExpired when unknown, expired or done; ErrTooManyAttempts when MaxAttempts are used; ErrTooManySends; ErrResendTooSoon (with RetryAfter) before ResendAfter."},
		{name: "challenges/parallel resends share one", check: parallelResends,
			says: "ResendChallenge is atomic: of concurrent calls one sends, the others are too soon."},
	}
}

// challenge stores one that was just sent, and returns it.
func (r *R) challenge() auth.StoredChallenge {
	at := r.now()
	c := auth.StoredChallenge{
		Challenge: auth.Challenge{
			SessionID: r.id("challenge"), PhoneNumber: "+15550100",
			ExpiresAt: at.Add(auth.ChallengeTTL), ResendAfter: at.Add(30 * time.Second),
		},
		CodeHash: r.hash("code"), Sends: 1, CreatedAt: at,
	}
	r.ok(r.store.Auth().PutChallenge(r.ctx, c))
	return c
}

func (r *R) try(c auth.StoredChallenge, code []byte, now time.Time) (auth.StoredChallenge, error) {
	return r.store.Auth().TryChallenge(r.ctx, c.SessionID, code, now)
}

func rightCode(r *R) {
	c := r.challenge()
	_, err := r.try(auth.StoredChallenge{Challenge: auth.Challenge{SessionID: r.id("challenge")}}, c.CodeHash, c.CreatedAt)
	r.fails("unknown challenge", err, auth.ErrSessionExpired)
	_, err = r.try(c, c.CodeHash, c.ExpiresAt.Add(micros(1)))
	r.fails("challenge after its end", err, auth.ErrSessionExpired)
	_, err = r.try(c, r.hash("code"), c.CreatedAt)
	r.fails("wrong code", err, auth.ErrInvalidCode)
	got, err := r.try(c, c.CodeHash, c.ExpiresAt.Add(micros(-1)))
	r.ok(err)
	c.Attempts, c.Done = 2, true
	r.same("challenge that was won", c, got)
	for _, code := range [][]byte{c.CodeHash, r.hash("code")} {
		_, err = r.try(c, code, c.CreatedAt)
		r.fails("challenge that is done", err, auth.ErrSessionExpired)
	}
}

func fiveAttempts(r *R) {
	c, last := r.challenge(), r.challenge()
	for range auth.MaxAttempts {
		_, err := r.try(c, r.hash("code"), c.CreatedAt)
		r.fails("wrong code", err, auth.ErrInvalidCode)
	}
	for _, code := range [][]byte{r.hash("code"), c.CodeHash} {
		_, err := r.try(c, code, c.CreatedAt)
		r.fails("attempt above the limit", err, auth.ErrTooManyAttempts)
	}
	_, err := r.try(c, c.CodeHash, c.ExpiresAt.Add(micros(1)))
	r.fails("attempt above the limit after the end", err, auth.ErrSessionExpired)
	for range auth.MaxAttempts - 1 {
		_, err := r.try(last, r.hash("code"), last.CreatedAt)
		r.fails("wrong code", err, auth.ErrInvalidCode)
	}
	_, err = r.try(last, last.CodeHash, last.CreatedAt)
	r.ok(err)
}

func parallelGuesses(r *R) {
	for range 5 {
		c := r.challenge()
		const n = 16
		wrong := make([][]byte, n)
		for i := range wrong {
			wrong[i] = r.hash("code")
		}
		var compared atomic.Int32
		r.race(n, func(i int) {
			_, err := r.try(c, wrong[i], c.CreatedAt)
			r.fails("wrong code", err, auth.ErrInvalidCode, auth.ErrTooManyAttempts)
			if errors.Is(err, auth.ErrInvalidCode) {
				compared.Add(1)
			}
		})
		r.same("codes that were compared", int32(auth.MaxAttempts), compared.Load())
	}
}

func parallelWinners(r *R) {
	for range 5 {
		c := r.challenge()
		var won atomic.Int32
		r.race(8, func(int) {
			if _, err := r.try(c, c.CodeHash, c.CreatedAt); err != nil {
				r.fails("right code of one who lost", err, auth.ErrSessionExpired)
				return
			}
			won.Add(1)
		})
		r.same("winners", int32(1), won.Load())
	}
}

// again describes a resend at a time.
func (r *R) again(c auth.StoredChallenge, now time.Time) auth.Resend {
	return auth.Resend{
		SessionID: c.SessionID, CodeHash: r.hash("code"), Now: now, Wait: 30 * time.Second, MaxSends: auth.MaxSends,
	}
}

func resend(r *R) {
	c := r.challenge()
	_, err := r.try(c, r.hash("code"), c.CreatedAt)
	r.fails("wrong code", err, auth.ErrInvalidCode)
	first := c.CodeHash
	next := r.again(c, c.ResendAfter)
	got, err := r.store.Auth().ResendChallenge(r.ctx, next)
	r.ok(err)
	c.Sends, c.Attempts, c.CodeHash, c.ResendAfter = 2, 1, next.CodeHash, next.Now.Add(60*time.Second)
	r.same("challenge that was sent again", c, got)
	next = r.again(c, c.ResendAfter.Add(micros(7)))
	got, err = r.store.Auth().ResendChallenge(r.ctx, next)
	r.ok(err)
	c.Sends, c.CodeHash, c.ResendAfter = 3, next.CodeHash, next.Now.Add(120*time.Second)
	r.same("challenge that was sent a third time", c, got)
	_, err = r.try(c, first, c.CreatedAt)
	r.fails("code that was replaced", err, auth.ErrInvalidCode)
	_, err = r.try(c, c.CodeHash, c.CreatedAt)
	r.ok(err)
}

func resendRefuses(r *R) {
	refuse := func(what string, again auth.Resend, want error) {
		_, err := r.store.Auth().ResendChallenge(r.ctx, again)
		r.fails(what, err, want)
	}
	exhaust := func(c auth.StoredChallenge) {
		for range auth.MaxAttempts {
			_, err := r.try(c, r.hash("code"), c.CreatedAt)
			r.fails("wrong code", err, auth.ErrInvalidCode)
		}
	}
	c := r.challenge()
	early := c.ResendAfter.Add(micros(-1))
	_, err := r.store.Auth().ResendChallenge(r.ctx, r.again(c, early))
	r.fails("resend too soon", err, auth.ErrResendTooSoon)
	if e, ok := errors.AsType[*errs.Error](err); !ok || e.RetryAfter() <= 0 || e.RetryAfter() > time.Second {
		r.Fatalf("a resend that comes 1 µs too soon does not say so in RetryAfter: %v", err)
	}
	unknown := r.again(c, early)
	unknown.SessionID = r.id("challenge")
	refuse("resend of an unknown challenge", unknown, auth.ErrSessionExpired)
	most := r.again(c, early)
	most.MaxSends = 1
	refuse("resend above the limit, and too soon", most, auth.ErrTooManySends)
	exhaust(c)
	refuse("resend above the limit after all attempts", most, auth.ErrTooManyAttempts)
	most.Now = c.ExpiresAt.Add(micros(1))
	refuse("resend after the end", most, auth.ErrSessionExpired)
	done := r.challenge()
	_, err = r.try(done, done.CodeHash, done.CreatedAt)
	r.ok(err)
	refuse("resend of one that is done", r.again(done, done.ResendAfter), auth.ErrSessionExpired)
	// A refused resend replaced nothing.
	untouched := r.challenge()
	refuse("resend too soon", r.again(untouched, untouched.CreatedAt), auth.ErrResendTooSoon)
	_, err = r.try(untouched, untouched.CodeHash, untouched.CreatedAt)
	r.ok(err)
}

func parallelResends(r *R) {
	c := r.challenge()
	const n = 8
	all := make([]auth.Resend, n)
	for i := range all {
		all[i] = r.again(c, c.ResendAfter)
	}
	var sent atomic.Int32
	r.race(n, func(i int) {
		if _, err := r.store.Auth().ResendChallenge(r.ctx, all[i]); err != nil {
			r.fails("resend of one who lost", err, auth.ErrResendTooSoon)
			return
		}
		sent.Add(1)
	})
	r.same("codes sent at once", int32(1), sent.Load())
}
