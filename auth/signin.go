package auth

import (
	"context"
	"errors"
	"fmt"
)

// signIn opens a session for somebody who has proven who he is.
func (p *Provider) signIn(ctx context.Context, a Account, created bool, c Client) (Tokens, error) {
	if !a.Active {
		return Tokens{}, ErrAccountInactive
	}
	a, err := p.promote(ctx, a)
	if err != nil {
		return Tokens{}, err
	}
	if err := p.makeRoom(ctx, a.ID); err != nil {
		return Tokens{}, err
	}
	refresh, err := p.newToken()
	if err != nil {
		return Tokens{}, err
	}
	refresh = refreshPrefix + refresh
	c, now := c.clean(), p.now()
	s := Session{
		ID: p.cfg.NewID(), UserID: a.ID, UserAgent: c.UserAgent, IP: c.IP,
		CreatedAt: now, LastUsed: now, ExpiresAt: now.Add(RefreshTTL),
	}
	t, err := p.tokens(ctx, a, s, refresh) // first: what cannot be signed leaves no session
	if err != nil {
		return Tokens{}, err
	}
	t.Created = created
	if err := p.cfg.Store.CreateSession(ctx, StoredSession{Session: s, RefreshHash: tokenHash(refresh)}); err != nil {
		return Tokens{}, fmt.Errorf("auth: sign in: %w", err)
	}
	if err := p.cfg.Store.MarkLogin(ctx, a.ID, now); err != nil {
		return Tokens{}, fmt.Errorf("auth: sign in: %w", err)
	}
	return t, nil
}

// promote gives the host's admins their role.
func (p *Provider) promote(ctx context.Context, a Account) (Account, error) {
	key, _ := emailKey(a.Email)
	if a.Role == RoleAdmin || !p.admins[a.Phone] && !p.admins[key] {
		return a, nil
	}
	if err := p.cfg.Store.SetRole(ctx, a.ID, RoleAdmin, p.now()); err != nil {
		return a, fmt.Errorf("auth: promote: %w", err)
	}
	p.cfg.Logger.InfoContext(ctx, "account became admin by configuration", "user", a.ID)
	a.Role = RoleAdmin
	return a, nil
}

// makeRoom ends the sessions of a user that were used least recently, so that
// one more fits. Sign-ins at the same moment may overshoot by their number.
func (p *Provider) makeRoom(ctx context.Context, userID string) error {
	limit := p.cfg.Limits.SessionsPerUser
	if limit < 0 {
		return nil
	}
	sessions, err := p.cfg.Store.Sessions(ctx, userID, p.now())
	if err != nil {
		return fmt.Errorf("auth: sign in: %w", err)
	}
	for _, s := range sessions[min(limit-1, len(sessions)):] {
		if err := p.Revoke(ctx, userID, s.ID); err != nil && !errors.Is(err, ErrSessionNotFound) {
			return err
		}
	}
	return nil
}

// tokens puts together what a sign-in and a refresh give.
func (p *Provider) tokens(ctx context.Context, a Account, s Session, refresh string) (Tokens, error) {
	access, err := p.sign(ctx, a, s.ID)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{
		AccessToken: access, RefreshToken: refresh, ExpiresIn: AccessTTL, UserID: a.ID, SessionID: s.ID,
	}, nil
}
