package users

import (
	"context"
	"errors"
	"fmt"
)

// Ensure makes an empty profile for an authenticated user id on first sight.
// Ids seen before are answered from memory.
func (p *Profiles) Ensure(ctx context.Context, userID string) error {
	if !wellFormed(userID) {
		return ErrID
	}
	if p.isKnown(userID) {
		return nil
	}
	// Mostly it is there and this process is new: a read is cheaper than a write.
	found, err := p.store.Profiles(ctx, []string{userID})
	if err != nil {
		return fmt.Errorf("users: ensure: %w", err)
	}
	if len(found) == 0 {
		if _, err := p.store.Create(ctx, p.blank(userID)); err != nil {
			return fmt.Errorf("users: ensure: %w", err)
		}
	}
	p.remember(userID)
	return nil
}

// Create makes the profile of a new account. A profile that the id has already
// is taken as this one where it has no username yet or the same; a display name
// given later than the first is not applied. ErrChanged where it has another username.
func (p *Profiles) Create(ctx context.Context, userID, username, displayName string) error {
	if !wellFormed(userID) {
		return ErrID
	}
	s := p.blank(userID)
	var err error
	if username != "" {
		if s.Username, err = p.checkUsername(username); err != nil {
			return err
		}
		s.UsernameKey = key(s.Username)
	}
	if displayName != "" {
		if s.DisplayName, err = checkDisplayName(displayName); err != nil {
			return err
		}
	}
	created, err := p.store.Create(ctx, s)
	if err != nil {
		return fmt.Errorf("users: create: %w", err)
	}
	p.remember(userID)
	if created || username == "" {
		return nil
	}
	_, err = p.replace(ctx, userID, func(old *StoredProfile) error {
		switch old.UsernameKey {
		case s.UsernameKey:
			return errSame
		case "":
			old.Username, old.UsernameKey = s.Username, s.UsernameKey
			if old.DisplayName == "" {
				old.DisplayName = s.DisplayName
			}
			return nil
		}
		return ErrChanged
	})
	if errors.Is(err, errSame) {
		return nil
	}
	return err
}

func (p *Profiles) blank(userID string) StoredProfile {
	now := p.now()
	return StoredProfile{Profile: Profile{UserID: userID, CreatedAt: now, UpdatedAt: now}}
}
