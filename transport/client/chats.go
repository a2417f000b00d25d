package client

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"

	"github.com/wigwag-chat/wigwag/transport/api"
)

// List asks for a page: at most Limit items (0: the server's default) from
// Cursor, the Next of the page before.
type List struct {
	Limit  int
	Cursor string
}

func (l List) query() url.Values {
	q := url.Values{}
	if l.Limit != 0 {
		q.Set("limit", strconv.Itoa(l.Limit))
	}
	if l.Cursor != "" {
		q.Set("cursor", l.Cursor)
	}
	return q
}

// Window asks for part of a chat's history. At most one of the pointers, Offset
// and Cursor is set; with none, it is the newest page.
type Window struct {
	Before, After *int64 // exclusive
	Around        *int64 // inclusive
	Offset        int    // from the newest message
	Cursor        string // the Next of the page before, in whose direction it goes on
	Limit         int    // 0: the server's default
}

func (w Window) query() url.Values {
	q := List{Limit: w.Limit, Cursor: w.Cursor}.query()
	for name, seq := range map[string]*int64{"before": w.Before, "after": w.After, "around": w.Around} {
		if seq != nil {
			q.Set(name, strconv.FormatInt(*seq, 10))
		}
	}
	if w.Offset != 0 {
		q.Set("offset", strconv.Itoa(w.Offset))
	}
	return q
}

// OpenDirect returns the direct chat with somebody, made if need be.
func (c *Client) OpenDirect(ctx context.Context, userID string) (api.Chat, error) {
	return call[api.Chat](ctx, c, request{method: http.MethodPost, path: path("v1", "chats", "direct"), body: api.OpenDirect{UserID: userID}, repeatable: true})
}

// Chats lists one's chats, the most recently active first.
func (c *Client) Chats(ctx context.Context, l List) (api.Page[api.Chat], error) {
	return call[api.Page[api.Chat]](ctx, c, request{method: http.MethodGet, path: path("v1", "chats"), query: l.query()})
}

// Chat returns one chat.
func (c *Client) Chat(ctx context.Context, chatID string) (api.Chat, error) {
	return call[api.Chat](ctx, c, request{method: http.MethodGet, path: path("v1", "chats", chatID)})
}

// MarkRead tells that everything up to a sequence was read.
func (c *Client) MarkRead(ctx context.Context, chatID string, upTo int64) error {
	return c.mark(ctx, chatID, "read", upTo)
}

// MarkDelivered tells that everything up to a sequence has reached this device.
func (c *Client) MarkDelivered(ctx context.Context, chatID string, upTo int64) error {
	return c.mark(ctx, chatID, "delivered", upTo)
}

func (c *Client) mark(ctx context.Context, chatID, what string, upTo int64) error {
	_, err := call[none](ctx, c, request{method: http.MethodPost, path: path("v1", "chats", chatID, what), body: api.MarkSeen{UpTo: &upTo}, repeatable: true})
	return err
}

// Sync returns what a cursor misses.
func (c *Client) Sync(ctx context.Context, cursor api.Sync) (api.SyncAnswer, error) {
	return call[api.SyncAnswer](ctx, c, request{method: http.MethodPost, path: path("v1", "sync"), body: cursor, repeatable: true})
}

// Send sends a message. Without a ClientID the client gives it one, so that
// repeats never make a second message.
func (c *Client) Send(ctx context.Context, chatID string, body api.SendMessage) (api.Message, error) {
	if body.ClientID == "" {
		body.ClientID = rand.Text()
	}
	return call[api.Message](ctx, c, request{method: http.MethodPost, path: path("v1", "chats", chatID, "messages"), body: body, repeatable: true})
}

// Messages returns part of a chat's history, ascending. Next leads to newer
// messages from After, else to older ones; from Around it is empty.
func (c *Client) Messages(ctx context.Context, chatID string, w Window) (api.Page[api.Message], error) {
	return call[api.Page[api.Message]](ctx, c, request{method: http.MethodGet, path: path("v1", "chats", chatID, "messages"), query: w.query()})
}

// Message returns one message.
func (c *Client) Message(ctx context.Context, chatID, messageID string) (api.Message, error) {
	return call[api.Message](ctx, c, request{method: http.MethodGet, path: path("v1", "chats", chatID, "messages", messageID)})
}

// Edit replaces the text of one's own message.
func (c *Client) Edit(ctx context.Context, chatID, messageID, text string) (api.Message, error) {
	return call[api.Message](ctx, c, request{method: http.MethodPatch, path: path("v1", "chats", chatID, "messages", messageID), body: api.EditMessage{Text: text}})
}

// Delete deletes a message for everyone.
func (c *Client) Delete(ctx context.Context, chatID, messageID string) error {
	return c.remove(ctx, chatID, messageID, "everyone")
}

// Hide hides a message from oneself alone.
func (c *Client) Hide(ctx context.Context, chatID, messageID string) error {
	return c.remove(ctx, chatID, messageID, "me")
}

func (c *Client) remove(ctx context.Context, chatID, messageID, from string) error {
	_, err := call[none](ctx, c, request{method: http.MethodDelete, path: path("v1", "chats", chatID, "messages", messageID), query: url.Values{"for": {from}}})
	return err
}

// Typing tells the others of a chat that one is writing, or has stopped. It expires by itself.
func (c *Client) Typing(ctx context.Context, chatID string, typing bool) error {
	_, err := call[none](ctx, c, request{method: http.MethodPost, path: path("v1", "chats", chatID, "typing"), body: api.IsTyping{Typing: typing}})
	return err
}

// Receipts lists how far each recipient has come with a message.
func (c *Client) Receipts(ctx context.Context, chatID, messageID string, l List) (api.Page[api.Receipt], error) {
	return call[api.Page[api.Receipt]](ctx, c, request{method: http.MethodGet, path: path("v1", "chats", chatID, "messages", messageID, "receipts"), query: l.query()})
}

// PastTexts lists the texts that edits replaced, oldest first.
func (c *Client) PastTexts(ctx context.Context, chatID, messageID string, l List) (api.Page[api.PastText], error) {
	return call[api.Page[api.PastText]](ctx, c, request{method: http.MethodGet, path: path("v1", "chats", chatID, "messages", messageID, "history"), query: l.query()})
}
