package api

import (
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

// Settings are a person's own choices.
type Settings struct {
	Theme         string        `json:"theme" enum:"light,dark,auto"`
	Language      string        `json:"language" doc:"A BCP 47 tag."`
	Privacy       Privacy       `json:"privacy"`
	Notifications Notifications `json:"notifications"`
}

// Privacy says who may see and find a person.
type Privacy struct {
	OnlineStatus  string `json:"onlineStatus" enum:"everyone,contacts,nobody"`
	LastSeen      string `json:"lastSeen" enum:"everyone,contacts,nobody"`
	ProfilePhoto  string `json:"profilePhoto" enum:"everyone,contacts,nobody"`
	AddByPhone    bool   `json:"addByPhone" doc:"Whether one is found by the phone number."`
	AddByUsername bool   `json:"addByUsername" doc:"Whether one is found by the username."`
}

// Notifications says of what a person wants to be told, and how.
type Notifications struct {
	Messages  bool `json:"messages"`
	Groups    bool `json:"groups"`
	Mentions  bool `json:"mentions"`
	Sound     bool `json:"sound"`
	Vibration bool `json:"vibration"`
	Preview   bool `json:"preview"`
}

// FromSettings converts.
func FromSettings(s users.Settings) Settings {
	p, n := s.Privacy, s.Notifications
	return Settings{
		Theme: string(s.Theme), Language: s.Language,
		Privacy: Privacy{
			OnlineStatus: string(p.OnlineStatus), LastSeen: string(p.LastSeen), ProfilePhoto: string(p.ProfilePhoto),
			AddByPhone: p.AddByPhone, AddByUsername: p.AddByUsername,
		},
		Notifications: Notifications{
			Messages: n.Messages, Groups: n.Groups, Mentions: n.Mentions, Sound: n.Sound, Vibration: n.Vibration, Preview: n.Preview,
		},
	}
}

// UpdateSettings is the body of PATCH /v1/me/settings. What is left out stays.
type UpdateSettings struct {
	Theme         *users.Theme         `json:"theme,omitempty" enum:"light,dark,auto"`
	Language      *string              `json:"language,omitempty" doc:"A BCP 47 tag."`
	Privacy       *UpdatePrivacy       `json:"privacy,omitempty"`
	Notifications *UpdateNotifications `json:"notifications,omitempty"`
}

// UpdatePrivacy is the part of UpdateSettings about privacy.
type UpdatePrivacy struct {
	OnlineStatus  *users.Audience `json:"onlineStatus,omitempty" enum:"everyone,contacts,nobody"`
	LastSeen      *users.Audience `json:"lastSeen,omitempty" enum:"everyone,contacts,nobody"`
	ProfilePhoto  *users.Audience `json:"profilePhoto,omitempty" enum:"everyone,contacts,nobody"`
	AddByPhone    *bool           `json:"addByPhone,omitempty"`
	AddByUsername *bool           `json:"addByUsername,omitempty"`
}

// UpdateNotifications is the part of UpdateSettings about notifications.
type UpdateNotifications struct {
	Messages  *bool `json:"messages,omitempty"`
	Groups    *bool `json:"groups,omitempty"`
	Mentions  *bool `json:"mentions,omitempty"`
	Sound     *bool `json:"sound,omitempty"`
	Vibration *bool `json:"vibration,omitempty"`
	Preview   *bool `json:"preview,omitempty"`
}

// Update converts.
func (u UpdateSettings) Update() users.SettingsUpdate {
	out := users.SettingsUpdate{Theme: u.Theme, Language: u.Language}
	if p := u.Privacy; p != nil {
		out.Privacy = users.PrivacyUpdate(*p)
	}
	if n := u.Notifications; n != nil {
		out.Notifications = users.NotificationsUpdate(*n)
	}
	return out
}

// SettingsChanged tells a person's devices how his settings stand now.
func SettingsChanged(seq int64, at time.Time, now users.Settings) Event {
	s := FromSettings(now)
	return Event{Type: string(messaging.Settings), UserSeq: seq, At: stamp(at), Settings: &s}
}

// ChangesSettings reports whether a sync answer tells of settings, which FillSettings adds.
func ChangesSettings(a messaging.SyncAnswer) bool {
	for _, e := range a.User.Events {
		if e.Type == messaging.Settings {
			return true
		}
	}
	return false
}

// FillSettings adds the settings, as they stand now, to the events that tell of them.
func (a *SyncAnswer) FillSettings(now users.Settings) {
	s := FromSettings(now)
	for i := range a.User.Events {
		if e := &a.User.Events[i]; e.Type == string(messaging.Settings) {
			e.Settings = &s
		}
	}
}
