package storagetest

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
)

func policyRules() []rule {
	return []rule{
		{name: "roles/are given by rank", check: rolesByRank,
			says: "SetRole gives a member a role, as MayGive says: one MemberRole; none when he has it. ErrNotAnAdmin, ErrOwnerStays, ErrNotAMember, ErrNotAGroup, ErrMemberNotFound."},
		{name: "roles/owner hands over", check: ownerHandsOver,
			says: "When it is the owner's, another MemberRole follows by which the former owner becomes an admin: there is one owner."},
		{name: "group/change names its fields", check: groupChanges,
			says: "ChangeGroup changes a group's own data: one ChatUpdated that names the fields which are others now, with the chat as it stands then; none when nothing changes."},
		{name: "group/change is for who may", check: groupChangeRights,
			says: "ErrNotAnAdmin for who may not edit the info, or, of settings, does not manage. ErrNotAMember, ErrNotAGroup."},
		{name: "group/restricts sending", check: restrictsSending,
			says: "Append is ErrSendRestricted for who is not among WhoMaySend."},
		{name: "group/slow mode waits", check: slowModeWaits,
			says: "Append is ErrSlowMode, with RetryAfter, sooner than SlowMode after his last message for who does not manage; other messages of the call are not hurt, a repeat is told again."},
		{name: "group/lets others add", check: othersAdd,
			says: "AddMembers is ErrNotAnAdmin for who is not among WhoMayAdd."},
		{name: "bans/remove and keep out", check: bansKeepOut,
			says: "Ban bans somebody, who is removed with ReasonBanned if he is inside; while it stands, AddMembers and Join are ErrBanned. Lifting lets him in again, and does not bring him back. Bans returns who is banned, by user id."},
		{name: "bans/are for those above", check: bansByRank,
			says: "ErrNotAnAdmin for who does not manage, or of whom he cannot remove, or of oneself; also for Bans. ErrNotAMember, ErrNotAGroup."},
		{name: "invites/let in as often as they say", check: invitesCount,
			says: "Join adds who knows the code of an invite that counts, by himself, and counts its use. For who is inside nothing changes. ErrInviteNotFound."},
		{name: "invites/come back", check: invitesComeBack,
			says: "CreateInvite stores an invite, unless one of its code is there; Invites returns those that count, the newest first; RevokeInvite ends one. For who may add members. ErrTooManyInvites."},
		{name: "invites/race lets no more in", check: invitesRace,
			says: "Join counts its use: never more than MaxUses."},
	}
}

func (c room) setRole(actor, user string, role messaging.Role) (messaging.Changed, error) {
	return c.r.m().SetRole(c.r.ctx, messaging.SetRole{ChatID: c.id, ActorID: actor, UserID: user, Role: role, At: c.r.now()})
}

func (c room) role(user string) messaging.Role { return c.view(user).Own.Role }

func (c room) change(g messaging.ChangeGroup) (messaging.Changed, error) {
	g.ChatID, g.At = c.id, c.r.now()
	return c.r.m().ChangeGroup(c.r.ctx, g)
}

func (c room) ban(actor, user string, lift bool) (messaging.Changed, error) {
	return c.r.m().Ban(c.r.ctx, messaging.BanMember{ChatID: c.id, ActorID: actor, UserID: user, Lift: lift, At: c.r.now()})
}

func (c room) join(code, user string) (messaging.Joined, error) {
	return c.r.m().Join(c.r.ctx, messaging.Join{Code: code, UserID: user, Limit: 100, At: c.r.now()})
}

func (c room) invite(by string, maxUses int) messaging.Invite {
	i := messaging.Invite{Code: c.r.id("code"), ChatID: c.id, CreatedBy: by, CreatedAt: c.r.now(), MaxUses: maxUses}
	got, err := c.r.m().CreateInvite(c.r.ctx, i, 100)
	c.r.ok(err)
	c.r.same("invite stored", i, got)
	return i
}

