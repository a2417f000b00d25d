package memory

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

// keyStore is the keys.Store of a Store.
type keyStore struct{ *Store }

func (s keyStore) Secret(ctx context.Context, name string) ([]byte, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	sealed, ok := d.secrets[name]
	if !ok {
		return nil, keys.ErrNoSecret
	}
	return bytes.Clone(sealed), nil
}

func (s keyStore) PutSecret(ctx context.Context, name string, sealed []byte) ([]byte, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, ok := d.secrets[name]; !ok {
		d.secrets[name] = bytes.Clone(sealed)
	}
	return bytes.Clone(d.secrets[name]), nil
}

// userStore is the users.Store of a Store.
type userStore struct{ *Store }

func (s userStore) Create(ctx context.Context, p users.StoredProfile) (bool, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	if _, ok := d.profiles[p.UserID]; ok {
		return false, nil
	}
	if d.usernameTaken(p) {
		return false, users.ErrUsernameTaken
	}
	d.profiles[p.UserID] = p
	return true, nil
}

func (s userStore) Replace(ctx context.Context, p users.StoredProfile, readAt time.Time) error {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	old, ok := d.profiles[p.UserID]
	switch {
	case !ok:
		return users.ErrUserNotFound
	case !old.UpdatedAt.Equal(readAt):
		return users.ErrChanged
	case d.usernameTaken(p):
		return users.ErrUsernameTaken
	}
	p.CreatedAt = old.CreatedAt
	d.profiles[p.UserID] = p
	return nil
}

func (s userStore) Profiles(ctx context.Context, ids []string) ([]users.StoredProfile, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var found []users.StoredProfile
	for id, p := range d.profiles {
		if slices.Contains(ids, id) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b users.StoredProfile) int { return strings.Compare(a.UserID, b.UserID) })
	return found, nil
}

func (s userStore) ByUsername(ctx context.Context, key string) (users.StoredProfile, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return users.StoredProfile{}, err
	}
	defer unlock()
	for _, p := range d.profiles {
		if key != "" && p.UsernameKey == key {
			return p, nil
		}
	}
	return users.StoredProfile{}, users.ErrUserNotFound
}

func (s userStore) Settings(ctx context.Context, ids []string) ([]users.Setting, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var all []users.Setting
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		for _, name := range slices.Sorted(maps.Keys(d.settings[id])) {
			all = append(all, users.Setting{UserID: id, Name: name, Value: d.settings[id][name]})
		}
	}
	return all, nil
}

func (s userStore) SaveSettings(ctx context.Context, userID string, changes []users.Setting, at time.Time) (int64, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	changed := false
	for _, c := range changes {
		if old, ok := d.settings[userID][c.Name]; ok && old == c.Value {
			continue
		}
		if d.settings[userID] == nil {
			d.settings[userID] = make(map[string]string)
		}
		d.settings[userID][c.Name], changed = c.Value, true
	}
	if !changed {
		return 0, nil
	}
	return d.tell(messaging.UserEvent{UserID: userID, Type: messaging.Settings, At: at}).Seq, nil
}

// usernameTaken reports whether somebody else has p's username.
func (d *data) usernameTaken(p users.StoredProfile) bool {
	for id, other := range d.profiles {
		if p.UsernameKey != "" && other.UsernameKey == p.UsernameKey && id != p.UserID {
			return true
		}
	}
	return false
}
