package storagetest

import (
	"slices"
	"strings"

	"github.com/wigwag-chat/wigwag/messaging"
)

// chatIDs pages through the viewer's chats.
func (r *R) chatIDs(viewer string, limit int) (ids []string) {
	var after messaging.ChatCursor
	for {
		page, err := r.m().Chats(r.ctx, viewer, messaging.ChatList{After: after, Limit: limit})
		r.ok(err)
		if len(page) > limit {
			r.Fatalf("a page of %d chats at limit %d", len(page), limit)
		}
		for _, v := range page {
			ids = append(ids, v.ID)
			after = messaging.ChatCursor{Activity: v.LastMessageAt, ChatID: v.ID}
			if v.LastMessageAt.IsZero() {
				after.Activity = v.CreatedAt
			}
		}
		if len(page) < limit || len(ids) > 1000 {
			return ids
		}
	}
}

// manyChats makes chats of which some are as active as others, and returns their
// ids in the order of the list.
func (r *R) manyChats(user string) []string {
	at := r.now()
	var made []messaging.NewChat
	for _, i := range r.rng.Perm(6) {
		n := r.newChat(messaging.Group, user)
		n.CreatedAt = at.Add(micros(i / 2)) // pairs at the same moment, 1 µs apart
		r.create(n)
		made = append(made, n)
	}
	slices.SortFunc(made, func(a, b messaging.NewChat) int {
		if d := b.CreatedAt.Compare(a.CreatedAt); d != 0 {
			return d
		}
		return strings.Compare(b.ID, a.ID)
	})
	var ids []string
	for _, n := range made {
		ids = append(ids, n.ID)
	}
	return ids
}

func chatList(r *R) {
	p := r.people(2)
	ids := r.manyChats(p[0])
	r.same("chats without messages", ids, r.chatIDs(p[0], 50))
	// A message moves a chat to the top; an edit, a delete or a mark does not.
	c := room{r, ids[4]}
	m := c.send(p[0])
	ids = append([]string{c.id}, slices.Delete(slices.Clone(ids), 4, 5)...)
	r.same("chats after a message", ids, r.chatIDs(p[0], 50))
	c.add(p[0], p[1])
	other := room{r, ids[5]}
	x := other.send(p[0])
	ids = append([]string{other.id}, ids[:5]...)
	c.edit(m, 2)
	c.delete(p[0], m.ID)
	c.read(p[0], m.Seq)
	r.same("chats after an edit, a delete and a mark", ids, r.chatIDs(p[0], 50))
	r.same("time of the last message", x.CreatedAt, other.view(p[0]).LastMessageAt)
	r.same("time of the last message, which was deleted", m.CreatedAt, c.view(p[0]).LastMessageAt)
	r.same("chats of one who joined", []string{c.id}, r.chatIDs(p[1], 50))
	list, err := r.m().Chats(r.ctx, p[0], messaging.ChatList{Limit: 2})
	r.ok(err)
	r.same("chat in the list", []messaging.StoredView{other.view(p[0]), c.view(p[0])}, list, asSeenBy(p[0]))
}

func chatPages(r *R) {
	user := r.people(1)[0]
	ids := r.manyChats(user)
	for limit := 1; limit <= len(ids)+1; limit++ {
		r.same("chats by pages", ids, r.chatIDs(user, limit))
	}
}

func lastMessage(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	m := c.sendMany(p[1], 3)
	check := func(what string, want ...string) {
		for i, user := range p {
			got := ""
			if last := c.view(user).Last; last != nil {
				got = last.ID
				r.same("last message", c.get(user, last.ID), *last)
			}
			r.same(what, want[i], got)
		}
	}
	check("last message", m[2].ID, m[2].ID)
	c.hide(p[0], m[2].ID)
	check("last message after hiding the last", m[1].ID, m[2].ID)
	c.delete(p[1], m[1].ID)
	check("last message after deleting one below", m[0].ID, m[2].ID)
	c.delete(p[1], m[2].ID)
	check("last message after deleting the last", m[0].ID, m[0].ID)
	c.hide(p[0], m[0].ID)
	check("last message after hiding all", "", m[0].ID)
}

func headsStand(r *R) {
	p := r.people(2)
	empty := r.heads(p[0])
	r.same("heads of a stranger", messaging.Heads{Epoch: empty.Epoch}, empty)
	c, quiet := r.group(p[1], p[0]), r.direct(p[0], p[1])
	left := r.group(p[1], p[0])
	left.remove(p[0], p[0])
	m := c.send(p[0])
	c.read(p[1], m.Seq)
	c.deliver(p[0], m.Seq)
	want := messaging.Heads{Epoch: empty.Epoch, UserSeq: 4, Chats: []messaging.Head{
		{ChatID: c.id, Seq: 1, ReceiptVersion: 2}, {ChatID: quiet.id},
	}}
	r.same("heads", want, r.heads(p[0]))
}