func rolesByRank(r *R) {
	p := r.people(6)
	c := r.group(p[0], p[1], p[2], p[3])
	at := int64(0)
	gives := func(actor, user string, role messaging.Role) {
		out, err := c.setRole(actor, user, role)
		r.ok(err)
		at++
		if len(out.Events) != 1 || len(out.UserEvents) != 0 {
			r.Fatalf("%s makes %s %s: %+v", actor, user, role, out)
		}
		e := out.Events[0].Event
		r.same("event", messaging.Event{ChatID: c.id, Seq: at, Type: messaging.MemberRole, At: e.At, ActorID: actor, UserID: user, Role: role}, e)
		r.same("role", role, c.role(user))
	}
	refused := func(actor, user string, role messaging.Role, want error) {
		before := c.events(p[0])
		_, err := c.setRole(actor, user, role)
		r.fails(actor+" makes "+user+" "+string(role), err, want)
		r.same("events", before, c.events(p[0]))
	}
	refused(p[1], p[2], messaging.RoleAdmin, messaging.ErrNotAnAdmin)
	refused(p[1], p[1], messaging.RoleAdmin, messaging.ErrNotAnAdmin)
	refused(p[1], p[0], messaging.RoleMember, messaging.ErrNotAnAdmin)
	gives(p[0], p[1], messaging.RoleAdmin)
	gives(p[1], p[2], messaging.RoleAdmin)
	refused(p[1], p[2], messaging.RoleMember, messaging.ErrNotAnAdmin)
	refused(p[1], p[2], messaging.RoleOwner, messaging.ErrNotAnAdmin)
	refused(p[1], p[1], messaging.RoleOwner, messaging.ErrNotAnAdmin)
	gives(p[2], p[2], messaging.RoleMember)
	gives(p[0], p[1], messaging.RoleMember)
	refused(p[0], p[0], messaging.RoleAdmin, messaging.ErrOwnerStays)
	refused(p[0], p[4], messaging.RoleAdmin, messaging.ErrMemberNotFound)
	refused(p[4], p[1], messaging.RoleAdmin, messaging.ErrChatNotFound)
	out, err := c.setRole(p[3], p[3], messaging.RoleMember)
	r.ok(err)
	r.same("events of no change", 0, len(out.Events))
	c.remove(p[0], p[3])
	refused(p[0], p[3], messaging.RoleAdmin, messaging.ErrMemberNotFound)
	refused(p[3], p[1], messaging.RoleAdmin, messaging.ErrNotAMember)
	d := r.direct(p[0], p[1])
	_, err = d.setRole(p[0], p[1], messaging.RoleAdmin)
	r.fails("a role in a direct chat", err, messaging.ErrNotAGroup)
}

func ownerHandsOver(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1], p[2])
	out, err := c.setRole(p[0], p[1], messaging.RoleOwner)
	r.ok(err)
	var got []string
	for _, e := range out.Events {
		got = append(got, e.UserID+" "+string(e.Role))
	}
	r.same("events", []string{p[1] + " owner", p[0] + " admin"}, got)
	r.same("stored events", out.Events, c.events(p[2]))
	r.same("roles", []messaging.Role{messaging.RoleAdmin, messaging.RoleOwner}, []messaging.Role{c.role(p[0]), c.role(p[1])})
	_, err = c.setRole(p[0], p[2], messaging.RoleOwner)
	r.fails("a former owner hands over", err, messaging.ErrNotAnAdmin)
	r.race(2, func(i int) { _, _ = c.setRole(p[1], []string{p[0], p[2]}[i], messaging.RoleOwner) })
	owners := 0
	for _, m := range c.members(p[0]) {
		if m.Role == messaging.RoleOwner {
			owners++
		}
	}
	r.same("owners", 1, owners)
}

