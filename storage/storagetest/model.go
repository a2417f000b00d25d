package storagetest

import (
	"bytes"
	"slices"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

// model is the contract of messaging.Store once more, as plainly as it can be
// said: facts in the order in which they happened, and every answer worked out from
// them by its definition. It shares no code with any backend. Ids are the short
// names of one case.
type model struct {
	clock time.Time
	chats []*chatModel // in the order of their making
	own   []messaging.UserEvent
	names int // of chats and messages given so far

	answers []answer // to the last command
}

type chatModel struct {
	new    messaging.NewChat
	spans  []span
	posts  []post
	events []messaging.Event
	moves  []messaging.Mark // those that moved something; its index + 1 is the receipt version
}

// span is one membership: it covers the places above from and, when it ended, below to.
type span struct {
	messaging.Member
	to      int64
	version int64
}

type post struct {
	messaging.NewMessage
	seq      int64
	revision int
	editedAt time.Time
	past     []messaging.PastBody
	deleted  bool
	hiddenBy []string
}

func (m *model) clone() *model {
	c := &model{clock: m.clock, own: slices.Clip(m.own), names: m.names}
	for _, x := range m.chats {
		y := *x
		y.spans, y.posts = slices.Clone(x.spans), slices.Clone(x.posts)
		y.events, y.moves = slices.Clip(x.events), slices.Clip(x.moves)
		for i := range y.posts {
			y.posts[i].past, y.posts[i].hiddenBy = slices.Clip(y.posts[i].past), slices.Clip(y.posts[i].hiddenBy)
		}
		c.chats = append(c.chats, &y)
	}
	return c
}

// answer is what one item of a command gives: a value, or one of some errors.
type answer struct {
	value  any
	fails  []error
	viewer string // for whom messages in the value are meant
}

func refused(errs ...error) answer { return answer{fails: errs} }

// tell adds an own event of a user.
func (m *model) tell(e messaging.UserEvent) messaging.UserEvent {
	e.Seq = m.ownHead(e.UserID) + 1
	m.own = append(m.own, e)
	return e
}

func (m *model) ownHead(user string) (n int64) {
	for _, e := range m.own {
		if e.UserID == user {
			n++
		}
	}
	return n
}

func (m *model) chat(id string) *chatModel {
	for _, c := range m.chats {
		if c.new.ID == id {
			return c
		}
	}
	return nil
}

// present returns a user's present membership, nil without one.
func (c *chatModel) present(user string) *span {
	for i := range c.spans {
		if c.spans[i].UserID == user && c.spans[i].to == 0 {
			return &c.spans[i]
		}
	}
	return nil
}

func (c *chatModel) members() (all []*span) {
	for i := range c.spans {
		if c.spans[i].to == 0 {
			all = append(all, &c.spans[i])
		}
	}
	return all
}

func (c *chatModel) head() int64 { return int64(len(c.events)) }

func (c *chatModel) happened(e messaging.Event) messaging.StoredEvent {
	e.ChatID, e.Seq = c.new.ID, c.head()+1
	c.events = append(c.events, e)
	return messaging.StoredEvent{Event: e}
}

func (c *chatModel) post(id string) *post {
	for i := range c.posts {
		if c.posts[i].ID == id {
			return &c.posts[i]
		}
	}
	return nil
}

// acting returns the chat and membership of somebody who does something, or why
// he may not: unknown are the errors of those who never were members.
func (m *model) acting(user, chatID string, unknown ...error) (*chatModel, *span, []error) {
	c := m.chat(chatID)
	if c == nil {
		return nil, nil, unknown
	}
	if own := c.present(user); own != nil {
		return c, own, nil
	}
	for _, s := range c.spans {
		if s.UserID == user {
			return c, nil, []error{messaging.ErrNotAMember}
		}
	}
	return c, nil, unknown
}

func (m *model) create(n messaging.NewChat) answer {
	existing := func(c *chatModel) answer {
		return answer{value: messaging.CreatedChat{Chat: c.chat(), Existed: true}}
	}
	for _, c := range m.chats {
		if n.Kind == messaging.Direct && c.new.Kind == messaging.Direct {
			both := slices.ContainsFunc(c.new.Members, func(x messaging.NewMember) bool { return x.UserID == n.Members[0].UserID }) &&
				slices.ContainsFunc(c.new.Members, func(x messaging.NewMember) bool { return x.UserID == n.Members[1].UserID })
			if both {
				return existing(c)
			}
		}
		if n.ClientID != "" && c.new.ClientID == n.ClientID && c.new.CreatedBy == n.CreatedBy {
			if !bytes.Equal(c.new.Digest, n.Digest) {
				return refused(messaging.ErrClientIDReused)
			}
			return existing(c)
		}
	}
	c := &chatModel{new: n}
	m.chats = append(m.chats, c)
	var told []messaging.UserEvent
	for _, x := range n.Members {
		c.spans = append(c.spans, span{Member: messaging.Member{
			ChatID: n.ID, UserID: x.UserID, Role: x.Role, JoinedAt: n.CreatedAt,
		}})
		told = append(told, m.tell(messaging.UserEvent{
			UserID: x.UserID, Type: messaging.ChatJoined, At: n.CreatedAt, ChatID: n.ID,
		}))
	}
	return answer{value: messaging.CreatedChat{Chat: c.chat(), UserEvents: byUser(told)}}
}

func (m *model) add(a messaging.AddMembers) answer {
	c, own, errs := m.acting(a.ActorID, a.ChatID, messaging.ErrChatNotFound)
	switch {
	case errs != nil:
		return refused(errs...)
	case c.new.Kind != messaging.Group:
		return refused(messaging.ErrNotAGroup)
	case own.Role == messaging.RoleMember:
		return refused(messaging.ErrNotAnAdmin)
	}
	fresh := slices.DeleteFunc(slices.Clone(a.UserIDs), func(u string) bool { return c.present(u) != nil })
	if len(fresh) > 0 && len(c.members())+len(fresh) > a.Limit {
		return refused(messaging.ErrGroupFull)
	}
	var out messaging.Changed
	for _, u := range fresh {
		e := c.happened(messaging.Event{
			Type: messaging.MemberAdded, At: a.At, ActorID: a.ActorID, UserID: u, Role: messaging.RoleMember,
		})
		out.Events = append(out.Events, e)
		c.spans = append(c.spans, span{Member: messaging.Member{
			ChatID: a.ChatID, UserID: u, Role: messaging.RoleMember, JoinedAt: a.At,
			JoinedSeq: e.Seq, DeliveredSeq: e.Seq, ReadSeq: e.Seq,
		}})
		out.UserEvents = append(out.UserEvents, m.tell(messaging.UserEvent{
			UserID: u, Type: messaging.ChatJoined, At: a.At, ChatID: a.ChatID, HeadSeq: e.Seq,
		}))
	}
	out.UserEvents = byUser(out.UserEvents)
	return answer{value: out}
}

func (m *model) remove(x messaging.RemoveMember) answer {
	c, own, errs := m.acting(x.ActorID, x.ChatID, messaging.ErrChatNotFound)
	if errs != nil {
		return refused(errs...)
	}
	if c.new.Kind != messaging.Group {
		return refused(messaging.ErrNotAGroup)
	}
	target := c.present(x.UserID)
	self := x.ActorID == x.UserID
	switch {
	case target == nil && own.Role == messaging.RoleMember: // which comes first is not said
		return refused(messaging.ErrMemberNotFound, messaging.ErrNotAnAdmin)
	case target == nil:
		return refused(messaging.ErrMemberNotFound)
	case !self && own.Role == messaging.RoleMember,
		!self && own.Role == messaging.RoleAdmin && target.Role != messaging.RoleMember:
		return refused(messaging.ErrNotAnAdmin)
	}
	reason := messaging.ReasonRemoved
	if self {
		reason = messaging.ReasonLeft
	}
	role := target.Role
	e := c.happened(messaging.Event{
		Type: messaging.MemberRemoved, At: x.At, ActorID: x.ActorID, UserID: x.UserID, Role: role, Reason: reason,
	})
	target.to = e.Seq
	out := messaging.Changed{Events: []messaging.StoredEvent{e}, UserEvents: []messaging.UserEvent{
		m.tell(messaging.UserEvent{UserID: x.UserID, Type: messaging.ChatLeft, At: x.At, ChatID: x.ChatID, HeadSeq: e.Seq}),
	}}
	if heir := c.heir(); role == messaging.RoleOwner && heir != nil {
		heir.Role = messaging.RoleOwner
		out.Events = append(out.Events, c.happened(messaging.Event{
			Type: messaging.MemberRole, At: x.At, ActorID: x.ActorID, UserID: heir.UserID, Role: messaging.RoleOwner,
		}))
	}
	return answer{value: out}
}

// heir is the admin who joined first, else the member who did, the smaller id of equals.
func (c *chatModel) heir() (best *span) {
	for _, role := range []messaging.Role{messaging.RoleAdmin, messaging.RoleMember} {
		for _, s := range c.members() {
			earlier := best == nil || s.JoinedAt.Before(best.JoinedAt) ||
				s.JoinedAt.Equal(best.JoinedAt) && s.UserID < best.UserID
			if s.Role == role && earlier {
				best = s
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}
