package api

import (
	"encoding/json"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

// Types of frames from a client.
const (
	FrameAuth      = "auth"
	FrameSend      = "message.send"
	FrameEdit      = "message.edit"
	FrameDelete    = "message.delete"
	FrameRead      = "read"
	FrameDelivered = "delivered"
	FrameTyping    = "typing"
	FrameView      = "view"
	FramePresence  = "presence"
	FrameSync      = "sync"
	FramePing      = "ping"
)

// Types of frames from the server that answer no request.
const (
	FrameHello  = "hello"
	FrameEvents = "events"
)

// FrameHead is in every frame from a client.
type FrameHead struct {
	ID   string `json:"id,omitempty"` // of the client's choice; the reply names it
	Type string `json:"type"`
}

// AuthFrame authenticates a connection, or renews it in place.
type AuthFrame struct {
	FrameHead
	Token string `json:"token"`
}

// SendFrame sends a message; the reply holds the Message.
type SendFrame struct {
	FrameHead
	ChatID   string `json:"chatId"`
	Text     string `json:"text,omitempty"`
	ClientID string `json:"clientId,omitempty"`
	ReplyTo  string `json:"replyTo,omitempty"`
}

// EditFrame edits a message; the reply holds the Message.
type EditFrame struct {
	FrameHead
	ChatID    string `json:"chatId"`
	MessageID string `json:"messageId"`
	Text      string `json:"text"`
}

// DeleteFrame deletes a message, or hides it for oneself.
type DeleteFrame struct {
	FrameHead
	ChatID      string `json:"chatId"`
	MessageID   string `json:"messageId"`
	ForEveryone bool   `json:"forEveryone,omitempty"`
}

// MarkFrame moves one's own watermark: read or delivered.
type MarkFrame struct {
	FrameHead
	ChatID string `json:"chatId"`
	UpTo   int64  `json:"upTo"`
}

// TypingFrame tells that one is writing in a chat, or has stopped.
type TypingFrame struct {
	FrameHead
	ChatID string `json:"chatId"`
	Typing bool   `json:"typing"`
}

// ViewFrame tells which chat is on the screen of the connection's device; null is none.
type ViewFrame struct {
	FrameHead
	ChatID json.RawMessage `json:"chatId"`
}

// Chat returns the chat's id, "" for none.
func (f ViewFrame) Chat() (id string, err error) {
	switch {
	case string(f.ChatID) == "null":
		return "", nil
	case json.Unmarshal(f.ChatID, &id) != nil:
		return "", ErrInvalidField.With("field", "chatId")
	case id == "":
		return "", messaging.ErrChatNotFound
	}
	return id, nil
}

// PresenceFrame tells whether one is at the device: online or away.
type PresenceFrame struct {
	FrameHead
	Status string `json:"status"`
}

// Away converts.
func (f PresenceFrame) Away() (bool, error) {
	switch f.Status {
	case "online", "away":
		return f.Status == "away", nil
	}
	return false, ErrInvalidField.With("field", "status")
}

// SyncFrame asks as POST /v1/sync does; the reply holds the SyncAnswer.
type SyncFrame struct {
	FrameHead
	Sync
}

// Reply answers a frame of a client.
type Reply struct {
	ReplyTo string   `json:"replyTo,omitempty"`
	OK      bool     `json:"ok"`
	Data    any      `json:"data,omitempty"`
	Error   *Failure `json:"error,omitempty"`
}

// Hello is the first frame of an authenticated connection.
type Hello struct {
	Type            string           `json:"type"` // hello
	SessionID       string           `json:"sessionId"`
	UserID          string           `json:"userId"`
	Epoch           string           `json:"epoch"`
	UserSeq         int64            `json:"userSeq"`
	Heads           map[string]int64 `json:"heads"`           // chat id to the newest sequence
	ReceiptVersions map[string]int64 `json:"receiptVersions"` // chat id to the receipt version
	ServerTime      time.Time        `json:"serverTime"`
}

// Events is a frame of events, in order.
type Events struct {
	Type   string  `json:"type"` // events
	Events []Event `json:"events"`
}

// ServerFrame reads any frame from a server: a hello, events, or a reply.
type ServerFrame struct {
	Type    string          `json:"type"`
	Events  []Event         `json:"events"`
	ReplyTo string          `json:"replyTo"`
	OK      bool            `json:"ok"`
	Data    json.RawMessage `json:"data"`
	Error   *Failure        `json:"error"`
}
