package api

import (
	"slices"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

// GroupSettings say who may do what in a group.
type GroupSettings struct {
	WhoMaySend      string `json:"whoMaySend" enum:"all,admins"`
	WhoMayAdd       string `json:"whoMayAdd" enum:"all,admins"`
	WhoMayPin       string `json:"whoMayPin" enum:"all,admins"`
	WhoMayEditInfo  string `json:"whoMayEditInfo" enum:"all,admins"`
	SlowModeSeconds int64  `json:"slowModeSeconds" doc:"Between two messages of one who is no admin; 0: off."`
}

func fromGroupSettings(s messaging.GroupSettings) *GroupSettings {
	return &GroupSettings{
		string(s.WhoMaySend), string(s.WhoMayAdd), string(s.WhoMayPin), string(s.WhoMayEditInfo), int64(s.SlowMode / time.Second),
	}
}

// ChangedChat are those fields of a chat that are others than before.
type ChangedChat struct {
	Title       *string        `json:"title,omitempty"`
	Description *string        `json:"description,omitempty"`
	PictureID   *string        `json:"pictureId,omitempty"`
	Settings    *GroupSettings `json:"settings,omitempty"`
}

func fromChanged(fields []string, c *messaging.Chat) *ChangedChat {
	out := new(ChangedChat)
	if c == nil {
		return out
	}
	for name, field := range map[string]struct {
		to   **string
		from string
	}{
		messaging.FieldTitle:       {&out.Title, c.Title},
		messaging.FieldDescription: {&out.Description, c.Description},
		messaging.FieldPicture:     {&out.PictureID, c.PictureID},
	} {
		if slices.Contains(fields, name) {
			*field.to = &field.from
		}
	}
	if slices.Contains(fields, messaging.FieldSettings) {
		out.Settings = fromGroupSettings(c.Settings)
	}
	return out
}

// UpdateGroup is the body of PATCH /v1/groups/{chat}. What is left out stays.
type UpdateGroup struct {
	Name        *string              `json:"name,omitempty" doc:"1 to 100 characters."`
	Description *string              `json:"description,omitempty" doc:"Up to 500 characters."`
	PictureID   *string              `json:"pictureId,omitempty" doc:"Empty: none."`
	Settings    *UpdateGroupSettings `json:"settings,omitempty" doc:"For admins."`
}

// UpdateGroupSettings is a part of UpdateGroup.
type UpdateGroupSettings struct {
	WhoMaySend      *messaging.Who `json:"whoMaySend,omitempty" enum:"all,admins"`
	WhoMayAdd       *messaging.Who `json:"whoMayAdd,omitempty" enum:"all,admins"`
	WhoMayPin       *messaging.Who `json:"whoMayPin,omitempty" enum:"all,admins"`
	WhoMayEditInfo  *messaging.Who `json:"whoMayEditInfo,omitempty" enum:"all,admins"`
	SlowModeSeconds *int64         `json:"slowModeSeconds,omitempty" minimum:"0" maximum:"86400"`
}

// Change converts.
func (u UpdateGroup) Change(userID, chatID string) messaging.ChangeGroup {
	g := messaging.ChangeGroup{ChatID: chatID, ActorID: userID, Title: u.Name, Description: u.Description, PictureID: u.PictureID}
	if s := u.Settings; s != nil {
		g.Settings = messaging.GroupChange{
			WhoMaySend: s.WhoMaySend, WhoMayAdd: s.WhoMayAdd, WhoMayPin: s.WhoMayPin, WhoMayEditInfo: s.WhoMayEditInfo,
		}
		if n := s.SlowModeSeconds; n != nil {
			g.Settings.SlowMode = new(seconds(*n))
		}
	}
	return g
}

// seconds is a number of them, or more than anything takes.
func seconds(n int64) time.Duration {
	const most = int64(1<<63-1) / int64(time.Second)
	return time.Duration(max(min(n, most), -1)) * time.Second
}

// SetRole is the body of PATCH /v1/groups/{chat}/members/{user}.
type SetRole struct {
	Role string `json:"role" enum:"owner,admin,member"`
}

// BanMember is the body of POST /v1/groups/{chat}/bans.
type BanMember struct {
	UserID string `json:"userId"`
}

// Banned is somebody who is banned from a group.
type Banned struct {
	User     User      `json:"user"`
	ByUserID string    `json:"byUserId"`
	BannedAt time.Time `json:"bannedAt"`
}

// FromBanned converts; u is the one who is banned, as the viewer may see him.
func FromBanned(b messaging.Banned, u users.User, viewerID string) Banned {
	return Banned{FromUser(u, viewerID), b.ByUserID, stamp(b.At)}
}

// CreateInvite is the body of POST /v1/groups/{chat}/invites.
type CreateInvite struct {
	MaxUses   int       `json:"maxUses,omitempty" doc:"How many may join by it, up to 10,000; left out: any number."`
	ExpiresIn int64     `json:"expiresIn,omitempty" doc:"Seconds, up to a year; left out: for ever."`
	ExpiresAt time.Time `json:"expiresAt,omitzero" doc:"Instead of expiresIn."`
}

// Invite converts.
func (c CreateInvite) Invite(userID, chatID, key string, now time.Time) (messaging.NewInvite, error) {
	r := messaging.NewInvite{UserID: userID, ChatID: chatID, MaxUses: c.MaxUses, ExpiresIn: seconds(c.ExpiresIn), Key: key}
	if c.ExpiresAt.IsZero() {
		return r, nil
	}
	r.ExpiresIn = c.ExpiresAt.Sub(now)
	if c.ExpiresIn != 0 || r.ExpiresIn <= 0 {
		return r, errs.Field("expiresAt", "invalid_expiry", "Give either expiresIn or expiresAt, and a time to come.")
	}
	return r, nil
}

// Invite lets those join a group who know its code.
type Invite struct {
	Code      string    `json:"code"`
	MaxUses   int       `json:"maxUses,omitempty" doc:"Left out: any number."`
	Uses      int       `json:"uses"`
	ExpiresAt time.Time `json:"expiresAt,omitzero" doc:"Left out: never."`
	CreatedBy string    `json:"createdBy"`
	CreatedAt time.Time `json:"createdAt"`
}

// FromInvite converts.
func FromInvite(i messaging.Invite) Invite {
	return Invite{i.Code, i.MaxUses, i.Uses, stamp(i.ExpiresAt), i.CreatedBy, stamp(i.CreatedAt)}
}
