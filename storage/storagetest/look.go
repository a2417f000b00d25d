package storagetest

import (
	"context"
	"fmt"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

// lookAct reads all that one user can see of himself, or else of one chat.
type lookAct struct {
	own                   bool
	viewer, chat, message string
	window                messaging.Window
	after                 int64
	limit                 int
}

func (a lookAct) String() string {
	if a.own {
		return fmt.Sprintf("%s looks at his chats, limit %d, and counts unread in %s", a.viewer, a.limit, a.chat)
	}
	return fmt.Sprintf("%s looks into %s and at %s, window %+v, after %d, limit %d", a.viewer, a.chat, a.message, a.window, a.after, a.limit)
}

// sight is what lookAct sees of the user's own things, and insight of the chat.
type sight struct {
	Unread messaging.UnreadCount
	Heads  messaging.Heads
	List   []messaging.StoredView
	Feed   []messaging.UserEvent
}

type insight struct {
	View       messaging.StoredView
	Members    []messaging.Member
	History    []messaging.StoredMessage
	Events     []messaging.StoredEvent
	Watermarks []messaging.Watermark
	Version    int64
}

func (a lookAct) do(ctx context.Context, s *subject) ([]reply, error) {
	if a.own {
		return s.one(a.sight(ctx, s))
	}
	in, inErr := a.inside(ctx, s)
	viewer, chat, message := s.id(a.viewer), s.id(a.chat), s.id(a.message)
	m, mErr := s.r.m().Message(ctx, viewer, chat, message)
	past, pastErr := s.r.m().PastBodies(ctx, viewer, chat, message)
	receipts, receiptsErr := s.r.m().Receipts(ctx, viewer, chat, message, "", a.limit)
	return []reply{
		{shorten(s.prefix, in), inErr}, {shorten(s.prefix, m), mErr}, {shorten(s.prefix, past), pastErr}, {shorten(s.prefix, receipts), receiptsErr},
	}, nil
}

func (a lookAct) sight(ctx context.Context, s *subject) (out sight, err error) {
	viewer := s.id(a.viewer)
	counts, err := s.r.m().Unread(ctx, s.id(a.chat), []string{viewer})
	if err != nil {
		return out, err
	}
	out.Unread = counts[0]
	if out.Heads, err = s.r.m().Heads(ctx, viewer); err != nil {
		return out, err
	}
	out.Heads.Epoch = "" // the backend's own
	if out.Feed, err = s.r.m().UserEvents(ctx, viewer, 0, messaging.MaxSync); err != nil {
		return out, err
	}
	out.Feed = settled(out.Feed)
	out.List, err = s.r.m().Chats(ctx, viewer, messaging.ChatList{Limit: a.limit})
	if err != nil || len(out.List) == 0 {
		return out, err
	}
	end := out.List[len(out.List)-1]
	cursor := messaging.ChatCursor{Activity: end.LastMessageAt, ChatID: end.ID}
	if end.LastMessageAt.IsZero() {
		cursor.Activity = end.CreatedAt
	}
	next, err := s.r.m().Chats(ctx, viewer, messaging.ChatList{After: cursor, Limit: messaging.MaxPage})
	out.List = append(out.List, next...)
	return out, err
}

func (a lookAct) inside(ctx context.Context, s *subject) (out insight, err error) {
	store, viewer, chat := s.r.m(), s.id(a.viewer), s.id(a.chat)
	if out.View, err = store.Chat(ctx, viewer, chat); err != nil {
		return out, err
	}
	if out.Members, err = store.Members(ctx, viewer, chat, "", a.limit); err != nil {
		return out, err
	}
	if out.History, err = store.Messages(ctx, viewer, chat, a.window); err != nil {
		return out, err
	}
	if out.Events, err = store.Events(ctx, viewer, chat, a.after, a.limit); err != nil {
		return out, err
	}
	out.Watermarks, out.Version, err = store.Watermarks(ctx, viewer, chat, a.after, a.limit)
	return out, err
}

func (a lookAct) expect(m *model) []answer {
	if a.own {
		return []answer{{viewer: a.viewer, value: sight{
			Unread: m.unread(a.viewer, a.chat), Heads: m.heads(a.viewer), List: m.list(a.viewer), Feed: settled(m.feed(a.viewer)),
		}}}
	}
	noChat := refused(messaging.ErrChatNotFound)
	c := m.chat(a.chat)
	if c == nil || c.present(a.viewer) == nil {
		return []answer{noChat, noChat, noChat, noChat}
	}
	span := c.present(a.viewer)
	in := insight{
		View: c.view(span), History: c.history(a.viewer, a.window),
		Events:     c.eventsAbove(a.viewer, a.after, a.limit),
		Watermarks: c.watermarksSince(a.after), Version: int64(len(c.moves)),
	}
	in.Watermarks = in.Watermarks[:min(a.limit, len(in.Watermarks))]
	for _, s := range c.members() {
		in.Members = append(in.Members, s.Member)
	}
	slices.SortFunc(in.Members, func(a, b messaging.Member) int {
		if a.UserID < b.UserID {
			return -1
		}
		return 1
	})
	in.Members = in.Members[:min(a.limit, len(in.Members))]
	inside := answer{value: in, viewer: a.viewer}
	p := c.post(a.message)
	if p == nil || p.deleted || slices.Contains(p.hiddenBy, a.viewer) {
		none := refused(messaging.ErrMessageNotFound)
		return []answer{inside, none, none, none}
	}
	receipts := c.receipts(p)
	return []answer{
		inside, {value: c.show(p, a.viewer), viewer: a.viewer}, {value: p.past},
		{value: receipts[:min(a.limit, len(receipts))]},
	}
}
