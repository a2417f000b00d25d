package storagetest

import (
	"errors"
	"slices"
	"sync/atomic"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

func relationRules() []rule {
	return []rule{
		{name: "relations/come back by pages", check: relationPages,
			says: "Relations returns those of an owner of one kind, by user id ascending, from after (exclusive); Relate stores a relation unless it stands, and returns the one that stands now."},
		{name: "relations/change is an own event", check: relationsAreTold,
			says: "Relate and Unrelate take a place in the owner's own sequence, which they return; where nothing changes, 0."},
		{name: "relations/between goes both ways", check: relationsBetween,
			says: "Between returns all relations, in both directions, of a person to any of the others, by owner, user and kind ascending."},
		{name: "relations/are not more than most", check: relationLimit,
			says: "ErrTooMany, and nothing stored, when the owner would have more than most of the kind."},
		{name: "relations/race makes one", check: relationRace,
			says: "Relate stores a relation unless it stands, and returns the one that stands now: of concurrent calls one stores it."},

		{name: "blocks/silence the direct chat", check: blocksSilence,
			says: "From the moment that Relate of a KindBlock returns, Append and Edit of the blocked one in the direct chat of the two are ErrBlocked; until it ends. The owner's own are not, nor those in groups."},
		{name: "blocks/keep from making chats", check: blocksKeepOut,
			says: "CreateChat and AddMembers are ErrBlocked, with the details userIds ascending, when new ones have blocked who acts: nobody was added, nothing was made."},
		{name: "blocks/stand before the chat", check: blocksStandBefore,
			says: "In the direct chat that its owner makes later, who is blocked cannot write either."},
		{name: "blocks/nothing comes after", check: blocksRace,
			says: "From the moment that Relate of a KindBlock returns, nothing more of the blocked one is stored in the direct chat, also when it is made at that moment."},
	}
}

func (r *R) relation(owner, user string, kind users.RelationKind) users.Relation {
	return users.Relation{OwnerID: owner, UserID: user, Kind: kind, At: r.now()}
}

func (r *R) relate(owner, user string, kind users.RelationKind) (users.Relation, int64) {
	x := r.relation(owner, user, kind)
	got, seq, err := r.store.Users().Relate(r.ctx, x, 1000)
	r.ok(err)
	if seq > 0 {
		r.same("relation stored", x, got)
	}
	return got, seq
}

func (r *R) unrelate(owner, user string, kind users.RelationKind) int64 {
	seq, err := r.store.Users().Unrelate(r.ctx, r.relation(owner, user, kind))
	r.ok(err)
	return seq
}

func (r *R) relations(owner string, kind users.RelationKind) []users.Relation {
	all, err := r.store.Users().Relations(r.ctx, owner, kind, "", users.MaxPage+1)
	r.ok(err)
	return all
}

func relationPages(r *R) {
	p := r.people(7)
	var want []users.Relation
	for _, i := range []int{5, 2, 4, 1, 6} {
		x := r.relation(p[0], p[i], users.KindContact)
		x.Key = r.id("key") + "'\\"
		got, _, err := r.store.Users().Relate(r.ctx, x, 5)
		r.ok(err)
		r.same("relation stored", x, got)
		again := x
		again.Key, again.At = "", r.now()
		got, seq, err := r.store.Users().Relate(r.ctx, again, 5)
		r.ok(err)
		r.same("place of one that stands", int64(0), seq)
		r.same("relation that stands", x, got)
		want = append(want, x)
	}
	slices.SortFunc(want, func(a, b users.Relation) int {
		if a.UserID < b.UserID {
			return -1
		}
		return 1
	})
	block, _ := r.relate(p[0], p[3], users.KindBlock)
	r.relate(p[1], p[0], users.KindContact)
	r.same("contacts", want, r.relations(p[0], users.KindContact))
	r.same("blocks", []users.Relation{block}, r.relations(p[0], users.KindBlock))
	r.unrelate(p[0], p[4], users.KindContact)
	want = slices.Delete(want, 2, 3)
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []users.Relation
		for after := ""; len(got) < 100; {
			page, err := r.store.Users().Relations(r.ctx, p[0], users.KindContact, after, limit)
			r.ok(err)
			got = append(got, page...)
			if len(page) < limit {
				break
			}
			after = page[len(page)-1].UserID
		}
		r.same("contacts by pages", want, got)
	}
	r.same("contacts of nobody", 0, len(r.relations(r.id("user"), users.KindContact)))
}

