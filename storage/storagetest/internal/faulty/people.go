package faulty

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/users"
)

func peopleDefects() []Defect {
	return []Defect{
		{
			Name:     "gives a one-use token to two",
			CaughtBy: []string{"accounts/one-use token race has one winner"},
			sessions: func(s auth.Store) auth.Store { return &twoWinners{Store: s} },
		},
		{
			Name:     "compares more than five codes when they come at once",
			CaughtBy: []string{"challenges/parallel guesses share five attempts"},
			sessions: func(s auth.Store) auth.Store { return &moreAttempts{Store: s} },
		},
		{
			Name:     "takes a retry within the grace for theft",
			CaughtBy: []string{"sessions/parent within the grace succeeds", "sessions/parallel retries make one lineage"},
			sessions: func(s auth.Store) auth.Store { return noGrace{s} },
		},
		{
			Name:     "knows the parent of a refresh token alone",
			CaughtBy: []string{"sessions/reuse ends the session"},
			sessions: func(s auth.Store) auth.Store { return &forgetsFormer{Store: s} },
		},
		{
			Name:     "takes a session that ended for live",
			CaughtBy: []string{"sessions/owners are those of what has not ended"},
			sessions: func(s auth.Store) auth.Store { return &remembersOwners{Store: s} },
		},
		{
			Name:     "orders resends wrongly",
			CaughtBy: []string{"challenges/resend refuses in order"},
			sessions: func(s auth.Store) auth.Store { return tooSoonFirst{s} },
		},
		{
			Name:     "swaps signing keys without looking",
			CaughtBy: []string{"sessions/signing keys are swapped whole", "sessions/signing key race has one winner"},
			sessions: func(s auth.Store) auth.Store { return swapsBlindly{s} },
		},
		{
			Name:     "folds case in usernames",
			CaughtBy: []string{"users/username has one owner"},
			people:   func(s users.Store) users.Store { return foldsUsernames{s} },
		},
		{
			Name:     "replaces a profile that was changed",
			CaughtBy: []string{"users/replace compares and swaps", "users/replace race has one winner"},
			people:   func(s users.Store) users.Store { return replacesBlindly{s} },
		},
		{
			Name:     "answers with the secret that came last",
			CaughtBy: []string{"keys/first secret wins"},
			secrets:  func(s keys.Store) keys.Store { return lastSecret{s} },
		},
	}
}

// twoWinners looks whether a token is there, and takes it away afterwards.
type twoWinners struct {
	auth.Store
	tokens memo[auth.OneUse]
}

func (s *twoWinners) PutOneUse(ctx context.Context, t auth.OneUse) error {
	s.tokens.set(string(t.Hash), t)
	return s.Store.PutOneUse(ctx, t)
}

func (s *twoWinners) TakeOneUse(ctx context.Context, hash []byte, p auth.Purpose, now time.Time) (auth.OneUse, error) {
	t, there := s.tokens.get(string(hash))
	meet()
	got, err := s.Store.TakeOneUse(ctx, hash, p, now)
	if there && t.Purpose == p && now.Before(t.ExpiresAt) {
		s.tokens.set(string(hash), auth.OneUse{})
		return t, nil
	}
	return got, err
}

type moreAttempts struct {
	auth.Store
	inside atomic.Int32
}

func (s *moreAttempts) TryChallenge(ctx context.Context, id string, code []byte, now time.Time) (auth.StoredChallenge, error) {
	others := s.inside.Add(1) > 1
	defer s.inside.Add(-1)
	meet()
	c, err := s.Store.TryChallenge(ctx, id, code, now)
	if others && errors.Is(err, auth.ErrTooManyAttempts) {
		err = auth.ErrInvalidCode
	}
	return c, err
}

// remembersOwners answers from what it has seen.
type remembersOwners struct {
	auth.Store
	seen memo[string]
}

func (s *remembersOwners) Owners(ctx context.Context, ids []string) (map[string]string, error) {
	owners, err := s.Store.Owners(ctx, ids)
	for _, id := range ids {
		if owner, ok := owners[id]; ok {
			s.seen.set(id, owner)
		} else if owner, ok := s.seen.get(id); ok {
			owners[id] = owner
		}
	}
	return owners, err
}

type noGrace struct{ auth.Store }

func (s noGrace) RotateSession(ctx context.Context, r auth.Rotation) (auth.Session, bool, error) {
	r.Grace = -1
	return s.Store.RotateSession(ctx, r)
}

// forgetsFormer takes tokens from before the parent for unknown ones.
type forgetsFormer struct {
	auth.Store
	parent memo[string] // of each current token
	stale  memo[bool]
}

func (s *forgetsFormer) RotateSession(ctx context.Context, r auth.Rotation) (auth.Session, bool, error) {
	if stale, _ := s.stale.get(string(r.Presented)); stale {
		return auth.Session{}, false, auth.ErrTokenInvalid
	}
	out, reused, err := s.Store.RotateSession(ctx, r)
	if err == nil {
		if grandparent, ok := s.parent.get(string(r.Presented)); ok {
			s.stale.set(grandparent, true)
		}
		s.parent.set(string(r.Successor), string(r.Presented))
	}
	return out, reused, err
}

type tooSoonFirst struct{ auth.Store }

func (s tooSoonFirst) ResendChallenge(ctx context.Context, r auth.Resend) (auth.StoredChallenge, error) {
	if r.MaxSends == 1 { // the store cannot tell what is too soon, but here it always is
		return auth.StoredChallenge{}, auth.ErrResendTooSoon
	}
	return s.Store.ResendChallenge(ctx, r)
}

type swapsBlindly struct{ auth.Store }

func (s swapsBlindly) SwapSigningKeys(ctx context.Context, _, next []auth.SigningKey) (bool, error) {
	before, err := s.SigningKeys(ctx)
	if err != nil {
		return false, err
	}
	if ok, err := s.Store.SwapSigningKeys(ctx, before, next); ok || err != nil {
		return ok, err
	}
	return true, nil
}

type foldsUsernames struct{ users.Store }

func (s foldsUsernames) Create(ctx context.Context, p users.StoredProfile) (bool, error) {
	p.UsernameKey = strings.ToLower(p.UsernameKey)
	return s.Store.Create(ctx, p)
}

type replacesBlindly struct{ users.Store }

func (s replacesBlindly) Replace(ctx context.Context, p users.StoredProfile, readAt time.Time) error {
	now, err := s.Profiles(ctx, []string{p.UserID})
	if err == nil && slices.ContainsFunc(now, func(n users.StoredProfile) bool { return n.UserID == p.UserID }) {
		readAt = now[0].UpdatedAt
	}
	return s.Store.Replace(ctx, p, readAt)
}

type lastSecret struct{ keys.Store }

func (s lastSecret) PutSecret(ctx context.Context, name string, sealed []byte) ([]byte, error) {
	if _, err := s.Store.PutSecret(ctx, name, sealed); err != nil {
		return nil, err
	}
	return sealed, nil
}
