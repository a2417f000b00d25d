package storagetest

import (
	"fmt"

	"github.com/wigwag-chat/wigwag/messaging"
)

func reactionRules() []rule {
	return []rule{
		{name: "reactions/are counted by emoji", check: reactionsCount,
			says: "React adds or takes back a reaction of one member. Reads count the reactions to a message by emoji, the one that was first on top."},
		{name: "reactions/take a place", check: reactionsAreTold,
			says: "A ReactionAdded or ReactionRemoved in the chat's sequence; none when nothing changes."},
		{name: "reactions/refuse", check: reactionsRefuse,
			says: "ErrMessageNotFound (also when deleted or hidden), ErrTooManyReactions above most different emoji, ErrBlocked, ErrNotAMember."},
		{name: "reactions/go with the message", check: reactionsGo,
			says: "Delete erases a message's reactions and ReplyTo."},
		{name: "reactions/race counts each once", check: reactionsRace,
			says: "Of concurrent calls of one member one changes something; those of several all count, and most holds."},
		{name: "pins/stand for all", check: pinsStand,
			says: "Pin pins a message for all members, or takes it down: a MessagePinned or MessageUnpinned; none when nothing changes. Pins returns them, the one pinned last on top, but for those hidden from the viewer; a deleted message is taken down."},
		{name: "pins/refuse", check: pinsRefuse,
			says: "For who is among WhoMayPin, else ErrNotAnAdmin. ErrMessageNotFound, ErrTooManyPins above most, ErrBlocked, ErrNotAMember."},
		{name: "replies/come back", check: repliesComeBack,
			says: "ReplyTo comes back with the message, in every read. With ReplyMissing it is ErrMessageNotFound, unless the client id repeats."},
	}
}

func (c room) react(user, message, emoji string, added bool) messaging.Changed {
	out, err := c.tryReact(user, message, emoji, added, 100)
	c.r.ok(err)
	return out
}

func (c room) tryReact(user, message, emoji string, added bool, most int) (messaging.Changed, error) {
	return c.r.m().React(c.r.ctx, messaging.React{ChatID: c.id, MessageID: message, UserID: user, Emoji: emoji, Added: added, At: c.r.now()}, most)
}

func reactionsCount(r *R) {
	p := r.people(4)
	c := r.group(p[0], p[1], p[2])
	m, other := c.send(p[0]), c.send(p[1])
	c.react(p[1], m.ID, "👍", true)
	c.react(p[0], m.ID, "❤️", true)
	c.react(p[0], m.ID, "👍", true)
	c.react(p[2], m.ID, "👍🏽", true) // another emoji
	c.react(p[2], m.ID, "❤️", true)
	c.react(p[1], other.ID, "🎉", true)
	c.react(p[1], other.ID, "🎉", false)
	want := func(mine ...bool) []messaging.ReactionCount {
		return []messaging.ReactionCount{{Emoji: "👍", Count: 2, Mine: mine[0]}, {Emoji: "❤️", Count: 2, Mine: mine[1]}, {Emoji: "👍🏽", Count: 1, Mine: mine[2]}}
	}
	for user, mine := range map[string][]bool{p[0]: {true, true, false}, p[1]: {true, false, false}, p[2]: {false, true, true}} {
		r.same("of one message", want(mine...), c.get(user, m.ID).Reactions)
		page := c.history(user, messaging.Window{Limit: 10})
		r.same("in a page", want(mine...), page[0].Reactions)
		r.same("of the other one", 0, len(page[1].Reactions))
		events := c.events(user)
		r.same("in the events", want(mine...), events[0].Stored.Reactions)
	}
	out := c.edit(m, 2)
	r.same("of an edited message, for its editor", want(true, true, false), out.Events[0].Stored.Reactions)
	c.react(p[1], m.ID, "👍", false)
	c.react(p[0], m.ID, "👍", false)
	r.same("taken back", want(false, true, false)[1:], c.get(p[0], m.ID).Reactions)
	c.delete(p[1], other.ID)
	r.same("of the last message", want(false, true, false)[1:], c.view(p[0]).Last.Reactions)
}

