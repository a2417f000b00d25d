package httpapi

import (
	"cmp"
	"context"
	"net/http"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// messageRoutes are MSG-2 to MSG-8, and the replies and reactions of MSG-11.
func (s *server) messageRoutes() {
	const tag, messages, message = "Messages", "/v1/chats/{chat}/messages", "/v1/chats/{chat}/messages/{message}"
	add(s, route{call: "POST " + messages, id: "sendMessage", tag: tag, scope: "messages:write",
		status: http.StatusCreated, also: http.StatusOK,
		summary: "Send a message; 200 and the first one for a clientId or Idempotency-Key that was used"}, s.sendMessage)
	add(s, route{call: "GET " + messages, id: "listMessages", tag: tag, scope: "messages:read",
		summary: "Part of the history, ascending; with no place named, the newest page", about: aboutHistory}, s.listMessages)
	add(s, route{call: "GET " + message, id: "getMessage", tag: tag, scope: "messages:read",
		summary: "One message"}, s.getMessage)
	add(s, route{call: "PATCH " + message, id: "editMessage", tag: tag, scope: "messages:write",
		summary: "Edit one's own message within 48 hours"}, s.editMessage)
	add(s, route{call: "DELETE " + message, id: "deleteMessage", tag: tag, scope: "messages:write",
		summary: "Delete a message for everyone, or hide it from oneself"}, s.deleteMessage)
	add(s, route{call: "GET " + message + "/receipts", id: "listReceipts", tag: tag, scope: "messages:read",
		summary: "Who has it delivered, read, and when"}, s.listReceipts)
	add(s, route{call: "GET " + message + "/history", id: "listPastTexts", tag: tag, scope: "messages:read",
		summary: "The texts that edits replaced, oldest first"}, s.listPastTexts)
	add(s, route{call: "PUT " + message + "/reactions/{emoji}", id: "react", tag: tag, scope: "messages:write",
		summary: "React to a message; again does nothing"}, s.react(true))
	add(s, route{call: "DELETE " + message + "/reactions/{emoji}", id: "unreact", tag: tag, scope: "messages:write",
		summary: "Take one's reaction back, if there is one"}, s.react(false))
	add(s, route{call: "PUT " + message + "/pin", id: "pinMessage", tag: tag, scope: "messages:write",
		summary: "Pin a message for all; again does nothing"}, s.pin(true))
	add(s, route{call: "DELETE " + message + "/pin", id: "unpinMessage", tag: tag, scope: "messages:write",
		summary: "Take a pinned message down, if it is pinned"}, s.pin(false))
	add(s, route{call: "GET /v1/chats/{chat}/pins", id: "listPins", tag: tag, scope: "messages:read",
		summary: "The pinned messages, the one pinned last on top"}, s.listPins)
}

func (s *server) sendMessage(ctx context.Context, c *call[sendParams, api.SendMessage]) (*reply[api.Message], error) {
	key, err := keyClientID("sendMessage", c.In.Key)
	if err != nil {
		return nil, err
	}
	m, repeated, err := s.Messaging.Send(ctx, messaging.SendRequest{
		SenderID: c.Who.UserID, ChatID: c.In.Chat, Text: c.Body.Text, ClientID: cmp.Or(c.Body.ClientID, key),
		ReplyTo: c.Body.ReplyTo,
	})
	if err != nil {
		return nil, err
	}
	return made(api.FromMessage(m, c.Who.UserID), !repeated)
}

func (s *server) react(added bool) handler[reactionParam, none, none] {
	return func(ctx context.Context, c *call[reactionParam, none]) (*reply[none], error) {
		return done(s.Messaging.React(ctx, messaging.React{
			UserID: c.Who.UserID, ChatID: c.In.Chat, MessageID: c.In.Message, Emoji: c.In.Emoji, Added: added,
		}))
	}
}

func (s *server) pin(pinned bool) handler[messageParam, none, none] {
	return func(ctx context.Context, c *call[messageParam, none]) (*reply[none], error) {
		return done(s.Messaging.Pin(ctx, messaging.Pin{UserID: c.Who.UserID, ChatID: c.In.Chat, MessageID: c.In.Message, Pinned: pinned}))
	}
}

func (s *server) listPins(ctx context.Context, c *call[chatParam, none]) (*reply[api.Page[api.Message]], error) {
	pins, err := s.Messaging.Pins(ctx, c.Who.UserID, c.In.Chat)
	if err != nil {
		return nil, err
	}
	items := make([]api.Message, len(pins)) // all of them: messaging.MaxPins
	for i, m := range pins {
		items[i] = api.FromMessage(m, c.Who.UserID)
	}
	return ok(api.Page[api.Message]{Items: items})
}

func (s *server) getMessage(ctx context.Context, c *call[messageParam, none]) (*reply[api.Message], error) {
	m, err := s.Messaging.Message(ctx, c.Who.UserID, c.In.Chat, c.In.Message)
	if err != nil {
		return nil, err
	}
	return ok(api.FromMessage(m, c.Who.UserID))
}

func (s *server) editMessage(ctx context.Context, c *call[messageParam, api.EditMessage]) (*reply[api.Message], error) {
	m, err := s.Messaging.Edit(ctx, messaging.EditRequest{
		UserID: c.Who.UserID, ChatID: c.In.Chat, MessageID: c.In.Message, Text: c.Body.Text,
	})
	if err != nil {
		return nil, err
	}
	return ok(api.FromMessage(m, c.Who.UserID))
}

func (s *server) deleteMessage(ctx context.Context, c *call[deleteParams, none]) (*reply[none], error) {
	return done(s.Messaging.Delete(ctx, messaging.DeleteRequest{
		UserID: c.Who.UserID, ChatID: c.In.Chat, MessageID: c.In.Message, ForEveryone: c.In.For == "everyone",
	}))
}

func (s *server) listReceipts(ctx context.Context, c *call[messagePageParams, none]) (*reply[api.Page[api.Receipt]], error) {
	page, err := s.Messaging.Receipts(ctx, c.Who.UserID, c.In.Chat, c.In.Message, messaging.List{Limit: c.In.Limit, Cursor: c.In.Cursor})
	if err != nil {
		return nil, err
	}
	items := make([]api.Receipt, len(page.Items))
	for i, r := range page.Items {
		items[i] = api.FromReceipt(r)
	}
	return ok(api.Page[api.Receipt]{Items: items, Next: page.Next})
}

func (s *server) listPastTexts(ctx context.Context, c *call[messagePageParams, none]) (*reply[api.Page[api.PastText]], error) {
	all, err := s.Messaging.PastTexts(ctx, c.Who.UserID, c.In.Chat, c.In.Message)
	if err != nil {
		return nil, err
	}
	at := func(i int) position { return position{number: int64(i)} } // edits only ever add at the end
	past, next, err := pageOf(all, at, pastTextList, pageParams{c.In.Limit, c.In.Cursor})
	if err != nil {
		return nil, err
	}
	items := make([]api.PastText, len(past))
	for i, p := range past {
		items[i] = api.FromPastText(p)
	}
	return ok(api.Page[api.PastText]{Items: items, Next: next})
}
