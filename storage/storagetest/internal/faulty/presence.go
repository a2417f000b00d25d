package faulty

import (
	"context"
	"time"

	"github.com/wigwag-chat/wigwag/users"
)

func presenceDefects() []Defect {
	return []Defect{
		{
			Name:     "takes a lease for ever",
			CaughtBy: []string{"presence/ends with the lease", "presence/sweep is bounded", "presence/views are of those who look"},
			people:   func(s users.Store) users.Store { return livesForEver{s} },
		},
		{
			Name:     "forgets when somebody was seen",
			CaughtBy: []string{"presence/changes are told once", "presence/ends with the lease"},
			people:   func(s users.Store) users.Store { return neverSeen{s} },
		},
		{
			Name:     "tells all who were announced",
			CaughtBy: []string{"presence/changes are told once"},
			people:   func(s users.Store) users.Store { return tellsAll{s} },
		},
		{
			Name:     "keeps the first views",
			CaughtBy: []string{"presence/views are of those who look"},
			people:   func(s users.Store) users.Store { return keepsViews{s, make(map[[2]string][]string)} },
		},
	}
}

type livesForEver struct{ users.Store }

func (s livesForEver) Announce(ctx context.Context, a users.Announcement) (users.Announced, error) {
	a.Life = max(a.Life, time.Hour)
	return s.Store.Announce(ctx, a)
}

type neverSeen struct{ users.Store }

func (s neverSeen) Presences(ctx context.Context, ids []string) ([]users.Presence, error) {
	all, err := s.Store.Presences(ctx, ids)
	for i := range all {
		all[i].LastSeen = time.Time{}
	}
	return all, err
}

type tellsAll struct{ users.Store }

func (s tellsAll) Announce(ctx context.Context, a users.Announcement) (users.Announced, error) {
	out, err := s.Store.Announce(ctx, a)
	out.Changed = nil
	for _, st := range a.Stations {
		out.Changed = append(out.Changed, st.UserID)
	}
	return out, err
}

type keepsViews struct {
	users.Store
	first map[[2]string][]string
}

func (s keepsViews) Announce(ctx context.Context, a users.Announcement) (users.Announced, error) {
	for i := range a.Stations {
		key := [2]string{a.NodeID, a.Stations[i].UserID}
		if len(s.first[key]) == 0 {
			s.first[key] = a.Stations[i].Views
		}
		a.Stations[i].Views = s.first[key]
	}
	return s.Store.Announce(ctx, a)
}
