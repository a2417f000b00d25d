package storagetest

import (
	"fmt"

	"github.com/wigwag-chat/wigwag/messaging"
)

func memberRules() []rule {
	return []rule{
		{name: "members/pages drop and repeat nothing", check: memberPages,
			says: "Members returns present members by id ascending, from after (exclusive)."},
		{name: "members/adding takes a place for each", check: addMembers,
			says: "AddMembers adds members: a MemberAdded in the chat for each new one, in the order given, and a ChatJoined for him. His watermarks start at the head that his event made. Present members are passed over."},
		{name: "members/adding refuses", check: addRefuses,
			says: "ErrNotAMember to former members, ErrNotAGroup, ErrNotAnAdmin, ErrGroupFull: nobody was added."},
		{name: "members/limit counts those present afterwards", check: addLimit,
			says: "Limit of present members afterwards: ErrGroupFull."},
		{name: "members/newcomer sees the history", check: rejoin,
			says: "Who was a member before sees all the history again; what came before his joining is not unread."},
		{name: "members/removing takes a place", check: removeMember,
			says: "RemoveMember ends a membership: one MemberRemoved, and a ChatLeft for the one removed."},
		{name: "members/removing is for those above", check: removeRights,
			says: "Admins remove members, the owner everybody, everyone himself; else ErrNotAnAdmin. ErrNotAMember, ErrNotAGroup, ErrMemberNotFound."},
		{name: "members/owner hands over", check: handOver,
			says: "When the owner leaves, the admin who joined first, else the member who joined first, becomes owner by a MemberRole (same moment: the smaller id)."},
		{name: "members/last one closes the chat", check: lastCloses,
			says: "When nobody is left the chat is Closed."},
		{name: "members/former members do nothing", check: formerDoNothing,
			says: "Member is a present member: who was removed writes nothing and moves nothing."},
	}
}

func memberPages(r *R) {
	p := r.people(8)
	c := r.group(p[3], p[7], p[0], p[5], p[1], p[2], p[4], p[6])
	c.remove(p[3], p[6])
	want := append(append([]string(nil), p[:6]...), p[7])
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []string
		for after := ""; ; {
			page, err := r.m().Members(r.ctx, p[0], c.id, after, limit)
			r.ok(err)
			for _, m := range page {
				got = append(got, m.UserID)
				after = m.UserID
			}
			if len(page) < limit || len(got) > 100 {
				break
			}
			r.same("size of a full page", limit, len(page))
		}
		r.same(fmt.Sprintf("members by pages of %d", limit), want, got)
	}
	page, err := r.m().Members(r.ctx, p[0], c.id, p[6], 10)
	r.ok(err)
	r.same("members after one who left", 1, len(page))
}

func addMembers(r *R) {
	p := r.people(5)
	c := r.group(p[0], p[1])
	c.sendMany(p[0], 2)
	at := r.now()
	out, err := r.m().AddMembers(r.ctx, messaging.AddMembers{
		ChatID: c.id, ActorID: p[0], UserIDs: []string{p[4], p[1], p[2], p[0], p[3]}, Limit: 5, At: at,
	})
	r.ok(err)
	var want messaging.Changed
	members := []messaging.Member{c.view(p[0]).Own, c.view(p[1]).Own, {}, {}, {}}
	for i, k := range []int{4, 2, 3} {
		seq := int64(3 + i)
		want.Events = append(want.Events, messaging.StoredEvent{Event: messaging.Event{
			ChatID: c.id, Seq: seq, Type: messaging.MemberAdded, At: at, ActorID: p[0], UserID: p[k], Role: messaging.RoleMember,
		}})
		want.UserEvents = append(want.UserEvents, messaging.UserEvent{
			UserID: p[k], Seq: 1, Type: messaging.ChatJoined, At: at, ChatID: c.id, HeadSeq: seq,
		})
		members[k] = messaging.Member{
			ChatID: c.id, UserID: p[k], Role: messaging.RoleMember, JoinedAt: at, JoinedSeq: seq, DeliveredSeq: seq, ReadSeq: seq,
		}
	}
	want.UserEvents, out.UserEvents = byUser(want.UserEvents), byUser(out.UserEvents)
	r.same("outcome", want, out)
	r.same("members", members, c.members(p[2]))
	r.same("events", want.Events, c.events(p[3])[2:])
	for i := 2; i < 5; i++ {
		r.same("own events of a new member", want.UserEvents[i-2:i-1], r.feed(p[i]))
	}
	v := c.view(p[4])
	r.same("chat afterwards", []any{5, int64(5), at, 0}, []any{v.MemberCount, v.HeadSeq, v.UpdatedAt, v.Unread})
	// With nobody new nothing happens.
	r.same("outcome of adding those inside", messaging.Changed{}, c.add(p[0], p[1], p[4]))
	r.same("chat after adding those inside", v, c.view(p[4]), asSeenBy(p[4]))
}

