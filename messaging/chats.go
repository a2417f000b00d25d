package messaging

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wigwag-chat/wigwag/errs"
)

// OpenDirect implements Service.
func (m *Messenger) OpenDirect(ctx context.Context, userID, peerID string) (ChatView, bool, error) {
	if err := checkUser(userID); err != nil {
		return ChatView{}, false, err
	}
	if userID == peerID {
		return ChatView{}, false, errs.Field("userId", "invalid_user", "A direct chat is with somebody else.")
	}
	if _, err := m.known(ctx, "userId", []string{peerID}, ""); err != nil {
		return ChatView{}, false, err
	}
	return m.create(ctx, NewChat{
		Kind: Direct, CreatedBy: userID,
		Members: []NewMember{{userID, RoleMember}, {peerID, RoleMember}},
	})
}

// CreateGroup implements Service.
func (m *Messenger) CreateGroup(ctx context.Context, r NewGroup) (ChatView, bool, error) {
	if err := checkUser(r.CreatorID); err != nil {
		return ChatView{}, false, err
	}
	if err := checkGroup(r); err != nil {
		return ChatView{}, false, err
	}
	members, err := m.known(ctx, "memberIds", r.MemberIDs, r.CreatorID)
	if err != nil {
		return ChatView{}, false, err
	}
	chat := NewChat{
		Kind: Group, CreatedBy: r.CreatorID, Title: r.Title, Description: r.Description,
		ClientID: r.ClientID, Members: []NewMember{{r.CreatorID, RoleOwner}},
	}
	for _, id := range members {
		chat.Members = append(chat.Members, NewMember{id, RoleMember})
	}
	if r.ClientID != "" {
		slices.Sort(members) // the same people in another order are the same request
		chat.Digest = m.digest(append([]string{"group", r.CreatorID, r.Title, r.Description}, members...)...)
	}
	return m.create(ctx, chat)
}

// create gives a chat its name and key, stores it, and shows it to its creator.
func (m *Messenger) create(ctx context.Context, c NewChat) (ChatView, bool, error) {
	var err error
	c.ID, c.CreatedAt = m.newID(), m.time()
	if c.Key, err = m.newKey(ctx, c.ID); err != nil {
		return ChatView{}, false, err
	}
	made, err := m.store.CreateChat(ctx, c)
	if err != nil {
		users := make([]string, len(c.Members))
		for i, member := range c.Members {
			users[i] = member.UserID
		}
		return ChatView{}, false, m.failed(err, "", users...)
	}
	m.publish(Committed{UserEvents: made.UserEvents})
	view, err := m.Chat(ctx, c.CreatedBy, made.Chat.ID)
	return view, !made.Existed, err
}

func checkGroup(r NewGroup) error {
	if err := checkTitle(r.Title); err != nil {
		return err
	}
	if err := checkDescription(r.Description); err != nil {
		return err
	}
	return checkClientID(r.ClientID)
}

func checkTitle(title string) error {
	switch {
	case tooLong(title, MaxTitle):
		return errs.Field("name", "name_too_long", "A group's name has at most 100 characters.")
	case !utf8.ValidString(title) || strings.IndexFunc(title, unicode.IsControl) >= 0:
		return errs.Field("name", "invalid_name", "A group's name is one line of text.")
	case blank(title):
		return errs.Field("name", "empty_name", "Give the group a name.")
	}
	return nil
}

func checkDescription(description string) error {
	switch {
	case tooLong(description, MaxDescription):
		return errs.Field("description", "description_too_long", "A description has at most 500 characters.")
	case !validText(description):
		return errs.Field("description", "invalid_description", "A description is valid UTF-8 without NUL.")
	}
	return nil
}

// Chat implements Service.
func (m *Messenger) Chat(ctx context.Context, userID, chatID string) (ChatView, error) {
	if err := checkChat(userID, chatID); err != nil {
		return ChatView{}, err
	}
	stored, err := m.store.Chat(ctx, userID, chatID)
	if err != nil {
		return ChatView{}, err
	}
	return m.readableView(ctx, userID, stored)
}

// Chats implements Service.
func (m *Messenger) Chats(ctx context.Context, userID string, r List) (Page[ChatView], error) {
	if err := checkUser(userID); err != nil {
		return Page[ChatView]{}, err
	}
	limit, from, err := r.parse(chatList)
	if err != nil {
		return Page[ChatView]{}, err
	}
	var after ChatCursor
	if from.id != "" {
		after = ChatCursor{Activity: time.UnixMicro(from.activity).UTC(), ChatID: from.id}
	}
	stored, err := m.store.Chats(ctx, userID, ChatList{After: after, Archived: r.Archived, Limit: limit + 1})
	if err != nil {
		return Page[ChatView]{}, err
	}
	page := cut(stored, limit, chatList, func(v StoredView) cursor {
		activity := v.LastMessageAt
		if activity.IsZero() {
			activity = v.CreatedAt
		}
		return cursor{activity.UnixMicro(), v.ID}
	})
	views := make([]ChatView, len(page.Items))
	for i, v := range page.Items {
		if views[i], err = m.readableView(ctx, userID, v); err != nil {
			return Page[ChatView]{}, err
		}
	}
	return Page[ChatView]{Items: views, Next: page.Next}, nil
}
