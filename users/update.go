package users

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// swaps is how often replace tries again when others change the same profile.
const swaps = 16

// errSame tells replace that nothing is to be stored.
var errSame = errors.New("users: nothing to change")

// Update changes one's own profile, all of u or nothing: input faults,
// ErrUsernameTaken. Changes that others make meanwhile to other fields are
// kept. The profile is made if the id has none yet, so userID must be authenticated.
func (p *Profiles) Update(ctx context.Context, userID string, u Update) (User, error) {
	if err := p.Ensure(ctx, userID); err != nil {
		return User{}, err
	}
	s, err := p.replace(ctx, userID, func(s *StoredProfile) error { return p.apply(u, s) })
	if err != nil {
		return User{}, err
	}
	return p.seenOne(ctx, userID, s.Profile)
}

func (p *Profiles) apply(u Update, s *StoredProfile) error {
	for _, f := range []struct {
		in    *string
		out   *string
		check func(string) (string, error)
	}{
		{u.Username, &s.Username, p.checkUsername},
		{u.DisplayName, &s.DisplayName, checkDisplayName},
		{u.FullName, &s.FullName, checkFullName},
		{u.Bio, &s.Bio, checkBio},
		{u.PictureID, &s.PictureID, checkPicture},
		{u.Language, &s.Language, checkLanguage},
	} {
		if f.in == nil {
			continue
		}
		checked, err := f.check(*f.in)
		if err != nil {
			return err
		}
		*f.out = checked
	}
	if u.Username != nil {
		s.UsernameKey = key(s.Username)
	}
	return nil
}

// replace changes a stored profile by compare and swap: change may run several times.
func (p *Profiles) replace(ctx context.Context, userID string, change func(*StoredProfile) error) (StoredProfile, error) {
	for range swaps {
		found, err := p.store.Profiles(ctx, []string{userID})
		if err != nil {
			return StoredProfile{}, fmt.Errorf("users: update: %w", err)
		}
		if len(found) == 0 {
			return StoredProfile{}, ErrUserNotFound
		}
		s, readAt := found[0], found[0].UpdatedAt
		if err := change(&s); err != nil {
			return StoredProfile{}, err
		}
		s.UpdatedAt = p.now()
		if !s.UpdatedAt.After(readAt) { // the time is what is compared: it must move
			s.UpdatedAt = readAt.Add(time.Microsecond)
		}
		err = p.store.Replace(ctx, s, readAt)
		if err == nil {
			return s, nil
		}
		if !errors.Is(err, ErrChanged) {
			return StoredProfile{}, fmt.Errorf("users: update: %w", err)
		}
	}
	return StoredProfile{}, ErrChanged
}
