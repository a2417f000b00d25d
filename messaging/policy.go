package messaging

import (
	"time"

	"github.com/wigwag-chat/wigwag/errs"
)

// MaxSlowMode bounds the slow mode of a group.
const MaxSlowMode = 24 * time.Hour

// MaxInvites is how many invites of a group count at once.
const MaxInvites = 100

// What can go wrong with the policy of groups.
var (
	ErrBanned         = errs.New(errs.Forbidden, "banned", "This person is banned from the group.")
	ErrSendRestricted = errs.New(errs.Forbidden, "sending_restricted", "Only admins may write here.")
	ErrSlowMode       = errs.New(errs.RateLimited, "slow_mode", "Messages come slowly here. Wait a moment.")
	ErrOwnerStays     = errs.New(errs.Conflict, "owner_must_hand_over", "The owner hands the group over by making somebody else its owner.")
	ErrInviteNotFound = errs.New(errs.NotFound, "invite_not_found", "This invitation does not exist, or no longer.")
	ErrTooManyInvites = errs.New(errs.Conflict, "too_many_invites", "The group has no room for more invitations. Revoke some first.")
)

// Who tells which members of a group may do something.
type Who string

// The members who may.
const (
	All    Who = "all"
	Admins Who = "admins" // and the owner
)

// Includes reports whether somebody of that role may.
func (w Who) Includes(r Role) bool { return w == All || r.Manages() }

// GroupSettings say who may do what in a group (GRP-3).
type GroupSettings struct {
	WhoMaySend, WhoMayAdd, WhoMayPin, WhoMayEditInfo Who

	SlowMode time.Duration // between two messages of one who does not manage; whole seconds
}

// DefaultGroupSettings are those of a new group: everybody writes, admins do the rest.
func DefaultGroupSettings() GroupSettings {
	return GroupSettings{WhoMaySend: All, WhoMayAdd: Admins, WhoMayPin: Admins, WhoMayEditInfo: Admins}
}

// The fields of a group that ChangeGroup changes, as a ChatUpdated names them.
const (
	FieldTitle       = "title"
	FieldDescription = "description"
	FieldPicture     = "pictureId"
	FieldSettings    = "settings"
)

// ChangeGroup changes what is not nil.
type ChangeGroup struct {
	ChatID, ActorID               string
	Title, Description, PictureID *string
	Settings                      GroupChange
	At                            time.Time
}

// GroupChange is the part of a ChangeGroup about settings.
type GroupChange struct {
	WhoMaySend, WhoMayAdd, WhoMayPin, WhoMayEditInfo *Who

	SlowMode *time.Duration
}

// Apply changes a chat, and returns the names of the fields that are others now.
func (g *ChangeGroup) Apply(c *Chat) (fields []string) {
	set(&c.Title, g.Title, FieldTitle, &fields)
	set(&c.Description, g.Description, FieldDescription, &fields)
	set(&c.PictureID, g.PictureID, FieldPicture, &fields)
	was := c.Settings
	s := &g.Settings
	set(&c.Settings.WhoMaySend, s.WhoMaySend, "", nil)
	set(&c.Settings.WhoMayAdd, s.WhoMayAdd, "", nil)
	set(&c.Settings.WhoMayPin, s.WhoMayPin, "", nil)
	set(&c.Settings.WhoMayEditInfo, s.WhoMayEditInfo, "", nil)
	set(&c.Settings.SlowMode, s.SlowMode, "", nil)
	if c.Settings != was {
		fields = append(fields, FieldSettings)
	}
	return fields
}

// Policy reports whether the settings are to be changed, which only admins may.
func (g *ChangeGroup) Policy() bool { return g.Settings != GroupChange{} }

func set[T comparable](at, to *T, field string, changed *[]string) {
	if to == nil || *to == *at {
		return
	}
	*at = *to
	if changed != nil {
		*changed = append(*changed, field)
	}
}

// SetRole gives a member another role.
type SetRole struct {
	ChatID, ActorID, UserID string
	Role                    Role
	At                      time.Time
}

// MayGive tells whether a member may give another one, or himself, a role: admins make
// members admins, the owner whatever he likes of others, and everybody gives up what he has.
func MayGive(actor, of Member, role Role) error {
	self := actor.UserID == of.UserID
	switch {
	case of.Role == role:
		return nil
	case self && of.Role == RoleOwner:
		return ErrOwnerStays
	case self && role == RoleMember, actor.Role == RoleOwner, actor.Role == RoleAdmin && role == RoleAdmin:
		return nil
	}
	return ErrNotAnAdmin
}

// BanMember keeps somebody out of a group, and removes him if he is inside.
type BanMember struct {
	ChatID, ActorID, UserID string
	Lift                    bool // ends the ban instead; he does not come back by it
	At                      time.Time
}

// Banned is somebody who is banned from a group.
type Banned struct {
	UserID   string
	ByUserID string
	At       time.Time
}

// Invite lets people join a group who know its code.
type Invite struct {
	Code      string
	ChatID    string
	CreatedBy string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	MaxUses   int       // 0: any number
	Uses      int
}

// Counts reports whether the invite still lets somebody in.
func (i *Invite) Counts(now time.Time) bool {
	return (i.ExpiresAt.IsZero() || now.Before(i.ExpiresAt)) && (i.MaxUses == 0 || i.Uses < i.MaxUses)
}

// Join uses an invite.
type Join struct {
	Code, UserID string
	Limit        int // of present members afterwards: ErrGroupFull
	At           time.Time
}

// Joined is the outcome of a Join.
type Joined struct {
	ChatID  string
	Changed Changed // empty when he was inside
}
