// Package messaging is chats and their messages: direct chats of two people and
// group chats, each with one gap-free sequence of events that is the truth for
// delivery, history, receipts, unread counts and catch-up (SPEC section 3).
//
// A message travels one way: a transport calls [Service.Send]; the service
// validates, names, times and encrypts it; [Store.Append] gives it its place in
// the chat's sequence and returns once it is durable; only then do the sender's
// acknowledgement and the live event leave. What is acknowledged is never lost.
//
// User ids are the host's: opaque strings, compared byte by byte.
package messaging

import (
	"context"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
)

// Limits of input. Lengths of text count runes, all others bytes.
const (
	MaxText        = 4096  // runes of a message (MSG-2)
	MaxTitle       = 100   // runes of a group's name
	MaxDescription = 500   // runes of a group's description
	MaxID          = 128   // bytes of any id, client ids included
	MaxMembersCall = 1000  // members named in one call
	MaxMembers     = 10000 // members of a group (GRP-5)
	MaxPage        = 200   // items of a page
	MaxSync        = 1000  // events of a chat in one answer; who is further behind reloads
)

// EditWindow is how long after sending a message may be edited (MSG-7).
const EditWindow = 48 * time.Hour

// What can go wrong. Input faults of single fields are Invalid errors of their own.
var (
	ErrChatNotFound     = errs.New(errs.NotFound, "chat_not_found", "This chat does not exist.")
	ErrMessageNotFound  = errs.New(errs.NotFound, "message_not_found", "This message does not exist.")
	ErrMemberNotFound   = errs.New(errs.NotFound, "member_not_found", "This person is not in the chat.")
	ErrUserNotFound     = errs.New(errs.NotFound, "user_not_found", "This person does not exist.")
	ErrNotAMember       = errs.New(errs.Forbidden, "not_a_member", "You are no longer in this chat.")
	ErrBlocked          = errs.New(errs.Forbidden, "blocked", "This person has blocked you.")
	ErrNotAnAdmin       = errs.New(errs.Forbidden, "not_an_admin", "Only admins may do this.")
	ErrNotTheSender     = errs.New(errs.Forbidden, "not_the_sender", "Only its sender may do this.")
	ErrEditWindowPassed = errs.New(errs.Forbidden, "edit_window_passed", "Messages can be edited for 48 hours.")
	ErrNotAGroup        = errs.New(errs.Conflict, "not_a_group", "Only groups have members to change.")
	ErrGroupFull        = errs.New(errs.Conflict, "group_full", "The group has no room for so many members.")
	ErrClientIDReused   = errs.New(errs.Conflict, "client_id_reused", "This client id was used for another message.")
	ErrRevision         = errs.New(errs.Conflict, "edit_conflict", "The message was edited meanwhile.")
	ErrBeyondHead       = errs.Field("upTo", "invalid_sequence", "The chat has not come that far.")
	ErrEmptyMessage     = errs.Field("text", "empty_message", "Write something first.")
	ErrMessageTooLong   = errs.Field("text", "message_too_long", "A message has at most 4096 characters.")
	ErrOutcomeUnknown   = errs.New(errs.Unavailable, "outcome_unknown", "It is not known whether this was stored. Try again.")
	ErrUnreadable       = errs.New(errs.Internal, "unreadable_message", "This message can no longer be decrypted.")
)

// ChatKind tells what a chat is. Kinds never change.
type ChatKind string

// The kinds of chats (MSG-1).
const (
	Direct ChatKind = "direct" // exactly two people, one chat a pair, nobody joins or leaves
	Group  ChatKind = "group"  // people with roles, who come and go
)

// ChatStatus tells whether a chat still takes messages.
type ChatStatus string

// The states of a chat.
const (
	Active ChatStatus = "active"
	Closed ChatStatus = "closed" // its last member left
)

// Role is what a member may do in a group. Both people of a direct chat are members.
type Role string

// The roles, from all rights to least.
const (
	RoleOwner  Role = "owner" // exactly one in a group that has members
	RoleAdmin  Role = "admin"
	RoleMember Role = "member"
)

// Manages reports whether the role may add and remove members and delete their messages.
func (r Role) Manages() bool { return r == RoleOwner || r == RoleAdmin }

