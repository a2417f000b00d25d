package users

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wigwag-chat/wigwag/errs"
)

// Sight is what one person may see of another. Whoever shows anything private of
// somebody asks for it; nothing else decides.
type Sight struct {
	Blocked  bool // the other has blocked the viewer, who then sees none of these
	Phone    bool // USER-5
	Photo    bool
	Online   bool // USER-7
	LastSeen bool

	privacy Privacy // of the other
}

// sights tells what the viewer may see of others, and of himself.
func (p *Profiles) sights(ctx context.Context, viewerID string, ids []string) (map[string]Sight, error) {
	all := make(map[string]Sight, len(ids))
	others := slices.DeleteFunc(distinct(ids), func(id string) bool { return id == viewerID })
	if len(others) < len(ids) {
		all[viewerID] = Sight{Phone: true, Photo: true, Online: true, LastSeen: true}
	}
	for some := range slices.Chunk(others, page) {
		settings, err := p.settings(ctx, some)
		if err != nil {
			return nil, err
		}
		between, err := p.store.Between(ctx, viewerID, some)
		if err != nil {
			return nil, fmt.Errorf("users: relations: %w", err)
		}
		regards := make(map[string]regard, len(some)) // of the others for the viewer
		for _, r := range between {
			if r.UserID == viewerID {
				at := regards[r.OwnerID]
				at.add(r.Kind)
				regards[r.OwnerID] = at
			}
		}
		for _, id := range some {
			all[id] = regards[id].sight(settings[id].Privacy)
		}
	}
	return all, nil
}

// regard is what somebody thinks of a viewer.
type regard struct{ contact, blocked bool }

func (r *regard) add(kind RelationKind) {
	r.contact = r.contact || kind == KindContact
	r.blocked = r.blocked || kind == KindBlock
}

func (r regard) sight(by Privacy) Sight {
	if r.blocked {
		return Sight{Blocked: true, privacy: by}
	}
	may := func(a Audience) bool { return a == Everyone || a == Contacts && r.contact }
	return Sight{
		Phone: r.contact, Photo: may(by.ProfilePhoto), Online: may(by.OnlineStatus), LastSeen: may(by.LastSeen), privacy: by,
	}
}

// seen are profiles in the eyes of a viewer, with what he may see of presences read before; nil: without.
func (p *Profiles) seen(ctx context.Context, viewerID string, profiles []Profile, now map[string]Presence) ([]User, error) {
	ids := make([]string, len(profiles))
	for i := range profiles {
		ids[i] = profiles[i].UserID
	}
	sights, err := p.sights(ctx, viewerID, ids)
	if err != nil {
		return nil, err
	}
	phones, err := p.phones(ctx, viewerID, sights)
	if err != nil {
		return nil, err
	}
	users := make([]User, len(profiles))
	for i, profile := range profiles {
		if !sights[profile.UserID].Photo {
			profile.PictureID = ""
		}
		users[i] = User{Profile: profile, Phone: phones[profile.UserID]}
		if now != nil {
			users[i].Presence = new(sights[profile.UserID].of(now[profile.UserID]))
		}
		if profile.UserID != viewerID || p.directory == nil {
			continue
		}
		account, err := p.directory.Account(ctx, viewerID)
		switch {
		case err == nil:
			users[i].Account, users[i].Phone = &account, account.Phone
		case !errors.Is(err, errs.NotFound):
			return nil, fmt.Errorf("users: account: %w", err)
		}
	}
	return users, nil
}

// seenOne is a profile in the eyes of a viewer, with the person's presence.
func (p *Profiles) seenOne(ctx context.Context, viewerID string, profile Profile) (User, error) {
	users, err := p.seenNow(ctx, viewerID, []Profile{profile})
	if err != nil {
		return User{}, err
	}
	return users[0], nil
}

// seenNow is seen with presences, which are read before what people show; see presences.
func (p *Profiles) seenNow(ctx context.Context, viewerID string, profiles []Profile) ([]User, error) {
	ids := make([]string, len(profiles))
	for i := range profiles {
		ids[i] = profiles[i].UserID
	}
	now, err := p.unfiltered(ctx, ids)
	if err != nil {
		return nil, err
	}
	return p.seen(ctx, viewerID, profiles, now)
}

// phones returns the numbers of others that the viewer may see.
func (p *Profiles) phones(ctx context.Context, viewerID string, sights map[string]Sight) (map[string]string, error) {
	var ids []string
	for id, at := range sights {
		if at.Phone && id != viewerID {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 || p.directory == nil {
		return nil, nil
	}
	phones, err := p.directory.Phones(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("users: phones: %w", err)
	}
	return phones, nil
}
