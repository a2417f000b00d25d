package api

import (
	"time"

	"github.com/wigwag-chat/wigwag/users"
)

// User is a person, as far as the viewer may see him. From Email on, only oneself sees the fields.
type User struct {
	ID          string    `json:"id"`
	Username    string    `json:"username,omitempty"`
	DisplayName string    `json:"displayName,omitempty"`
	FullName    string    `json:"fullName,omitempty"`
	Bio         string    `json:"bio,omitempty"`
	PictureID   string    `json:"pictureId,omitempty"`
	CreatedAt   time.Time `json:"createdAt,omitzero"`

	PhoneNumber string    `json:"phoneNumber,omitempty" doc:"In E.164; for oneself, and whom the person has in contacts."`
	Presence    *Presence `json:"presence,omitempty" doc:"Of a person asked for by himself, and of contacts."`

	Email      string    `json:"email,omitempty" doc:"For oneself."`
	Language   string    `json:"language,omitempty" doc:"A BCP 47 tag; for oneself."`
	Role       string    `json:"role,omitempty" enum:"user,moderator,admin" doc:"For oneself."`
	IsActive   *bool     `json:"isActive,omitempty" doc:"For oneself."`
	IsVerified *bool     `json:"isVerified,omitempty" doc:"For oneself."`
	LastLogin  time.Time `json:"lastLogin,omitzero" doc:"For oneself."`
}

// FromUser converts a person as the viewer may see him.
func FromUser(u users.User, viewerID string) User {
	out := User{
		ID: u.UserID, Username: u.Username, DisplayName: u.DisplayName, FullName: u.FullName,
		Bio: u.Bio, PictureID: u.PictureID, CreatedAt: stamp(u.CreatedAt), PhoneNumber: u.Phone,
	}
	if u.Presence != nil {
		out.Presence = new(FromPresence(*u.Presence))
	}
	if u.UserID != viewerID {
		return out
	}
	out.Language = u.Language
	if a := u.Account; a != nil {
		out.Email, out.Role = a.Email, a.Role
		out.IsActive, out.IsVerified = &a.Active, &a.Verified
		out.LastLogin = stamp(a.LastLogin)
	}
	return out
}

// UpdateProfile is the body of PATCH /v1/me. What is left out stays; an empty
// string clears, but neither a username nor a display name can be cleared.
type UpdateProfile struct {
	Username    *string `json:"username,omitempty" doc:"3 to 50 letters, digits, _ and ., not digits alone."`
	DisplayName *string `json:"displayName,omitempty" doc:"1 to 100 characters."`
	FullName    *string `json:"fullName,omitempty" doc:"Up to 100 characters."`
	Bio         *string `json:"bio,omitempty" doc:"Up to 500 characters."`
	PictureID   *string `json:"pictureId,omitempty"`
	Language    *string `json:"language,omitempty" doc:"A BCP 47 tag."`
}

// Update converts.
func (u UpdateProfile) Update() users.Update {
	return users.Update{
		Username: u.Username, DisplayName: u.DisplayName, FullName: u.FullName,
		Bio: u.Bio, PictureID: u.PictureID, Language: u.Language,
	}
}

// AddPerson is the body of POST /v1/contacts and of POST /v1/blocks.
type AddPerson struct {
	UserID string `json:"userId"`
}

// Listed is somebody in one's contacts or blocks.
type Listed struct {
	User    User      `json:"user"`
	AddedAt time.Time `json:"addedAt"`
}

// FromListed converts.
func FromListed(l users.Listed, viewerID string) Listed {
	return Listed{FromUser(l.User, viewerID), stamp(l.AddedAt)}
}

// Presence is whether somebody is online, and when he last was, as far as the viewer may see it.
type Presence struct {
	Online   bool      `json:"online"`
	LastSeen time.Time `json:"lastSeen,omitzero" doc:"When he last went offline."`
}

// FromPresence converts.
func FromPresence(p users.Presence) Presence { return Presence{p.Online, stamp(p.LastSeen)} }
