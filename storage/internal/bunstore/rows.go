package bunstore

import (
	"strings"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

const chatColumns = `c.id, c.kind, c.status, c.title, c.description, c.picture_id, c.created_by, c.low_user, c.high_user,
	c.client_id, c.digest, c.created_at, c.updated_at, c.last_message_at, c.activity_at, c.head_seq, c.ordinal, c.member_count, c.receipt_version,
	c.who_may_send, c.who_may_add, c.who_may_pin, c.who_may_edit_info, c.slow_mode`

// chatRow is a chat's head.
type chatRow struct {
	ID             string
	Kind           messaging.ChatKind
	Status         messaging.ChatStatus
	Title          string
	Description    string
	PictureID      string
	CreatedBy      string
	LowUser        string
	HighUser       string
	ClientID       string
	Digest         []byte
	CreatedAt      int64
	UpdatedAt      int64
	LastMessageAt  int64
	ActivityAt     int64
	HeadSeq        int64
	Ordinal        int64
	MemberCount    int
	ReceiptVersion int64
	WhoMaySend     messaging.Who
	WhoMayAdd      messaging.Who
	WhoMayPin      messaging.Who
	WhoMayEditInfo messaging.Who
	SlowMode       int64
}

func (r *chatRow) chat() messaging.Chat {
	c := messaging.Chat{
		ID: r.ID, Kind: r.Kind, Status: r.Status,
		Title: r.Title, Description: r.Description, PictureID: r.PictureID,
		CreatedBy: r.CreatedBy, CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
		LastMessageAt: moment(r.LastMessageAt), HeadSeq: r.HeadSeq,
		MemberCount: r.MemberCount, ReceiptVersion: r.ReceiptVersion,
	}
	if r.Kind == messaging.Group {
		c.Settings = messaging.GroupSettings{
			WhoMaySend: r.WhoMaySend, WhoMayAdd: r.WhoMayAdd, WhoMayPin: r.WhoMayPin, WhoMayEditInfo: r.WhoMayEditInfo,
			SlowMode: time.Duration(r.SlowMode) * time.Microsecond,
		}
	}
	return c
}

// peer is the other one of a direct chat.
func (r *chatRow) peer(userID string) string {
	switch {
	case r.Kind != messaging.Direct:
		return ""
	case r.LowUser == userID:
		return r.HighUser
	}
	return r.LowUser
}

const spanColumns = `m.chat_id, m.user_id, m.joined_seq, m.left_seq, m.role, m.joined_at, m.delivered_seq, m.read_seq, m.read_ordinal,
	m.mark_version, m.reached_delivered, m.reached_read, m.blocked`

// spanRow is one membership from its beginning to its end.
type spanRow struct {
	ChatID       string
	UserID       string
	JoinedSeq    int64
	LeftSeq      int64
	Role         messaging.Role
	JoinedAt     int64
	DeliveredSeq int64
	ReadSeq      int64
	ReadOrdinal  int64
	MarkVersion  int64

	ReachedDelivered int64
	ReachedRead      int64

	Blocked bool // by the other one of a direct chat

	// Of a round alone.
	Manages  bool
	LastSent int64 // in a group with slow mode: when his newest message was sent; 0: none
}

func (r *spanRow) present() bool { return r != nil && r.LeftSeq == 0 }

func (r *spanRow) member() messaging.Member {
	return messaging.Member{
		ChatID: r.ChatID, UserID: r.UserID, Role: r.Role, JoinedAt: moment(r.JoinedAt),
		JoinedSeq: r.JoinedSeq, DeliveredSeq: r.DeliveredSeq, ReadSeq: r.ReadSeq,
	}
}

func (r *spanRow) watermark() messaging.Watermark {
	return messaging.Watermark{
		ChatID: r.ChatID, UserID: r.UserID,
		DeliveredSeq: r.DeliveredSeq, ReadSeq: r.ReadSeq, Version: r.MarkVersion,
	}
}

const messageColumns = `g.id, g.chat_id, g.seq, g.ordinal, g.sender_id, g.client_id, g.kind, g.key_id, g.body, g.revision, g.digest, g.created_at, g.edited_at, g.deleted, g.reply_to, g.reacted`

// messageRow is a message, and whether the one who asks has hidden it.
type messageRow struct {
	ID        string
	ChatID    string
	Seq       int64
	Ordinal   int64
	SenderID  string
	ClientID  string
	Kind      messaging.MessageKind
	KeyID     string
	Body      []byte
	Revision  int
	Digest    []byte
	CreatedAt int64
	EditedAt  int64
	Deleted   bool
	ReplyTo   string
	Reacted   bool
	Hidden    bool
}

func (r *messageRow) stored() messaging.StoredMessage {
	return messaging.StoredMessage{
		Message: messaging.Message{
			ID: r.ID, ChatID: r.ChatID, Seq: r.Seq, SenderID: r.SenderID, ClientID: r.ClientID, Kind: r.Kind,
			CreatedAt: moment(r.CreatedAt), EditedAt: moment(r.EditedAt), Deleted: r.Deleted, ReplyTo: r.ReplyTo,
		},
		Body:     messaging.Sealed{KeyID: r.KeyID, Data: r.Body},
		Revision: r.Revision,
		Digest:   r.Digest,
		Hidden:   r.Hidden,
	}
}

// eventRow is an event that is not the creation of a message.
type eventRow struct {
	ChatID    string
	Seq       int64
	Type      messaging.EventType
	At        int64
	ActorID   string
	MessageID string
	UserID    string
	Role      messaging.Role
	Reason    messaging.Reason
	Detail    string
}

func (r *eventRow) event() messaging.Event {
	e := messaging.Event{
		ChatID: r.ChatID, Seq: r.Seq, Type: r.Type, At: moment(r.At), ActorID: r.ActorID,
		MessageID: r.MessageID, UserID: r.UserID, Role: r.Role, Reason: r.Reason,
	}
	switch e.Type {
	case messaging.ChatUpdated:
		e.Fields = strings.Split(r.Detail, "\n")
	case messaging.ReactionAdded, messaging.ReactionRemoved:
		e.Emoji = r.Detail
	}
	return e
}

// userEventRow is an event of a user's own sequence.
type userEventRow struct {
	UserID       string
	Seq          int64
	Type         messaging.EventType
	At           int64
	ChatID       string
	MessageID    string
	HeadSeq      int64
	DeliveredSeq int64
	ReadSeq      int64
	Version      int64
	AboutID      string
}

func (r *userEventRow) event() messaging.UserEvent {
	return messaging.UserEvent{
		UserID: r.UserID, Seq: r.Seq, Type: r.Type, At: moment(r.At), ChatID: r.ChatID,
		MessageID: r.MessageID, HeadSeq: r.HeadSeq, DeliveredSeq: r.DeliveredSeq, ReadSeq: r.ReadSeq, Version: r.Version, AboutID: r.AboutID,
	}
}
