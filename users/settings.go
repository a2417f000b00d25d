package users

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/wigwag-chat/wigwag/errs"
)

// Audience is who may see something of a person.
type Audience string

// The audiences.
const (
	Everyone Audience = "everyone"
	Contacts Audience = "contacts" // whom the person has in contacts
	Nobody   Audience = "nobody"
)

// Theme is how an application looks.
type Theme string

// The themes.
const (
	Light Theme = "light"
	Dark  Theme = "dark"
	Auto  Theme = "auto" // as the device is set
)

// Settings are a person's own choices (USER-8).
type Settings struct {
	Theme         Theme
	Language      string // BCP 47
	Privacy       Privacy
	Notifications Notifications
}

// Privacy says who may see and find a person.
type Privacy struct {
	OnlineStatus, LastSeen, ProfilePhoto Audience
	AddByPhone, AddByUsername            bool // whether he is found by them
}

// Notifications says of what a person wants to be told, and how.
type Notifications struct {
	Messages, Groups, Mentions, Sound, Vibration, Preview bool
}

// DefaultSettings are those of who has chosen nothing, unless the host decides otherwise.
func DefaultSettings() Settings {
	return Settings{
		Theme: Dark, Language: "en",
		Privacy:       Privacy{Everyone, Everyone, Everyone, true, true},
		Notifications: Notifications{true, true, true, true, true, true},
	}
}

// SettingsUpdate names the settings to change; nil ones stay.
type SettingsUpdate struct {
	Theme         *Theme
	Language      *string
	Privacy       PrivacyUpdate
	Notifications NotificationsUpdate
}

// PrivacyUpdate is the part of a SettingsUpdate about Privacy.
type PrivacyUpdate struct {
	OnlineStatus, LastSeen, ProfilePhoto *Audience
	AddByPhone, AddByUsername            *bool
}

// NotificationsUpdate is the part of a SettingsUpdate about Notifications.
type NotificationsUpdate struct {
	Messages, Groups, Mentions, Sound, Vibration, Preview *bool
}

// Setting is one chosen value, as it is stored.
type Setting struct {
	UserID string
	Name   string // as in the public interface, with a point: privacy.lastSeen
	Value  string
}

// slot is where one setting stands, and where its change does.
type slot struct {
	name   string
	get    func() string      // of the settings
	put    func(string) error // into the settings, if it may stand there
	change func() (any, bool) // of the update
}

// slots lists all settings.
func slots(s *Settings, u *SettingsUpdate) []slot {
	p, n, pu, nu := &s.Privacy, &s.Notifications, &u.Privacy, &u.Notifications
	return []slot{
		choice("theme", &s.Theme, u.Theme, Light, Dark, Auto),
		{"language", func() string { return s.Language }, func(v string) (err error) {
			if s.Language, err = checkLanguage(v); err == nil && v == "" {
				err = errSetting("language")
			}
			return err
		}, given(u.Language)},
		choice("privacy.onlineStatus", &p.OnlineStatus, pu.OnlineStatus, Everyone, Contacts, Nobody),
		choice("privacy.lastSeen", &p.LastSeen, pu.LastSeen, Everyone, Contacts, Nobody),
		choice("privacy.profilePhoto", &p.ProfilePhoto, pu.ProfilePhoto, Everyone, Contacts, Nobody),
		flag("privacy.addByPhone", &p.AddByPhone, pu.AddByPhone),
		flag("privacy.addByUsername", &p.AddByUsername, pu.AddByUsername),
		flag("notifications.messages", &n.Messages, nu.Messages),
		flag("notifications.groups", &n.Groups, nu.Groups),
		flag("notifications.mentions", &n.Mentions, nu.Mentions),
		flag("notifications.sound", &n.Sound, nu.Sound),
		flag("notifications.vibration", &n.Vibration, nu.Vibration),
		flag("notifications.preview", &n.Preview, nu.Preview),
	}
}

func choice[T ~string](name string, at, change *T, allowed ...T) slot {
	return slot{name, func() string { return string(*at) }, func(v string) error {
		if !slices.Contains(allowed, T(v)) {
			return errSetting(name).With("allowed", allowed)
		}
		*at = T(v)
		return nil
	}, given(change)}
}

func flag(name string, at, change *bool) slot {
	return slot{name, func() string { return strconv.FormatBool(*at) }, func(v string) error {
		*at = v == "true"
		return nil
	}, given(change)}
}

func given[T any](change *T) func() (any, bool) {
	return func() (any, bool) {
		if change == nil {
			return nil, false
		}
		return *change, true
	}
}

func errSetting(name string) *errs.Error {
	return errs.Field(name, "invalid_setting", "This setting has no such value.")
}

// Settings returns what a person has chosen, over the host's defaults.
func (p *Profiles) Settings(ctx context.Context, userID string) (Settings, error) {
	all, err := p.settings(ctx, []string{userID})
	return all[userID], err
}

// settings reads those of several people, each with the defaults where he chose nothing.
func (p *Profiles) settings(ctx context.Context, ids []string) (map[string]Settings, error) {
	all := make(map[string]Settings, len(ids))
	for _, id := range ids {
		all[id] = p.defaults
	}
	chosen, err := p.store.Settings(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("users: settings: %w", err)
	}
	for _, c := range chosen {
		s := all[c.UserID]
		for _, slot := range slots(&s, &SettingsUpdate{}) {
			if slot.name == c.Name {
				_ = slot.put(c.Value) // what another version has stored and this one does not know is the default
			}
		}
		all[c.UserID] = s
	}
	return all, nil
}

// UpdateSettings changes the settings that u names, all of them or none, and tells
// the person's devices. Concurrent changes of different settings all survive.
func (p *Profiles) UpdateSettings(ctx context.Context, userID string, u SettingsUpdate) (Settings, error) {
	var changes []Setting
	checked := p.defaults
	for _, slot := range slots(&checked, &u) {
		v, ok := slot.change()
		if !ok {
			continue
		}
		if err := slot.put(fmt.Sprint(v)); err != nil {
			return Settings{}, err
		}
		changes = append(changes, Setting{UserID: userID, Name: slot.name, Value: slot.get()})
	}
	if err := p.Ensure(ctx, userID); err != nil {
		return Settings{}, err
	}
	at := p.now()
	seq, err := p.store.SaveSettings(ctx, userID, changes, at)
	if err != nil {
		return Settings{}, fmt.Errorf("users: settings: %w", err)
	}
	now, err := p.Settings(ctx, userID)
	if err != nil {
		return Settings{}, err
	}
	if seq > 0 && p.publisher != nil {
		p.publisher.SettingsChanged(userID, seq, at, now)
	}
	return now, nil
}