func groupChanges(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	texts := difficultTexts()
	title, description, picture := texts[0], texts[1], r.id("media")
	out, err := c.change(messaging.ChangeGroup{ActorID: p[0], Title: &title, Description: &description, PictureID: &picture, Settings: messaging.GroupChange{
		WhoMaySend: new(messaging.Admins), WhoMayAdd: new(messaging.All), WhoMayPin: new(messaging.All), WhoMayEditInfo: new(messaging.All), SlowMode: new(time.Hour),
	}})
	r.ok(err)
	now := c.view(p[1]).Chat
	r.same("title", title, now.Title)
	r.same("description", description, now.Description)
	r.same("picture", picture, now.PictureID)
	r.same("settings", messaging.GroupSettings{
		WhoMaySend: messaging.Admins, WhoMayAdd: messaging.All, WhoMayPin: messaging.All, WhoMayEditInfo: messaging.All, SlowMode: time.Hour,
	}, now.Settings)
	want := messaging.Event{
		ChatID: c.id, Seq: 1, Type: messaging.ChatUpdated, At: now.UpdatedAt, ActorID: p[0], Chat: &now,
		Fields: []string{messaging.FieldTitle, messaging.FieldDescription, messaging.FieldPicture, messaging.FieldSettings},
	}
	r.same("outcome", messaging.Changed{Events: []messaging.StoredEvent{{Event: want}}}, out)
	r.same("stored events", []messaging.StoredEvent{{Event: want}}, c.events(p[1]))

	out, err = c.change(messaging.ChangeGroup{ActorID: p[1], Title: &title, PictureID: new("")})
	r.ok(err)
	r.same("fields", []string{messaging.FieldPicture}, out.Events[0].Fields)
	last := c.view(p[1]).Chat
	events := c.events(p[1])
	r.same("the chat of an older event", &last, events[0].Chat)
	out, err = c.change(messaging.ChangeGroup{ActorID: p[1], Title: &title})
	r.ok(err)
	r.same("outcome of no change", messaging.Changed{}, out)
	news := r.news(10, messaging.Places{Chats: []messaging.Head{{ChatID: c.id, Seq: 1}}})
	r.same("news", events[1:], news.Chats[0].Events)
}

func groupChangeRights(r *R) {
	p := r.people(4)
	c, d := r.group(p[0], p[1], p[2]), r.direct(p[0], p[1])
	c.remove(p[0], p[2])
	before := c.events(p[0])
	title := "x"
	for _, refusal := range []struct {
		in   room
		who  string
		want error
	}{{c, p[1], messaging.ErrNotAnAdmin}, {c, p[2], messaging.ErrNotAMember}, {c, p[3], messaging.ErrChatNotFound}, {d, p[0], messaging.ErrNotAGroup}} {
		_, err := refusal.in.change(messaging.ChangeGroup{ActorID: refusal.who, Title: &title})
		r.fails("a change by "+refusal.who, err, refusal.want)
	}
	r.same("events", before, c.events(p[0]))
	_, err := c.change(messaging.ChangeGroup{ActorID: p[0], Settings: messaging.GroupChange{WhoMayEditInfo: new(messaging.All)}})
	r.ok(err)
	_, err = c.change(messaging.ChangeGroup{ActorID: p[1], Title: &title, Settings: messaging.GroupChange{WhoMaySend: new(messaging.Admins)}})
	r.fails("settings by a member", err, messaging.ErrNotAnAdmin)
	_, err = c.change(messaging.ChangeGroup{ActorID: p[1], Title: &title})
	r.ok(err)
}

func (c room) set(owner string, g messaging.GroupChange) {
	_, err := c.change(messaging.ChangeGroup{ActorID: owner, Settings: g})
	c.r.ok(err)
}

func restrictsSending(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1], p[2])
	sent := c.send(p[1])
	c.set(p[0], messaging.GroupChange{WhoMaySend: new(messaging.Admins)})
	head := c.view(p[0]).HeadSeq
	r.fails("a member's message", c.trySend(p[1]), messaging.ErrSendRestricted)
	r.same("head", head, c.view(p[0]).HeadSeq)
	c.edit(sent, 2) // what he said stays his
	c.send(p[0])
	_, err := c.setRole(p[0], p[1], messaging.RoleAdmin)
	r.ok(err)
	c.send(p[1])
	c.set(p[0], messaging.GroupChange{WhoMaySend: new(messaging.All)})
	c.send(p[2])
}

