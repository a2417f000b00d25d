package users_test

import (
	"context"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/users"
)

// hiding is a Store whose user hides himself, and then comes online, as soon as his settings
// or relations are asked for.
type hiding struct {
	users.Store
	t    *testing.T
	done bool
}

func (h *hiding) Settings(ctx context.Context, ids []string) ([]users.Setting, error) {
	all, err := h.Store.Settings(ctx, ids)
	h.hide(ctx)
	return all, err
}

func (h *hiding) Between(ctx context.Context, id string, others []string) ([]users.Relation, error) {
	all, err := h.Store.Between(ctx, id, others)
	h.hide(ctx)
	return all, err
}

func (h *hiding) hide(ctx context.Context) {
	if h.done {
		return
	}
	h.done = true
	_, err := h.SaveSettings(ctx, "bob", []users.Setting{{Name: "privacy.onlineStatus", Value: "nobody"}, {Name: "privacy.lastSeen", Value: "nobody"}}, start)
	if err == nil {
		_, err = h.Announce(ctx, users.Announcement{NodeID: "n", At: start, Life: time.Hour, Stations: []users.Station{{UserID: "bob", Online: true}}})
	}
	if err != nil {
		h.t.Error(err)
	}
}

// Who hides himself before he comes online is not seen by what he showed before (USER-7).
func TestPresenceIsReadBeforePrivacy(t *testing.T) {
	for name, look := range map[string]func(*users.Profiles) bool{
		"asked": func(p *users.Profiles) bool {
			now, err := p.Presence(t.Context(), "ann", "bob")
			return err == nil && now.Online
		},
		"with the profile": func(p *users.Profiles) bool {
			u, err := p.User(t.Context(), "ann", "bob")
			return err == nil && u.Presence.Online
		},
		"told": func(p *users.Profiles) bool {
			seen, _, err := p.Watchers(t.Context(), "bob", func(string) bool { return true })
			return err == nil && seen["ann"].Online
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := &hiding{Store: memory.New(memory.Options{}).Users(), t: t, done: true}
			p := newProfiles(t, func(c *users.Config) { c.Store = h })
			create(t, p, "ann", "ann", "Ann")
			create(t, p, "bob", "bob", "Bob")
			if _, _, err := p.AddContact(t.Context(), "ann", "bob", ""); err != nil {
				t.Fatal(err)
			}
			h.done = false
			if look(p) {
				t.Error("seen online, though he hid himself before")
			}
			if !h.done {
				t.Error("nothing was asked")
			}
		})
	}
}
