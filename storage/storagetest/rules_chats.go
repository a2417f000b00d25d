package storagetest

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/wigwag-chat/wigwag/messaging"
)

func chatRules() []rule {
	return []rule{
		{name: "chats/group comes back as made", check: groupComesBack,
			says: "CreateChat makes a chat with its members, its key and a ChatJoined for each of them, at sequence 0."},
		{name: "chats/direct chat comes back as made", check: directComesBack,
			says: "A direct chat has exactly two people; PeerID is the other one."},
		{name: "chats/a pair has one direct chat", check: onePair,
			says: "For a pair that has a direct chat CreateChat returns that one as Existed; nothing was changed."},
		{name: "chats/direct chat race makes one", check: pairRace,
			says: "CreateChat is atomic: of concurrent calls for a pair one makes the chat, and all return it."},
		{name: "chats/client id makes one chat", check: chatClientID,
			says: "For a creator and client id that made a chat CreateChat returns that one as Existed; ErrClientIDReused when the digest differs."},
		{name: "chats/client id race makes one", check: chatClientIDRace,
			says: "CreateChat is atomic: of concurrent calls with one client id one makes the chat, and all return it."},
		{name: "chats/key is kept", check: chatKey,
			says: "Key returns the chat's key of that id, \"\" for the newest; ErrChatNotFound."},
		{name: "chats/ids are compared byte by byte", check: idsByteWise,
			says: "Ids of at most 128 bytes are compared byte by byte: case, accents and blanks count."},
		{name: "chats/others find nothing", check: othersFindNothing,
			says: "Reads by others than present members answer ErrChatNotFound, also where a former member asks."},
		{name: "chats/list is by activity, then by id", check: chatList,
			says: "Chats returns the viewer's chats by last activity, newest first, then by id descending."},
		{name: "chats/pages drop and repeat nothing", check: chatPages,
			says: "What follows a ChatCursor is less active, or as active with a smaller id. Zero is the start."},
		{name: "chats/last message is there for the viewer", check: lastMessage,
			says: "LastMessage is the newest that is neither deleted nor hidden; nil without one."},
		{name: "chats/heads tell where everything stands", check: headsStand,
			says: "Heads returns where everything of a user stands: present memberships, by chat id; a stranger has nothing."},
	}
}

func groupComesBack(r *R) {
	p := r.people(3)
	texts := difficultTexts()
	for i, text := range texts {
		n := r.newChat(messaging.Group, p[0], p[1], p[2])
		n.Title, n.Description, n.PictureID = text, texts[(i+1)%len(texts)], r.id("media")
		n.Members[2].Role = messaging.RoleAdmin
		n.Key.Data = []byte{0, 1, 0xff, 0x80, '\''}
		out, err := r.m().CreateChat(r.ctx, n)
		r.ok(err)
		want := messaging.Chat{
			ID: n.ID, Kind: messaging.Group, Status: messaging.Active, Title: n.Title, Description: n.Description,
			PictureID: n.PictureID, CreatedBy: p[0], CreatedAt: n.CreatedAt, UpdatedAt: n.CreatedAt, MemberCount: 3,
			Settings: messaging.DefaultGroupSettings(),
		}
		r.same("created chat", want, out.Chat)
		r.same("existed", false, out.Existed)
		var joined []messaging.UserEvent
		var members []messaging.Member
		for k, user := range p {
			e := messaging.UserEvent{UserID: user, Seq: int64(i) + 1, Type: messaging.ChatJoined, At: n.CreatedAt, ChatID: n.ID}
			joined = append(joined, e)
			members = append(members, messaging.Member{ChatID: n.ID, UserID: user, Role: n.Members[k].Role, JoinedAt: n.CreatedAt})
			feed := r.feed(user)
			r.same("last of the user's events", e, feed[len(feed)-1])
		}
		r.same("user events of a new chat", joined, byUser(out.UserEvents))
		c := room{r, n.ID}
		for k, user := range p {
			r.same("chat as its members see it", messaging.StoredView{
				ChatView: messaging.ChatView{Chat: want, Own: members[k]},
			}, c.view(user))
		}
		r.same("members", members, c.members(p[1]))
		r.same("events of a new chat", []messaging.StoredEvent(nil), c.events(p[0]))
		r.same("history of a new chat", []messaging.StoredMessage(nil), c.history(p[0], newest()))
	}
}

