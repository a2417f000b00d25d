package storagetest

import (
	"fmt"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

func unreadRules() []rule {
	return []rule{
		{name: "unread/counts messages of others above the mark", check: unreadCounts,
			says: "Unread counts messages of others that were not read, deleted or hidden (MSG-13). Sending does not mark earlier messages as read."},
		{name: "unread/total is over present chats", check: unreadTotal,
			says: "Unread counts what users have not read, in one chat and in all; Chat is 0 where one is no member."},
		{name: "unread/counts stand in the order of the users", check: unreadOfMany,
			says: "Unread counts what users have not read, in their order."},
	}
}

func unreadCounts(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1], p[2])
	check := func(what string, want ...int) {
		for i, user := range p {
			r.same(what, messaging.UnreadCount{Chat: want[i], Total: want[i]}, r.unread(user, c.id))
			r.same(what+", in the chat", want[i], c.view(user).Unread)
			list, err := r.m().Chats(r.ctx, user, messaging.ChatList{Limit: 1})
			r.ok(err)
			r.same(what+", in the list", want[i], list[0].Unread)
		}
	}
	check("unread of a new chat", 0, 0, 0)
	a := c.sendMany(p[0], 4) // 1 to 4
	check("unread after four messages", 0, 4, 4)
	b := c.sendMany(p[1], 2) // 5, 6
	check("unread after two of another", 2, 4, 6)
	c.read(p[1], 2)
	c.deliver(p[2], 6)
	check("unread after reading two", 2, 2, 6)
	c.delete(p[0], a[0].ID) // read by the second already; 7
	check("unread after deleting one that was read", 2, 2, 5)
	c.delete(p[0], a[2].ID) // 8
	check("unread after deleting one that was not", 2, 1, 4)
	c.hide(p[2], b[0].ID)
	c.hide(p[1], a[1].ID)
	check("unread after hiding", 2, 1, 3)
	c.hide(p[2], b[0].ID)
	c.delete(p[1], b[0].ID) // hidden by the third already; 9
	check("unread after deleting a hidden one", 1, 1, 3)
	c.edit(a[3], 2) // 10
	check("unread after an edit", 1, 1, 3)
	c.read(p[2], 10)
	c.read(p[2], 3)
	check("unread after reading all", 1, 1, 0)
	c.send(p[2])
	check("unread after one more", 2, 2, 0)
}

func unreadTotal(r *R) {
	p := r.people(3)
	a, b, d := r.group(p[0], p[1]), r.group(p[0], p[1]), r.direct(p[0], p[1])
	foreign := r.group(p[0], p[2])
	a.sendMany(p[0], 2)
	b.sendMany(p[0], 3)
	d.sendMany(p[0], 4)
	foreign.send(p[0])
	check := func(what, chat string, in, total int) {
		r.same(what, messaging.UnreadCount{Chat: in, Total: total}, r.unread(p[1], chat))
	}
	check("unread", a.id, 2, 9)
	check("unread, asked for none", "", 0, 9)
	check("unread, asked for a foreign chat", foreign.id, 0, 9)
	b.remove(p[0], p[1])
	check("unread after leaving", b.id, 0, 6)
	b.add(p[0], p[1])
	check("unread after coming back", b.id, 0, 6)
	b.send(p[0])
	check("unread after a message", b.id, 1, 7)
	r.same("unread of a stranger", messaging.UnreadCount{}, r.unread(r.id("user"), a.id))
}

func unreadOfMany(r *R) {
	p := r.people(4)
	c := r.group(p[0], p[1:]...)
	other := r.group(p[0], p[2])
	c.sendMany(p[0], 3)
	other.send(p[0])
	c.read(p[1], 2)
	c.read(p[2], 1)
	c.read(p[3], 3)
	users := slices.Sorted(slices.Values([]string{p[3], r.id("stranger"), p[1], p[0], p[2]}))
	slices.Reverse(users)
	want := map[string]messaging.UnreadCount{p[1]: {Chat: 1, Total: 1}, p[2]: {Chat: 2, Total: 3}}
	got, err := r.m().Unread(r.ctx, c.id, users)
	r.ok(err)
	r.same("number of counts", len(users), len(got))
	for i, user := range users {
		r.same("unread of "+user, want[user], got[i])
	}
	none, err := r.m().Unread(r.ctx, c.id, nil)
	r.ok(err)
	r.same("unread of nobody", 0, len(none))
}

