package users

import (
	"context"
	"errors"
	"fmt"

	"github.com/wigwag-chat/wigwag/errs"
)

// MaxIDs is how many people Users returns at once.
const MaxIDs = 200

// User returns a person as the viewer may see him; ErrUserNotFound.
func (p *Profiles) User(ctx context.Context, viewerID, userID string) (User, error) {
	found, err := p.load(ctx, []string{userID})
	if err != nil {
		return User{}, err
	}
	if len(found) == 0 {
		return User{}, ErrUserNotFound
	}
	return p.seenOne(ctx, viewerID, found[0])
}

// Users returns those of the ids that exist, each once, in any order; ErrTooManyIDs above MaxIDs.
func (p *Profiles) Users(ctx context.Context, viewerID string, ids []string) ([]User, error) {
	if len(ids) > MaxIDs {
		return nil, ErrTooManyIDs
	}
	found, err := p.load(ctx, distinct(ids))
	if err != nil {
		return nil, err
	}
	return p.seen(ctx, viewerID, found, nil)
}

// FindByUsername finds one person by the whole username, in any case and width.
func (p *Profiles) FindByUsername(ctx context.Context, viewerID, username string) (User, error) {
	s, err := p.byUsername(ctx, username)
	if err != nil {
		return User{}, err
	}
	if err := p.findable(ctx, viewerID, s.UserID, func(by Privacy) bool { return by.AddByUsername }); err != nil {
		return User{}, err
	}
	return p.seenOne(ctx, viewerID, s.Profile)
}

// findable is ErrUserNotFound where somebody does not wish to be found in this way, or
// not by this one, but by himself.
func (p *Profiles) findable(ctx context.Context, viewerID, userID string, wishes func(Privacy) bool) error {
	if viewerID == userID {
		return nil
	}
	sights, err := p.sights(ctx, viewerID, []string{userID})
	if at := sights[userID]; err == nil && (at.Blocked || !wishes(at.privacy)) {
		err = ErrUserNotFound
	}
	return err
}

// IDByUsername returns the id for a username, in any case and width; ErrUserNotFound.
func (p *Profiles) IDByUsername(ctx context.Context, username string) (string, error) {
	s, err := p.byUsername(ctx, username)
	return s.UserID, err
}

func (p *Profiles) byUsername(ctx context.Context, username string) (StoredProfile, error) {
	name, err := p.checkUsername(username)
	if errors.Is(err, ErrUsername) {
		return StoredProfile{}, ErrUserNotFound
	}
	if err != nil { // reserved, but perhaps only since somebody took it
		name = fold(username)
	}
	s, err := p.store.ByUsername(ctx, key(name))
	if err != nil {
		return StoredProfile{}, fmt.Errorf("users: by username: %w", err)
	}
	return s, nil
}

// FindByPhone finds one person by the whole phone number. ErrUserNotFound, also
// where there is no Directory; the Directory's Invalid error for what is no number.
func (p *Profiles) FindByPhone(ctx context.Context, viewerID, number string) (User, error) {
	if p.directory == nil {
		return User{}, ErrUserNotFound
	}
	id, err := p.directory.ByPhone(ctx, number)
	if errors.Is(err, errs.NotFound) {
		return User{}, ErrUserNotFound
	}
	if err != nil {
		return User{}, fmt.Errorf("users: by phone: %w", err)
	}
	if err := p.findable(ctx, viewerID, id, func(by Privacy) bool { return by.AddByPhone }); err != nil {
		return User{}, err
	}
	return p.User(ctx, viewerID, id)
}