func directComesBack(r *R) {
	p := r.people(2)
	n := r.newChat(messaging.Direct, p[0], p[1])
	c := r.create(n)
	for i, user := range p {
		v := c.view(user)
		r.same("peer", p[1-i], v.PeerID)
		r.same("kind", messaging.Direct, v.Kind)
		r.same("own membership", messaging.Member{
			ChatID: c.id, UserID: user, Role: messaging.RoleMember, JoinedAt: n.CreatedAt,
		}, v.Own)
	}
}

func onePair(r *R) {
	p := r.people(3)
	c := r.direct(p[0], p[1])
	c.send(p[0])
	feeds := func() [][]messaging.UserEvent { return [][]messaging.UserEvent{r.feed(p[0]), r.feed(p[1])} }
	before, seen := feeds(), c.view(p[0])
	for _, n := range []messaging.NewChat{
		r.newChat(messaging.Direct, p[0], p[1]), r.newChat(messaging.Direct, p[1], p[0]),
	} {
		out, err := r.m().CreateChat(r.ctx, n)
		r.ok(err)
		r.same("outcome for a pair that has a chat", messaging.CreatedChat{Chat: seen.Chat, Existed: true}, out)
		_, err = r.m().Key(r.ctx, n.ID, "")
		r.fails("key of the chat that was not made", err, messaging.ErrChatNotFound)
	}
	r.same("user events afterwards", before, feeds())
	other, err := r.m().CreateChat(r.ctx, r.newChat(messaging.Direct, p[0], p[2]))
	r.ok(err)
	r.same("another pair existed", false, other.Existed)
	group, err := r.m().CreateChat(r.ctx, r.newChat(messaging.Group, p[0], p[1]))
	r.ok(err)
	r.same("a group of the same two existed", false, group.Existed)
}

func pairRace(r *R) {
	for range 5 {
		p := r.people(2)
		const n = 8
		calls, out := make([]messaging.NewChat, n), make([]messaging.CreatedChat, n)
		for i := range calls {
			calls[i] = r.newChat(messaging.Direct, p[i%2], p[1-i%2])
		}
		r.oneChat(p, calls, out)
	}
}

// oneChat makes chats at the same time, of which there must be one in the end.
func (r *R) oneChat(members []string, calls []messaging.NewChat, out []messaging.CreatedChat) {
	var made atomic.Int32
	r.race(len(calls), func(i int) {
		var err error
		out[i], err = r.m().CreateChat(r.ctx, calls[i])
		r.ok(err)
		if !out[i].Existed {
			made.Add(1)
		}
	})
	r.same("chats made", int32(1), made.Load())
	for _, o := range out {
		r.same("chat that a racing call returned", out[0].Chat, o.Chat)
	}
	for _, user := range members {
		r.same("number of the user's events", 1, len(r.feed(user)))
		r.same("number of the user's chats", 1, len(r.heads(user).Chats))
	}
}

func chatClientID(r *R) {
	p := r.people(3)
	n := r.newChat(messaging.Group, p[0], p[1])
	n.ClientID, n.Digest = r.id("client"), []byte("digest")
	c := r.create(n)
	same := n
	same.ID = r.id("chat")
	expect := func(what string, n messaging.NewChat, id string, existed bool) {
		out, err := r.m().CreateChat(r.ctx, n)
		r.ok(err)
		r.same(what, []any{id, existed}, []any{out.Chat.ID, out.Existed})
	}
	expect("repeat", same, n.ID, true)
	other := same
	other.Digest = []byte("Digest")
	_, err := r.m().CreateChat(r.ctx, other)
	r.fails("client id with another digest", err, messaging.ErrClientIDReused)
	_, err = r.m().Key(r.ctx, same.ID, "")
	r.fails("key of the chat that was not made", err, messaging.ErrChatNotFound)
	r.same("number of the creator's chats", 1, len(r.heads(p[0]).Chats))
	// Another creator, another case of the name, and no name are others.
	other = r.newChat(messaging.Group, p[2])
	other.ClientID, other.Digest = n.ClientID, n.Digest
	expect("another creator's client id", other, other.ID, false)
	other = r.newChat(messaging.Group, p[0])
	other.ClientID, other.Digest = strings.ToUpper(n.ClientID), n.Digest
	expect("client id in upper case", other, other.ID, false)
	for range 2 {
		other = r.newChat(messaging.Group, p[0])
		expect("chat without a client id", other, other.ID, false)
	}
	// Also when the creator left, and when the chat is closed.
	c.remove(p[0], p[0])
	expect("repeat after the creator left", same, n.ID, true)
	c.remove(p[1], p[1])
	out, err := r.m().CreateChat(r.ctx, same)
	r.ok(err)
	r.same("repeat after the chat was closed", []any{n.ID, true, messaging.Closed, 0},
		[]any{out.Chat.ID, out.Existed, out.Chat.Status, out.Chat.MemberCount})
}

