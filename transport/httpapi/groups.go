package httpapi

import (
	"context"
	"net/http"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/users"
)

// groupRoutes are GRP-1 to GRP-3, without requests to join.
func (s *server) groupRoutes() {
	const tag, group = "Groups", "/v1/groups/{chat}"
	add(s, route{call: "POST /v1/groups", id: "createGroup", tag: tag, scope: "groups:write",
		status: http.StatusCreated, also: http.StatusOK,
		summary: "Make a group; 200 and the first one for an Idempotency-Key that was used"}, s.createGroup)
	add(s, route{call: "GET " + group, id: "getGroup", tag: tag, scope: "messages:read",
		summary: "One group"}, s.getGroup)
	add(s, route{call: "GET " + group + "/members", id: "listMembers", tag: tag, scope: "messages:read",
		summary: "The members, by user id"}, s.listMembers)
	add(s, route{call: "POST " + group + "/members", id: "addMembers", tag: tag, scope: "groups:write",
		summary: "Add people; those inside already are passed over"}, s.addMembers)
	add(s, route{call: "DELETE " + group + "/members/{user}", id: "removeMember", tag: tag, scope: "groups:write",
		summary: "Remove a member"}, s.removeMember)
	add(s, route{call: "POST " + group + "/leave", id: "leaveGroup", tag: tag, scope: "groups:write",
		summary: "Leave a group"}, s.leaveGroup)
	add(s, route{call: "PATCH " + group, id: "updateGroup", tag: tag, scope: "groups:write",
		summary: "Change a group's name, description, picture and settings"}, s.updateGroup)
	add(s, route{call: "PATCH " + group + "/members/{user}", id: "setRole", tag: tag, scope: "groups:write",
		summary: "Promote or demote a member, or make him the owner in one's place"}, s.setRole)
	add(s, route{call: "GET " + group + "/bans", id: "listBans", tag: tag, scope: "messages:read",
		summary: "Who is banned, by user id; for admins"}, s.listBans)
	add(s, route{call: "POST " + group + "/bans", id: "ban", tag: tag, scope: "groups:write",
		summary: "Ban somebody, who is removed if he is inside"}, s.ban)
	add(s, route{call: "DELETE " + group + "/bans/{user}", id: "unban", tag: tag, scope: "groups:write",
		summary: "Lift a ban, if there is one"}, s.unban)
	add(s, route{call: "GET " + group + "/invites", id: "listInvites", tag: tag, scope: "messages:read",
		summary: "The invitations that count, the newest first"}, s.listInvites)
	add(s, route{call: "POST " + group + "/invites", id: "createInvite", tag: tag, scope: "groups:write",
		status: http.StatusCreated, summary: "Make an invitation; the same Idempotency-Key again answers with the first"}, s.createInvite)
	add(s, route{call: "DELETE " + group + "/invites/{code}", id: "revokeInvite", tag: tag, scope: "groups:write",
		summary: "Revoke an invitation"}, s.revokeInvite)
	add(s, route{call: "POST /v1/invites/{code}", id: "joinGroup", tag: tag, scope: "groups:write",
		summary: "Join a group by an invitation"}, s.joinGroup)
}

func (s *server) createGroup(ctx context.Context, c *call[createParams, api.CreateGroup]) (*reply[api.Chat], error) {
	key, err := keyClientID("createGroup", c.In.Key)
	if err != nil {
		return nil, err
	}
	view, created, err := s.Groups.Create(ctx, messaging.NewGroup{
		CreatorID: c.Who.UserID, Title: c.Body.Name, Description: c.Body.Description, MemberIDs: c.Body.MemberIDs, ClientID: key,
	})
	return s.showChat(ctx, view, created, err)
}

func (s *server) getGroup(ctx context.Context, c *call[chatParam, none]) (*reply[api.Chat], error) {
	view, err := s.Groups.Group(ctx, c.Who.UserID, c.In.Chat)
	return s.showChat(ctx, view, false, err)
}

func (s *server) listMembers(ctx context.Context, c *call[memberParams, none]) (*reply[api.Page[api.Member]], error) {
	page, err := s.Groups.Members(ctx, c.Who.UserID, c.In.Chat, messaging.List{Limit: c.In.Limit, Cursor: c.In.Cursor})
	if err != nil {
		return nil, err
	}
	return withPeople(ctx, s, c.Who.UserID, page, func(m messaging.Member) string { return m.UserID }, func(m messaging.Member, u users.User) api.Member {
		return api.FromMember(m, u, c.Who.UserID)
	})
}

