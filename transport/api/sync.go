package api

import (
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

// Sync is the body of POST /v1/sync: what the client has seen. Chats that it
// does not name are not answered.
type Sync struct {
	Epoch   string           `json:"epoch,omitempty" doc:"As last told; left out by a client that has nothing yet."`
	UserSeq int64            `json:"userSeq,omitempty"`
	Chats   map[string]int64 `json:"chats,omitempty" doc:"Chat id to the last sequence seen."`
	Limit   *int             `json:"limit,omitempty" minimum:"1" maximum:"1000" doc:"Events a chat; 100 when left out."`
}

// Request converts.
func (s Sync) Request(userID string) messaging.SyncRequest {
	r := messaging.SyncRequest{UserID: userID, Epoch: s.Epoch, UserSeq: s.UserSeq, Chats: s.Chats}
	if s.Limit != nil {
		r.Limit = *s.Limit
	}
	return r
}

var errSyncLimit = errs.Field("limit", "invalid_limit", "A sync has 1 to 1,000 events a chat.")

// validate tells a limit of 0 from none, which the request cannot.
func (s *Sync) validate() error {
	if s.Limit != nil && (*s.Limit < 1 || *s.Limit > messaging.MaxSync) {
		return errSyncLimit
	}
	return nil
}

// SyncAnswer brings a client up to date.
type SyncAnswer struct {
	Epoch string     `json:"epoch"`
	Reset bool       `json:"reset,omitempty" doc:"The cursor is void: forget everything and load anew."`
	User  UserSync   `json:"user"`
	Chats []ChatSync `json:"chats"`
	More  bool       `json:"more" doc:"Something was cut at limit: ask again from the new heads."`
}

// UserSync is one's own sequence.
type UserSync struct {
	Events  []Event `json:"events"`
	Head    int64   `json:"head" doc:"The cursor after these events."`
	TooLong bool    `json:"tooLong,omitempty" doc:"Too far behind: reload the lists."`
}

// ChatSync is one chat.
type ChatSync struct {
	ID             string      `json:"id"`
	Events         []Event     `json:"events"`
	Head           int64       `json:"head" doc:"The cursor after these events, or after the snapshot."`
	TooLong        bool        `json:"tooLong,omitempty" doc:"Too far behind: the snapshot replaces what the client has."`
	Snapshot       *Snapshot   `json:"snapshot,omitempty"`
	ReceiptVersion int64       `json:"receiptVersion"`
	Receipts       []Watermark `json:"receipts" doc:"Of all members up to 64; above, the greatest of others and one's own."`
}

// Snapshot is a chat from scratch.
type Snapshot struct {
	Chat     Chat        `json:"chat"`
	Members  []Member    `json:"members" doc:"At most 200."`
	Messages []Message   `json:"messages" doc:"The newest page, ascending."`
	Receipts []Watermark `json:"receipts"`
}

// Watermark is how far a member has come in a chat.
type Watermark struct {
	UserID       string `json:"userId,omitempty"`
	DeliveredSeq int64  `json:"deliveredSeq"`
	ReadSeq      int64  `json:"readSeq"`
	Version      int64  `json:"version" doc:"The chat's receipt version of its last move."`
}

// PeopleOf returns the ids of everybody whom a sync answer shows in full.
func PeopleOf(a messaging.SyncAnswer) []string {
	var ids []string
	for _, c := range a.Chats {
		if c.Snapshot == nil {
			continue
		}
		if p := c.Snapshot.Chat.PeerID; p != "" {
			ids = append(ids, p)
		}
		for _, m := range c.Snapshot.Members {
			ids = append(ids, m.UserID)
		}
	}
	return ids
}

// FromSync converts an answer for its viewer; people holds who was found of PeopleOf.
func FromSync(a messaging.SyncAnswer, viewerID string, people map[string]users.User) SyncAnswer {
	return SyncAnswer{
		Epoch: a.Epoch, Reset: a.Reset, More: a.More,
		User: UserSync{
			Events: each(a.User.Events, func(e messaging.UserEvent) Event { return FromUserEvent(e, nil) }),
			Head:   a.User.Head, TooLong: a.User.TooLong,
		},
		Chats: each(a.Chats, func(c messaging.ChatSync) ChatSync { return fromChatSync(c, viewerID, people) }),
	}
}

func fromChatSync(c messaging.ChatSync, viewerID string, people map[string]users.User) ChatSync {
	out := ChatSync{
		ID: c.ChatID, Head: c.Head, TooLong: c.TooLong, ReceiptVersion: c.ReceiptVersion,
		Events:   each(c.Events, func(e messaging.Event) Event { return FromEvent(e, viewerID) }),
		Receipts: each(c.Receipts, fromWatermark),
	}
	if s := c.Snapshot; s != nil {
		out.Snapshot = &Snapshot{
			Chat: FromChat(s.Chat, Person(people, s.Chat.PeerID)),
			Members: each(s.Members, func(m messaging.Member) Member {
				return FromMember(m, *Person(people, m.UserID), viewerID)
			}),
			Messages: each(s.Messages, func(m messaging.Message) Message { return FromMessage(m, viewerID) }),
			Receipts: out.Receipts,
		}
	}
	return out
}

func fromWatermark(w messaging.Watermark) Watermark {
	return Watermark{w.UserID, w.DeliveredSeq, w.ReadSeq, w.Version}
}

// Person returns somebody of a lookup: by the bare id where he was not found,
// nil where there is no id.
func Person(people map[string]users.User, id string) *users.User {
	if id == "" {
		return nil
	}
	u, ok := people[id]
	if !ok {
		u.UserID = id
	}
	return &u
}