func chatClientIDRace(r *R) {
	for range 5 {
		p := r.people(2)
		name := r.id("client")
		calls, out := make([]messaging.NewChat, 8), make([]messaging.CreatedChat, 8)
		for i := range calls {
			calls[i] = r.newChat(messaging.Group, p[0], p[1])
			calls[i].ClientID, calls[i].Digest = name, []byte("digest")
		}
		r.oneChat(p, calls, out)
	}
}

func chatKey(r *R) {
	p := r.people(1)
	n, other := r.newChat(messaging.Group, p[0]), r.newChat(messaging.Group, p[0])
	c := r.create(n)
	r.create(other)
	for _, id := range []string{"", n.Key.ID} {
		key, err := r.m().Key(r.ctx, c.id, id)
		r.ok(err)
		r.same("key", n.Key, key)
	}
	for _, at := range [][2]string{{c.id, other.Key.ID}, {c.id, "none"}, {r.id("chat"), ""}, {r.id("chat"), n.Key.ID}} {
		_, err := r.m().Key(r.ctx, at[0], at[1])
		r.fails("key that is not there", err, messaging.ErrChatNotFound)
	}
}

func idsByteWise(r *R) {
	owner := r.people(1)[0]
	var users, chats []string
	for _, suffix := range difficultIDs() {
		users = append(users, r.prefix+suffix)
		chats = append(chats, r.prefix+"c"+suffix)
	}
	for i, id := range chats {
		n := r.newChat(messaging.Group, owner, users[i])
		n.ID, n.Title = id, id
		r.create(n)
	}
	for i, id := range chats {
		c := room{r, id}
		r.same("title of chat "+id, id, c.view(users[i]).Title)
		for k, user := range users {
			if k != i {
				_, err := r.m().Chat(r.ctx, user, id)
				r.fails("chat of somebody with a similar id", err, messaging.ErrChatNotFound)
			}
		}
	}
	var heads []string
	for _, h := range r.heads(owner).Chats {
		heads = append(heads, h.ChatID)
	}
	r.same("chats in the heads", chats, heads)
	// In one chat they are different people, in byte order.
	c := r.group(owner, users...)
	var got []string
	for _, m := range c.members(owner) {
		if m.UserID != owner {
			got = append(got, m.UserID)
		}
	}
	r.same("members", users, got)
}

// reads lists every read of a chat.
func (r *R) reads(c room, messageID string) map[string]func(ctx context.Context, viewer string) error {
	s := r.m()
	return map[string]func(ctx context.Context, viewer string) error{
		"Chat":       func(ctx context.Context, v string) error { return drop(s.Chat(ctx, v, c.id)) },
		"Members":    func(ctx context.Context, v string) error { return drop(s.Members(ctx, v, c.id, "", 10)) },
		"Message":    func(ctx context.Context, v string) error { return drop(s.Message(ctx, v, c.id, messageID)) },
		"Messages":   func(ctx context.Context, v string) error { return drop(s.Messages(ctx, v, c.id, newest())) },
		"PastBodies": func(ctx context.Context, v string) error { return drop(s.PastBodies(ctx, v, c.id, messageID)) },
		"Watermarks": func(ctx context.Context, v string) error { _, _, err := s.Watermarks(ctx, v, c.id, 0, 10); return err },
		"Receipts":   func(ctx context.Context, v string) error { return drop(s.Receipts(ctx, v, c.id, messageID, "", 10)) },
		"Events":     func(ctx context.Context, v string) error { return drop(s.Events(ctx, v, c.id, 0, 10)) },
	}
}

func othersFindNothing(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1])
	m := c.send(p[1])
	c.read(p[0], m.Seq)
	unknown := room{r, r.id("chat")}
	for name, read := range r.reads(c, m.ID) {
		r.ok(read(r.ctx, p[1]))
		r.fails(name+" by a stranger", read(r.ctx, p[2]), messaging.ErrChatNotFound)
	}
	for name, read := range r.reads(unknown, m.ID) {
		r.fails(name+" of an unknown chat", read(r.ctx, p[0]), messaging.ErrChatNotFound)
	}
	c.remove(p[0], p[1])
	for name, read := range r.reads(c, m.ID) {
		r.fails(name+" by a former member", read(r.ctx, p[1]), messaging.ErrChatNotFound)
	}
	list, err := r.m().Chats(r.ctx, p[1], messaging.ChatList{Limit: 10})
	r.ok(err)
	r.same("chats of a former member", 0, len(list))
}
