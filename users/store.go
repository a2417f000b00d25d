package users

import (
	"context"
	"time"
)

// StoredProfile is a profile with the key under which its username is unique.
type StoredProfile struct {
	Profile
	UsernameKey string // folded username; "" when none, and then not unique
}

// Store keeps profiles. Every method is atomic and safe for concurrent use; a
// write returns after it is durable. Input was validated by the service; ids and
// keys are compared byte by byte, times are UTC in whole microseconds.
type Store interface {
	// Create stores a profile unless its id has one; created tells. Of
	// concurrent claims of one UsernameKey exactly one wins, the others get ErrUsernameTaken.
	Create(ctx context.Context, p StoredProfile) (created bool, err error)
	// Replace stores a profile over the one with the same id, if that one's
	// UpdatedAt is still the one given (compare and swap); else ErrChanged.
	// CreatedAt stays. ErrUserNotFound, ErrUsernameTaken.
	Replace(ctx context.Context, p StoredProfile, readAt time.Time) error
	// Profiles returns those of the ids that exist, by id ascending. At most 1,000 ids.
	Profiles(ctx context.Context, ids []string) ([]StoredProfile, error)
	// ByUsername returns the profile with that key; ErrUserNotFound.
	ByUsername(ctx context.Context, key string) (StoredProfile, error)

	// Settings returns what people have chosen, by user id, then by name ascending. At most 1,000 ids.
	Settings(ctx context.Context, ids []string) ([]Setting, error)
	// SaveSettings stores settings of one person, with distinct names; others of his stay, also
	// those that concurrent calls store. It takes a place in his own sequence (the one of
	// messaging.Store, type "settings"), which it returns; when nothing changes it takes none: 0.
	SaveSettings(ctx context.Context, userID string, changes []Setting, at time.Time) (seq int64, err error)

	// Relate stores a relation unless it stands, and returns the one that stands now. It takes a
	// place in the owner's own sequence ("contact.added", "block.added"), which it returns; where it stood
	// already, 0. ErrTooMany, and nothing stored, when the owner would have more than most of the kind.
	//
	// From the moment that Relate of a KindBlock returns, messaging.Store refuses what the
	// blocked one sends or edits in the direct chat of the two, chats and groups that he makes with the owner, and
	// his adding the owner to groups, by its ErrBlocked.
	Relate(ctx context.Context, r Relation, most int) (stands Relation, seq int64, err error)
	// Unrelate ends a relation; r.At is when. It takes a place ("contact.removed",
	// "block.removed"), which it returns; where there was none, 0.
	Unrelate(ctx context.Context, r Relation) (seq int64, err error)
	// Relations lists those of an owner of one kind, by user id ascending, from after (exclusive).
	// The limit is from 1 to MaxPage+1.
	Relations(ctx context.Context, ownerID string, kind RelationKind, after string, limit int) ([]Relation, error)
	// Between returns all relations, in both directions, of a person to any of the others, by owner, user
	// and kind ascending. At most 1,000 others.
	Between(ctx context.Context, userID string, others []string) ([]Relation, error)
	// Owners returns who has a relation of one kind to a user, ascending, from after
	// (exclusive). The limit is from 1 to 1,000.
	Owners(ctx context.Context, userID string, kind RelationKind, after string, limit int) ([]string, error)

	// Announce says which users are connected to a node, and prolongs its lease in the store's own
	// time: the users of a node whose lease has ended are not online there. A node that
	// has no lease gets one, and Fresh tells that not all is known that it said before. Presences
	// are stored at a.At where a user goes offline. It returns those users who went online or
	// offline by it, ascending.
	Announce(ctx context.Context, a Announcement) (Announced, error)
	// Sweep forgets nodes whose lease has ended, up to limit users at once, and returns those who went
	// offline by it, ascending; they were last seen when their node announced last. more
	// tells that there is more to forget. A node of which anything was forgotten is Fresh when it announces again.
	Sweep(ctx context.Context, limit int) (changed []string, more bool, err error)
	// Presences returns what is known of those of the ids of whom anything is, by id ascending. At most 1,000 ids.
	Presences(ctx context.Context, ids []string) ([]Presence, error)
	// Viewing returns those of the ids who have a chat on screen, on a node whose lease lives, ascending. At
	// most 1,000 ids.
	Viewing(ctx context.Context, chatID string, ids []string) ([]string, error)
}
