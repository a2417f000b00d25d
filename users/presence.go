package users

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// MaxViews bounds the chats that one user is said to view on one node.
const MaxViews = 10

// Presence is whether somebody is online, and when he last was (USER-6).
type Presence struct {
	UserID   string
	Online   bool      // at least one connection on any node that lives, and is not away
	LastSeen time.Time // when he last went offline; zero: never, or not for the viewer's eyes
}

// Station is what a node says of a user.
type Station struct {
	UserID string
	Online bool     // he is connected, and not away
	Views  []string // chats on his screens, distinct, at most MaxViews
}

// Gone reports whether the node has nothing to say of the user any more.
func (s Station) Gone() bool { return !s.Online && len(s.Views) == 0 }

// Announcement is what a node says of itself and of some of its users.
type Announcement struct {
	NodeID   string
	At       time.Time
	Life     time.Duration // of the lease, from now on
	Stations []Station     // of distinct users, at most 1,000; each replaces what was said before
}

// Announced is the outcome of an Announcement.
type Announced struct {
	Fresh   bool     // the node was not known, or no longer, or not all of it: it says everything again
	Changed []string // who went online or offline
}

// Desk is what a node needs to keep presence; Profiles is one.
type Desk interface {
	// Announce is Store.Announce, at the time of the service's clock.
	Announce(ctx context.Context, nodeID string, life time.Duration, stations []Station) (Announced, error)
	// Sweep is Store.Sweep of everything.
	Sweep(ctx context.Context) (changed []string, err error)
	// Watchers tells who of those connected is to be told of a user's presence: his contacts and
	// who has him in theirs. Seen is what those may see who may see it, by their ids;
	// hidden are the others, ascending.
	Watchers(ctx context.Context, userID string, connected func(userID string) bool) (seen map[string]Presence, hidden []string, err error)
}

var _ Desk = (*Profiles)(nil)

// Announce implements Desk.
func (p *Profiles) Announce(ctx context.Context, nodeID string, life time.Duration, stations []Station) (Announced, error) {
	out, err := p.store.Announce(ctx, Announcement{NodeID: nodeID, At: p.now(), Life: life, Stations: stations})
	if err != nil {
		return Announced{}, fmt.Errorf("users: announce: %w", err)
	}
	return out, nil
}

// Sweep implements Desk.
func (p *Profiles) Sweep(ctx context.Context) (all []string, err error) {
	for {
		changed, more, err := p.store.Sweep(ctx, page)
		if err != nil {
			return all, fmt.Errorf("users: sweep: %w", err)
		}
		all = append(all, changed...)
		if !more {
			return all, nil
		}
	}
}

// Presence implements Service.
func (p *Profiles) Presence(ctx context.Context, viewerID, userID string) (Presence, error) {
	missing, err := p.Missing(ctx, []string{userID})
	if err == nil && len(missing) > 0 {
		err = ErrUserNotFound
	}
	if err != nil {
		return Presence{}, err
	}
	all, err := p.presences(ctx, viewerID, []string{userID})
	return all[userID], err
}

// presences tells of people what the viewer may see. What they are is read before what they
// show: who hides himself and then comes online is not seen by what he showed before.
func (p *Profiles) presences(ctx context.Context, viewerID string, ids []string) (map[string]Presence, error) {
	all, err := p.unfiltered(ctx, ids)
	if err != nil {
		return nil, err
	}
	sights, err := p.sights(ctx, viewerID, ids)
	if err != nil {
		return nil, err
	}
	for id, now := range all {
		all[id] = sights[id].of(now)
	}
	return all, nil
}

// unfiltered tells of people what nobody may see as it is.
func (p *Profiles) unfiltered(ctx context.Context, ids []string) (map[string]Presence, error) {
	all := make(map[string]Presence, len(ids))
	for some := range slices.Chunk(distinct(ids), page) {
		found, err := p.store.Presences(ctx, some)
		if err != nil {
			return nil, fmt.Errorf("users: presences: %w", err)
		}
		for _, id := range some {
			all[id] = Presence{UserID: id}
		}
		for _, now := range found {
			all[now.UserID] = now
		}
	}
	return all, nil
}

// of is as much of a presence as may be seen.
func (s Sight) of(now Presence) Presence {
	now.Online = now.Online && s.Online
	if !s.LastSeen {
		now.LastSeen = time.Time{}
	}
	return now
}

// Watchers implements Desk.
func (p *Profiles) Watchers(ctx context.Context, userID string, connected func(string) bool) (map[string]Presence, []string, error) {
	watchers := make(map[string]bool)
	for after, more := "", true; more; {
		owners, err := p.store.Owners(ctx, userID, KindContact, after, page)
		if err != nil {
			return nil, nil, fmt.Errorf("users: owners: %w", err)
		}
		for _, id := range owners {
			after = id
			watchers[id] = connected(id)
		}
		more = len(owners) == page
	}
	for after, more := "", true; more; {
		contacts, err := p.store.Relations(ctx, userID, KindContact, after, MaxPage)
		if err != nil {
			return nil, nil, fmt.Errorf("users: relations: %w", err)
		}
		for _, r := range contacts {
			after = r.UserID
			watchers[after] = connected(after)
		}
		more = len(contacts) == MaxPage
	}
	maps.DeleteFunc(watchers, func(_ string, here bool) bool { return !here })
	if len(watchers) == 0 {
		return nil, nil, nil
	}
	return p.shown(ctx, userID, slices.Sorted(maps.Keys(watchers)))
}

// shown tells what viewers may see of a user's presence, in the order of presences.
func (p *Profiles) shown(ctx context.Context, userID string, viewers []string) (map[string]Presence, []string, error) {
	all, err := p.unfiltered(ctx, []string{userID})
	if err != nil {
		return nil, nil, err
	}
	now := all[userID]
	settings, err := p.Settings(ctx, userID)
	if err != nil {
		return nil, nil, err
	}
	seen, hidden := make(map[string]Presence), []string(nil)
	for some := range slices.Chunk(viewers, page) {
		between, err := p.store.Between(ctx, userID, some)
		if err != nil {
			return nil, nil, fmt.Errorf("users: relations: %w", err)
		}
		regards := make(map[string]regard, len(some)) // of the user for the viewers
		for _, r := range between {
			if r.OwnerID == userID {
				at := regards[r.UserID]
				at.add(r.Kind)
				regards[r.UserID] = at
			}
		}
		for _, viewer := range some {
			sight := regards[viewer].sight(settings.Privacy)
			if sight.Online || sight.LastSeen && !now.Online {
				seen[viewer] = sight.of(now)
			} else {
				hidden = append(hidden, viewer)
			}
		}
	}
	return seen, hidden, nil
}
