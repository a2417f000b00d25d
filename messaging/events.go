package messaging

import "time"

// EventType names what happened, as in the public interface.
type EventType string

// The events of a chat's sequence.
const (
	MessageCreated EventType = "message.created"
	MessageEdited  EventType = "message.edited"
	MessageDeleted EventType = "message.deleted" // for everyone; in a user's sequence: hidden for oneself
	MemberAdded    EventType = "member.added"
	MemberRemoved  EventType = "member.removed"
	MemberRole     EventType = "member.role"
	ChatUpdated    EventType = "chat.updated"

	MessagePinned   EventType = "pin.added"
	MessageUnpinned EventType = "pin.removed"

	ReactionAdded   EventType = "reaction.added"
	ReactionRemoved EventType = "reaction.removed"
)

// The events of a user's own sequence, besides MessageDeleted.
const (
	ChatJoined    EventType = "chat.joined"
	ChatLeft      EventType = "chat.left"
	OwnPosition   EventType = "receipt"          // one's own read position moved
	ChatPreferred EventType = "chat.preferences" // one's own preferences of a chat changed
	Settings      EventType = "settings"         // one's own settings changed
	// Somebody came into one's contacts or blocks, or out of them. Like Settings these are stored by
	// the port of package users.
	ContactAdded   EventType = "contact.added"
	ContactRemoved EventType = "contact.removed"
	BlockAdded     EventType = "block.added"
	BlockRemoved   EventType = "block.removed"
)

// RelationEvent is the type of the event by which somebody comes into a list of a user's, or out
// of it. The kind is that of package users: "contact" or "block".
func RelationEvent(kind string, stands bool) EventType {
	if stands {
		return EventType(kind + ".added")
	}
	return EventType(kind + ".removed")
}

// Reason tells why a membership ended.
type Reason string

// The reasons.
const (
	ReasonLeft    Reason = "left"
	ReasonRemoved Reason = "removed"
	ReasonBanned  Reason = "banned"
)

// Event is one place in a chat's sequence. It refers to content, which is joined
// when it is read: an old event shows the message's present text, or its tombstone.
// What is published carries Message.ClientID; whoever delivers it shows that to
// the sender alone. What a Service method returns has it for the sender only.
type Event struct {
	ChatID    string
	Seq       int64 // 1, 2, 3… without gaps in each chat
	Type      EventType
	At        time.Time
	ActorID   string   // who did it
	MessageID string   // message events
	Message   *Message // MessageCreated, MessageEdited; a tombstone when deleted, or hidden from the reader
	UserID    string   // member events: whom it concerns
	Role      Role     // member events: the role from now on, or the last one
	Reason    Reason   // MemberRemoved
	Emoji     string   // ReactionAdded, ReactionRemoved, by ActorID to MessageID
	Fields    []string // ChatUpdated: which of the chat are others since
	Chat      *Chat    // ChatUpdated: as it stands now
	// HiddenFrom names who hid the message of what is published, MessageEdited or
	// News: they are shown a tombstone. Reads leave it out, since they answer one viewer.
	HiddenFrom []string
	// UserSeq is where a published MemberAdded or MemberRemoved stands in the own
	// sequence of whom it concerns. Reads leave it out.
	UserSeq int64
}

// UserEvent is one place in a user's private sequence. In live delivery each
// number appears once; a read may leave out an OwnPosition that a later one of
// the same chat replaces.
type UserEvent struct {
	UserID       string
	Seq          int64 // 1, 2, 3… for each user
	Type         EventType
	At           time.Time
	ChatID       string
	MessageID    string // MessageDeleted
	AboutID      string // ContactAdded, BlockAdded…: the user whom it concerns
	HeadSeq      int64  // ChatJoined: the chat's head when the membership began, to listen from; ChatLeft: of the removal
	DeliveredSeq int64  // OwnPosition
	ReadSeq      int64  // OwnPosition
	Version      int64  // OwnPosition: the chat's receipt version of this move
	// Preferences are those of a ChatPreferred, as they stand now.
	Preferences *Preferences
}

// Head is where one chat of a user stands.
type Head struct {
	ChatID         string
	Seq            int64
	ReceiptVersion int64
}

// Heads is where everything of one user stands, in one snapshot.
type Heads struct {
	Epoch   string // another epoch: the store was restored, all cursors are void
	UserSeq int64
	Chats   []Head // present memberships, by chat id
}