func addRefuses(r *R) {
	p := r.people(5)
	c, d := r.group(p[0], p[1], p[2]), r.direct(p[0], p[1])
	c.remove(p[0], p[2])
	before := c.view(p[0])
	refuse := func(what string, c room, actor string, want error) {
		_, err := c.tryAdd(actor, p[3])
		r.fails(what, err, want)
	}
	refuse("adding by a former member", c, p[2], messaging.ErrNotAMember)
	refuse("adding by a stranger", c, p[4], messaging.ErrChatNotFound)
	refuse("adding to an unknown chat", room{r, r.id("chat")}, p[0], messaging.ErrChatNotFound)
	refuse("adding to a direct chat", d, p[0], messaging.ErrNotAGroup)
	refuse("adding to a stranger's direct chat", d, p[4], messaging.ErrChatNotFound)
	refuse("adding by a plain member", c, p[1], messaging.ErrNotAnAdmin)
	r.same("chat afterwards", before, c.view(p[0]))
	r.same("events of the one who was not added", 0, len(r.feed(p[3])))
	r.same("heads of the one who was not added", 0, len(r.heads(p[3]).Chats))
}

func addLimit(r *R) {
	p := r.people(5)
	c := r.group(p[0], p[1])
	add := func(limit int, users ...string) error {
		_, err := r.m().AddMembers(r.ctx, messaging.AddMembers{
			ChatID: c.id, ActorID: p[0], UserIDs: users, Limit: limit, At: r.now(),
		})
		return err
	}
	r.fails("adding three to two of four", add(4, p[2], p[3], p[4]), messaging.ErrGroupFull)
	r.same("members", 2, len(c.members(p[0])))
	r.same("head", int64(0), c.view(p[0]).HeadSeq)
	r.ok(add(4, p[1], p[2], p[3]))
	r.fails("adding one to four of four", add(4, p[4]), messaging.ErrGroupFull)
	c.remove(p[0], p[1])
	r.ok(add(4, p[4])) // who left is not counted
}

func rejoin(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1])
	first := c.send(p[0])
	c.remove(p[0], p[1])
	away := c.send(p[0])
	out := c.add(p[0], p[1], p[2])
	seq := out.Events[0].Seq
	for i, user := range []string{p[1], p[2]} {
		r.same("history of one who was added", []int64{first.Seq, away.Seq}, seqs(c.history(user, newest())))
		r.same("events of one who was added", 5, len(c.events(user)))
		r.same("unread of one who was added", messaging.UnreadCount{}, r.unread(user, c.id))
		own := c.view(user).Own
		r.same("where his membership began", []int64{seq + int64(i), seq + int64(i), seq + int64(i)},
			[]int64{own.JoinedSeq, own.DeliveredSeq, own.ReadSeq})
		r.same("role", messaging.RoleMember, own.Role)
	}
	m := c.send(p[0])
	r.same("recipients of a message after the return", 2, m.Tally.Recipients)
	r.same("recipients of a message in the absence", 0, len(c.receipts(p[0], away.ID)))
	r.same("unread after the return", messaging.UnreadCount{Chat: 1, Total: 1}, r.unread(p[1], c.id))
	r.ok(r.append1(c.message(p[1])).Err)
}

