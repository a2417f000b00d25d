// Package users is the people of a system as others see them: profiles with
// unique usernames, finding somebody, contacts and blocks, presence, settings, and
// who may see what of whom (SPEC USER-1 to USER-8).
//
// User ids belong to whoever authenticates people, package auth or the host: a
// profile is keyed by the same opaque id, and is made on first sight.
package users

import (
	"context"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
)

// Limits of input, in runes; ids in bytes.
const (
	MinUsername    = 3
	MaxUsername    = 50
	MaxDisplayName = 100
	MaxFullName    = 100
	MaxBio         = 500
	MaxLanguage    = 35 // a BCP 47 tag
	MaxID          = 128
)

// What can go wrong besides faults of single fields.
var (
	ErrUserNotFound  = errs.New(errs.NotFound, "user_not_found", "This person does not exist.")
	ErrUsernameTaken = errs.New(errs.Conflict, "username_taken", "This username is taken.").With("field", "username")
	ErrChanged       = errs.New(errs.Conflict, "profile_changed", "The profile was changed meanwhile.")
	ErrBlocked       = errs.New(errs.Forbidden, "blocked", "This person has blocked you.")
	ErrContact       = errs.New(errs.Conflict, "already_a_contact", "This person is among your contacts already.")
	ErrTooMany       = errs.New(errs.Conflict, "too_many_people", "There is no room for more people in this list.")
	ErrOneself       = errs.Field("userId", "invalid_user", "This is about somebody else than oneself.")
	ErrCursor        = errs.Field("cursor", "invalid_cursor", "This cursor does not belong to this list.")
	ErrLimit         = errs.Field("limit", "invalid_limit", "A page has 1 to 200 items.")
	ErrUsername      = errs.Field("username", "invalid_username", "A username has 3 to 50 letters, digits, _ and ., and not digits alone.")
)

// Profile is what a person shows.
type Profile struct {
	UserID      string
	Username    string // as the owner writes it; "" when none
	DisplayName string
	FullName    string
	Bio         string
	PictureID   string // a media id
	Language    string // BCP 47
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// User is a profile as one viewer may see it: PictureID is "" where the person
// does not show it to him.
type User struct {
	Profile
	Phone   string   // E.164; for oneself and whom the person has in contacts (USER-5)
	Account *Account // only for oneself; nil for others and where the host identifies people
	// Presence is what the viewer may see of it; nil where it was not asked for: Users leaves it out.
	Presence *Presence
}

// Account is what the authenticating side knows of a person.
type Account struct {
	Phone     string // E.164
	Email     string
	Role      string
	Active    bool
	Verified  bool // the phone number or e-mail address was proven
	LastLogin time.Time
}

// Directory is what this package asks of whoever authenticates people. A host
// with its own identity may leave it out.
type Directory interface {
	// Account returns what is known of a user; errs.NotFound.
	Account(ctx context.Context, userID string) (Account, error)
	// ByPhone returns the user with that number, in any notation a region-less
	// parser takes; errs.NotFound, or an Invalid error for what is no number.
	ByPhone(ctx context.Context, number string) (userID string, err error)
	// Phones returns the numbers, in E.164, of those of the ids that have one. At most MaxIDs ids.
	Phones(ctx context.Context, ids []string) (map[string]string, error)
}

// Service is what transports and host programs call. All methods are safe for
// concurrent use; the viewer is trusted to be authenticated.
type Service interface {
	// Ensure makes a profile for a user id on first sight; a known one is left alone.
	Ensure(ctx context.Context, userID string) error
	// Check validates names as Create does, and stores nothing.
	Check(username, displayName string) error
	// Create makes the profile of a new account, under a username if not "".
	// The same call again succeeds. ErrUsernameTaken, and input faults.
	Create(ctx context.Context, userID, username, displayName string) error
	// User returns a person as the viewer may see him; ErrUserNotFound.
	User(ctx context.Context, viewerID, userID string) (User, error)
	// Users returns those of the ids that exist, in any order. At most 200 ids.
	Users(ctx context.Context, viewerID string, ids []string) ([]User, error)
	// FindByUsername and FindByPhone find one person exactly; ErrUserNotFound, also for
	// who does not wish to be found so, or has blocked the viewer.
	FindByUsername(ctx context.Context, viewerID, username string) (User, error)
	FindByPhone(ctx context.Context, viewerID, number string) (User, error)
	// Update changes one's own profile; nil fields stay.
	Update(ctx context.Context, userID string, u Update) (User, error)
	// Settings returns what a person has chosen, over the host's defaults (USER-8).
	Settings(ctx context.Context, userID string) (Settings, error)
	// UpdateSettings changes the settings that u names, all of them or none: an error
	// names the first that has no such value. Concurrent changes of different settings all survive.
	UpdateSettings(ctx context.Context, userID string, u SettingsUpdate) (Settings, error)

	// AddContact puts somebody into one's contacts, who then sees one's phone number
	// (USER-3, USER-5). A key, "" or of the caller's choice, makes a retry succeed: created
	// is false. ErrContact, ErrUserNotFound, ErrOneself, ErrBlocked, ErrTooMany above MaxContacts.
	AddContact(ctx context.Context, userID, contactID, key string) (c Listed, created bool, err error)
	// RemoveContact takes somebody out; who was not there is no error.
	RemoveContact(ctx context.Context, userID, contactID string) error
	// Contacts lists one's contacts by user id ascending.
	Contacts(ctx context.Context, userID string, r List) (Page, error)
	// Block keeps somebody from writing to one in a direct chat, from adding and inviting one, from finding
	// one, and from one's phone number, picture and presence (USER-4). It takes effect before it
	// returns; groups that both are in stay as they are. Blocking again succeeds: created is false.
	// ErrUserNotFound, ErrOneself, ErrTooMany above MaxBlocks.
	Block(ctx context.Context, userID, blockedID string) (b Listed, created bool, err error)
	// Unblock undoes it; who was not blocked is no error.
	Unblock(ctx context.Context, userID, blockedID string) error
	// Blocks lists whom one has blocked by user id ascending.
	Blocks(ctx context.Context, userID string, r List) (Page, error)

	// Presence tells whether a person is online and when he last was, as far as the
	// viewer may see it (USER-7); ErrUserNotFound.
	Presence(ctx context.Context, viewerID, userID string) (Presence, error)

	// Missing returns those of the ids that no user has, in the order given.
	Missing(ctx context.Context, ids []string) ([]string, error)
	// IDByUsername returns the id for a username, in any case and width; ErrUserNotFound.
	IDByUsername(ctx context.Context, username string) (string, error)
}

// Update names the fields of a profile to change. An empty string clears the
// field, but a username, once there, can only be replaced, and a display name is never blank.
type Update struct {
	Username    *string
	DisplayName *string
	FullName    *string
	Bio         *string
	PictureID   *string
	Language    *string
}

// Publisher is told what has changed, for a person's own devices. It must not block.
type Publisher interface {
	// SettingsChanged tells the settings as they stand now, and the place in his own sequence.
	SettingsChanged(userID string, seq int64, at time.Time, now Settings)
	// RelationChanged tells that a relation stands now, or no longer, and the place in its owner's own sequence.
	RelationChanged(r Relation, stands bool, seq int64)
}

// Lookup tells which user ids exist, for a host with its own identity. Without
// one every well-formed id does (AUTH-14).
type Lookup func(ctx context.Context, ids []string) (existing []string, err error)
