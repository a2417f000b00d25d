package httpapi

import (
	"context"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// sessionRoutes are what one does with one's own credentials (AUTH-3, AUTH-8).
func (s *server) sessionRoutes() {
	const tag = "Authentication"
	add(s, route{call: "POST /v1/auth/logout", id: "logout", tag: tag, scope: "*",
		summary: "End the session that asks"}, s.logout)
	add(s, route{call: "POST /v1/auth/password/change", id: "changePassword", tag: tag, scope: "*",
		summary: "Change the password; ends every other session"}, s.changePassword)
	add(s, route{call: "GET /v1/auth/sessions", id: "listSessions", tag: tag, scope: "*",
		summary: "The live sessions, the most recently used first"}, s.listSessions)
	add(s, route{call: "DELETE /v1/auth/sessions", id: "revokeOtherSessions", tag: tag, scope: "*",
		summary: "End every other session"}, s.revokeOthers)
	add(s, route{call: "DELETE /v1/auth/sessions/{id}", id: "revokeSession", tag: tag, scope: "*",
		summary: "End one session"}, s.revokeSession)
	add(s, route{call: "POST /v1/admin/keys/rotate", id: "rotateKeys", tag: "Administration", scope: "admin",
		summary: "Make the announced signing key the current one, and announce the next"}, s.rotateKeys)
}

func (s *server) logout(ctx context.Context, c *call[struct{}, none]) (*reply[none], error) {
	return done(s.Auth.Revoke(ctx, c.Who.UserID, c.Who.SessionID))
}

func (s *server) changePassword(ctx context.Context, c *call[struct{}, api.ChangePassword]) (*reply[none], error) {
	return done(s.Auth.ChangePassword(ctx, c.Who, c.Body.OldPassword, c.Body.NewPassword))
}

func (s *server) listSessions(ctx context.Context, c *call[pageParams, none]) (*reply[api.Page[api.Session]], error) {
	all, err := s.Auth.Sessions(ctx, c.Who.UserID)
	if err != nil {
		return nil, err
	}
	at := func(i int) position { return position{-all[i].LastUsed.UnixMicro(), all[i].ID} }
	found, next, err := pageOf(all, at, sessionList, *c.In)
	if err != nil {
		return nil, err
	}
	items := make([]api.Session, len(found))
	for i, f := range found {
		items[i] = api.FromSession(f, c.Who.SessionID)
	}
	return ok(api.Page[api.Session]{Items: items, Next: next})
}

func (s *server) revokeOthers(ctx context.Context, c *call[struct{}, none]) (*reply[none], error) {
	return done(s.Auth.RevokeOthers(ctx, c.Who.UserID, c.Who.SessionID))
}

func (s *server) revokeSession(ctx context.Context, c *call[sessionParam, none]) (*reply[none], error) {
	return done(s.Auth.Revoke(ctx, c.Who.UserID, c.In.Session))
}

func (s *server) rotateKeys(ctx context.Context, c *call[struct{}, none]) (*reply[none], error) {
	if c.Who.Role != auth.RoleAdmin {
		return nil, ErrNotAdmin
	}
	return done(s.Auth.RotateKeys(ctx))
}
