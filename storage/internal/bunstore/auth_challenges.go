package bunstore

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/auth"
)

const challengeColumns = `session_id, phone, expires_at, resend_after, code_hash, sends, attempts, done, created_at`

type challengeRow struct {
	SessionID   string
	Phone       string
	ExpiresAt   int64
	ResendAfter int64
	CodeHash    []byte
	Sends       int
	Attempts    int
	Done        bool
	CreatedAt   int64
}

func (r *challengeRow) challenge() auth.StoredChallenge {
	return auth.StoredChallenge{
		Challenge: auth.Challenge{
			SessionID: r.SessionID, PhoneNumber: r.Phone, ExpiresAt: moment(r.ExpiresAt), ResendAfter: moment(r.ResendAfter),
		},
		CodeHash: r.CodeHash, Sends: r.Sends, Attempts: r.Attempts, Done: r.Done, CreatedAt: moment(r.CreatedAt),
	}
}

// PutChallenge implements auth.Store.
func (s accounts) PutChallenge(ctx context.Context, c auth.StoredChallenge) error {
	if err := valid(c); err != nil {
		return err
	}
	return s.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := exec(ctx, tx, "INSERT INTO challenges ("+challengeColumns+") VALUES ?", tuples{{
			c.SessionID, c.PhoneNumber, micros(c.ExpiresAt), micros(c.ResendAfter), blob(c.CodeHash), c.Sends, c.Attempts, c.Done, micros(c.CreatedAt),
		}})
		return err
	})
}

// ResendChallenge implements auth.Store.
func (s accounts) ResendChallenge(ctx context.Context, r auth.Resend) (auth.StoredChallenge, error) {
	return s.challenge(ctx, r.SessionID, r.Now, func(c *challengeRow) (save bool, err error) {
		switch after := moment(c.ResendAfter); {
		case c.Sends >= r.MaxSends:
			return false, auth.ErrTooManySends
		case r.Now.Before(after):
			return false, auth.ErrResendTooSoon.After(after.Sub(r.Now))
		}
		c.Sends++
		c.CodeHash = blob(r.CodeHash)
		c.ResendAfter = micros(r.Now.Add(r.Wait << (c.Sends - 1)))
		return true, nil
	})
}

// TryChallenge implements auth.Store.
func (s accounts) TryChallenge(ctx context.Context, sessionID string, codeHash []byte, now time.Time) (auth.StoredChallenge, error) {
	return s.challenge(ctx, sessionID, now, func(c *challengeRow) (save bool, err error) {
		c.Attempts++
		if subtle.ConstantTimeCompare(c.CodeHash, codeHash) != 1 {
			return true, auth.ErrInvalidCode
		}
		c.Done = true
		return true, nil
	})
}

// challenge runs fn on an open challenge that is locked. What fn wants saved is
// kept also when it refuses: a wrong code counts.
func (s accounts) challenge(ctx context.Context, id string, now time.Time, fn func(*challengeRow) (save bool, err error)) (auth.StoredChallenge, error) {
	if err := valid(id); err != nil {
		return auth.StoredChallenge{}, err
	}
	var (
		c       challengeRow
		refused error
	)
	err := s.s.write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		c, err = find[challengeRow](ctx, tx, auth.ErrSessionExpired,
			"SELECT "+challengeColumns+" FROM challenges WHERE session_id = ?"+s.s.dialect.Lock, id)
		switch {
		case err != nil:
			return err
		case c.Done || !now.Before(moment(c.ExpiresAt)):
			return auth.ErrSessionExpired
		case c.Attempts >= auth.MaxAttempts:
			return auth.ErrTooManyAttempts
		}
		var save bool
		if save, refused = fn(&c); !save {
			return refused
		}
		n, err := exec(ctx, tx, "UPDATE challenges SET resend_after = ?, code_hash = ?, sends = ?, attempts = ?, done = ? WHERE session_id = ?",
			c.ResendAfter, c.CodeHash, c.Sends, c.Attempts, c.Done, id)
		return must(1, n, err)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return auth.StoredChallenge{}, err
	}
	return c.challenge(), nil
}

// PutOneUse implements auth.Store.
func (s accounts) PutOneUse(ctx context.Context, t auth.OneUse) error {
	if err := valid(t); err != nil {
		return err
	}
	return s.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := exec(ctx, tx, `INSERT INTO one_use_tokens (hash, purpose, user_id, email, expires_at) VALUES ?
			ON CONFLICT (user_id, purpose) DO UPDATE SET hash = excluded.hash, email = excluded.email, expires_at = excluded.expires_at`,
			tuples{{blob(t.Hash), string(t.Purpose), t.UserID, t.Email, micros(t.ExpiresAt)}})
		return err
	})
}

// TakeOneUse implements auth.Store.
func (s accounts) TakeOneUse(ctx context.Context, hash []byte, p auth.Purpose, now time.Time) (auth.OneUse, error) {
	if err := valid(p); err != nil {
		return auth.OneUse{}, err
	}
	type row struct {
		UserID, Email string
		ExpiresAt     int64
	}
	var r row
	err := s.s.write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		r, err = find[row](ctx, tx, auth.ErrLinkExpired, "DELETE FROM one_use_tokens WHERE hash = ? AND purpose = ? AND expires_at > ? RETURNING user_id, email, expires_at",
			blob(hash), string(p), micros(now))
		return err
	})
	if err != nil {
		return auth.OneUse{}, err
	}
	return auth.OneUse{Hash: blob(hash), Purpose: p, UserID: r.UserID, Email: r.Email, ExpiresAt: moment(r.ExpiresAt)}, nil
}
