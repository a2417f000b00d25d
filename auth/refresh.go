package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

const (
	refreshPrefix = "wwr_" // lets scanners for leaked secrets know it
	refreshSecret = "auth/refresh"
	tokenBytes    = 32
)

// Refresh rotates a refresh token (AUTH-7). The successor is derived from the
// token presented, so that a retry within RefreshGrace gets the same one though
// no token is stored. Reuse of an older one ends the session.
func (p *Provider) Refresh(ctx context.Context, refreshToken string, c Client) (Tokens, error) {
	if _, err := take(ctx, count{p.limits.refreshes, p.limits.byIP(c)}); err != nil {
		return Tokens{}, err
	}
	body, ok := strings.CutPrefix(refreshToken, refreshPrefix)
	if !ok || len(body) > maxID || !isToken(body) {
		return Tokens{}, ErrTokenInvalid
	}
	raw, err := p.mac(ctx, refreshSecret, refreshToken)
	if err != nil {
		return Tokens{}, err
	}
	successor := refreshPrefix + base64.RawURLEncoding.EncodeToString(raw)
	c, now := c.clean(), p.now()
	s, reused, err := p.cfg.Store.RotateSession(ctx, Rotation{
		Presented: tokenHash(refreshToken), Successor: tokenHash(successor),
		Now: now, Grace: RefreshGrace, ExpiresAt: now.Add(RefreshTTL), IP: c.IP, UserAgent: c.UserAgent,
	})
	if reused || err != nil {
		p.seen.ended()
	}
	if reused {
		p.cfg.Logger.WarnContext(ctx, "session ended: an old refresh token was used again", "user", s.UserID, "session", s.ID)
		p.cfg.OnRevoked([]string{s.ID}, s.UserID)
		return Tokens{}, ErrTokenRevoked
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("auth: refresh: %w", err)
	}
	a, err := p.cfg.Store.Account(ctx, s.UserID)
	if errors.Is(err, ErrAccountNotFound) {
		return Tokens{}, ErrTokenRevoked
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("auth: refresh: %w", err)
	}
	if !a.Active {
		return Tokens{}, ErrAccountInactive
	}
	return p.tokens(ctx, a, s, successor)
}

// newToken draws a token of 256 bits, 43 characters in base64url.
func (p *Provider) newToken() (string, error) {
	raw := make([]byte, tokenBytes)
	if err := p.draw(raw); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// isToken reports whether s is of the form that newToken draws.
func isToken(s string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(raw) == tokenBytes && len(s) == base64.RawURLEncoding.EncodedLen(tokenBytes)
}

// tokenHash is what is stored of a token of 256 random bits. They cannot be
// searched through, so a fast hash does.
func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
