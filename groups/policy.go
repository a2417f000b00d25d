package groups

import (
	"context"
	"errors"

	"github.com/wigwag-chat/wigwag/messaging"
)

// Config is what a Policy stands on.
type Config struct {
	Messaging messaging.Service // required
}

// Policy is the Service over a messaging.Service. It keeps nothing itself.
type Policy struct{ chats messaging.Service }

var _ Service = (*Policy)(nil)

// New makes a Policy, or says what is missing in the Config.
func New(c Config) (*Policy, error) {
	if c.Messaging == nil {
		return nil, errors.New("groups: Config.Messaging is required")
	}
	return &Policy{chats: c.Messaging}, nil
}

// Create implements Service.
func (p *Policy) Create(ctx context.Context, r messaging.NewGroup) (messaging.ChatView, bool, error) {
	return p.chats.CreateGroup(ctx, r)
}

// Group implements Service.
func (p *Policy) Group(ctx context.Context, userID, chatID string) (messaging.ChatView, error) {
	view, err := p.chats.Chat(ctx, userID, chatID)
	if err == nil && view.Kind != messaging.Group {
		return messaging.ChatView{}, messaging.ErrChatNotFound
	}
	return view, err
}

// Members implements Service.
func (p *Policy) Members(ctx context.Context, userID, chatID string, r messaging.List) (messaging.Page[messaging.Member], error) {
	if _, err := p.Group(ctx, userID, chatID); err != nil {
		return messaging.Page[messaging.Member]{}, err
	}
	return p.chats.Members(ctx, userID, chatID, r)
}

// Add implements Service.
func (p *Policy) Add(ctx context.Context, userID, chatID string, memberIDs []string) error {
	return groupOnly(p.chats.AddMembers(ctx, userID, chatID, memberIDs))
}

// Remove implements Service.
func (p *Policy) Remove(ctx context.Context, userID, chatID, memberID string) error {
	return groupOnly(p.chats.RemoveMember(ctx, userID, chatID, memberID))
}

// Leave implements Service.
func (p *Policy) Leave(ctx context.Context, userID, chatID string) error {
	return p.Remove(ctx, userID, chatID, userID)
}

// Change implements Service.
func (p *Policy) Change(ctx context.Context, g messaging.ChangeGroup) (messaging.ChatView, error) {
	view, err := p.chats.ChangeGroup(ctx, g)
	return view, groupOnly(err)
}

// SetRole implements Service.
func (p *Policy) SetRole(ctx context.Context, userID, chatID, memberID string, role messaging.Role) error {
	return groupOnly(p.chats.SetRole(ctx, userID, chatID, memberID, role))
}

// Ban implements Service.
func (p *Policy) Ban(ctx context.Context, userID, chatID, memberID string) error {
	return groupOnly(p.chats.Ban(ctx, userID, chatID, memberID))
}

// Unban implements Service.
func (p *Policy) Unban(ctx context.Context, userID, chatID, memberID string) error {
	return groupOnly(p.chats.Unban(ctx, userID, chatID, memberID))
}

// Bans implements Service.
func (p *Policy) Bans(ctx context.Context, userID, chatID string, r messaging.List) (messaging.Page[messaging.Banned], error) {
	if _, err := p.Group(ctx, userID, chatID); err != nil {
		return messaging.Page[messaging.Banned]{}, err
	}
	return p.chats.Bans(ctx, userID, chatID, r)
}

// Invite implements Service.
func (p *Policy) Invite(ctx context.Context, r messaging.NewInvite) (messaging.Invite, error) {
	i, err := p.chats.CreateInvite(ctx, r)
	return i, groupOnly(err)
}

// Invites implements Service.
func (p *Policy) Invites(ctx context.Context, userID, chatID string) ([]messaging.Invite, error) {
	all, err := p.chats.Invites(ctx, userID, chatID)
	return all, groupOnly(err)
}

// Revoke implements Service.
func (p *Policy) Revoke(ctx context.Context, userID, chatID, code string) error {
	return groupOnly(p.chats.RevokeInvite(ctx, userID, chatID, code))
}

// Join implements Service.
func (p *Policy) Join(ctx context.Context, userID, code string) (messaging.ChatView, error) {
	return p.chats.Join(ctx, userID, code)
}

// groupOnly hides that a chat exists that is no group.
func groupOnly(err error) error {
	if errors.Is(err, messaging.ErrNotAGroup) {
		return messaging.ErrChatNotFound
	}
	return err
}
