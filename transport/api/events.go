package api

import (
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

// Types of events that have no place in a sequence.
const (
	EventReceipt        = "receipt"
	EventUnread         = "unread"
	EventTyping         = "typing"
	EventPresence       = "presence"
	EventReaction       = "reaction"
	EventPin            = "pin"
	EventContact        = "contact"
	EventBlock          = "block"
	EventSessionRevoked = "session.revoked"
)

// Event is something that happened. Its type tells which of the fields it has;
// clients ignore types and fields that they do not know. Events of a chat have a
// seq, one's own have a userSeq, passing ones have neither.
type Event struct {
	Type    string    `json:"type" example:"message.created"`
	ChatID  string    `json:"chatId,omitempty"`
	Seq     int64     `json:"seq,omitempty" doc:"The place in the chat's sequence, from 1."`
	UserSeq int64     `json:"userSeq,omitempty" doc:"The place in one's own sequence, from 1."`
	At      time.Time `json:"at"`

	Message     *Message `json:"message,omitempty" doc:"message.created, message.edited: as it stands now."`
	MessageID   string   `json:"messageId,omitempty" doc:"message.deleted, reaction, pin."`
	ForEveryone *bool    `json:"forEveryone,omitempty" doc:"message.deleted: false when hidden for oneself."`

	UserID   string `json:"userId,omitempty" doc:"member.*, receipt, reaction, pin, typing, presence, contact, block: whom it concerns."`
	ByUserID string `json:"byUserId,omitempty" doc:"member.*, chat.updated: who did it."`
	Role     string `json:"role,omitempty" enum:"owner,admin,member" doc:"member.*."`
	Reason   string `json:"reason,omitempty" enum:"left,removed,banned" doc:"member.removed."`
	Chat     *Chat  `json:"chat,omitempty" doc:"chat.joined: may be left out."`

	Emoji string `json:"emoji,omitempty" doc:"reaction."`

	Changed *ChangedChat `json:"changed,omitempty" doc:"chat.updated: the fields that are others, as they stand now."`

	DeliveredSeq *int64 `json:"deliveredSeq,omitempty" doc:"receipt."`
	ReadSeq      *int64 `json:"readSeq,omitempty" doc:"receipt."`
	Version      int64  `json:"version,omitempty" doc:"receipt: the chat's receipt version."`

	UnreadCount *int   `json:"unreadCount,omitempty" doc:"unread: in this chat."`
	Mentions    *int   `json:"mentionCount,omitempty" doc:"unread: of these, those that mention one; none do in this version."`
	Total       *int   `json:"total,omitempty" doc:"unread: in all chats."`
	SessionID   string `json:"sessionId,omitempty" doc:"session.revoked."`

	Settings *Settings `json:"settings,omitempty" doc:"settings: as they stand now."`

	Typing      *bool `json:"typing,omitempty" doc:"typing: whether somebody is writing."`
	ExpiresInMs int64 `json:"expiresInMs,omitempty" doc:"typing: how long that holds unless it is said again."`

	MutedUntil   *time.Time `json:"mutedUntil,omitempty" doc:"chat.preferences: the chat is muted until then; left out when it is not."`
	Archived     *bool      `json:"archived,omitempty" doc:"chat.preferences."`
	Pinned       *bool      `json:"pinned,omitempty" doc:"chat.preferences: the chat; pin: the message."`
	MarkedUnread *bool      `json:"markedUnread,omitempty" doc:"chat.preferences; a receipt of one's own that moves ends it too."`

	Added *bool `json:"added,omitempty" doc:"contact, block, reaction: whether he, or it, was added, or taken back."`

	Online   *bool     `json:"online,omitempty" doc:"presence: whether he is online."`
	LastSeen time.Time `json:"lastSeen,omitzero" doc:"presence: when he last went offline, if one may see it."`
}

// FromEvent converts an event of a chat as the viewer sees it, for a sync answer.
func FromEvent(e messaging.Event, viewerID string) Event {
	out := fromEvent(e)
	if e.Message != nil {
		m := FromMessage(*e.Message, viewerID)
		out.Message = &m
	}
	return out
}

// Broadcast converts an event of a chat for live delivery, the same for every
// viewer: viewerID is "" but for the one encoding that the sender alone gets,
// with his client id.
func Broadcast(e messaging.Event, viewerID string) Event {
	out := fromEvent(e)
	if e.Message != nil {
		m := bareMessage(*e.Message, viewerID)
		if e.Type == messaging.MessageCreated && !m.IsDeleted {
			m.Status, m.DeliveredCount, m.ReadCount = string(messaging.Sent), new(int), new(int)
		}
		out.Message = &m
	}
	return out
}

func fromEvent(e messaging.Event) Event {
	out := Event{Type: string(e.Type), ChatID: e.ChatID, Seq: e.Seq, At: stamp(e.At)}
	switch e.Type {
	case messaging.MessageDeleted:
		out.MessageID, out.ForEveryone = e.MessageID, new(true)
	case messaging.MessagePinned, messaging.MessageUnpinned:
		out.Type, out.MessageID, out.UserID = EventPin, e.MessageID, e.ActorID
		out.Pinned = new(e.Type == messaging.MessagePinned)
	case messaging.ReactionAdded, messaging.ReactionRemoved:
		out.Type, out.MessageID, out.UserID, out.Emoji = EventReaction, e.MessageID, e.ActorID, e.Emoji
		out.Added = new(e.Type == messaging.ReactionAdded)
	case messaging.ChatUpdated:
		out.ByUserID, out.Changed = e.ActorID, fromChanged(e.Fields, e.Chat)
	case messaging.MemberAdded, messaging.MemberRemoved, messaging.MemberRole:
		out.UserID, out.ByUserID = e.UserID, e.ActorID
		out.Role, out.Reason = string(e.Role), string(e.Reason)
	}
	return out
}

// FromUserEvent converts an event of one's own sequence; chat is for chat.joined,
// where it is at hand.
func FromUserEvent(e messaging.UserEvent, chat *Chat) Event {
	out := Event{Type: string(e.Type), ChatID: e.ChatID, UserSeq: e.Seq, At: stamp(e.At)}
	switch e.Type {
	case messaging.MessageDeleted:
		out.MessageID, out.ForEveryone = e.MessageID, new(false)
	case messaging.OwnPosition:
		out.UserID, out.DeliveredSeq, out.ReadSeq, out.Version = e.UserID, &e.DeliveredSeq, &e.ReadSeq, e.Version
	case messaging.ChatJoined:
		out.Chat = chat
	case messaging.ChatPreferred:
		if p := e.Preferences; p != nil {
			out.Archived, out.Pinned, out.MarkedUnread = &p.Archived, &p.Pinned, &p.MarkedUnread
			if !p.MutedUntil.IsZero() {
				out.MutedUntil = new(stamp(p.MutedUntil))
			}
		}
	case messaging.ContactAdded, messaging.ContactRemoved:
		out.Type, out.UserID, out.Added = EventContact, e.AboutID, new(e.Type == messaging.ContactAdded)
	case messaging.BlockAdded, messaging.BlockRemoved:
		out.Type, out.UserID, out.Added = EventBlock, e.AboutID, new(e.Type == messaging.BlockAdded)
	}
	return out
}

// FromWatermark tells the other members of a chat how far one has come.
func FromWatermark(w messaging.Watermark, at time.Time) Event {
	return Event{
		Type: EventReceipt, ChatID: w.ChatID, At: stamp(at), UserID: w.UserID,
		DeliveredSeq: &w.DeliveredSeq, ReadSeq: &w.ReadSeq, Version: w.Version,
	}
}

// FromUnread tells a user what he has not read.
func FromUnread(chatID string, n messaging.UnreadCount, at time.Time) Event {
	return Event{Type: EventUnread, ChatID: chatID, At: stamp(at), UnreadCount: &n.Chat, Mentions: new(int), Total: &n.Total}
}

// SessionRevoked tells a connection that its session has ended.
func SessionRevoked(sessionID string, at time.Time) Event {
	return Event{Type: EventSessionRevoked, At: stamp(at), SessionID: sessionID}
}

// Typing tells the other members of a chat that somebody is writing, or has stopped.
func Typing(chatID, userID string, typing bool, expiresIn time.Duration, at time.Time) Event {
	e := Event{Type: EventTyping, ChatID: chatID, At: stamp(at), UserID: userID, Typing: &typing}
	if typing {
		e.ExpiresInMs = expiresIn.Milliseconds()
	}
	return e
}

// PresenceChanged tells that somebody went online or offline.
func PresenceChanged(now users.Presence, at time.Time) Event {
	return Event{Type: EventPresence, At: stamp(at), UserID: now.UserID, Online: &now.Online, LastSeen: stamp(now.LastSeen)}
}
