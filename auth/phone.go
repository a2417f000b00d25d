package auth

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
)

const (
	codeSecret = "auth/codes"
	maxID      = 128 // bytes of any id that is looked up
)

// StartPhone sends a code to a number. What is no number is refused before
// anything is counted or stored; limits come next; where the code cannot be sent
// (ErrNotSent) the limits get their count back, and nobody knows the challenge.
func (p *Provider) StartPhone(ctx context.Context, number, region string, c Client) (Challenge, error) {
	if p.cfg.Phones == nil || p.cfg.SMS == nil {
		return Challenge{}, ErrNotSent
	}
	e164, err := p.cfg.Phones.Parse(number, region)
	if err != nil {
		return Challenge{}, err
	}
	refund, err := take(ctx, count{p.limits.codesByIP, p.limits.byIP(c)}, p.toPrefix(e164), count{p.limits.number, e164})
	if err != nil {
		return Challenge{}, err
	}
	now := p.now()
	s := StoredChallenge{
		Challenge: Challenge{
			SessionID: p.cfg.NewID(), PhoneNumber: e164,
			ExpiresAt: now.Add(ChallengeTTL), ResendAfter: now.Add(ResendWait),
		},
		Sends: 1, CreatedAt: now,
	}
	code, err := p.newCode()
	if err == nil {
		s.CodeHash, err = p.mac(ctx, codeSecret, s.SessionID, code)
	}
	if err == nil {
		err = p.cfg.Store.PutChallenge(ctx, s)
	}
	if err == nil {
		err = p.sendCode(ctx, e164, code)
	}
	if err != nil {
		refund()
		return Challenge{}, fmt.Errorf("auth: start phone: %w", err)
	}
	return s.Challenge, nil
}

// ResendPhone sends a new code for an open challenge; the one before no longer
// counts. The number is known only once the challenge has answered, so where the
// number's own limit then refuses, the code before is gone as well.
func (p *Provider) ResendPhone(ctx context.Context, sessionID string, c Client) (Challenge, error) {
	if p.cfg.Phones == nil || p.cfg.SMS == nil {
		return Challenge{}, ErrNotSent
	}
	if len(sessionID) > maxID {
		return Challenge{}, ErrSessionExpired
	}
	refundIP, err := take(ctx, count{p.limits.codesByIP, p.limits.byIP(c)})
	if err != nil {
		return Challenge{}, err
	}
	s, err := p.resend(ctx, sessionID)
	if err != nil {
		refundIP()
		return Challenge{}, fmt.Errorf("auth: resend: %w", err)
	}
	return s.Challenge, nil
}

func (p *Provider) resend(ctx context.Context, sessionID string) (StoredChallenge, error) {
	code, err := p.newCode()
	if err != nil {
		return StoredChallenge{}, err
	}
	hash, err := p.mac(ctx, codeSecret, sessionID, code)
	if err != nil {
		return StoredChallenge{}, err
	}
	s, err := p.cfg.Store.ResendChallenge(ctx, Resend{
		SessionID: sessionID, CodeHash: hash, Now: p.now(), Wait: ResendWait, MaxSends: MaxSends,
	})
	if err != nil {
		return StoredChallenge{}, err
	}
	refund, err := take(ctx, p.toPrefix(s.PhoneNumber), count{p.limits.number, s.PhoneNumber})
	if err != nil {
		return StoredChallenge{}, err
	}
	if err := p.sendCode(ctx, s.PhoneNumber, code); err != nil {
		refund()
		return StoredChallenge{}, err
	}
	return s, nil
}

// VerifyPhone confirms a code, makes the account on first use, and signs in. A
// bad display name is refused before the code is tried. Should the process end
// halfway, signing in again finds the account and completes it.
func (p *Provider) VerifyPhone(ctx context.Context, sessionID, code, displayName string, c Client) (Tokens, error) {
	if len(sessionID) > maxID {
		return Tokens{}, ErrSessionExpired
	}
	if err := p.cfg.Profiles.Check("", displayName); err != nil {
		return Tokens{}, err
	}
	hash, err := p.mac(ctx, codeSecret, sessionID, code)
	if err != nil {
		return Tokens{}, err
	}
	now := p.now()
	s, err := p.cfg.Store.TryChallenge(ctx, sessionID, hash, now)
	if err != nil {
		return Tokens{}, fmt.Errorf("auth: verify phone: %w", err)
	}
	a, created, err := p.cfg.Store.EnsurePhone(ctx, Account{
		ID: p.cfg.NewID(), Phone: s.PhoneNumber, Role: RoleUser, Active: true, CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("auth: verify phone: %w", err)
	}
	if err := p.cfg.Profiles.Create(ctx, a.ID, "", displayName); err != nil {
		return Tokens{}, fmt.Errorf("auth: profile: %w", err)
	}
	return p.signIn(ctx, a, created, c)
}

// newCode draws a code, all of them equally likely.
func (p *Provider) newCode() (string, error) {
	p.random.Lock()
	defer p.random.Unlock()
	n, err := rand.Int(p.cfg.Rand, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("auth: randomness: %w", err)
	}
	return fmt.Sprintf("%0*d", CodeDigits, n), nil
}

func (p *Provider) toPrefix(e164 string) count {
	return count{p.limits.prefix, p.limits.byPrefix(p.cfg.Phones.Prefix(e164))}
}

func (p *Provider) sendCode(ctx context.Context, to, code string) error {
	text := p.cfg.Templates.fill(p.cfg.Templates.Code, "{code}", code)
	if err := p.cfg.SMS.SendSMS(ctx, to, text); err != nil {
		return ErrNotSent.Because(redacted{err, []string{text, code, strings.TrimPrefix(to, "+")}})
	}
	return nil
}