func removeMember(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1], p[2])
	for i, k := range []struct {
		actor, user string
		reason      messaging.Reason
	}{{p[0], p[1], messaging.ReasonRemoved}, {p[2], p[2], messaging.ReasonLeft}} {
		at := r.now()
		out, err := r.m().RemoveMember(r.ctx, messaging.RemoveMember{ChatID: c.id, ActorID: k.actor, UserID: k.user, At: at})
		r.ok(err)
		seq := int64(i) + 1
		want := messaging.Changed{
			Events: []messaging.StoredEvent{{Event: messaging.Event{
				ChatID: c.id, Seq: seq, Type: messaging.MemberRemoved, At: at, ActorID: k.actor, UserID: k.user,
				Role: messaging.RoleMember, Reason: k.reason,
			}}},
			UserEvents: []messaging.UserEvent{{
				UserID: k.user, Seq: 2, Type: messaging.ChatLeft, At: at, ChatID: c.id, HeadSeq: seq,
			}},
		}
		r.same("outcome", want, out)
		r.same("events", want.Events, c.events(p[0])[i:])
		r.same("own events of the one removed", want.UserEvents, r.feed(k.user)[1:])
		v := c.view(p[0])
		r.same("chat afterwards", []any{2 - i, seq, at}, []any{v.MemberCount, v.HeadSeq, v.UpdatedAt})
	}
	r.same("members", 1, len(c.members(p[0])))
}

func removeRights(r *R) {
	p := r.people(7)
	n := r.newChat(messaging.Group, p[0], p[1], p[2], p[3], p[4], p[5])
	n.Members[1].Role, n.Members[2].Role = messaging.RoleAdmin, messaging.RoleAdmin
	c, d := r.create(n), r.direct(p[0], p[1])
	c.remove(p[0], p[5])
	head := c.view(p[0]).HeadSeq
	refuse := func(what string, c room, actor, user string, want ...error) {
		_, err := c.tryRemove(actor, user)
		r.fails(what, err, want...)
	}
	refuse("member removes member", c, p[3], p[4], messaging.ErrNotAnAdmin)
	refuse("member removes admin", c, p[3], p[1], messaging.ErrNotAnAdmin)
	refuse("member removes owner", c, p[3], p[0], messaging.ErrNotAnAdmin)
	refuse("admin removes admin", c, p[1], p[2], messaging.ErrNotAnAdmin)
	refuse("admin removes owner", c, p[1], p[0], messaging.ErrNotAnAdmin)
	refuse("former member removes", c, p[5], p[3], messaging.ErrNotAMember)
	refuse("former member leaves", c, p[5], p[5], messaging.ErrNotAMember)
	refuse("stranger removes", c, p[6], p[3], messaging.ErrChatNotFound)
	refuse("owner removes a former member", c, p[0], p[5], messaging.ErrMemberNotFound)
	refuse("owner removes a stranger", c, p[0], p[6], messaging.ErrMemberNotFound)
	refuse("leaving a direct chat", d, p[0], p[0], messaging.ErrNotAGroup)
	refuse("removing from a direct chat", d, p[0], p[1], messaging.ErrNotAGroup)
	refuse("stranger removes from a direct chat", d, p[6], p[1], messaging.ErrChatNotFound)
	r.same("head after refused removals", head, c.view(p[0]).HeadSeq)
	r.same("members after refused removals", 5, len(c.members(p[0])))
	c.remove(p[1], p[3]) // an admin removes a member
	c.remove(p[2], p[2]) // leaves
	c.remove(p[0], p[1]) // the owner removes an admin
	c.remove(p[4], p[4])
	r.same("owner after removals", messaging.RoleOwner, c.view(p[0]).Own.Role)
}