func eventRules() []rule {
	return []rule{
		{name: "events/pages drop and repeat nothing", check: eventPages,
			says: "Events returns a chat's events above a sequence, ascending, dense."},
		{name: "events/own sequence is dense", check: userEventsDense,
			says: "Each user has one sequence, as dense as a chat's; it holds what concerns him alone."},
		{name: "events/own pages drop and repeat nothing", check: userEventPages,
			says: "UserEvents returns a user's own events above a sequence, ascending; it may leave out an OwnPosition that a later one of the same chat replaces."},
	}
}

func eventPages(r *R) {
	c, viewer, _ := r.spotty()
	const head = 12
	all := c.events(viewer)
	for limit := 1; limit <= head+1; limit++ {
		for after := int64(0); after <= head+1; after++ {
			page, err := r.m().Events(r.ctx, viewer, c.id, after, limit)
			r.ok(err)
			from := min(int(after), head)
			r.same(fmt.Sprintf("events after %d, limit %d", after, limit),
				all[from:min(from+limit, head)], page, asSeenBy(viewer))
		}
	}
	for i, e := range all {
		r.same("place of an event", int64(i)+1, e.Seq)
	}
}

// busyUser makes a user to whom everything happened that has an own event, and
// returns what must stand in his sequence.
func (r *R) busyUser() (user string, want []messaging.UserEvent) {
	p := r.people(3)
	user = p[0]
	add := func(e messaging.UserEvent) {
		e.UserID, e.Seq = user, int64(len(want))+1
		want = append(want, e)
	}
	var rooms []room
	for range 3 {
		n := r.newChat(messaging.Group, p[1], user, p[2])
		rooms = append(rooms, r.create(n))
		add(messaging.UserEvent{Type: messaging.ChatJoined, At: n.CreatedAt, ChatID: n.ID})
	}
	for i, c := range rooms {
		m := c.sendMany(p[1], 3)
		c.read(p[2], 3)
		add(*c.read(user, 2).UserEvent)
		add(c.hide(user, m[i].ID).UserEvents[0])
		add(*c.read(user, 3).UserEvent)
		add(c.remove(p[1], user).UserEvents[0])
		c.remove(p[1], p[2])
		add(c.add(p[1], user, p[2]).UserEvents[0])
	}
	return user, want
}

// settled drops the positions that a later one of the same chat replaces.
func settled(events []messaging.UserEvent) []messaging.UserEvent {
	var out []messaging.UserEvent
	for i, e := range events {
		replaced := false
		for _, later := range events[i+1:] {
			replaced = replaced || e.Type == messaging.OwnPosition && later.Type == e.Type && later.ChatID == e.ChatID
		}
		if !replaced {
			out = append(out, e)
		}
	}
	return out
}

func userEventsDense(r *R) {
	user, want := r.busyUser()
	got := r.feed(user)
	r.same("own events", settled(want), settled(got))
	for _, e := range got {
		r.same("own event", want[e.Seq-1], e)
	}
	r.same("head of the own events", int64(len(want)), r.heads(user).UserSeq)
	r.same("own events of a stranger", 0, len(r.feed(r.id("user"))))
}

func userEventPages(r *R) {
	user, want := r.busyUser()
	all := r.feed(user)
	r.same("own events", settled(want), settled(all))
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []messaging.UserEvent
		for after := int64(0); ; {
			page, err := r.m().UserEvents(r.ctx, user, after, limit)
			r.ok(err)
			if len(page) == 0 || len(got) > 100 {
				break
			}
			if len(page) > limit {
				r.Fatalf("a page of %d own events at limit %d", len(page), limit)
			}
			for _, e := range page {
				if e.Seq <= after {
					r.Fatalf("own event %d comes after %d", e.Seq, after)
				}
				after = e.Seq
			}
			got = append(got, page...)
		}
		r.same(fmt.Sprintf("own events by pages of %d", limit), settled(all), settled(got))
	}
}