func reactionsAreTold(r *R) {
	p := r.people(2)
	c := r.direct(p[0], p[1])
	m := c.send(p[0])
	var want []messaging.StoredEvent
	for i, added := range []bool{true, false, true} {
		out := c.react(p[1], m.ID, "1️⃣", added)
		kind := messaging.ReactionAdded
		if !added {
			kind = messaging.ReactionRemoved
		}
		e := messaging.StoredEvent{Event: messaging.Event{ChatID: c.id, Seq: int64(i + 2), Type: kind, At: out.Events[0].At, ActorID: p[1], MessageID: m.ID, Emoji: "1️⃣"}}
		r.same("outcome", messaging.Changed{Events: []messaging.StoredEvent{e}}, out)
		r.same("outcome of the same again", messaging.Changed{}, c.react(p[1], m.ID, "1️⃣", added))
		want = append(want, e)
	}
	r.same("events", want, c.events(p[0])[1:])
	r.same("unread", messaging.UnreadCount{Chat: 1, Total: 1}, r.unread(p[1], c.id))
}

func reactionsRefuse(r *R) {
	p := r.people(4)
	c, other := r.group(p[0], p[1], p[2]), r.group(p[0], p[1])
	m, deleted, hidden, elsewhere := c.send(p[0]), c.send(p[0]), c.send(p[0]), other.send(p[0])
	c.delete(p[0], deleted.ID)
	c.hide(p[1], hidden.ID)
	c.remove(p[0], p[2])
	before := c.events(p[0])
	for _, added := range []bool{true, false} {
		for what, id := range map[string]string{"a deleted message": deleted.ID, "a hidden one": hidden.ID, "another chat's": elsewhere.ID, "none": r.id("msg")} {
			_, err := c.tryReact(p[1], id, "👍", added, 100)
			r.fails(what, err, messaging.ErrMessageNotFound)
		}
		_, err := c.tryReact(p[2], m.ID, "👍", added, 100)
		r.fails("a former member", err, messaging.ErrNotAMember)
		_, err = c.tryReact(p[3], m.ID, "👍", added, 100)
		r.fails("a stranger", err, messaging.ErrChatNotFound)
	}
	r.same("events", before, c.events(p[0]))
	for i := range 3 {
		_, err := c.tryReact(p[0], m.ID, fmt.Sprint("emoji ", i), true, 3)
		r.ok(err)
	}
	_, err := c.tryReact(p[1], m.ID, "emoji 3", true, 3)
	r.fails("an emoji too many", err, messaging.ErrTooManyReactions)
	_, err = c.tryReact(p[1], m.ID, "emoji 2", true, 3)
	r.ok(err)
	d := r.direct(p[0], p[1])
	sent := d.send(p[0])
	r.relate(p[0], p[1], "block")
	_, err = d.tryReact(p[1], sent.ID, "👍", true, 3)
	r.fails("who is blocked", err, messaging.ErrBlocked)
}

func reactionsGo(r *R) {
	p := r.people(2)
	c := r.direct(p[0], p[1])
	first := c.send(p[0])
	n := c.message(p[0])
	n.ReplyTo = first.ID
	m := c.post(n)
	c.react(p[1], m.ID, "👍", true)
	c.delete(p[0], m.ID)
	page := c.history(p[1], messaging.Window{Limit: 10})
	r.same("reactions of a tombstone", 0, len(page[1].Reactions))
	r.same("what a tombstone answers", "", page[1].ReplyTo)
}

func reactionsRace(r *R) {
	p := r.people(8)
	c := r.group(p[0], p[1:]...)
	m := c.send(p[0])
	head := c.view(p[0]).HeadSeq
	r.race(len(p), func(i int) {
		for range 2 {
			c.react(p[i], m.ID, "👍", true)
			_, err := c.tryReact(p[i], m.ID, fmt.Sprint("emoji ", i), true, 4)
			if err != nil {
				r.fails("an emoji too many", err, messaging.ErrTooManyReactions)
			}
		}
	})
	now := c.get(p[0], m.ID).Reactions
	r.same("kinds", 4, len(now))
	total := 0
	for _, k := range now {
		total += k.Count
		if k.Emoji == "👍" {
			r.same("thumbs", len(p), k.Count)
		}
	}
	r.same("events", head+int64(total), c.view(p[0]).HeadSeq)
}

func repliesComeBack(r *R) {
	p := r.people(2)
	c := r.direct(p[0], p[1])
	first := c.send(p[0])
	n := c.named(p[1], r.id("client"))
	n.ReplyTo = first.ID
	sent := c.post(n)
	r.same("as it was sent", first.ID, sent.ReplyTo)
	r.same("read", first.ID, c.get(p[0], sent.ID).ReplyTo)
	r.same("in a page", first.ID, c.history(p[0], messaging.Window{Limit: 10})[1].ReplyTo)
	r.same("in the events", first.ID, c.events(p[0])[1].Stored.ReplyTo)
	r.same("in the list", first.ID, c.view(p[0]).Last.ReplyTo)

	again := c.retry(n)
	again.ReplyMissing = true
	out := r.append1(again)
	r.ok(out.Err)
	r.same("repeated", true, out.Repeated)
	missing := c.message(p[1])
	missing.ReplyTo, missing.ReplyMissing = r.id("msg"), true
	r.fails("an answer to nothing", r.append1(missing).Err, messaging.ErrMessageNotFound)
	r.same("head", int64(2), c.view(p[0]).HeadSeq)
}

