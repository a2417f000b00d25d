package auth

import (
	"context"
	"fmt"
)

// Sessions lists a user's live sessions, the most recently used first.
func (p *Provider) Sessions(ctx context.Context, userID string) ([]Session, error) {
	sessions, err := p.cfg.Store.Sessions(ctx, userID, p.now())
	if err != nil {
		return nil, fmt.Errorf("auth: sessions: %w", err)
	}
	return sessions, nil
}

// Owners returns the users of those of the sessions that have not ended, by session id.
func (p *Provider) Owners(ctx context.Context, sessionIDs []string) (map[string]string, error) {
	owners, err := p.cfg.Store.Owners(ctx, sessionIDs)
	if err != nil {
		return nil, fmt.Errorf("auth: owners of sessions: %w", err)
	}
	return owners, nil
}

// Revoke ends one session of a user; ErrSessionNotFound.
func (p *Provider) Revoke(ctx context.Context, userID, sessionID string) error {
	if len(sessionID) > maxID {
		return ErrSessionNotFound
	}
	err := p.cfg.Store.DeleteSession(ctx, userID, sessionID)
	p.seen.ended()
	if err != nil {
		return fmt.Errorf("auth: revoke: %w", err)
	}
	p.cfg.OnRevoked([]string{sessionID}, userID)
	return nil
}

// RevokeOthers ends all sessions of a user but one; "" keeps none.
func (p *Provider) RevokeOthers(ctx context.Context, userID, keepSessionID string) error {
	ended, err := p.cfg.Store.DeleteSessions(ctx, userID, keepSessionID)
	p.seen.ended()
	if err != nil {
		return fmt.Errorf("auth: revoke: %w", err)
	}
	if len(ended) > 0 {
		p.cfg.OnRevoked(ended, userID)
	}
	return nil
}
