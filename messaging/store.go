package messaging

import (
	"context"
	"time"
)

// Sealed is content under a key of its chat.
type Sealed struct {
	KeyID string
	Data  []byte
}

// WrappedKey is a chat's data key under the host's key ring.
type WrappedKey struct {
	ID   string
	Data []byte
}

// StoredMessage is a message as the store holds it. Message.Text is always empty.
// Tally is filled by reads, and with the number of recipients by Append.
type StoredMessage struct {
	Message
	Body     Sealed // zero in a tombstone
	Revision int    // 1, then one more with each edit
	Digest   []byte // keyed digest of the send request; nil in a tombstone
	Hidden   bool   // from the viewer, by delete-for-me; only Events returns such
}

// StoredEvent is an event with its stored message: for MessageCreated and
// MessageEdited Stored is set and Event.Message is nil.
type StoredEvent struct {
	Event
	Stored *StoredMessage
}

// StoredView is a ChatView with the stored last message; ChatView.LastMessage is nil.
type StoredView struct {
	ChatView
	Last *StoredMessage
}

// PastBody is a body that an edit replaced.
type PastBody struct {
	Body     Sealed
	Revision int
	EditedAt time.Time // when it was replaced
}

// NewChat describes a chat to be made. Ids, times and keys come from the service.
type NewChat struct {
	ID, Title, Description, PictureID string
	Kind                              ChatKind
	CreatedBy                         string
	ClientID                          string // optional name of the request, unique for its creator
	Digest                            []byte // of the request, with ClientID
	Members                           []NewMember
	Key                               WrappedKey
	CreatedAt                         time.Time
}

// NewMember is a first member of a chat. The members are distinct and include the creator.
type NewMember struct {
	UserID string
	Role   Role
}

// CreatedChat is the outcome of CreateChat.
type CreatedChat struct {
	Chat       Chat
	Existed    bool        // an earlier call made it; nothing was changed
	UserEvents []UserEvent // ChatJoined for every member, unless Existed
}

// AddMembers adds people to a group.
type AddMembers struct {
	ChatID, ActorID string
	UserIDs         []string // distinct; present members among them are passed over
	Limit           int      // of present members afterwards: ErrGroupFull
	At              time.Time
}

// RemoveMember removes one member from a group; oneself: leaves it.
type RemoveMember struct {
	ChatID, ActorID, UserID string
	At                      time.Time
}

// NewMessage is one message to be stored. CreatedAt is in UTC, whole microseconds.
type NewMessage struct {
	ID, ChatID, SenderID string
	ClientID             string // "" when the sender gave none
	Kind                 MessageKind
	ReplyTo              string // a message of the chat; not checked here
	ReplyMissing         bool   // it was not found: ErrMessageNotFound, unless the client id repeats
	Body                 Sealed
	Digest               []byte
	CreatedAt            time.Time
}

// Appended is the outcome for one item of Append.
type Appended struct {
	Message  StoredMessage
	Repeated bool  // the client id was known: Message is the first one, as it stands now
	Err      error // of this item alone
}

// EditMessage replaces a message's body.
type EditMessage struct {
	ChatID, MessageID, EditorID string
	Body                        Sealed
	Revision                    int       // the one that Body was sealed for: the stored one plus 1
	At                          time.Time // the stored EditedAt
	SentAfter                   time.Time // older messages are ErrEditWindowPassed
}

// DeleteMessage deletes a message for everyone.
type DeleteMessage struct {
	ChatID, MessageID, ActorID string
	At                         time.Time
}

// HideMessage hides a message from one member.
type HideMessage struct {
	ChatID, MessageID, UserID string
	At                        time.Time
}

// Changed is the outcome of an operation on one chat.
type Changed struct {
	Events     []StoredEvent // ascending; empty when nothing changed
	UserEvents []UserEvent
	HiddenFrom []string // Edit: who hid the message, by id
}

// Mark moves a member's watermarks forward.
type Mark struct {
	ChatID, UserID string
	Read           bool  // read, which implies delivered; else delivered alone
	UpTo           int64 // sequence
	At             time.Time
}

