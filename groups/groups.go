// Package groups is policy over group chats: making and changing them, who may add,
// remove and leave, roles, bans and invites (SPEC section 4). Membership itself is messaging's, changed
// under the lock of the chat, so that no message slips past a removal.
package groups

import (
	"context"

	"github.com/wigwag-chat/wigwag/messaging"
)

// Service is what transports and host programs call. All methods are safe for
// concurrent use; the acting user comes first and is trusted to be authenticated.
// A chat that is no group, or not his, is messaging.ErrChatNotFound.
type Service interface {
	// Create makes a group; see messaging.Service.CreateGroup (GRP-1).
	Create(ctx context.Context, r messaging.NewGroup) (chat messaging.ChatView, created bool, err error)
	// Group returns a group as a member sees it.
	Group(ctx context.Context, userID, chatID string) (messaging.ChatView, error)
	// Members lists the present members by user id.
	Members(ctx context.Context, userID, chatID string, r messaging.List) (messaging.Page[messaging.Member], error)
	// Add adds 1 to messaging.MaxMembersCall people; only admins may. Those inside already are
	// passed over; when one is unknown nobody is added, and the error names him.
	Add(ctx context.Context, userID, chatID string, memberIDs []string) error
	// Remove removes a member: admins remove members, the owner everybody; oneself: leaves.
	Remove(ctx context.Context, userID, chatID, memberID string) error
	// Leave ends one's own membership. An owner hands over to the admin, else the
	// member, who joined first; when nobody is left the group is closed.
	Leave(ctx context.Context, userID, chatID string) error

	// Change changes the name, the description, the picture and the settings (GRP-3); see
	// messaging.Service.ChangeGroup.
	Change(ctx context.Context, g messaging.ChangeGroup) (messaging.ChatView, error)
	// SetRole gives a member a role: admins make members admins, the owner whatever he likes of others;
	// messaging.RoleOwner hands the group over, and the former owner is an admin. Everybody but the owner may step down.
	SetRole(ctx context.Context, userID, chatID, memberID string, role messaging.Role) error
	// Ban removes somebody, if he is inside, and keeps him out until Unban; Bans lists them to admins.
	Ban(ctx context.Context, userID, chatID, memberID string) error
	Unban(ctx context.Context, userID, chatID, memberID string) error
	Bans(ctx context.Context, userID, chatID string, r messaging.List) (messaging.Page[messaging.Banned], error)
	// Invite makes an invite, Invites lists those that count, Revoke ends one: for who may add members.
	Invite(ctx context.Context, r messaging.NewInvite) (messaging.Invite, error)
	Invites(ctx context.Context, userID, chatID string) ([]messaging.Invite, error)
	Revoke(ctx context.Context, userID, chatID, code string) error
	// Join makes the user a member by an invite's code; who is inside stays.
	Join(ctx context.Context, userID, code string) (messaging.ChatView, error)
}
