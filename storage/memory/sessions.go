package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
)

type session struct {
	auth.Session
	refresh   []byte          // hash of the current token
	parent    []byte          // of the one before it
	exchanged time.Time       // when the parent gave way
	former    map[string]bool // hashes of all that gave way, the parent included
}

func (s authStore) CreateSession(ctx context.Context, in auth.StoredSession) error {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	d.sessions[in.ID] = &session{
		Session: in.Session,
		refresh: bytes.Clone(in.RefreshHash),
		former:  make(map[string]bool),
	}
	return nil
}

func (s authStore) RotateSession(ctx context.Context, r auth.Rotation) (auth.Session, bool, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return auth.Session{}, false, err
	}
	defer unlock()
	for _, t := range d.sessions {
		switch {
		case bytes.Equal(t.refresh, r.Presented):
			if !r.Now.Before(t.ExpiresAt) {
				return auth.Session{}, false, auth.ErrTokenExpired
			}
			t.former[string(t.refresh)] = true
			t.parent, t.exchanged = t.refresh, r.Now
			t.refresh = bytes.Clone(r.Successor)
			t.LastUsed, t.ExpiresAt, t.IP, t.UserAgent = r.Now, r.ExpiresAt, r.IP, r.UserAgent
			return t.Session, false, nil
		case bytes.Equal(t.parent, r.Presented) && r.Now.Sub(t.exchanged) <= r.Grace:
			return t.Session, false, nil
		case t.former[string(r.Presented)]:
			delete(d.sessions, t.ID)
			return t.Session, true, auth.ErrTokenRevoked
		}
	}
	return auth.Session{}, false, auth.ErrTokenInvalid
}

func (s authStore) Session(ctx context.Context, id string) (auth.Session, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return auth.Session{}, err
	}
	defer unlock()
	t, ok := d.sessions[id]
	if !ok {
		return auth.Session{}, auth.ErrSessionNotFound
	}
	return t.Session, nil
}

func (s authStore) Owners(ctx context.Context, ids []string) (map[string]string, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	owners := make(map[string]string, len(ids))
	for _, id := range ids {
		if t, ok := d.sessions[id]; ok {
			owners[id] = t.UserID
		}
	}
	return owners, nil
}

func (s authStore) Phones(ctx context.Context, ids []string) (map[string]string, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	phones := make(map[string]string)
	for _, id := range ids {
		if a, ok := d.accounts[id]; ok && a.Phone != "" {
			phones[id] = a.Phone
		}
	}
	return phones, nil
}

func (s authStore) Sessions(ctx context.Context, userID string, now time.Time) ([]auth.Session, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var found []auth.Session
	for _, t := range d.sessions {
		if t.UserID == userID && t.ExpiresAt.After(now) {
			found = append(found, t.Session)
		}
	}
	slices.SortFunc(found, func(a, b auth.Session) int {
		return cmp.Or(b.LastUsed.Compare(a.LastUsed), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
}

func (s authStore) DeleteSession(ctx context.Context, userID, id string) error {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if t, ok := d.sessions[id]; !ok || t.UserID != userID {
		return auth.ErrSessionNotFound
	}
	delete(d.sessions, id)
	return nil
}

func (s authStore) DeleteSessions(ctx context.Context, userID, keepID string) ([]string, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var ended []string
	for id, t := range d.sessions {
		if t.UserID == userID && id != keepID {
			ended = append(ended, id)
			delete(d.sessions, id)
		}
	}
	slices.Sort(ended)
	return ended, nil
}

func (s authStore) SigningKeys(ctx context.Context) ([]auth.SigningKey, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return copyKeys(d.signingKeys), nil
}

func (s authStore) SwapSigningKeys(ctx context.Context, before, next []auth.SigningKey) (bool, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	same := slices.EqualFunc(d.signingKeys, before, func(a, b auth.SigningKey) bool {
		return a.ID == b.ID && a.State == b.State
	})
	if !same {
		return false, nil
	}
	d.signingKeys = copyKeys(next)
	slices.SortFunc(d.signingKeys, func(a, b auth.SigningKey) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return true, nil
}

func copyKeys(in []auth.SigningKey) []auth.SigningKey {
	out := slices.Clone(in)
	for i := range out {
		out[i].Private, out[i].Public = bytes.Clone(out[i].Private), bytes.Clone(out[i].Public)
	}
	return out
}

func (s authStore) Sweep(ctx context.Context, before time.Time) (int, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	n := 0
	for id, c := range d.challenges {
		if c.ExpiresAt.Before(before) {
			delete(d.challenges, id)
			n++
		}
	}
	for hash, t := range d.oneUse {
		if t.ExpiresAt.Before(before) {
			delete(d.oneUse, hash)
			n++
		}
	}
	for id, t := range d.sessions {
		if t.ExpiresAt.Before(before) {
			delete(d.sessions, id)
			n += 1 + len(t.former)
		}
	}
	return n, nil
}