func slowModeWaits(r *R) {
	p := r.people(3)
	c, other := r.group(p[0], p[1], p[2]), r.group(p[0], p[1])
	first := c.named(p[1], r.id("client"))
	sent := c.post(first)
	c.set(p[0], messaging.GroupChange{SlowMode: new(time.Minute)})
	after := func(d time.Duration, sender string) messaging.NewMessage {
		m := c.message(sender)
		m.CreatedAt = sent.CreatedAt.Add(d)
		return m
	}
	elsewhere := other.message(p[1])
	out, err := r.m().Append(r.ctx, []messaging.NewMessage{after(time.Minute-time.Microsecond, p[1]), after(time.Second, p[0]), elsewhere, after(time.Second, p[2]), c.retry(first)})
	r.ok(err)
	for i, o := range out {
		if i > 0 {
			r.ok(o.Err)
		}
	}
	r.same("repeated", true, out[4].Repeated)
	r.fails("a message too soon", out[0].Err, messaging.ErrSlowMode)
	e, _ := errors.AsType[*errs.Error](out[0].Err)
	r.same("wait", time.Microsecond, e.RetryAfter())
	// In one call each waits for the one before.
	out, err = r.m().Append(r.ctx, []messaging.NewMessage{after(time.Minute, p[1]), after(2*time.Minute-1000, p[1]), after(2*time.Minute, p[1])})
	r.ok(err)
	r.ok(out[0].Err)
	r.fails("a message too soon after another of its call", out[1].Err, messaging.ErrSlowMode)
	r.ok(out[2].Err)
	r.fails("a message too soon after another call's", r.append1(after(3*time.Minute-1000, p[1])).Err, messaging.ErrSlowMode)
	c.set(p[0], messaging.GroupChange{SlowMode: new(time.Duration(0))})
	r.ok(r.append1(after(2*time.Minute, p[1])).Err)
}

func othersAdd(r *R) {
	p := r.people(4)
	c := r.group(p[0], p[1])
	_, err := c.tryAdd(p[1], p[2])
	r.fails("adding by a member", err, messaging.ErrNotAnAdmin)
	c.set(p[0], messaging.GroupChange{WhoMayAdd: new(messaging.All)})
	c.add(p[1], p[2])
	_, err = c.tryRemove(p[1], p[2])
	r.fails("removing by a member", err, messaging.ErrNotAnAdmin)
	c.set(p[0], messaging.GroupChange{WhoMayAdd: new(messaging.Admins)})
	_, err = c.tryAdd(p[2], p[3])
	r.fails("adding by a member", err, messaging.ErrNotAnAdmin)
}

func bansKeepOut(r *R) {
	p := r.people(5)
	c := r.group(p[0], p[1], p[2])
	c.send(p[1])
	out, err := c.ban(p[0], p[1], false)
	r.ok(err)
	e := out.Events[0].Event
	r.same("event", messaging.Event{ChatID: c.id, Seq: 2, Type: messaging.MemberRemoved, At: e.At, ActorID: p[0], UserID: p[1], Role: messaging.RoleMember, Reason: messaging.ReasonBanned}, e)
	r.same("own event", []messaging.UserEvent{{UserID: p[1], Seq: 2, Type: messaging.ChatLeft, At: e.At, ChatID: c.id, HeadSeq: 2}}, out.UserEvents)
	_, err = r.m().Chat(r.ctx, p[1], c.id)
	r.fails("a look by who is banned", err, messaging.ErrChatNotFound)
	out, err = c.ban(p[0], p[4], false) // a stranger
	r.ok(err)
	r.same("outcome", messaging.Changed{}, out)
	out, err = c.ban(p[0], p[1], false)
	r.ok(err)
	r.same("outcome of a ban again", messaging.Changed{}, out)

	_, err = c.tryAdd(p[0], p[4], p[3], p[1])
	r.fails("adding who is banned", err, messaging.ErrBanned)
	f, _ := errors.AsType[*errs.Error](err)
	r.same("who is banned", any([]string{p[1], p[4]}), f.Details()["userIds"])
	i := c.invite(p[0], 1)
	_, err = c.join(i.Code, p[1])
	r.fails("joining of who is banned", err, messaging.ErrBanned)
	r.same("members", 2, len(c.members(p[0])))
	bans, err := r.m().Bans(r.ctx, p[0], c.id, "", 10)
	r.ok(err)
	r.same("bans", []messaging.Banned{{UserID: p[1], ByUserID: p[0], At: e.At}, {UserID: p[4], ByUserID: p[0], At: bans[1].At}}, bans)
	bans, err = r.m().Bans(r.ctx, p[0], c.id, p[1], 1)
	r.ok(err)
	r.same("bans after one", 1, len(bans))

	for range 2 {
		out, err = c.ban(p[0], p[1], true)
		r.ok(err)
		r.same("outcome of lifting", messaging.Changed{}, out)
	}
	r.same("members", 2, len(c.members(p[0])))
	_, err = c.join(i.Code, p[1])
	r.ok(err)
}