// Chat is what all members of a chat see alike.
type Chat struct {
	ID             string
	Kind           ChatKind
	Status         ChatStatus
	Title          string // groups
	Description    string // groups
	PictureID      string
	CreatedBy      string
	CreatedAt      time.Time
	UpdatedAt      time.Time // last change of the chat's own data or membership
	LastMessageAt  time.Time // zero before the first message
	HeadSeq        int64     // of the newest event; 0 in a new chat
	MemberCount    int       // present members
	ReceiptVersion int64     // grows with every move of a watermark

	Settings GroupSettings // groups
}

// ChatView is a chat as one present member sees it.
type ChatView struct {
	Chat
	Own         Member   // the viewer's own membership
	PeerID      string   // the other one of a direct chat
	Unread      int      // messages of others that were not read, deleted or hidden (MSG-13)
	LastMessage *Message // newest that is neither deleted nor hidden; nil without one
	Preferences Preferences
}

// Member is one present membership.
type Member struct {
	ChatID       string
	UserID       string
	Role         Role
	JoinedAt     time.Time
	JoinedSeq    int64 // the chat's head when it began; messages above it count as unread
	DeliveredSeq int64 // everything up to here has reached a device; never below ReadSeq
	ReadSeq      int64 // everything up to here was read
}

// MessageKind tells what a message carries.
type MessageKind string

// The kinds of messages of this version.
const KindText MessageKind = "text"

// Status is how far a message has come (MSG-5). It never goes backwards.
type Status string

// The states of a message.
const (
	Sent      Status = "sent"      // stored
	Delivered Status = "delivered" // on a device of every recipient
	Read      Status = "read"      // read by every recipient
)

// Tally counts the recipients of a message: those whose membership covered its
// place in the sequence, without its sender. The marks of members who left count.
type Tally struct{ Recipients, Delivered, Read int }

// Status is the least over all recipients; Sent when there are none.
func (t Tally) Status() Status {
	switch {
	case t.Recipients == 0 || t.Delivered < t.Recipients:
		return Sent
	case t.Read < t.Recipients:
		return Delivered
	}
	return Read
}

// Message is one message, readable. A deleted one is a tombstone: it keeps its
// place, sender and times, and has no text.
type Message struct {
	ID        string
	ChatID    string
	Seq       int64 // the place of its creation in the chat's sequence
	SenderID  string
	ClientID  string // the sender's own name for it; for the sender's eyes only
	Kind      MessageKind
	Text      string
	CreatedAt time.Time
	EditedAt  time.Time // zero when never edited
	Deleted   bool
	ReplyTo   string // the message of the chat that it answers; "" when none
	Reactions []ReactionCount
	Tally     Tally
	Err       error // ErrUnreadable: its key or its body is lost, and Text is empty; else nil
}

// Edited reports whether the text was changed after sending (MSG-7).
func (m *Message) Edited() bool { return !m.EditedAt.IsZero() }

// Receipt is how far one recipient has come with one message. Zero times: not yet.
type Receipt struct {
	UserID      string
	DeliveredAt time.Time
	ReadAt      time.Time
}

// PastText is a text that an edit replaced.
type PastText struct {
	Text     string
	EditedAt time.Time // when it was replaced
	Err      error     // ErrUnreadable: its key or its body is lost, and Text is empty; else nil
}

// Watermark is how far a present member has come in a chat.
type Watermark struct {
	ChatID       string
	UserID       string
	DeliveredSeq int64
	ReadSeq      int64
	Version      int64 // the chat's receipt version of its last move
}

// Page is part of a list and where the next part starts; empty at the end.
type Page[T any] struct {
	Items []T
	Next  string
}

// People tells the service which users exist. Ids of any form may be asked for.
type People interface {
	// Missing returns those of the ids that no user has, in the order given.
	Missing(ctx context.Context, ids []string) ([]string, error)
}

// Publisher takes what was committed, for live delivery. It must not block and
// must not keep the slices; commits of one chat may arrive out of order, their
// sequence numbers tell.
type Publisher interface {
	Publish(Committed)
}

// Committed is everything that one committed operation has to tell. The service
// fills in the readable messages before it publishes.
type Committed struct {
	Events     []Event     // ascending, of one chat
	UserEvents []UserEvent // at most one type a user, any order
	Marks      []Watermark // moved watermarks, for the chat's other members
	Doubt      *Doubt      // alone: ErrOutcomeUnknown was answered
}

// Doubt names those to whom something may have happened of which nobody can tell
// them: who listens to the chat, if any, and the users. They resume from the store.
type Doubt struct {
	ChatID  string
	UserIDs []string
}
