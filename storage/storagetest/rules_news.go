package storagetest

import (
	"fmt"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

func newsRules() []rule {
	return []rule{
		{name: "news/events are those that were published", check: newsEvents,
			says: "News returns of each chat that stands further what Events returns above the sequence, with nothing hidden; HiddenFrom names who hid a message, MemberAdded and MemberRemoved have their UserSeq."},
		{name: "news/marks are those that moved", check: newsMarks,
			says: "News returns the marks of present members above the receipt version, by version; a chat whose marks alone moved stands further."},
		{name: "news/users have their own events", check: newsOfUsers,
			says: "News returns of each user who stands further, in the order given, what UserEvents returns."},
	}
}

func (r *R) news(limit int, p messaging.Places) messaging.StoredNews {
	news, err := r.m().News(r.ctx, p, limit)
	r.ok(err)
	return news
}

func (r *R) sameChats(what string, news messaging.StoredNews, want ...messaging.Head) {
	var got []messaging.Head
	for _, c := range news.Chats {
		got = append(got, c.Head)
	}
	r.same(what+": heads", want, got)
}

func (r *R) sameUsers(what string, news messaging.StoredNews, want ...messaging.UserHead) {
	var got []messaging.UserHead
	for _, u := range news.Users {
		got = append(got, u.UserHead)
	}
	r.same(what+": heads", want, got)
}

func newsEvents(r *R) {
	p := r.people(4)
	c := r.group(p[0], p[1], p[2])
	var joins []int64 // places in p[3]'s own sequence
	m := c.sendMany(p[0], 3)
	for range 2 {
		joins = append(joins, c.add(p[0], p[3]).UserEvents[0].Seq)
		c.send(p[3])
		joins = append(joins, c.remove(p[0], p[3]).UserEvents[0].Seq)
	}
	c.hide(p[2], m[1].ID)
	c.hide(p[1], m[1].ID)
	c.edit(m[1], 2)
	c.edit(m[2], 2)
	c.delete(p[0], m[0].ID)

	want := c.events(p[0]) // who hid nothing
	for i := range want {
		e := &want[i]
		e.HiddenFrom, e.UserSeq = nil, 0
		switch {
		case e.MessageID == m[1].ID && e.Stored != nil:
			e.HiddenFrom = slices.Sorted(slices.Values(p[1:3]))
		case e.Type == messaging.MemberAdded || e.Type == messaging.MemberRemoved:
			e.UserSeq, joins = joins[0], joins[1:]
		}
	}
	head := messaging.Head{ChatID: c.id, Seq: int64(len(want))}
	for after := range head.Seq {
		for limit := 1; limit <= len(want); limit++ {
			news := r.news(limit, messaging.Places{Chats: []messaging.Head{{ChatID: c.id, Seq: after}}})
			what := fmt.Sprintf("news after %d, limit %d", after, limit)
			r.sameChats(what, news, head)
			r.same(what, want[after:min(int(after)+limit, len(want))], news.Chats[0].Events)
		}
	}
	other := r.direct(p[0], p[1])
	other.send(p[1])
	news := r.news(5, messaging.Places{Chats: []messaging.Head{{ChatID: other.id}, head, {ChatID: r.id("chat")}, {ChatID: c.id + "x", Seq: 2}}})
	r.sameChats("news of one chat", news, messaging.Head{ChatID: other.id, Seq: 1})
	news = r.news(5, messaging.Places{Chats: []messaging.Head{{ChatID: other.id}, {ChatID: c.id, Seq: head.Seq - 1}}})
	r.sameChats("news of two chats", news, messaging.Head{ChatID: other.id, Seq: 1}, head)
}

func newsMarks(r *R) {
	p := r.people(4)
	c := r.group(p[0], p[1], p[2], p[3])
	c.sendMany(p[0], 5)
	want := []messaging.Watermark{
		c.deliver(p[1], 2).Watermark,
		c.read(p[2], 3).Watermark,
		c.read(p[3], 3).Watermark,
		c.read(p[1], 4).Watermark,
	}
	c.remove(p[0], p[3])
	now := []messaging.Watermark{want[1], want[3]} // of present members, the newest of each
	for after := range int64(4) {
		news := r.news(10, messaging.Places{Chats: []messaging.Head{{ChatID: c.id, Seq: 6, ReceiptVersion: after}}})
		what := fmt.Sprintf("news after version %d", after)
		r.sameChats(what, news, messaging.Head{ChatID: c.id, Seq: 6, ReceiptVersion: 4})
		r.same(what+": events", 0, len(news.Chats[0].Events))
		moved := slices.DeleteFunc(slices.Clone(now), func(w messaging.Watermark) bool { return w.Version <= after })
		r.same(what, moved, news.Chats[0].Marks)
	}
	news := r.news(10, messaging.Places{Chats: []messaging.Head{{ChatID: c.id, Seq: 6, ReceiptVersion: 4}}})
	r.sameChats("news when all was told", news)
}

func newsOfUsers(r *R) {
	user, _ := r.busyUser()
	other := r.people(1)[0]
	r.group(other)
	head := r.heads(user).UserSeq
	for after := range head {
		for limit := 1; limit <= int(head); limit++ {
			page, err := r.m().UserEvents(r.ctx, user, after, limit)
			r.ok(err)
			news := r.news(limit, messaging.Places{Users: []messaging.UserHead{{UserID: other}, {UserID: r.id("user")}, {UserID: user, Seq: after}}})
			what := fmt.Sprintf("own news after %d, limit %d", after, limit)
			r.sameUsers(what, news, messaging.UserHead{UserID: other, Seq: 1}, messaging.UserHead{UserID: user, Seq: head})
			r.same(what, page, news.Users[1].Events)
		}
	}
	news := r.news(5, messaging.Places{Users: []messaging.UserHead{{UserID: user, Seq: head}}})
	r.sameUsers("news when all was told", news)
}
