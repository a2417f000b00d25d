package messaging

import "context"

// Service is what transports and host programs call. All methods are safe for
// concurrent use. The acting user comes first and is trusted: who calls has
// authenticated him. A chat or message that he may not see is "not found".
type Service interface {
	// OpenDirect returns the one direct chat of two users, made if need be.
	// ErrUserNotFound; oneself is refused.
	OpenDirect(ctx context.Context, userID, peerID string) (chat ChatView, created bool, err error)
	// CreateGroup makes a group with its creator as owner (GRP-1). Unknown members
	// are named in the error's details (userIds) and nothing is made. The same ClientID
	// again returns the first group; with another request it is ErrClientIDReused.
	CreateGroup(ctx context.Context, r NewGroup) (chat ChatView, created bool, err error)
	// Chat returns one chat as the user sees it.
	Chat(ctx context.Context, userID, chatID string) (ChatView, error)
	// Chats lists the user's chats, the most recently active first.
	Chats(ctx context.Context, userID string, r List) (Page[ChatView], error)
	// Members lists the present members of a chat by user id.
	Members(ctx context.Context, userID, chatID string, r List) (Page[Member], error)
	// AddMembers adds people to a group; those inside already are passed over.
	// Unknown ones are named in the error and nobody is added.
	AddMembers(ctx context.Context, userID, chatID string, members []string) error
	// RemoveMember removes a member; oneself: leaves. See Store.RemoveMember.
	RemoveMember(ctx context.Context, userID, chatID, memberID string) error
	// SetPreferences changes one's own preferences of a chat, and tells one's devices (MSG-12). A
	// MutedUntil that has passed is none.
	SetPreferences(ctx context.Context, s SetPreferences) (ChatView, error)

	// ChangeGroup changes what is not nil of a group, under the rules of NewGroup; a PictureID of "" is none (GRP-3).
	ChangeGroup(ctx context.Context, g ChangeGroup) (ChatView, error)
	// SetRole promotes, demotes, and hands over; see Store.SetRole (GRP-2).
	SetRole(ctx context.Context, userID, chatID, memberID string, role Role) error
	// Ban removes somebody from a group, if he is inside, and keeps him out until Unban; see Store.Ban (MSG-16).
	Ban(ctx context.Context, userID, chatID, memberID string) error
	Unban(ctx context.Context, userID, chatID, memberID string) error
	// Bans lists who is banned, by user id, to admins.
	Bans(ctx context.Context, userID, chatID string, r List) (Page[Banned], error)
	// CreateInvite makes an invite, whose code is a secret of those who have it; see Store.CreateInvite.
	CreateInvite(ctx context.Context, r NewInvite) (Invite, error)
	// Invites lists a group's invites that count, the newest first: MaxInvites at most.
	Invites(ctx context.Context, userID, chatID string) ([]Invite, error)
	// RevokeInvite ends one; ErrInviteNotFound.
	RevokeInvite(ctx context.Context, userID, chatID, code string) error
	// Join makes the user a member by the code of an invite; who is inside stays. ErrInviteNotFound,
	// ErrBanned, ErrGroupFull.
	Join(ctx context.Context, userID, code string) (ChatView, error)

	// Send stores a message and acknowledges it: when Send returns, the message is
	// durable and has its place (MSG-2, 3, 4). Repeated: the client id was known,
	// and this is the first result as it stands now.
	Send(ctx context.Context, r SendRequest) (m Message, repeated bool, err error)
	// React adds or takes back one's reaction to a message; again does nothing. At most MaxReactions
	// different emoji a message, and only what looks like one: ErrTooManyReactions, ErrMessageNotFound.
	React(ctx context.Context, r React) error
	// Pin pins a message for all members, or takes it down; again does nothing. At most MaxPins a chat:
	// ErrTooManyPins. In groups for who is among WhoMayPin. Pins returns them, the one pinned last on top.
	Pin(ctx context.Context, p Pin) error
	Pins(ctx context.Context, userID, chatID string) ([]Message, error)
	// Edit replaces the text of one's own message within EditWindow (MSG-7).
	Edit(ctx context.Context, r EditRequest) (Message, error)
	// Delete deletes a message for everyone, or hides it from the user alone (MSG-8).
	Delete(ctx context.Context, r DeleteRequest) error
	// Message returns one message; a deleted one is ErrMessageNotFound.
	Message(ctx context.Context, userID, chatID, messageID string) (Message, error)
	// Messages returns a part of the history, ascending (MSG-6).
	Messages(ctx context.Context, userID, chatID string, w Window) ([]Message, error)
	// PastTexts returns the texts that edits replaced, oldest first.
	PastTexts(ctx context.Context, userID, chatID, messageID string) ([]PastText, error)
	// Receipts lists how far each recipient has come with a message (MSG-5).
	Receipts(ctx context.Context, userID, chatID, messageID string, r List) (Page[Receipt], error)

	// Mark moves the user's own watermarks in a chat; backwards does nothing, but that reading
	// ends Preferences.MarkedUnread.
	Mark(ctx context.Context, r MarkRequest) error
	// Unread counts what users have not read, in a chat and in all of theirs
	// (MSG-13): in their order, distinct, at most MaxUnread. An empty chat id counts
	// all chats only.
	Unread(ctx context.Context, chatID string, userIDs []string) ([]UnreadCount, error)
	// Heads tells where everything of the user stands.
	Heads(ctx context.Context, userID string) (Heads, error)
	// Sync returns what the user's cursor misses (MSG-14).
	Sync(ctx context.Context, r SyncRequest) (SyncAnswer, error)
	// Events returns a chat's events above a sequence, ascending and dense, as the
	// user may see them: what he hid is a tombstone, so they are for him alone.
	Events(ctx context.Context, userID, chatID string, after int64, limit int) ([]Event, error)
	// News returns what has happened beyond places, as it is published where it is
	// committed: for a node that delivers what others commit, not for any viewer. At
	// most MaxSync events of each chat and user.
	News(ctx context.Context, p Places) (News, error)
}

