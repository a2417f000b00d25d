package httpapi

import (
	"context"
	"net/http"

	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/users"
)

// relationRoutes are contacts and blocks (USER-3, USER-4).
func (s *server) relationRoutes() {
	const tag = "People"
	add(s, route{call: "GET /v1/contacts", id: "listContacts", tag: tag, scope: "users:read",
		summary: "One's contacts, by user id"}, s.listContacts)
	add(s, route{call: "POST /v1/contacts", id: "addContact", tag: tag, scope: "users:write",
		status: http.StatusCreated, also: http.StatusOK,
		summary: "Put somebody into one's contacts; 200 for an Idempotency-Key that was used"}, s.addContact)
	add(s, route{call: "DELETE /v1/contacts/{userId}", id: "removeContact", tag: tag, scope: "users:write",
		summary: "Take somebody out of one's contacts, if he is there"}, s.removeContact)
	add(s, route{call: "GET /v1/blocks", id: "listBlocks", tag: tag, scope: "users:read",
		summary: "Whom one has blocked, by user id"}, s.listBlocks)
	add(s, route{call: "POST /v1/blocks", id: "block", tag: tag, scope: "users:write",
		status: http.StatusCreated, also: http.StatusOK,
		summary: "Block somebody; 200 where he was"}, s.block)
	add(s, route{call: "DELETE /v1/blocks/{userId}", id: "unblock", tag: tag, scope: "users:write",
		summary: "Unblock somebody, if he is blocked"}, s.unblock)
}

func (s *server) listContacts(ctx context.Context, c *call[contactParams, none]) (*reply[api.Page[api.Listed]], error) {
	page, err := s.Users.Contacts(ctx, c.Who.UserID, users.List{Limit: c.In.Limit, Cursor: c.In.Cursor, Name: c.In.Name})
	return listed(page, c.Who.UserID, err)
}

func (s *server) addContact(ctx context.Context, c *call[createParams, api.AddPerson]) (*reply[api.Listed], error) {
	key, err := keyClientID("addContact", c.In.Key)
	if err != nil {
		return nil, err
	}
	l, created, err := s.Users.AddContact(ctx, c.Who.UserID, c.Body.UserID, key)
	if err != nil {
		return nil, err
	}
	return made(api.FromListed(l, c.Who.UserID), created)
}

func (s *server) removeContact(ctx context.Context, c *call[personParam, none]) (*reply[none], error) {
	return done(s.Users.RemoveContact(ctx, c.Who.UserID, c.In.User))
}

func (s *server) listBlocks(ctx context.Context, c *call[pageParams, none]) (*reply[api.Page[api.Listed]], error) {
	page, err := s.Users.Blocks(ctx, c.Who.UserID, users.List{Limit: c.In.Limit, Cursor: c.In.Cursor})
	return listed(page, c.Who.UserID, err)
}

func (s *server) block(ctx context.Context, c *call[createParams, api.AddPerson]) (*reply[api.Listed], error) {
	l, created, err := s.Users.Block(ctx, c.Who.UserID, c.Body.UserID)
	if err != nil {
		return nil, err
	}
	return made(api.FromListed(l, c.Who.UserID), created)
}

func (s *server) unblock(ctx context.Context, c *call[personParam, none]) (*reply[none], error) {
	return done(s.Users.Unblock(ctx, c.Who.UserID, c.In.User))
}

func listed(page users.Page, viewerID string, err error) (*reply[api.Page[api.Listed]], error) {
	if err != nil {
		return nil, err
	}
	items := make([]api.Listed, len(page.Items))
	for i, l := range page.Items {
		items[i] = api.FromListed(l, viewerID)
	}
	return ok(api.Page[api.Listed]{Items: items, Next: page.Next})
}
