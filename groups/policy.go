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

// groupOnly hides that a chat exists that is no group.
func groupOnly(err error) error {
	if errors.Is(err, messaging.ErrNotAGroup) {
		return messaging.ErrChatNotFound
	}
	return err
}