// List asks for part of a list: at most Limit items (0: 50; above MaxPage is
// refused) from Cursor, the Next of the page before.
type List struct {
	Limit    int
	Cursor   string
	Archived *bool // of chats: only those that are archived, or not; nil: all
}

// NewGroup asks for a group.
type NewGroup struct {
	CreatorID   string
	Title       string   // 1 to MaxTitle runes, not blank
	Description string   // at most MaxDescription runes
	MemberIDs   []string // at most MaxMembersCall; the creator and repeats are passed over
	ClientID    string   // optional: makes a retry return the first result
}

// SendRequest asks to store a message.
type SendRequest struct {
	SenderID string
	ChatID   string
	Text     string // 1 to MaxText runes, valid UTF-8 without NUL, not blank; kept byte for byte
	ClientID string // optional, at most MaxID bytes
	ReplyTo  string // optional: a message of the chat that the sender can see; else ErrMessageNotFound
}

// EditRequest asks to replace a text, under the rules of SendRequest.Text.
type EditRequest struct {
	UserID, ChatID, MessageID string
	Text                      string
}

// DeleteRequest asks to delete a message.
type DeleteRequest struct {
	UserID, ChatID, MessageID string
	ForEveryone               bool
}

// MarkRequest moves a watermark up to a sequence, or to that of a message.
type MarkRequest struct {
	UserID, ChatID string
	Read           bool // read, which implies delivered; else delivered
	UpTo           int64
	MessageID      string // instead of UpTo
}

// SyncRequest is a client's cursor: what it has seen.
type SyncRequest struct {
	UserID  string
	Epoch   string           // "" for a client that has nothing yet
	UserSeq int64            // of the user's own events
	Chats   map[string]int64 // chat id to sequence; only chats named here are answered
	Limit   int              // events a chat: 0 is 100, at most MaxSync
}

// SyncAnswer brings a client up to date.
type SyncAnswer struct {
	Epoch string
	Reset bool // the cursor is void: forget everything and load anew; nothing else is set
	User  UserSync
	Chats []ChatSync // by chat id; chats that the user is not in are left out
	More  bool       // something was cut at Limit: ask again from the new heads
}

// UserSync is the user's own part of a SyncAnswer.
type UserSync struct {
	Events  []UserEvent
	Head    int64 // the cursor after applying Events
	TooLong bool  // more than MaxSync behind: reload the lists; Head is the newest
}

// ChatSync is one chat's part of a SyncAnswer.
type ChatSync struct {
	ChatID         string
	Events         []Event
	Head           int64 // the cursor after applying Events or Snapshot
	TooLong        bool  // more than MaxSync behind: Snapshot replaces what the client has
	Snapshot       *Snapshot
	ReceiptVersion int64
	Receipts       []Watermark // of all members up to 64; above, the greatest marks of others and one's own
}

// Snapshot is a chat from scratch.
type Snapshot struct {
	Chat     ChatView
	Members  []Member  // at most MaxPage
	Messages []Message // the newest page
}