func bansByRank(r *R) {
	p := r.people(5)
	c, d := r.group(p[0], p[1], p[2], p[3]), r.direct(p[0], p[1])
	for _, admin := range p[1:3] {
		_, err := c.setRole(p[0], admin, messaging.RoleAdmin)
		r.ok(err)
	}
	for _, try := range []struct {
		in        room
		actor, of string
		want      error
	}{
		{c, p[3], p[4], messaging.ErrNotAnAdmin}, {c, p[3], p[3], messaging.ErrNotAnAdmin}, {c, p[1], p[2], messaging.ErrNotAnAdmin},
		{c, p[1], p[0], messaging.ErrNotAnAdmin}, {c, p[0], p[0], messaging.ErrNotAnAdmin}, {c, p[4], p[3], messaging.ErrChatNotFound},
		{d, p[0], p[1], messaging.ErrNotAGroup},
	} {
		for _, lift := range []bool{false, true} {
			if _, err := try.in.ban(try.actor, try.of, lift); !lift || try.actor == p[3] {
				r.fails(try.actor+" bans "+try.of, err, try.want)
			}
		}
	}
	_, err := r.m().Bans(r.ctx, p[3], c.id, "", 10)
	r.fails("bans in the eyes of a member", err, messaging.ErrNotAnAdmin)
	_, err = r.m().Bans(r.ctx, p[4], c.id, "", 10)
	r.fails("bans in the eyes of a stranger", err, messaging.ErrChatNotFound)
	_, err = c.ban(p[1], p[3], false)
	r.ok(err)
	_, err = c.ban(p[3], p[4], false)
	r.fails("a ban by a former member", err, messaging.ErrNotAMember)
}

func invitesCount(r *R) {
	p := r.people(6)
	c := r.group(p[0], p[1])
	c.send(p[0])
	i := c.invite(p[0], 2)
	out, err := c.join(i.Code, p[1])
	r.ok(err)
	r.same("outcome for a member", messaging.Joined{ChatID: c.id}, out)
	out, err = c.join(i.Code, p[2])
	r.ok(err)
	e := out.Changed.Events[0].Event
	r.same("event", messaging.Event{ChatID: c.id, Seq: 2, Type: messaging.MemberAdded, At: e.At, ActorID: p[2], UserID: p[2], Role: messaging.RoleMember}, e)
	r.same("own event", messaging.UserEvent{UserID: p[2], Seq: 1, Type: messaging.ChatJoined, At: e.At, ChatID: c.id, HeadSeq: 2}, out.Changed.UserEvents[0])
	r.same("membership", messaging.Member{ChatID: c.id, UserID: p[2], Role: messaging.RoleMember, JoinedAt: e.At, JoinedSeq: 2, DeliveredSeq: 2, ReadSeq: 2}, c.view(p[2]).Own)
	all, err := r.m().Invites(r.ctx, p[0], c.id, r.now())
	r.ok(err)
	r.same("uses", 1, all[0].Uses)
	_, err = c.join(i.Code, p[3])
	r.ok(err)
	_, err = c.join(i.Code, p[4])
	r.fails("a use too many", err, messaging.ErrInviteNotFound)
	_, err = c.join(r.id("code"), p[4])
	r.fails("an unknown code", err, messaging.ErrInviteNotFound)

	endless := c.invite(p[0], 0)
	_, err = r.m().Join(r.ctx, messaging.Join{Code: endless.Code, UserID: p[4], Limit: 4, At: r.now()})
	r.fails("joining a full group", err, messaging.ErrGroupFull)
	short := messaging.Invite{Code: r.id("code"), ChatID: c.id, CreatedBy: p[0], CreatedAt: r.now(), ExpiresAt: r.now()}
	_, err = r.m().CreateInvite(r.ctx, short, 100)
	r.ok(err)
	_, err = c.join(short.Code, p[4])
	r.fails("joining too late", err, messaging.ErrInviteNotFound)
	_, err = c.join(endless.Code, p[4])
	r.ok(err)
	for _, user := range p[:5] {
		c.remove(user, user)
	}
	_, err = c.join(endless.Code, p[5])
	r.fails("joining a closed group", err, messaging.ErrInviteNotFound)
}

