package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// passwordSwaps is how often a password is set again when another call replaces
// it at the same moment.
const passwordSwaps = 3

// ForgotPassword mails a reset link if the address has an account; it succeeds
// either way, and as fast. The work is left to Maintain.
func (p *Provider) ForgotPassword(ctx context.Context, email string, c Client) error {
	if p.cfg.Mailer == nil {
		return ErrNotSent
	}
	key, err := emailKey(email)
	if err != nil {
		return err
	}
	if _, err := take(ctx, count{p.limits.requests, p.limits.byIP(c)}); err != nil {
		return err
	}
	return p.queueMail(key, p.cfg.Templates.reset())
}

// ResetPassword uses the token of a mail and ends every session. The token
// proves the address too. A bad password is refused before the token is used up.
func (p *Provider) ResetPassword(ctx context.Context, token, password string) error {
	if err := p.checkPassword(password, "password"); err != nil {
		return err
	}
	// The place comes before the token, so that being busy does not use it up, and
	// the hash after it, so that only who has a token makes us work.
	release, err := p.passwords.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	t, err := p.take(ctx, token, ResetPassword)
	if err != nil {
		return err
	}
	hash, err := p.hash(ctx, password)
	if err != nil {
		return err
	}
	ctx, cancel := finishing(ctx) // the token is used up
	defer cancel()
	if err := p.setPassword(ctx, t.UserID, hash); err != nil {
		return fmt.Errorf("auth: reset password: %w", err)
	}
	p.limits.failures.Success(accountKey(t.UserID))
	p.cfg.Logger.InfoContext(ctx, "password reset", "user", t.UserID)
	if err := p.RevokeOthers(ctx, t.UserID, ""); err != nil {
		return err
	}
	if err := p.cfg.Store.MarkEmailVerified(ctx, t.UserID, t.Email, p.now()); err != nil {
		return fmt.Errorf("auth: reset password: %w", err)
	}
	return nil
}

// finishing is a context for what must not stay half done where the caller has gone.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}

// setPassword replaces whatever hash an account has.
func (p *Provider) setPassword(ctx context.Context, userID, hash string) error {
	for range passwordSwaps {
		a, err := p.cfg.Store.Account(ctx, userID)
		if err != nil {
			return err
		}
		set, err := p.cfg.Store.SetPassword(ctx, userID, a.PasswordHash, hash, p.now())
		if err != nil || set {
			return err
		}
	}
	return ErrBusy
}

// ChangePassword sets a new password: ErrInvalidCredentials with the field
// oldPassword when the old one is wrong. An account without one sets its first,
// and oldPassword is then not looked at. Every other session ends.
func (p *Provider) ChangePassword(ctx context.Context, by Identity, oldPassword, newPassword string) error {
	if err := p.checkPassword(newPassword, "newPassword"); err != nil {
		return err
	}
	for range passwordSwaps {
		a, err := p.Account(ctx, by.UserID)
		if err != nil {
			return err
		}
		old := a.PasswordHash
		if old != "" {
			old, err = p.prove(ctx, a, oldPassword, accountKey(a.ID))
			if errors.Is(err, ErrInvalidCredentials) {
				return ErrInvalidCredentials.With("field", "oldPassword")
			}
			if err != nil {
				return err
			}
		}
		hash, err := p.hashNew(ctx, newPassword)
		if err != nil {
			return err
		}
		set, err := p.cfg.Store.SetPassword(ctx, a.ID, old, hash, p.now())
		if err != nil {
			return fmt.Errorf("auth: change password: %w", err)
		}
		if set {
			ctx, cancel := finishing(ctx)
			defer cancel()
			p.cfg.Logger.InfoContext(ctx, "password changed", "user", a.ID)
			return p.RevokeOthers(ctx, a.ID, by.SessionID)
		}
	}
	return ErrBusy
}
