package httpapi

import (
	"context"
	"net/http"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// groupRoutes are GRP-1, adding, removing and leaving.
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
	ids := make([]string, len(page.Items))
	for i, m := range page.Items {
		ids[i] = m.UserID
	}
	people, err := s.people(ctx, c.Who.UserID, ids)
	if err != nil {
		return nil, err
	}
	items := make([]api.Member, len(page.Items))
	for i, m := range page.Items {
		items[i] = api.FromMember(m, *api.Person(people, m.UserID), c.Who.UserID)
	}
	return ok(api.Page[api.Member]{Items: items, Next: page.Next})
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