func invitesComeBack(r *R) {
	p := r.people(4)
	c, d := r.group(p[0], p[1], p[2]), r.direct(p[0], p[1])
	var want []messaging.Invite
	for range 3 {
		want = append(want, c.invite(p[0], len(want)))
	}
	slices.Reverse(want)
	list := func(viewer string) ([]messaging.Invite, error) {
		return r.m().Invites(r.ctx, viewer, c.id, want[0].CreatedAt)
	}
	got, err := list(p[0])
	r.ok(err)
	r.same("invites", want, got)
	again := want[0]
	again.MaxUses, again.CreatedAt = 77, r.now()
	there, err := r.m().CreateInvite(r.ctx, again, 3)
	r.ok(err)
	r.same("invite of a code that is there", want[0], there)
	again.Code = r.id("code")
	_, err = r.m().CreateInvite(r.ctx, again, 3)
	r.fails("an invite too many", err, messaging.ErrTooManyInvites)

	r.fails("revoking what is not there", r.m().RevokeInvite(r.ctx, p[0], c.id, again.Code), messaging.ErrInviteNotFound)
	r.ok(r.m().RevokeInvite(r.ctx, p[0], c.id, want[1].Code))
	r.fails("revoking twice", r.m().RevokeInvite(r.ctx, p[0], c.id, want[1].Code), messaging.ErrInviteNotFound)
	_, err = c.join(want[1].Code, p[3])
	r.fails("joining by a revoked invite", err, messaging.ErrInviteNotFound)
	got, err = list(p[0])
	r.ok(err)
	r.same("invites", []messaging.Invite{want[0], want[2]}, got)
	short := messaging.Invite{Code: r.id("code"), ChatID: c.id, CreatedBy: p[0], CreatedAt: want[0].CreatedAt, ExpiresAt: want[0].CreatedAt}
	_, err = r.m().CreateInvite(r.ctx, short, 3)
	r.ok(err)
	got, err = list(p[0])
	r.ok(err)
	r.same("invites that count", 2, len(got))

	c.remove(p[0], p[2])
	for who, wants := range map[string]error{p[1]: messaging.ErrNotAnAdmin, p[2]: messaging.ErrNotAMember, p[3]: messaging.ErrChatNotFound} {
		again.CreatedBy = who
		_, err := r.m().CreateInvite(r.ctx, again, 100)
		r.fails("an invite by "+who, err, wants)
		r.fails("revoking by "+who, r.m().RevokeInvite(r.ctx, who, c.id, want[0].Code), wants)
		if errors.Is(wants, messaging.ErrNotAMember) {
			wants = messaging.ErrChatNotFound // reads tell nothing
		}
		_, err = list(who)
		r.fails("invites in the eyes of "+who, err, wants)
	}
	again.CreatedBy, again.ChatID = p[0], d.id
	_, err = r.m().CreateInvite(r.ctx, again, 100)
	r.fails("an invite to a direct chat", err, messaging.ErrNotAGroup)
	c.set(p[0], messaging.GroupChange{WhoMayAdd: new(messaging.All)})
	c.invite(p[1], 1)
}

func invitesRace(r *R) {
	owner := r.id("user")
	c := r.group(owner)
	i := c.invite(owner, 3)
	users := r.people(8)
	var in atomic.Int32
	r.race(len(users), func(k int) {
		_, err := c.join(i.Code, users[k])
		if err == nil {
			in.Add(1)
			return
		}
		r.fails("joining", err, messaging.ErrInviteNotFound)
	})
	r.same("joined", int32(3), in.Load())
	r.same("members", 4, len(c.members(owner)))
}
