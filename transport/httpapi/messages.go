package httpapi

import (
	"cmp"
	"context"
	"net/http"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// messageRoutes are MSG-2 to MSG-8.
func (s *server) messageRoutes() {
	const tag, messages, message = "Messages", "/v1/chats/{chat}/messages", "/v1/chats/{chat}/messages/{message}"
	add(s, route{call: "POST " + messages, id: "sendMessage", tag: tag, scope: "messages:write",
		status: http.StatusCreated, also: http.StatusOK,
		summary: "Send a message; 200 and the first one for a clientId or Idempotency-Key that was used"}, s.sendMessage)
	add(s, route{call: "GET " + messages, id: "listMessages", tag: tag, scope: "messages:read",
		summary: "Part of the history, ascending; with no place named, the newest page"}, s.listMessages)
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
}

func (s *server) sendMessage(ctx context.Context, c *call[sendParams, api.SendMessage]) (*reply[api.Message], error) {
	key, err := keyClientID("sendMessage", c.In.Key)
	if err != nil {
		return nil, err
	}
	m, repeated, err := s.Messaging.Send(ctx, messaging.SendRequest{
		SenderID: c.Who.UserID, ChatID: c.In.Chat, Text: c.Body.Text, ClientID: cmp.Or(c.Body.ClientID, key),
	})
	if err != nil {
		return nil, err
	}
	return made(api.FromMessage(m, c.Who.UserID), !repeated)
}

func (s *server) listMessages(ctx context.Context, c *call[historyParams, none]) (*reply[api.Page[api.Message]], error) {
	p := c.In
	set := 0
	for _, o := range []optional[int64]{p.Before, p.After, p.Around} {
		if o.Set {
			set++
		}
	}
	if set > 1 || set == 1 && p.Offset > 0 {
		return nil, errs.New(errs.Invalid, "invalid_window", "Give one of before, after, around and offset.")
	}
	w := messaging.Window{Before: p.Before.Value, After: p.After.Value, Around: p.Around.Value, Offset: p.Offset, Limit: p.Limit}
	var found []messaging.Message
	var err error
	switch {
	case p.Before.Set && w.Before == 0: // nothing stands there, but the chat must be one's own
		_, err = s.Messaging.Chat(ctx, c.Who.UserID, p.Chat)
	case set == 1 && w.After == 0 && w.Around == 0 && w.Before == 0:
		found, err = s.oldest(ctx, c.Who.UserID, p.Chat, p.Limit)
	default:
		found, err = s.Messaging.Messages(ctx, c.Who.UserID, p.Chat, w)
	}
	if err != nil {
		return nil, err
	}
	items := make([]api.Message, len(found))
	for i, m := range found {
		items[i] = api.FromMessage(m, c.Who.UserID)
	}
	return ok(api.Page[api.Message]{Items: items})
}

// oldest is the page after sequence 0, which a Window cannot name: what stands
// around sequence 1, and what follows.
func (s *server) oldest(ctx context.Context, userID, chatID string, limit int) ([]messaging.Message, error) {
	first, err := s.Messaging.Messages(ctx, userID, chatID, messaging.Window{Around: 1, Limit: min(2*limit, api.MaxPage)})
	if err != nil || len(first) == 0 || len(first) >= limit {
		return first[:min(limit, len(first))], err
	}
	rest, err := s.Messaging.Messages(ctx, userID, chatID, messaging.Window{After: first[len(first)-1].Seq, Limit: limit - len(first)})
	return append(first, rest...), err
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

func (s *server) listReceipts(ctx context.Context, c *call[receiptParams, none]) (*reply[api.Page[api.Receipt]], error) {
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

func (s *server) listPastTexts(ctx context.Context, c *call[messageParam, none]) (*reply[api.Page[api.PastText]], error) {
	past, err := s.Messaging.PastTexts(ctx, c.Who.UserID, c.In.Chat, c.In.Message)
	if err != nil {
		return nil, err
	}
	items := make([]api.PastText, len(past))
	for i, p := range past {
		items[i] = api.FromPastText(p)
	}
	return ok(api.Page[api.PastText]{Items: items})
}