func handOver(r *R) {
	p := r.people(7)
	n := r.newChat(messaging.Group, p[6], p[5], p[4], p[3])
	n.Members[2].Role, n.Members[3].Role = messaging.RoleAdmin, messaging.RoleAdmin
	c := r.create(n)
	c.add(p[6], p[2])       // later
	c.add(p[3], p[1], p[0]) // later still, at one moment
	// Admins of one moment: the smaller id. Then members: the first, then the next
	// moment's smaller id.
	owner := p[6]
	for _, heir := range []string{p[3], p[4], p[5], p[2], p[0], p[1]} {
		at := r.now()
		head := c.view(owner).HeadSeq
		out, err := r.m().RemoveMember(r.ctx, messaging.RemoveMember{ChatID: c.id, ActorID: owner, UserID: owner, At: at})
		r.ok(err)
		r.same("outcome", fmt.Sprintf("%d member.removed, %d member.role", head+1, head+2), outline(out.Events))
		r.same("role of the one who left", messaging.RoleOwner, out.Events[0].Role)
		want := messaging.StoredEvent{Event: messaging.Event{
			ChatID: c.id, Seq: head + 2, Type: messaging.MemberRole, At: at, ActorID: owner, UserID: heir, Role: messaging.RoleOwner,
		}}
		r.same("event of the new owner", want, out.Events[1])
		r.same("ChatLeft points at the removal", head+1, out.UserEvents[0].HeadSeq)
		all := c.events(heir)
		r.same("last event", want, all[len(all)-1])
		owners := 0
		for _, m := range c.members(heir) {
			if m.Role == messaging.RoleOwner {
				owners++
				r.same("owner", heir, m.UserID)
			}
		}
		r.same("owners", 1, owners)
		owner = heir
	}
}

func lastCloses(r *R) {
	p := r.people(2)
	n := r.newChat(messaging.Group, p[0], p[1])
	n.ClientID, n.Digest = r.id("client"), []byte("digest")
	c := r.create(n)
	c.remove(p[0], p[1])
	out := c.remove(p[0], p[0])
	r.same("events of the last one's leaving", "2 member.removed", outline(out.Events))
	_, err := c.tryAdd(p[0], p[1])
	r.fails("adding to a closed chat", err, messaging.ErrNotAMember)
	r.fails("sending to a closed chat", r.append1(c.message(p[0])).Err, messaging.ErrNotAMember)
	again, err := r.m().CreateChat(r.ctx, n)
	r.ok(err)
	r.same("status, members and head", []any{messaging.Closed, 0, int64(2)},
		[]any{again.Chat.Status, again.Chat.MemberCount, again.Chat.HeadSeq})
}

func formerDoNothing(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1])
	m := c.send(p[1])
	other := c.send(p[0])
	c.remove(p[0], p[1])
	before := c.view(p[0])
	// Which of the two errors an edit, a delete, a hiding or a mark gets is not said.
	former := []error{messaging.ErrNotAMember, messaging.ErrChatNotFound}
	stranger := []error{messaging.ErrMessageNotFound, messaging.ErrChatNotFound}
	for user, want := range map[string][]error{p[1]: former, p[2]: stranger} {
		e := c.rewrite(m, 2)
		e.EditorID = user
		_, err := r.m().Edit(r.ctx, e)
		r.fails("edit", err, want...)
		_, err = c.tryDelete(user, m.ID)
		r.fails("delete", err, want...)
		_, err = c.tryHide(user, other.ID)
		r.fails("hide", err, want...)
		out := r.marks(messaging.Mark{ChatID: c.id, UserID: user, Read: true, UpTo: 1, At: r.now()})
		r.fails("mark", out[0].Err, want...)
		r.same("mark moved", false, out[0].Moved)
	}
	r.same("chat afterwards", before, c.view(p[0]), asSeenBy(p[0]))
	r.same("own events of the one removed", 2, len(r.feed(p[1])))
}