func (c room) tryPin(user, message string, pinned bool, most int) (messaging.Changed, error) {
	return c.r.m().Pin(c.r.ctx, messaging.Pin{ChatID: c.id, MessageID: message, UserID: user, Pinned: pinned, At: c.r.now()}, most)
}

func (c room) pins(viewer string) (ids []string) {
	all, err := c.r.m().Pins(c.r.ctx, viewer, c.id)
	c.r.ok(err)
	for _, m := range all {
		c.r.same("a pinned message", c.get(viewer, m.ID), m)
		ids = append(ids, m.ID)
	}
	return ids
}

func pinsStand(r *R) {
	p := r.people(2)
	c := r.direct(p[0], p[1])
	m := c.sendMany(p[0], 4)
	var want []messaging.StoredEvent
	for i, at := range []int{2, 0, 3} {
		out, err := c.tryPin(p[i%2], m[at].ID, true, 9)
		r.ok(err)
		e := messaging.Event{ChatID: c.id, Seq: int64(5 + i), Type: messaging.MessagePinned, At: out.Events[0].At, ActorID: p[i%2], MessageID: m[at].ID}
		want = append(want, messaging.StoredEvent{Event: e})
		r.same("outcome", messaging.Changed{Events: want[i:]}, out)
		out, err = c.tryPin(p[0], m[at].ID, true, 1)
		r.ok(err)
		r.same("outcome of the same again", messaging.Changed{}, out)
	}
	r.same("pins", []string{m[3].ID, m[0].ID, m[2].ID}, c.pins(p[1]))
	out, err := c.tryPin(p[0], m[0].ID, false, 9)
	r.ok(err)
	r.same("type", messaging.MessageUnpinned, out.Events[0].Type)
	out, err = c.tryPin(p[0], m[0].ID, false, 9)
	r.ok(err)
	r.same("outcome of the same again", messaging.Changed{}, out)
	c.hide(p[1], m[3].ID)
	r.same("pins where one is hidden", []string{m[2].ID}, c.pins(p[1]))
	r.same("pins", []string{m[3].ID, m[2].ID}, c.pins(p[0]))
	c.delete(p[0], m[2].ID)
	r.same("pins", []string{m[3].ID}, c.pins(p[0]))
	r.same("events", want, c.events(p[0])[4:7])
}

func pinsRefuse(r *R) {
	p := r.people(4)
	c, d := r.group(p[0], p[1], p[2]), r.direct(p[0], p[1])
	m, sent := c.sendMany(p[0], 4), d.send(p[0])
	c.delete(p[0], m[3].ID)
	c.remove(p[0], p[2])
	before := c.events(p[0])
	for _, pinned := range []bool{true, false} {
		for who, want := range map[string]error{p[1]: messaging.ErrNotAnAdmin, p[2]: messaging.ErrNotAMember, p[3]: messaging.ErrChatNotFound} {
			_, err := c.tryPin(who, m[0].ID, pinned, 9)
			r.fails("a pin by "+who, err, want)
		}
		for what, id := range map[string]string{"a deleted message": m[3].ID, "another chat's": sent.ID} {
			_, err := c.tryPin(p[0], id, pinned, 9)
			r.fails(what, err, messaging.ErrMessageNotFound)
		}
	}
	r.same("events", before, c.events(p[0]))
	c.set(p[0], messaging.GroupChange{WhoMayPin: new(messaging.All)})
	for i := range 2 {
		_, err := c.tryPin(p[1], m[i].ID, true, 2)
		r.ok(err)
	}
	_, err := c.tryPin(p[1], m[2].ID, true, 2)
	r.fails("a pin too many", err, messaging.ErrTooManyPins)
	r.same("pins", 2, len(c.pins(p[0])))
	_, err = r.m().Pins(r.ctx, p[2], c.id)
	r.fails("pins in the eyes of a former member", err, messaging.ErrChatNotFound)
	r.relate(p[0], p[1], "block")
	_, err = d.tryPin(p[1], sent.ID, true, 9)
	r.fails("a pin by who is blocked", err, messaging.ErrBlocked)
}