func (s *server) addMembers(ctx context.Context, c *call[chatParam, api.AddMembers]) (*reply[none], error) {
	return done(s.Groups.Add(ctx, c.Who.UserID, c.In.Chat, c.Body.UserIDs))
}

func (s *server) removeMember(ctx context.Context, c *call[memberParam, none]) (*reply[none], error) {
	return done(s.Groups.Remove(ctx, c.Who.UserID, c.In.Chat, c.In.User))
}

func (s *server) leaveGroup(ctx context.Context, c *call[chatParam, none]) (*reply[none], error) {
	return done(s.Groups.Leave(ctx, c.Who.UserID, c.In.Chat))
}

func (s *server) updateGroup(ctx context.Context, c *call[chatParam, api.UpdateGroup]) (*reply[api.Chat], error) {
	view, err := s.Groups.Change(ctx, c.Body.Change(c.Who.UserID, c.In.Chat))
	return s.showChat(ctx, view, false, err)
}

func (s *server) setRole(ctx context.Context, c *call[memberParam, api.SetRole]) (*reply[none], error) {
	return done(s.Groups.SetRole(ctx, c.Who.UserID, c.In.Chat, c.In.User, messaging.Role(c.Body.Role)))
}

func (s *server) listBans(ctx context.Context, c *call[memberParams, none]) (*reply[api.Page[api.Banned]], error) {
	page, err := s.Groups.Bans(ctx, c.Who.UserID, c.In.Chat, messaging.List{Limit: c.In.Limit, Cursor: c.In.Cursor})
	if err != nil {
		return nil, err
	}
	return withPeople(ctx, s, c.Who.UserID, page, func(b messaging.Banned) string { return b.UserID }, func(b messaging.Banned, u users.User) api.Banned {
		return api.FromBanned(b, u, c.Who.UserID)
	})
}

func (s *server) ban(ctx context.Context, c *call[chatParam, api.BanMember]) (*reply[none], error) {
	return done(s.Groups.Ban(ctx, c.Who.UserID, c.In.Chat, c.Body.UserID))
}

func (s *server) unban(ctx context.Context, c *call[memberParam, none]) (*reply[none], error) {
	return done(s.Groups.Unban(ctx, c.Who.UserID, c.In.Chat, c.In.User))
}

func (s *server) listInvites(ctx context.Context, c *call[memberParams, none]) (*reply[api.Page[api.Invite]], error) {
	all, err := s.Groups.Invites(ctx, c.Who.UserID, c.In.Chat)
	if err != nil {
		return nil, err
	}
	at := func(i int) position { return position{-all[i].CreatedAt.UnixMicro(), all[i].Code} }
	found, next, err := pageOf(all, at, inviteList, pageParams{Limit: c.In.Limit, Cursor: c.In.Cursor})
	if err != nil {
		return nil, err
	}
	items := make([]api.Invite, len(found))
	for i, f := range found {
		items[i] = api.FromInvite(f)
	}
	return ok(api.Page[api.Invite]{Items: items, Next: next})
}

func (s *server) createInvite(ctx context.Context, c *call[inviteParams, api.CreateInvite]) (*reply[api.Invite], error) {
	key, err := keyClientID("createInvite", c.In.Key)
	if err != nil {
		return nil, err
	}
	r, err := c.Body.Invite(c.Who.UserID, c.In.Chat, key, s.Now())
	if err != nil {
		return nil, err
	}
	i, err := s.Groups.Invite(ctx, r)
	if err != nil {
		return nil, err
	}
	return made(api.FromInvite(i), true)
}

func (s *server) revokeInvite(ctx context.Context, c *call[codeParams, none]) (*reply[none], error) {
	return done(s.Groups.Revoke(ctx, c.Who.UserID, c.In.Chat, c.In.Code))
}

func (s *server) joinGroup(ctx context.Context, c *call[codeParam, none]) (*reply[api.Chat], error) {
	view, err := s.Groups.Join(ctx, c.Who.UserID, c.In.Code)
	return s.showChat(ctx, view, false, err)
}
