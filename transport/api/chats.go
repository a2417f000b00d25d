package api

import (
	"encoding/json"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

// OpenDirect is the body of POST /v1/chats/direct.
type OpenDirect struct {
	UserID string `json:"userId"`
}

// CreateGroup is the body of POST /v1/groups.
type CreateGroup struct {
	Name        string   `json:"name" doc:"1 to 100 characters."`
	Description string   `json:"description,omitempty" doc:"Up to 500 characters."`
	MemberIDs   []string `json:"memberIds,omitempty" doc:"At most 1,000."`
}

// AddMembers is the body of POST /v1/groups/{chat}/members.
type AddMembers struct {
	UserIDs []string `json:"userIds" doc:"1 to 1,000."`
}

// Chat is a chat as one of its members sees it.
type Chat struct {
	ID          string `json:"id"`
	Kind        string `json:"kind" enum:"direct,group"`
	Title       string `json:"title,omitempty" doc:"Of a group."`
	Description string `json:"description,omitempty" doc:"Of a group."`
	PictureID   string `json:"pictureId,omitempty"`
	MemberCount int    `json:"memberCount"`
	HeadSeq     int64  `json:"headSeq" doc:"The sequence of the newest event; 0 before the first."`
	UnreadCount int    `json:"unreadCount"`

	MentionCount int `json:"mentionCount" doc:"Unread messages that mention one; none do in this version."`

	MutedUntil   time.Time `json:"mutedUntil,omitzero" doc:"Left out when the chat is not muted."`
	Archived     bool      `json:"archived"`
	Pinned       bool      `json:"pinned"`
	MarkedUnread bool      `json:"markedUnread"`

	Settings *GroupSettings `json:"settings,omitempty" doc:"Of a group."`

	LastMessage   *Message  `json:"lastMessage,omitempty"`
	Peer          *User     `json:"peer,omitempty" doc:"The other one of a direct chat."`
	Status        string    `json:"status" enum:"active,closed"`
	CreatedBy     string    `json:"createdBy"`
	CreatedAt     time.Time `json:"createdAt"`
	UpdatedAt     time.Time `json:"updatedAt"`
	LastMessageAt time.Time `json:"lastMessageAt,omitzero"`
}

// FromChat converts a chat as its viewer, c.Own, sees it; peer is the other one
// of a direct chat, or nil.
func FromChat(c messaging.ChatView, peer *users.User) Chat {
	viewer := c.Own.UserID
	out := Chat{
		ID: c.ID, Kind: string(c.Kind), Title: c.Title, Description: c.Description,
		PictureID: c.PictureID, MemberCount: c.MemberCount, HeadSeq: c.HeadSeq, UnreadCount: c.Unread,
		Status: string(c.Status), CreatedBy: c.CreatedBy, CreatedAt: stamp(c.CreatedAt),
		UpdatedAt: stamp(c.UpdatedAt), LastMessageAt: stamp(c.LastMessageAt),
	}
	p := c.Preferences
	out.MutedUntil, out.Archived, out.Pinned, out.MarkedUnread = stamp(p.MutedUntil), p.Archived, p.Pinned, p.MarkedUnread
	if c.Kind == messaging.Group {
		out.Settings = fromGroupSettings(c.Settings)
	}
	if c.LastMessage != nil {
		m := FromMessage(*c.LastMessage, viewer)
		out.LastMessage = &m
	}
	if peer != nil {
		u := FromUser(*peer, viewer)
		out.Peer = &u
	}
	return out
}

// Member is one present member of a group.
type Member struct {
	User     User      `json:"user"`
	Role     string    `json:"role" enum:"owner,admin,member"`
	JoinedAt time.Time `json:"joinedAt"`
}

// FromMember converts; u is the member as the viewer may see him.
func FromMember(m messaging.Member, u users.User, viewerID string) Member {
	return Member{FromUser(u, viewerID), string(m.Role), stamp(m.JoinedAt)}
}

// SetPreferences is the body of PATCH /v1/chats/{chat}/preferences. What is left out stays.
type SetPreferences struct {
	MutedUntil   json.RawMessage `json:"mutedUntil,omitempty" doc:"A time, or null: not muted."`
	Archived     *bool           `json:"archived,omitempty"`
	Pinned       *bool           `json:"pinned,omitempty"`
	MarkedUnread *bool           `json:"markedUnread,omitempty"`
}

// Preferences converts.
func (s SetPreferences) Preferences(userID, chatID string) (messaging.SetPreferences, error) {
	p := messaging.SetPreferences{UserID: userID, ChatID: chatID, Archived: s.Archived, Pinned: s.Pinned, MarkedUnread: s.MarkedUnread}
	if len(s.MutedUntil) == 0 {
		return p, nil
	}
	p.MutedUntil = new(time.Time) // null leaves it zero
	if json.Unmarshal(s.MutedUntil, p.MutedUntil) != nil || p.MutedUntil.Year() > 9999 {
		return p, ErrInvalidField.With("field", "mutedUntil")
	}
	return p, nil
}
