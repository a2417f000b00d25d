package api

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

// SendMessage is the body of POST /v1/chats/{chat}/messages.
type SendMessage struct {
	Text     string `json:"text,omitempty" doc:"1 to 4,096 characters, not blank; comes back byte for byte."`
	ClientID string `json:"clientId,omitempty" doc:"The sender's own name for the message; the same again returns the first message."`
	ReplyTo  string `json:"replyTo,omitempty" doc:"A message of the chat that this one answers."`
}

// EditMessage is the body of PATCH /v1/chats/{chat}/messages/{message}.
type EditMessage struct {
	Text string `json:"text"`
}

// MarkSeen is the body of POST /v1/chats/{chat}/read and /delivered: exactly one of both.
type MarkSeen struct {
	UpTo      *int64 `json:"upTo,omitempty" doc:"A sequence number of the chat."`
	MessageID string `json:"messageId,omitempty" doc:"A message of the chat, instead of upTo."`
}

// IsTyping is the body of POST /v1/chats/{chat}/typing.
type IsTyping struct {
	Typing bool `json:"typing" doc:"True while one is writing; say it again every few seconds. False when one has stopped."`
}

// Message is one message. A deleted one keeps its place and has no text.
type Message struct {
	ID        string     `json:"id"`
	ChatID    string     `json:"chatId"`
	Seq       int64      `json:"seq" doc:"Its place in the chat's sequence."`
	SenderID  string     `json:"senderId"`
	ClientID  string     `json:"clientId,omitempty" doc:"For its sender alone."`
	Kind      string     `json:"kind" enum:"text"`
	Text      string     `json:"text,omitempty"`
	Media     []any      `json:"media" maxItems:"0"`
	Entities  []any      `json:"entities" maxItems:"0"`
	ReplyTo   string     `json:"replyTo,omitempty" doc:"The message of the chat that it answers; it may be gone."`
	Reactions []Reaction `json:"reactions" doc:"By emoji, the one that was first on top."`
	IsEdited  bool       `json:"isEdited"`
	EditedAt  time.Time  `json:"editedAt,omitzero"`
	IsDeleted bool       `json:"isDeleted"`
	CreatedAt time.Time  `json:"createdAt"`

	// How far it has come; left out of live message.edited events, which are the
	// same for all and must not set anybody back.
	Status         string `json:"status,omitempty" required:"true" enum:"sent,delivered,read" doc:"The least over all recipients."`
	DeliveredCount *int   `json:"deliveredCount,omitempty" required:"true"`
	ReadCount      *int   `json:"readCount,omitempty" required:"true"`
}

// Reaction is how many have reacted to a message with an emoji.
type Reaction struct {
	Emoji string `json:"emoji"`
	Count int    `json:"count"`
	Mine  *bool  `json:"mine,omitempty" doc:"Whether one has oneself; left out of live events, which are the same for all."`
}

// FromMessage converts a message as the viewer sees it.
func FromMessage(m messaging.Message, viewerID string) Message {
	out := bareMessage(m, viewerID)
	for i := range out.Reactions {
		out.Reactions[i].Mine = &m.Reactions[i].Mine
	}
	out.Status = string(m.Tally.Status())
	counts := [2]int{m.Tally.Delivered, m.Tally.Read} // the pointers keep this alive, and not the message
	out.DeliveredCount, out.ReadCount = &counts[0], &counts[1]
	return out
}

// bareMessage is a message without how far it has come.
func bareMessage(m messaging.Message, viewerID string) Message {
	out := Message{
		ID: m.ID, ChatID: m.ChatID, Seq: m.Seq, SenderID: m.SenderID, Kind: string(m.Kind), Text: m.Text,
		Media: []any{}, Entities: []any{}, Reactions: each(m.Reactions, func(r messaging.ReactionCount) Reaction { return Reaction{Emoji: r.Emoji, Count: r.Count} }),
		ReplyTo:  m.ReplyTo,
		IsEdited: m.Edited(), EditedAt: stamp(m.EditedAt), IsDeleted: m.Deleted, CreatedAt: stamp(m.CreatedAt),
	}
	if m.SenderID == viewerID && !strings.HasPrefix(m.ClientID, keyPrefix) {
		out.ClientID = m.ClientID
	}
	return out
}

// keyPrefix marks client ids that stand for an Idempotency-Key.
const keyPrefix = "idempotency-key:"

// KeyClientID is the client id that stands for an Idempotency-Key on a route. It
// is never shown to anybody.
func KeyClientID(route, key string) string {
	sum := sha256.Sum256([]byte(route + "\x00" + key))
	return keyPrefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// Receipt is how far one recipient has come with a message.
type Receipt struct {
	UserID      string     `json:"userId"`
	DeliveredAt *time.Time `json:"deliveredAt" doc:"Null while not delivered."`
	ReadAt      *time.Time `json:"readAt" doc:"Null while not read."`
}

// FromReceipt converts.
func FromReceipt(r messaging.Receipt) Receipt {
	return Receipt{r.UserID, stampOrNull(r.DeliveredAt), stampOrNull(r.ReadAt)}
}

// PastText is a text that an edit replaced.
type PastText struct {
	Text     string    `json:"text"`
	EditedAt time.Time `json:"editedAt" doc:"When it was replaced."`
}

// FromPastText converts.
func FromPastText(p messaging.PastText) PastText {
	return PastText{p.Text, stamp(p.EditedAt)}
}
