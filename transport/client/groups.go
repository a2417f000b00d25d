package client

import (
	"context"
	"crypto/rand"
	"net/http"

	"github.com/wigwag-chat/wigwag/transport/api"
)

// CreateGroup makes a group with oneself as owner.
func (c *Client) CreateGroup(ctx context.Context, body api.CreateGroup) (api.Chat, error) {
	return call[api.Chat](ctx, c, request{method: http.MethodPost, path: path("v1", "groups"), body: body, key: rand.Text(), repeatable: true})
}

// Group returns one group.
func (c *Client) Group(ctx context.Context, chatID string) (api.Chat, error) {
	return call[api.Chat](ctx, c, request{method: http.MethodGet, path: path("v1", "groups", chatID)})
}

// Members lists a group's members by user id.
func (c *Client) Members(ctx context.Context, chatID string, l List) (api.Page[api.Member], error) {
	return call[api.Page[api.Member]](ctx, c, request{method: http.MethodGet, path: path("v1", "groups", chatID, "members"), query: l.query()})
}

// AddMembers adds people to a group; those inside already are passed over.
func (c *Client) AddMembers(ctx context.Context, chatID string, userIDs ...string) error {
	_, err := call[none](ctx, c, request{method: http.MethodPost, path: path("v1", "groups", chatID, "members"), body: api.AddMembers{UserIDs: userIDs}, repeatable: true})
	return err
}

// RemoveMember removes a member from a group.
func (c *Client) RemoveMember(ctx context.Context, chatID, userID string) error {
	_, err := call[none](ctx, c, request{method: http.MethodDelete, path: path("v1", "groups", chatID, "members", userID)})
	return err
}

// LeaveGroup ends one's own membership.
func (c *Client) LeaveGroup(ctx context.Context, chatID string) error {
	_, err := call[none](ctx, c, request{method: http.MethodPost, path: path("v1", "groups", chatID, "leave")})
	return err
}
