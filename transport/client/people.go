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

// Presence tells whether somebody is online and when he last was, as far as one may see it.
func (c *Client) Presence(ctx context.Context, id string) (api.Presence, error) {
	return call[api.Presence](ctx, c, request{method: http.MethodGet, path: path("v1", "users", id, "presence")})
}

// Contacts returns a page of one's contacts, those whose name begins with a prefix, "" for all; cursor
// is "" or Next of the page before.
func (c *Client) Contacts(ctx context.Context, name, cursor string) (api.Page[api.Listed], error) {
	return call[api.Page[api.Listed]](ctx, c, request{method: http.MethodGet, path: path("v1", "contacts"), query: url.Values{"name": {name}, "cursor": {cursor}}})
}

// AddContact puts somebody into one's contacts.
func (c *Client) AddContact(ctx context.Context, userID string) (api.Listed, error) {
	return call[api.Listed](ctx, c, request{method: http.MethodPost, path: path("v1", "contacts"), body: api.AddPerson{UserID: userID}})
}

// RemoveContact takes somebody out of them.
func (c *Client) RemoveContact(ctx context.Context, userID string) error {
	_, err := call[none](ctx, c, request{method: http.MethodDelete, path: path("v1", "contacts", userID), repeatable: true})
	return err
}

// Blocks returns a page of those whom one has blocked.
func (c *Client) Blocks(ctx context.Context, cursor string) (api.Page[api.Listed], error) {
	return call[api.Page[api.Listed]](ctx, c, request{method: http.MethodGet, path: path("v1", "blocks"), query: url.Values{"cursor": {cursor}}})
}

// Block blocks somebody; again is fine.
func (c *Client) Block(ctx context.Context, userID string) (api.Listed, error) {
	return call[api.Listed](ctx, c, request{method: http.MethodPost, path: path("v1", "blocks"), body: api.AddPerson{UserID: userID}, repeatable: true})
}

// Unblock undoes it.
func (c *Client) Unblock(ctx context.Context, userID string) error {
	_, err := call[none](ctx, c, request{method: http.MethodDelete, path: path("v1", "blocks", userID), repeatable: true})
	return err
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
