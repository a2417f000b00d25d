package storagetest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/wigwag-chat/wigwag/messaging"
)

func appendRules() []rule {
	return []rule{
		{name: "append/message comes back as sent", check: messageComesBack,
			says: "Append stores messages, each with a MessageCreated; bodies byte for byte, times in UTC of whole microseconds."},
		{name: "append/sequence is dense", check: sequenceDense,
			says: "Each chat has one sequence for all its events: dense from 1, never reused."},
		{name: "append/failure takes no number", check: failureTakesNoNumber,
			says: "An operation that fails takes no number."},
		{name: "append/places are in the order of the items", check: batchOrder,
			says: "The results stand in the order of the items, and items of one chat get their places in that order."},
		{name: "append/bad item hurts no other", check: badItems,
			says: "Each item has an error of its own and never hurts another: ErrChatNotFound, ErrNotAMember for former members, ErrClientIDReused."},
		{name: "append/recipients are the others present", check: recipients,
			says: "Tally is filled with the number of recipients by Append: those whose membership covers the message's place, without its sender."},
		{name: "append/chat shows its newest message", check: activityMoves,
			says: "LastMessageAt is the time of the newest message, HeadSeq the newest event's sequence; a message is no change of the chat's own data."},
	}
}

func messageComesBack(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	bodies := [][]byte{every, {0}, bytes.Repeat([]byte{0xff, 0}, 9000)}
	for _, text := range append(difficultTexts(), strings.Repeat("🦊", messaging.MaxText)) {
		bodies = append(bodies, []byte(text))
	}
	for i, body := range bodies {
		n := c.message(p[i%2])
		n.Body.Data, n.Digest, n.ClientID = body, every[i:i+32], r.id("client")
		sent := r.append1(n)
		r.ok(sent.Err)
		seq := int64(i) + 1
		want := messaging.StoredMessage{
			Message: messaging.Message{
				ID: n.ID, ChatID: c.id, Seq: seq, SenderID: n.SenderID, ClientID: n.ClientID, Kind: messaging.KindText,
				CreatedAt: n.CreatedAt, Tally: messaging.Tally{Recipients: 1},
			},
			Body: n.Body, Revision: 1, Digest: n.Digest,
		}
		r.same("what Append returned", messaging.Appended{Message: want}, sent)
		for _, viewer := range p {
			r.same("message", want, c.get(viewer, n.ID), asSeenBy(viewer))
			r.same("newest page", []messaging.StoredMessage{want}, c.history(viewer, messaging.Window{Limit: 1}), asSeenBy(viewer))
			events, err := r.m().Events(r.ctx, viewer, c.id, seq-1, 1)
			r.ok(err)
			r.same("event", []messaging.StoredEvent{{Event: messaging.Event{
				ChatID: c.id, Seq: seq, Type: messaging.MessageCreated, At: n.CreatedAt, ActorID: n.SenderID, MessageID: n.ID,
			}, Stored: &want}}, events, asSeenBy(viewer))
		}
	}
	_, err := r.m().Message(r.ctx, p[0], c.id, r.id("msg"))
	r.fails("unknown message", err, messaging.ErrMessageNotFound)
	other := r.group(p[0], p[1])
	_, err = r.m().Message(r.ctx, p[0], other.id, c.history(p[0], newest())[0].ID)
	r.fails("message of another chat", err, messaging.ErrMessageNotFound)
}

func sequenceDense(r *R) {
	p := r.people(3)
	c, beside := r.group(p[0], p[1]), r.group(p[0], p[1])
	for range 3 {
		m := c.sendMany(p[0], 2)
		beside.send(p[1])
		c.edit(m[0], 2)
		c.delete(p[0], m[1].ID)
		c.add(p[0], p[2])
		c.remove(p[0], p[2])
		c.hide(p[1], m[0].ID) // takes no place in the chat
		c.read(p[1], m[0].Seq)
	}
	var want []string
	for i := range 3 {
		for k, t := range []string{"message.created", "message.created", "message.edited", "message.deleted", "member.added", "member.removed"} {
			want = append(want, fmt.Sprintf("%d %s", 6*i+k+1, t))
		}
	}
	r.same("events", strings.Join(want, ", "), outline(c.events(p[0])))
	r.same("head", int64(18), c.view(p[1]).HeadSeq)
	r.same("head of the chat beside", int64(3), beside.view(p[1]).HeadSeq)
}

