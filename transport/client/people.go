package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/wigwag-chat/wigwag/transport/api"
)

// Me returns oneself.
func (c *Client) Me(ctx context.Context) (api.User, error) {
	return call[api.User](ctx, c, request{method: http.MethodGet, path: path("v1", "me")})
}

// UpdateMe changes one's profile; nil fields stay.
func (c *Client) UpdateMe(ctx context.Context, body api.UpdateProfile) (api.User, error) {
	return call[api.User](ctx, c, request{method: http.MethodPatch, path: path("v1", "me"), body: body, repeatable: true})
}

// Settings returns one's settings.
func (c *Client) Settings(ctx context.Context) (api.Settings, error) {
	return call[api.Settings](ctx, c, request{method: http.MethodGet, path: path("v1", "me", "settings")})
}

// UpdateSettings changes some of one's settings; nil fields stay.
func (c *Client) UpdateSettings(ctx context.Context, body api.UpdateSettings) (api.Settings, error) {
	return call[api.Settings](ctx, c, request{method: http.MethodPatch, path: path("v1", "me", "settings"), body: body, repeatable: true})
}

// User returns somebody.
func (c *Client) User(ctx context.Context, id string) (api.User, error) {
	return call[api.User](ctx, c, request{method: http.MethodGet, path: path("v1", "users", id)})
}

// FindByPhone finds somebody by the whole phone number; an empty list when nobody may be found.
func (c *Client) FindByPhone(ctx context.Context, number string) ([]api.User, error) {
	return c.find(ctx, url.Values{"phone": {number}})
}

// FindByUsername finds somebody by the whole username; an empty list when nobody may be found.
func (c *Client) FindByUsername(ctx context.Context, username string) ([]api.User, error) {
	return c.find(ctx, url.Values{"username": {username}})
}

func (c *Client) find(ctx context.Context, query url.Values) ([]api.User, error) {
	p, err := call[api.Page[api.User]](ctx, c, request{method: http.MethodGet, path: path("v1", "users"), query: query})
	return p.Items, err
}