// Marked is the outcome for one item of Mark.
type Marked struct {
	Moved     bool
	Watermark Watermark  // as it stands now
	UserEvent *UserEvent // OwnPosition, when the read mark moved
	Err       error      // of this item alone
}

// Window selects part of a chat's history. At most one of Before, After and
// Around is set; with none, Offset counts from the newest message.
type Window struct {
	Before int64 // exclusive
	After  int64 // exclusive
	Around int64 // inclusive: half the page up to it, the rest after it
	Offset int
	Limit  int
}

// ChatCursor is a place in a member's list of chats: what follows it is less
// active, or as active with a smaller id. Zero is the start.
type ChatCursor struct {
	Activity time.Time // LastMessageAt, or CreatedAt before the first message
	ChatID   string
}

// ChatList selects part of a member's list of chats.
type ChatList struct {
	After    ChatCursor
	Archived *bool // only those that are archived, or not; nil: all
	Limit    int
}

// UnreadCount is one user's unread messages, in one chat and in all.
type UnreadCount struct{ Chat, Total int }

// MaxUnread is how many users' unread messages are counted at once.
const MaxUnread = 1000

// Store keeps chats. Its rules hold for every backend and are proven by
// storage/storagetest.
//
// Every method is atomic and safe for concurrent use; a read sees one snapshot,
// which holds all that was returned before it began. A write returns after it is
// durable; when its context ends first it either did not happen or is reported
// as done. Where that cannot be told, it is ErrOutcomeUnknown. The input was validated: the store sees well-formed UTF-8 without
// NUL, times in UTC of whole microseconds, ids of at most 128 bytes compared byte
// by byte, and limits from 1: of lists up to MaxPage+1 (one more tells whether a
// page is the last), of events up to MaxSync, of watermarks up to MaxMembers.
//
// Each chat has one sequence for all its events: dense from 1, given under the
// lock of the chat, never reused. Each user has one, as dense. An operation
// that fails takes no number.
//
// "Member" is a present member. Reads by others answer ErrChatNotFound, also
// where a former member asks. Writes by a former member are ErrNotAMember, by
// strangers ErrChatNotFound. Hidden messages are absent from every read of
// the one who hid them, but for Events, which keeps their places.
type Store interface {
	// Epoch names this store's history. It changes when a backup is restored.
	Epoch(ctx context.Context) (string, error)

	// CreateChat makes a chat with its members, its key and a ChatJoined for each
	// of them, at sequence 0; a group has DefaultGroupSettings. For a pair that has a direct chat, or a creator and
	// client id that made one, it returns that one as Existed; ErrClientIDReused when
	// the digest differs. ErrBlocked, with the details userIds ascending, when members
	// have blocked the creator (users.Store.Relate).
	CreateChat(ctx context.Context, c NewChat) (CreatedChat, error)
	// Key returns the chat's key of that id, "" for the newest; ErrChatNotFound.
	Key(ctx context.Context, chatID, keyID string) (WrappedKey, error)
	// Chat returns a chat as a member sees it.
	Chat(ctx context.Context, viewerID, chatID string) (StoredView, error)
	// Chats returns the viewer's chats by last activity, newest first, then by id descending.
	Chats(ctx context.Context, viewerID string, l ChatList) ([]StoredView, error)
	// SetPreferences changes a member's own preferences of a chat. It takes a place in his own sequence,
	// by a ChatPreferred; when nothing changes, none: Seq is 0. MarkedUnread ends by itself when his read mark
	// moves, which the OwnPosition tells. ErrNotAMember.
	SetPreferences(ctx context.Context, s SetPreferences) (UserEvent, error)
	// Heads returns where everything of a user stands; a stranger has nothing.
	Heads(ctx context.Context, userID string) (Heads, error)
	// Unread counts what users have not read, in their order: distinct, up to
	// MaxUnread. Chat is 0 where one is no member. It costs the same however much was
	// read before.
	Unread(ctx context.Context, chatID string, userIDs []string) ([]UnreadCount, error)

	// Members returns present members by id ascending, from after (exclusive).
	Members(ctx context.Context, viewerID, chatID, after string, limit int) ([]Member, error)
	// AddMembers adds members: a MemberAdded in the chat for each new one, in the
	// order given, and a ChatJoined for him. His watermarks start at the head that
	// his event made. Who was a member before sees all the history again.
	// ErrNotAMember to former members, ErrNotAGroup, ErrNotAnAdmin for who is not among WhoMayAdd, ErrGroupFull, ErrBanned or
	// ErrBlocked, with the details userIds ascending, when new ones are banned or have blocked the actor: nobody was added.
	AddMembers(ctx context.Context, a AddMembers) (Changed, error)
	// RemoveMember ends a membership: one MemberRemoved, and a ChatLeft for the one
	// removed, who sees no event above it. Admins remove members, the owner
	// everybody, everyone himself; else ErrNotAnAdmin. When the owner leaves, the
	// admin who joined first, else the member who joined first, becomes owner by a
	// MemberRole (same moment: the smaller id); when nobody is left the chat is Closed.
	// ErrNotAMember, ErrNotAGroup, ErrMemberNotFound.
	RemoveMember(ctx context.Context, r RemoveMember) (Changed, error)

	// SetRole gives a member a role, as MayGive says: one MemberRole, and when it is the owner's another one
	// after it, by which the former owner becomes an admin. None when he has it. ErrNotAMember, ErrNotAGroup, ErrMemberNotFound.
	SetRole(ctx context.Context, r SetRole) (Changed, error)
	// ChangeGroup changes a group's own data: one ChatUpdated that names the fields which are
	// others now, with the chat as it stands then; none when nothing changes. ErrNotAnAdmin for who may not edit the info, or,
	// of settings, does not manage. ErrNotAMember, ErrNotAGroup.
	ChangeGroup(ctx context.Context, g ChangeGroup) (Changed, error)
	// Ban bans somebody, or lifts a ban; again changes nothing. Who is inside is removed as by
	// RemoveMember, with ReasonBanned and under its rules of rank; others are banned by who manages. While it
	// stands, AddMembers and Join are ErrBanned. ErrNotAnAdmin, ErrNotAMember, ErrNotAGroup; oneself is ErrNotAnAdmin.
	Ban(ctx context.Context, b BanMember) (Changed, error)
	// Bans returns who is banned, by user id ascending, from after (exclusive), to who manages; else ErrNotAnAdmin.
	Bans(ctx context.Context, viewerID, chatID, after string, limit int) ([]Banned, error)

	// CreateInvite stores an invite, unless one of its code is there, and returns the one that is. Who may
	// add members may; else ErrNotAnAdmin. ErrTooManyInvites when most of the group count at i.CreatedAt. ErrNotAMember, ErrNotAGroup.
	CreateInvite(ctx context.Context, i Invite, most int) (Invite, error)
	// Invites returns the group's invites that count, the newest first, then by code, to who may add members.
	Invites(ctx context.Context, viewerID, chatID string, now time.Time) ([]Invite, error)
	// RevokeInvite ends one; ErrInviteNotFound. For who may add members.
	RevokeInvite(ctx context.Context, actorID, chatID, code string) error
	// Join adds who knows the code of an invite that counts, as AddMembers does, by himself, and counts its use: never
	// more than MaxUses. For who is inside nothing changes. ErrInviteNotFound, ErrBanned, ErrGroupFull.
	Join(ctx context.Context, j Join) (Joined, error)

	// Append stores messages, each with a MessageCreated. The results stand in the
	// order of the items, and items of one chat get their places in that order.
	// Each item has an error of its own and never hurts another: ErrChatNotFound,
	// ErrNotAMember for former members, ErrBlocked in a direct chat whose other one has
	// blocked the sender, ErrSendRestricted in a group for who is not among WhoMaySend, ErrSlowMode, with
	// RetryAfter, sooner than SlowMode after his last message for who does not manage, ErrClientIDReused. The second error
	// is for a failure of all. A client id is unique for its sender over all
	// chats: with the digest of the first request it repeats the first result,
	// also after the sender left or the message was deleted; a tombstone has lost
	// its digest, so any content repeats it (MSG-3).
	Append(ctx context.Context, items []NewMessage) ([]Appended, error)
	// Edit replaces a body, keeps the old one as a PastBody, makes a
	// MessageEdited, and names who hid the message. ErrMessageNotFound (also when deleted), ErrNotTheSender,
	// ErrBlocked as for Append, ErrEditWindowPassed, ErrRevision when another edit came first.
	Edit(ctx context.Context, e EditMessage) (Changed, error)
	// Delete leaves a tombstone: body, digest, past bodies, reactions and ReplyTo are erased, and a
	// MessageDeleted is made (MSG-8). By the sender, or who manages the group; else
	// ErrNotTheSender. ErrMessageNotFound, also when it is deleted already.
	Delete(ctx context.Context, d DeleteMessage) (Changed, error)
	// React adds or takes back a reaction of one member: a ReactionAdded or ReactionRemoved; none when nothing changes. Reads count the
	// reactions to a message by emoji, the one that was first on top. ErrMessageNotFound (also when deleted or hidden),
	// ErrTooManyReactions above most different emoji, ErrBlocked as for Append.
	React(ctx context.Context, r React, most int) (Changed, error)
	// Pin pins a message for all members, or takes it down: a MessagePinned or MessageUnpinned; none when nothing changes. In a group
	// for who is among WhoMayPin, else ErrNotAnAdmin. ErrMessageNotFound (also when deleted or hidden), ErrTooManyPins above most, ErrBlocked as
	// for Append. A message that is deleted for everyone is taken down by it.
	Pin(ctx context.Context, p Pin, most int) (Changed, error)
	// Pins returns the pinned messages, the one pinned last on top, but for those hidden from the viewer.
	Pins(ctx context.Context, viewerID, chatID string) ([]StoredMessage, error)
	// Hide hides a message from one member: a MessageDeleted in his own sequence.
	// Hiding twice changes nothing. ErrMessageNotFound.
	Hide(ctx context.Context, h HideMessage) (Changed, error)

	// Message returns one message; ErrMessageNotFound when deleted or hidden.
	Message(ctx context.Context, viewerID, chatID, messageID string) (StoredMessage, error)
	// Messages returns part of the history, ascending, tombstones included.
	Messages(ctx context.Context, viewerID, chatID string, w Window) ([]StoredMessage, error)
	// PastBodies returns what edits replaced, oldest first; ErrMessageNotFound.
	PastBodies(ctx context.Context, viewerID, chatID, messageID string) ([]PastBody, error)

	// Mark moves watermarks, merged by maximum: never backwards. UpTo above the
	// chat's head is ErrBeyondHead. Each move is logged with its time and takes a
	// receipt version; a move of the read mark is an OwnPosition. The results stand
	// in the order of the items, with an error for each.
	Mark(ctx context.Context, items []Mark) ([]Marked, error)
	// Watermarks returns the marks of present members that moved after the receipt
	// version, by version ascending, then by user, and the chat's version now.
	Watermarks(ctx context.Context, viewerID, chatID string, after int64, limit int) ([]Watermark, int64, error)
	// Marks returns the marks of all present members of those of the chats, distinct and up to
	// 1,000, that the viewer is a member of and that have at most most members: by chat
	// id, then by user id ascending. Other chats are left out.
	Marks(ctx context.Context, viewerID string, chatIDs []string, most int) ([]Watermark, error)
	// Receipts returns the recipients of a message by user id ascending, from after
	// (exclusive), with the times of the first moves that reached it; ErrMessageNotFound.
	Receipts(ctx context.Context, viewerID, chatID, messageID, after string, limit int) ([]Receipt, error)

	// Events returns a chat's events above a sequence, ascending, dense.
	Events(ctx context.Context, viewerID, chatID string, after int64, limit int) ([]StoredEvent, error)
	// UserEvents returns a user's own events above a sequence, ascending.
	UserEvents(ctx context.Context, userID string, after int64, limit int) ([]UserEvent, error)
	// News returns what has happened beyond places, for a node and not for a viewer:
	// of each chat and user that stands further, in the order given, what Events and
	// UserEvents return above the sequence, at most limit, and the marks of present members above
	// the receipt version, by version. Nothing is hidden: HiddenFrom names, by id,
	// who hid the message of a MessageCreated or MessageEdited. MemberAdded and MemberRemoved have
	// their UserSeq. What is unknown is left out.
	News(ctx context.Context, p Places, limit int) (StoredNews, error)
}
