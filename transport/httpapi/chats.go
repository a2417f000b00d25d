package httpapi

import (
	"context"
	"net/http"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// chatRoutes are chats, positions in them, and catching up (MSG-1, MSG-5, MSG-13, MSG-14).
func (s *server) chatRoutes() {
	const tag = "Chats"
	add(s, route{call: "POST /v1/chats/direct", id: "openDirect", tag: tag, scope: "messages:write",
		status: http.StatusCreated, also: http.StatusOK,
		summary: "The direct chat with somebody, made if need be"}, s.openDirect)
	add(s, route{call: "GET /v1/chats", id: "listChats", tag: tag, scope: "messages:read",
		summary: "One's chats, the most recently active first"}, s.listChats)
	add(s, route{call: "GET /v1/chats/{chat}", id: "getChat", tag: tag, scope: "messages:read",
		summary: "One chat"}, s.getChat)
	add(s, route{call: "POST /v1/chats/{chat}/read", id: "markRead", tag: tag, scope: "messages:write",
		summary: "Everything up to here was read"}, s.mark(true))
	add(s, route{call: "POST /v1/chats/{chat}/delivered", id: "markDelivered", tag: tag, scope: "messages:write",
		summary: "Everything up to here has reached a device"}, s.mark(false))
	add(s, route{call: "PATCH /v1/chats/{chat}/preferences", id: "setPreferences", tag: tag, scope: "messages:write",
		summary: "Mute, archive, pin or mark a chat as unread, for oneself"}, s.setPreferences)
	if s.Typing != nil {
		add(s, route{call: "POST /v1/chats/{chat}/typing", id: "typing", tag: tag, scope: "messages:write",
			summary: "One is writing, or has stopped"}, s.typing)
	}
	add(s, route{call: "POST /v1/sync", id: "sync", tag: tag, scope: "messages:read",
		summary: "What a client's cursor misses"}, s.sync)
}

func (s *server) openDirect(ctx context.Context, c *call[struct{}, api.OpenDirect]) (*reply[api.Chat], error) {
	view, created, err := s.Messaging.OpenDirect(ctx, c.Who.UserID, c.Body.UserID)
	return s.showChat(ctx, view, created, err)
}

func (s *server) getChat(ctx context.Context, c *call[chatParam, none]) (*reply[api.Chat], error) {
	view, err := s.Messaging.Chat(ctx, c.Who.UserID, c.In.Chat)
	return s.showChat(ctx, view, false, err)
}

// showChat answers with one chat.
func (s *server) showChat(ctx context.Context, v messaging.ChatView, isNew bool, err error) (*reply[api.Chat], error) {
	if err != nil {
		return nil, err
	}
	chats, err := s.chats(ctx, v.Own.UserID, []messaging.ChatView{v})
	if err != nil {
		return nil, err
	}
	return made(chats[0], isNew)
}

func (s *server) listChats(ctx context.Context, c *call[chatListParams, none]) (*reply[api.Page[api.Chat]], error) {
	page, err := s.Messaging.Chats(ctx, c.Who.UserID, messaging.List{Limit: c.In.Limit, Cursor: c.In.Cursor, Archived: c.In.Archived.pointer()})
	if err != nil {
		return nil, err
	}
	chats, err := s.chats(ctx, c.Who.UserID, page.Items)
	if err != nil {
		return nil, err
	}
	return ok(api.Page[api.Chat]{Items: chats, Next: page.Next})
}

// chats converts chats with the other ones of the direct ones among them.
func (s *server) chats(ctx context.Context, viewerID string, views []messaging.ChatView) ([]api.Chat, error) {
	var ids []string
	for _, v := range views {
		if v.PeerID != "" {
			ids = append(ids, v.PeerID)
		}
	}
	people, err := s.people(ctx, viewerID, ids)
	if err != nil {
		return nil, err
	}
	chats := make([]api.Chat, len(views))
	for i, v := range views {
		chats[i] = api.FromChat(v, api.Person(people, v.PeerID))
	}
	return chats, nil
}

func (s *server) mark(read bool) handler[chatParam, api.MarkSeen, none] {
	return func(ctx context.Context, c *call[chatParam, api.MarkSeen]) (*reply[none], error) {
		r := messaging.MarkRequest{UserID: c.Who.UserID, ChatID: c.In.Chat, Read: read, MessageID: c.Body.MessageID}
		if (c.Body.UpTo == nil) == (c.Body.MessageID == "") {
			return nil, errs.Field("upTo", "missing_field", "Give either upTo or messageId.")
		}
		if c.Body.UpTo != nil {
			r.UpTo = *c.Body.UpTo
		}
		return done(s.Messaging.Mark(ctx, r))
	}
}

func (s *server) setPreferences(ctx context.Context, c *call[chatParam, api.SetPreferences]) (*reply[api.Chat], error) {
	p, err := c.Body.Preferences(c.Who.UserID, c.In.Chat)
	if err != nil {
		return nil, err
	}
	view, err := s.Messaging.SetPreferences(ctx, p)
	return s.showChat(ctx, view, false, err)
}

func (s *server) typing(ctx context.Context, c *call[chatParam, api.IsTyping]) (*reply[none], error) {
	return done(s.Typing(ctx, c.In.Chat, c.Who.UserID, c.Body.Typing))
}

func (s *server) sync(ctx context.Context, c *call[struct{}, api.Sync]) (*reply[api.SyncAnswer], error) {
	a, err := s.Messaging.Sync(ctx, c.Body.Request(c.Who.UserID))
	if err != nil {
		return nil, err
	}
	people, err := s.people(ctx, c.Who.UserID, api.PeopleOf(a))
	if err != nil {
		return nil, err
	}
	answer := api.FromSync(a, c.Who.UserID, people)
	if api.ChangesSettings(a) {
		now, err := s.Users.Settings(ctx, c.Who.UserID)
		if err != nil {
			return nil, err
		}
		answer.FillSettings(now)
	}
	return ok(answer)
}
