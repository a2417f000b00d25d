package faulty

import (
	"context"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/users"
)

func settingDefects() []Defect {
	return []Defect{
		{
			Name:     "stores settings again that have not changed",
			CaughtBy: []string{"settings/change is an own event"},
			people:   func(s users.Store) users.Store { return storesAgain{s} },
		},
		{
			Name:     "returns settings of one person",
			CaughtBy: []string{"settings/come back"},
			people:   func(s users.Store) users.Store { return settingsOfOne{s} },
		},
		{
			Name:     "writes back all settings that it has read",
			CaughtBy: []string{"settings/race loses none"},
			people:   func(s users.Store) users.Store { return &writesAllBack{Store: s} },
		},
	}
}

// storesAgain makes a change of what is none.
type storesAgain struct{ users.Store }

func (s storesAgain) SaveSettings(ctx context.Context, userID string, changes []users.Setting, at time.Time) (int64, error) {
	for i := range changes {
		changes[i].Value += " "
	}
	if _, err := s.Store.SaveSettings(ctx, userID, changes, at); err != nil {
		return 0, err
	}
	for i := range changes {
		changes[i].Value = changes[i].Value[:len(changes[i].Value)-1]
	}
	return s.Store.SaveSettings(ctx, userID, changes, at)
}

type settingsOfOne struct{ users.Store }

func (s settingsOfOne) Settings(ctx context.Context, ids []string) ([]users.Setting, error) {
	return s.Store.Settings(ctx, ids[:min(1, len(ids))])
}

// writesAllBack is two nodes that keep what they know of a person and write all of it.
type writesAllBack struct {
	users.Store
	mu    sync.Mutex
	calls int
	nodes [2]map[string]users.Setting // by user and name
}

func (s *writesAllBack) SaveSettings(ctx context.Context, userID string, changes []users.Setting, at time.Time) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	node := &s.nodes[s.calls%2]
	if *node == nil {
		*node = make(map[string]users.Setting)
	}
	for _, c := range changes {
		(*node)[userID+" "+c.Name] = users.Setting{UserID: userID, Name: c.Name, Value: c.Value}
	}
	var all []users.Setting
	for _, known := range *node {
		if known.UserID == userID {
			all = append(all, known)
		}
	}
	return s.Store.SaveSettings(ctx, userID, all, at)
}