func failureTakesNoNumber(r *R) {
	p := r.people(3)
	c, d := r.group(p[0], p[1]), r.direct(p[0], p[1])
	m := c.send(p[0])
	fail := func(what string, err error) {
		if err == nil {
			r.Fatalf("%s did not fail", what)
		}
	}
	feeds := func() []int { return []int{len(r.feed(p[0])), len(r.feed(p[1])), len(r.feed(p[2]))} }
	before := feeds()
	for range 3 {
		fail("message of a stranger", r.append1(c.message(p[2])).Err)
		_, err := r.m().Edit(r.ctx, c.rewrite(m, 7))
		fail("edit of another revision", err)
		_, err = c.tryDelete(p[1], m.ID)
		fail("delete of another's message", err)
		_, err = c.tryHide(p[1], r.id("msg"))
		fail("hiding of an unknown message", err)
		_, err = c.tryAdd(p[1], p[2])
		fail("adding by a plain member", err)
		_, err = d.tryRemove(p[0], p[1])
		fail("removing from a direct chat", err)
		_, err = c.tryRemove(p[1], p[0])
		fail("removing of the owner", err)
		fail("mark beyond the head", r.marks(messaging.Mark{ChatID: c.id, UserID: p[1], Read: true, UpTo: 99, At: r.now()})[0].Err)
	}
	r.same("head after failures", int64(1), c.view(p[0]).HeadSeq)
	r.same("receipt version after failures", int64(0), c.view(p[0]).ReceiptVersion)
	r.same("numbers of user events after failures", before, feeds())
	r.same("next sequence", int64(2), c.send(p[0]).Seq)
	r.same("events", "1 message.created, 2 message.created", outline(c.events(p[0])))
	c.hide(p[1], m.ID)
	last := r.feed(p[1])
	r.same("next number of a user", int64(before[1]+1), last[len(last)-1].Seq)
}

func batchOrder(r *R) {
	p := r.people(2)
	rooms := []room{r.group(p[0], p[1]), r.group(p[1], p[0]), r.group(p[0])}
	next := map[string]int64{}
	for _, size := range []int{1, 7, 150} {
		var items []messaging.NewMessage
		for range size {
			c := rooms[r.rng.IntN(len(rooms))]
			sender := p[0]
			if c.id != rooms[2].id && r.rng.IntN(2) == 0 {
				sender = p[1]
			}
			items = append(items, c.message(sender))
		}
		for i, out := range r.append(items...) {
			r.ok(out.Err)
			next[items[i].ChatID]++
			r.same(fmt.Sprintf("result %d of %d", i, size), []any{items[i].ID, next[items[i].ChatID]},
				[]any{out.Message.ID, out.Message.Seq})
		}
	}
	for _, c := range rooms {
		r.same("head", next[c.id], c.view(p[0]).HeadSeq)
	}
}

func badItems(r *R) {
	p := r.people(4)
	c, other := r.group(p[0], p[1], p[2]), r.group(p[3])
	c.remove(p[0], p[2])
	known := c.message(p[0])
	known.ClientID = r.id("client")
	first := c.post(known)
	reused := c.message(p[0])
	reused.ClientID = known.ClientID
	again := c.message(p[0])
	again.ClientID, again.Digest = known.ClientID, known.Digest
	items := []messaging.NewMessage{
		c.message(p[2]),                     // a former member
		c.message(p[0]),                     // 3
		other.message(p[0]),                 // a stranger
		reused,                              // other content
		c.message(p[1]),                     // 4
		again,                               // the first result
		room{r, r.id("chat")}.message(p[0]), // no such chat
		other.message(p[3]),                 // 1
		c.message(p[0]),                     // 5
		room{r, strings.ToUpper(c.id)}.message(p[0]), // no such chat
	}
	want := []any{
		messaging.ErrNotAMember, int64(3), messaging.ErrChatNotFound, messaging.ErrClientIDReused, int64(4), first.Seq,
		messaging.ErrChatNotFound, int64(1), int64(5), messaging.ErrChatNotFound,
	}
	for i, out := range r.append(items...) {
		what := fmt.Sprintf("item %d", i)
		if err, ok := want[i].(error); ok {
			r.fails(what, out.Err, err)
			continue
		}
		r.ok(out.Err)
		r.same(what, want[i], out.Message.Seq)
		r.same(what+" repeated", i == 5, out.Repeated)
	}
	r.same("events", "1 member.removed, 2 message.created, 3 message.created, 4 message.created, 5 message.created",
		outline(c.events(p[0])))
	r.same("events of the other chat", "1 message.created", outline(other.events(p[3])))
}

func recipients(r *R) {
	p := r.people(4)
	c := r.group(p[0])
	check := func(what string, sender string, want int) {
		m := c.send(sender)
		r.same(what, want, m.Tally.Recipients)
		r.same(what+", read", messaging.Tally{Recipients: want}, c.get(sender, m.ID).Tally)
	}
	check("recipients of a message to oneself", p[0], 0)
	c.add(p[0], p[1], p[2])
	check("recipients after two joined", p[1], 2)
	c.remove(p[0], p[2])
	check("recipients after one left", p[0], 1)
	c.add(p[0], p[3], p[2])
	check("recipients after one came back", p[2], 3)
}

func activityMoves(r *R) {
	p := r.people(2)
	n := r.newChat(messaging.Group, p[0], p[1])
	c := r.create(n)
	first := c.send(p[0])
	m := c.sendMany(p[1], 2)
	c.edit(m[1], 2)
	c.delete(p[1], m[1].ID)
	v := c.view(p[0])
	r.same("last message, head, last change", []any{m[1].CreatedAt, int64(5), n.CreatedAt},
		[]any{v.LastMessageAt, v.HeadSeq, v.UpdatedAt})
	r.same("first message", first.Seq, int64(1))
}
