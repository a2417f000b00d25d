package users_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/users"
)

// told is a Publisher that keeps what it is told.
type told []any

func (t *told) SettingsChanged(userID string, seq int64, at time.Time, now users.Settings) {
	*t = append(*t, userID, seq, at, now.Theme)
}

func (t *told) RelationChanged(r users.Relation, stands bool, seq int64) {
	*t = append(*t, r, stands, seq)
}

func TestSettings(t *testing.T) {
	var heard told
	ours := users.DefaultSettings()
	ours.Theme, ours.Privacy.LastSeen = users.Auto, users.Nobody
	p := newProfiles(t, func(c *users.Config) { c.Defaults, c.Publisher = &ours, &heard })
	is := func(want users.Settings) {
		t.Helper()
		got, err := p.Settings(t.Context(), "ann")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v, settings (-want +got):\n%s", err, diff)
		}
	}
	is(ours)

	want := ours
	want.Theme, want.Notifications.Sound, want.Privacy.AddByPhone = users.Light, false, false
	got, err := p.UpdateSettings(t.Context(), "ann", users.SettingsUpdate{
		Theme:         new(users.Light),
		Privacy:       users.PrivacyUpdate{AddByPhone: new(false)},
		Notifications: users.NotificationsUpdate{Sound: new(false)},
	})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, settings (-want +got):\n%s", err, diff)
	}
	is(want)
	if diff := cmp.Diff(told{"ann", int64(1), start, users.Light}, heard); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}

	for field, u := range map[string]users.SettingsUpdate{
		"theme":                {Theme: new(users.Theme("blue"))},
		"language":             {Language: new("")},
		"privacy.lastSeen":     {Theme: new(users.Dark), Privacy: users.PrivacyUpdate{LastSeen: new(users.Audience("friends"))}},
		"privacy.profilePhoto": {Privacy: users.PrivacyUpdate{ProfilePhoto: new(users.Audience(""))}},
	} {
		_, err := p.UpdateSettings(t.Context(), "ann", u)
		e, ok := errors.AsType[*errs.Error](err)
		if !ok || e.Kind() != errs.Invalid || e.Details()["field"] != field {
			t.Errorf("a wrong %s: %v", field, err)
		}
	}
	is(want)
	for _, u := range []users.SettingsUpdate{{}, {Theme: new(users.Light)}} { // nothing changes
		if _, err := p.UpdateSettings(t.Context(), "ann", u); err != nil {
			t.Error(err)
		}
	}
	if len(heard) != 4 {
		t.Errorf("what changes nothing is published: %v", heard)
	}
}

func TestWhoIsFound(t *testing.T) {
	p := newProfiles(t, func(c *users.Config) { c.Directory = accounts{"ann": {Phone: "+15550100"}} })
	create(t, p, "ann", "ann", "Ann")
	find := func(viewer string) (byName, byPhone bool) {
		t.Helper()
		_, err := p.FindByUsername(t.Context(), viewer, "ANN")
		_, err2 := p.FindByPhone(t.Context(), viewer, "+15550100")
		for _, err := range []error{err, err2} {
			if err != nil && !errors.Is(err, users.ErrUserNotFound) {
				t.Error(err)
			}
		}
		return err == nil, err2 == nil
	}
	for _, c := range []struct{ byName, byPhone bool }{{true, true}, {false, true}, {true, false}, {false, false}} {
		_, err := p.UpdateSettings(t.Context(), "ann", users.SettingsUpdate{
			Privacy: users.PrivacyUpdate{AddByUsername: &c.byName, AddByPhone: &c.byPhone},
		})
		if err != nil {
			t.Fatal(err)
		}
		if byName, byPhone := find("bob"); byName != c.byName || byPhone != c.byPhone {
			t.Errorf("found by name %v, by phone %v; she wishes %v", byName, byPhone, c)
		}
		if byName, byPhone := find("ann"); !byName || !byPhone {
			t.Error("she does not find herself")
		}
	}
}