func relationsAreTold(r *R) {
	p := r.people(2)
	var want []messaging.UserEvent
	for i, kind := range []users.RelationKind{users.KindContact, users.KindBlock} {
		x, seq := r.relate(p[0], p[1], kind)
		r.same("place", int64(2*i+1), seq)
		_, seq = r.relate(p[0], p[1], kind)
		r.same("place of one that stands", int64(0), seq)
		gone := r.relation(p[0], p[1], kind)
		seq, err := r.store.Users().Unrelate(r.ctx, gone)
		r.ok(err)
		r.same("place of the end", int64(2*i+2), seq)
		r.same("place of no end", int64(0), r.unrelate(p[0], p[1], kind))
		types := [2][2]messaging.EventType{{messaging.ContactAdded, messaging.ContactRemoved}, {messaging.BlockAdded, messaging.BlockRemoved}}[i]
		want = append(want,
			messaging.UserEvent{UserID: p[0], Seq: int64(2*i + 1), Type: types[0], At: x.At, AboutID: p[1]},
			messaging.UserEvent{UserID: p[0], Seq: int64(2*i + 2), Type: types[1], At: gone.At, AboutID: p[1]})
	}
	r.same("own events", want, r.feed(p[0]))
	r.same("own events of the other", 0, len(r.feed(p[1])))
	news := r.news(10, messaging.Places{Users: []messaging.UserHead{{UserID: p[0], Seq: 2}}})
	r.same("news", want[2:], news.Users[0].Events)
}

func relationsBetween(r *R) {
	p := r.people(5)
	a, _ := r.relate(p[1], p[2], users.KindContact)
	b, _ := r.relate(p[1], p[2], users.KindBlock)
	c, _ := r.relate(p[2], p[1], users.KindContact)
	d, _ := r.relate(p[4], p[1], users.KindBlock)
	r.relate(p[2], p[4], users.KindContact)
	r.relate(p[1], p[3], users.KindContact)
	between := func(others ...string) []users.Relation {
		got, err := r.store.Users().Between(r.ctx, p[1], others)
		r.ok(err)
		return got
	}
	r.same("between one and others", []users.Relation{b, a, c, d}, between(p[4], p[2], p[0]))
	r.same("between one and another", []users.Relation{d}, between(p[4]))
	r.same("between one and nobody", 0, len(between()))
	r.same("between strangers", 0, len(between(p[0])))
}

func relationLimit(r *R) {
	p := r.people(5)
	for _, user := range p[1:3] {
		_, _, err := r.store.Users().Relate(r.ctx, r.relation(p[0], user, users.KindContact), 2)
		r.ok(err)
	}
	before := r.feed(p[0])
	_, seq, err := r.store.Users().Relate(r.ctx, r.relation(p[0], p[3], users.KindContact), 2)
	r.fails("one too many", err, users.ErrTooMany)
	r.same("place", int64(0), seq)
	r.same("contacts", 2, len(r.relations(p[0], users.KindContact)))
	r.same("own events", before, r.feed(p[0]))
	_, _, err = r.store.Users().Relate(r.ctx, r.relation(p[0], p[1], users.KindContact), 2)
	r.ok(err) // stands
	r.relate(p[0], p[3], users.KindBlock)
	var stored atomic.Int32
	r.race(4, func(i int) {
		_, seq, err := r.store.Users().Relate(r.ctx, r.relation(p[1], r.id("user"), users.KindBlock), 2)
		switch {
		case err == nil && seq > 0:
			stored.Add(1)
		default:
			r.fails("one too many", err, users.ErrTooMany)
		}
	})
	r.same("stored by a race", int32(2), stored.Load())
}

func relationRace(r *R) {
	p := r.people(2)
	const n = 6
	var stored atomic.Int32
	var got [n]users.Relation
	r.race(n, func(i int) {
		var seq int64
		got[i], seq = r.relate(p[0], p[1], users.KindContact)
		if seq > 0 {
			stored.Add(1)
		}
	})
	r.same("stored", int32(1), stored.Load())
	for _, x := range got[1:] {
		r.same("relation that stands", got[0], x)
	}
	r.same("own events", 1, len(r.feed(p[0])))
}

