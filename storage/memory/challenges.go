package memory

import (
	"bytes"
	"context"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
)

func (s authStore) PutChallenge(ctx context.Context, c auth.StoredChallenge) error {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	c.CodeHash = bytes.Clone(c.CodeHash)
	d.challenges[c.SessionID] = &c
	return nil
}

// open returns a challenge that can still be won.
func (d *authData) open(id string, now time.Time) (*auth.StoredChallenge, error) {
	c, ok := d.challenges[id]
	if !ok || c.Done || !now.Before(c.ExpiresAt) {
		return nil, auth.ErrSessionExpired
	}
	if c.Attempts >= auth.MaxAttempts {
		return nil, auth.ErrTooManyAttempts
	}
	return c, nil
}

func (s authStore) ResendChallenge(ctx context.Context, r auth.Resend) (auth.StoredChallenge, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return auth.StoredChallenge{}, err
	}
	defer unlock()
	c, err := d.open(r.SessionID, r.Now)
	switch {
	case err != nil:
		return auth.StoredChallenge{}, err
	case c.Sends >= r.MaxSends:
		return auth.StoredChallenge{}, auth.ErrTooManySends
	case r.Now.Before(c.ResendAfter):
		return auth.StoredChallenge{}, auth.ErrResendTooSoon.After(c.ResendAfter.Sub(r.Now))
	}
	c.Sends++
	c.CodeHash = bytes.Clone(r.CodeHash)
	c.ResendAfter = r.Now.Add(r.Wait << (c.Sends - 1))
	return copyChallenge(c), nil
}

func (s authStore) TryChallenge(ctx context.Context, id string, codeHash []byte, now time.Time) (auth.StoredChallenge, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return auth.StoredChallenge{}, err
	}
	defer unlock()
	c, err := d.open(id, now)
	if err != nil {
		return auth.StoredChallenge{}, err
	}
	c.Attempts++
	if !bytes.Equal(c.CodeHash, codeHash) {
		return auth.StoredChallenge{}, auth.ErrInvalidCode
	}
	c.Done = true
	return copyChallenge(c), nil
}

func copyChallenge(c *auth.StoredChallenge) auth.StoredChallenge {
	out := *c
	out.CodeHash = bytes.Clone(c.CodeHash)
	return out
}
