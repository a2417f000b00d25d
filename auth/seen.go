package auth

import (
	"context"
	"crypto/sha256"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

const (
	maxSessions = 20_000
	maxTokens   = 20_000
)

// seen is what requests were found to be lately, so that the next of the same
// client costs no read and no signature.
type seen struct {
	endings  atomic.Uint64 // of sessions by this process, and attempts
	sessions *otter.Cache[string, seenSession]
	tokens   *otter.Cache[[sha256.Size]byte, seenToken] // by hash; those that parse accepted
}

// seenSession was there at a time, when so many endings had happened.
type seenSession struct {
	userID  string
	at      time.Time
	endings uint64
}

type seenToken struct {
	claims
	key *signingKey
}

func newSeen() (*seen, error) {
	here := func(task func()) { task() } // upkeep on the caller: no goroutine outlives a call
	sessions, err := otter.New(&otter.Options[string, seenSession]{MaximumSize: maxSessions, Executor: here})
	if err != nil {
		return nil, err
	}
	tokens, err := otter.New(&otter.Options[[sha256.Size]byte, seenToken]{MaximumSize: maxTokens, Executor: here})
	return &seen{sessions: sessions, tokens: tokens}, err
}

// sessionUser reads a session's user, from the cache where nothing can have ended it
// here and it is not too old. What was read before an ending does not outlive it.
func (p *Provider) sessionUser(ctx context.Context, id string) (string, error) {
	endings, now := p.seen.endings.Load(), p.now()
	if s, ok := p.seen.sessions.GetIfPresent(id); ok && s.endings == endings {
		if age := now.Sub(s.at); age >= 0 && age < p.cfg.SessionFresh {
			return s.userID, nil
		}
	}
	s, err := p.cfg.Store.Session(ctx, id)
	if err != nil {
		return "", err
	}
	p.seen.sessions.Set(id, seenSession{s.UserID, now, endings})
	return s.UserID, nil
}

// ended is to be called after sessions were deleted, or may have been.
func (s *seen) ended() { s.endings.Add(1) }

// seenToken returns the claims of a token that was accepted before, as long as its key
// verifies; nil when it must be parsed. Whether it has expired is not looked at.
func (p *Provider) seenToken(ctx context.Context, hash [sha256.Size]byte) (*claims, error) {
	t, ok := p.seen.tokens.GetIfPresent(hash)
	if !ok {
		return nil, nil
	}
	key, err := p.keys.verifying(ctx, t.key.id)
	if err != nil || key != t.key {
		return nil, err
	}
	return &t.claims, nil
}
