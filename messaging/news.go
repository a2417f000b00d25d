package messaging

import "context"

// MaxNews is how many chats, and how many users, are asked about at once.
const MaxNews = 1000

// Places says how far a node has told those who listen to it: chats, and the
// users' own sequences. The ids are distinct, at most MaxNews of each.
type Places struct {
	Chats []Head
	Users []UserHead
}

// UserHead is where a user's own sequence stands.
type UserHead struct {
	UserID string
	Seq    int64
}

// News is what happened beyond Places.
type News struct {
	Chats []ChatNews
	Users []UserNews
}

// ChatNews is what a chat has beyond a place. Where Events end below Seq there is more.
type ChatNews struct {
	Head   // where it stands now
	Events []Event
	Marks  []Watermark // of present members, moved since
}

// UserNews is what a user's own sequence has beyond a place. Where Events end
// below Seq there is more.
type UserNews struct {
	UserHead // where it stands now
	Events   []UserEvent
}

// StoredNews is News as a store has it.
type StoredNews struct {
	Chats []StoredChatNews
	Users []UserNews
}

// StoredChatNews is ChatNews as a store has it; Events have their Stored messages.
type StoredChatNews struct {
	Head
	Events []StoredEvent
	Marks  []Watermark
}

// News implements Service.
func (m *Messenger) News(ctx context.Context, p Places) (News, error) {
	stored, err := m.store.News(ctx, p, MaxSync)
	if err != nil {
		return News{}, err
	}
	news := News{Users: stored.Users}
	for _, c := range stored.Chats {
		told := ChatNews{Head: c.Head, Marks: c.Marks, Events: make([]Event, len(c.Events))}
		for i, e := range c.Events {
			told.Events[i] = e.Event
			if e.Stored == nil {
				continue
			}
			msg, err := m.readable(ctx, e.Stored.SenderID, c.ChatID, e.Stored)
			if err != nil {
				return News{}, err
			}
			told.Events[i].Message = &msg
		}
		news.Chats = append(news.Chats, told)
	}
	return news, nil
}
