package httpapi

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/users"
)

// peopleRoutes are profiles and finding people (USER-1, USER-2).
func (s *server) peopleRoutes() {
	const tag = "People"
	add(s, route{call: "GET /v1/me", id: "getMe", tag: tag, scope: "users:read",
		summary: "Oneself"}, s.getMe)
	add(s, route{call: "PATCH /v1/me", id: "updateMe", tag: tag, scope: "users:write",
		summary: "Change one's profile"}, s.updateMe)
	add(s, route{call: "GET /v1/me/settings", id: "getSettings", tag: tag, scope: "users:read",
		summary: "One's settings"}, s.getSettings)
	add(s, route{call: "PATCH /v1/me/settings", id: "updateSettings", tag: tag, scope: "users:write",
		summary: "Change some settings; the others stay"}, s.updateSettings)
	add(s, route{call: "GET /v1/users/{id}", id: "getUser", tag: tag, scope: "users:read",
		summary: "Somebody"}, s.getUser)
	add(s, route{call: "GET /v1/users/{id}/presence", id: "getPresence", tag: tag, scope: "users:read",
		summary: "Whether somebody is online and when he last was, as far as one may see it"}, s.getPresence)
	add(s, route{call: "GET /v1/users", id: "findUsers", tag: tag, scope: "users:read",
		summary: "Find somebody by the exact phone number or username; an empty list when nobody may be found"}, s.findUsers)
}

func (s *server) getMe(ctx context.Context, c *call[struct{}, none]) (*reply[api.User], error) {
	u, err := s.Users.User(ctx, c.Who.UserID, c.Who.UserID)
	if err != nil {
		return nil, err
	}
	return ok(api.FromUser(u, c.Who.UserID))
}

func (s *server) updateMe(ctx context.Context, c *call[struct{}, api.UpdateProfile]) (*reply[api.User], error) {
	u, err := s.Users.Update(ctx, c.Who.UserID, c.Body.Update())
	if err != nil {
		return nil, err
	}
	return ok(api.FromUser(u, c.Who.UserID))
}

func (s *server) getSettings(ctx context.Context, c *call[struct{}, none]) (*reply[api.Settings], error) {
	return settings(s.Users.Settings(ctx, c.Who.UserID))
}

func (s *server) updateSettings(ctx context.Context, c *call[struct{}, api.UpdateSettings]) (*reply[api.Settings], error) {
	return settings(s.Users.UpdateSettings(ctx, c.Who.UserID, c.Body.Update()))
}

func settings(now users.Settings, err error) (*reply[api.Settings], error) {
	if err != nil {
		return nil, err
	}
	return ok(api.FromSettings(now))
}

func (s *server) getUser(ctx context.Context, c *call[userParam, none]) (*reply[api.User], error) {
	u, err := s.Users.User(ctx, c.Who.UserID, c.In.User)
	if err != nil {
		return nil, err
	}
	return ok(api.FromUser(u, c.Who.UserID))
}

func (s *server) getPresence(ctx context.Context, c *call[userParam, none]) (*reply[api.Presence], error) {
	p, err := s.Users.Presence(ctx, c.Who.UserID, c.In.User)
	if err != nil {
		return nil, err
	}
	return ok(api.FromPresence(p))
}

func (s *server) findUsers(ctx context.Context, c *call[findParams, none]) (*reply[api.Page[api.User]], error) {
	var u users.User
	var err error
	switch p := c.In; {
	case p.Cursor != "":
		return nil, ErrInvalidCursor
	case (p.Phone == "") == (p.Username == ""):
		return nil, errs.Field("phone", "missing_parameter", "Give either phone or username.")
	case p.Phone != "":
		// An unescaped + in a query reads as a space.
		if rest, ok := strings.CutPrefix(p.Phone, " "); ok {
			p.Phone = "+" + rest
		}
		u, err = s.Users.FindByPhone(ctx, c.Who.UserID, p.Phone)
	default:
		u, err = s.Users.FindByUsername(ctx, c.Who.UserID, p.Username)
	}
	if errors.Is(err, errs.NotFound) {
		return ok(api.Page[api.User]{Items: []api.User{}})
	}
	if err != nil {
		return nil, err
	}
	return ok(api.Page[api.User]{Items: []api.User{api.FromUser(u, c.Who.UserID)}})
}

// people looks up everybody whom an answer shows, at once.
func (s *server) people(ctx context.Context, viewerID string, ids []string) (map[string]users.User, error) {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	found := make(map[string]users.User, len(ids))
	for some := range slices.Chunk(ids, api.MaxPage) {
		us, err := s.Users.Users(ctx, viewerID, some)
		if err != nil {
			return nil, err
		}
		for _, u := range us {
			found[u.UserID] = u
		}
	}
	return found, nil
}

// withPeople answers with a page of items that each show a person, as the viewer may see him.
func withPeople[T, O any](ctx context.Context, s *server, viewerID string, page messaging.Page[T], of func(T) string, show func(T, users.User) O) (*reply[api.Page[O]], error) {
	ids := make([]string, len(page.Items))
	for i, item := range page.Items {
		ids[i] = of(item)
	}
	people, err := s.people(ctx, viewerID, slices.Clone(ids))
	if err != nil {
		return nil, err
	}
	items := make([]O, len(page.Items))
	for i, item := range page.Items {
		items[i] = show(item, *api.Person(people, ids[i]))
	}
	return ok(api.Page[O]{Items: items, Next: page.Next})
}