func (c room) trySend(sender string) error { return c.r.append1(c.message(sender)).Err }

func blocksSilence(r *R) {
	p := r.people(3)
	c, g := r.direct(p[0], p[1]), r.group(p[2], p[0], p[1])
	sent := c.send(p[1])
	before := c.events(p[0])
	r.relate(p[0], p[1], users.KindBlock)
	r.fails("a message of who is blocked", c.trySend(p[1]), messaging.ErrBlocked)
	edit := c.rewrite(sent, 2)
	_, err := r.m().Edit(r.ctx, edit)
	r.fails("an edit of who is blocked", err, messaging.ErrBlocked)
	r.same("events", before, c.events(p[0]))
	c.send(p[0])
	g.send(p[1])
	c.delete(p[1], sent.ID)
	r.unrelate(p[0], p[1], users.KindBlock)
	c.send(p[1])
	r.relate(p[1], p[0], users.KindContact) // is no block
	r.relate(p[2], p[0], users.KindBlock)   // is about others
	c.send(p[0])
}

func (r *R) blockedBy(what string, err error, want ...string) {
	r.fails(what, err, messaging.ErrBlocked)
	e, _ := errors.AsType[*errs.Error](err)
	got, _ := e.Details()["userIds"].([]string)
	r.same(what+": who blocks", want, got)
}

func blocksKeepOut(r *R) {
	p := r.people(5)
	g := r.group(p[0], p[1])
	for _, owner := range []string{p[4], p[3]} {
		r.relate(owner, p[0], users.KindBlock)
	}
	r.relate(p[0], p[2], users.KindBlock) // the other way keeps nobody out
	before := r.feed(p[3])
	_, err := r.m().CreateChat(r.ctx, r.newChat(messaging.Direct, p[0], p[3]))
	r.blockedBy("a direct chat with one who blocks", err, p[3])
	_, err = r.m().CreateChat(r.ctx, r.newChat(messaging.Group, p[0], p[4], p[2], p[3]))
	r.blockedBy("a group with some who block", err, p[3], p[4])
	_, err = g.tryAdd(p[0], p[4], p[2])
	r.blockedBy("adding one who blocks", err, p[4])
	r.same("members", 2, len(g.members(p[0])))
	r.same("own events of one who blocks", before, r.feed(p[3]))
	g.add(p[0], p[2])
	r.direct(p[3], p[0])
	_, err = r.m().CreateChat(r.ctx, r.newChat(messaging.Direct, p[0], p[3]))
	r.ok(err) // it is there
}

func blocksStandBefore(r *R) {
	p := r.people(2)
	r.relate(p[1], p[0], users.KindBlock)
	c := r.direct(p[1], p[0])
	r.fails("a message of who is blocked", c.trySend(p[0]), messaging.ErrBlocked)
	c.send(p[1])
	r.unrelate(p[1], p[0], users.KindBlock)
	c.send(p[0])
}

func blocksRace(r *R) {
	for range 5 {
		p := r.people(4)
		c := r.direct(p[0], p[1])
		n := r.newChat(messaging.Direct, p[2], p[3])
		var head atomic.Int64
		r.race(4, func(i int) {
			switch i {
			case 0:
				for !r.failed() {
					if err := c.trySend(p[1]); err != nil {
						r.fails("a message of who is blocked", err, messaging.ErrBlocked)
						return
					}
				}
			case 1:
				r.relate(p[0], p[1], users.KindBlock)
				head.Store(c.view(p[0]).HeadSeq)
			case 2:
				if _, err := r.m().CreateChat(r.ctx, n); err != nil {
					r.fails("a chat with one who blocks", err, messaging.ErrBlocked)
				}
			case 3:
				r.relate(p[3], p[2], users.KindBlock)
			}
		})
		r.same("head since the block", head.Load(), c.view(p[0]).HeadSeq)
		err := room{r: r, id: n.ID}.trySend(p[2])
		r.fails("a message into a chat made meanwhile", err, messaging.ErrBlocked, messaging.ErrChatNotFound)
	}
}
