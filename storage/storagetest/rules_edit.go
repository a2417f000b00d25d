package storagetest

import (
	"slices"
	"sync/atomic"

	"github.com/wigwag-chat/wigwag/messaging"
)

func editRules() []rule {
	return []rule{
		{name: "edit/replaces the body", check: editReplaces,
			says: "Edit replaces a body and makes a MessageEdited; place, sender and time of sending stay."},
		{name: "edit/keeps past bodies", check: editKeepsPast,
			says: "Edit keeps the old body as a PastBody; PastBodies returns what edits replaced, oldest first."},
		{name: "edit/refuses", check: editRefuses,
			says: "ErrMessageNotFound (also when deleted), ErrNotTheSender, ErrRevision when another edit came first; then nothing changed."},
		{name: "edit/window counts to the microsecond", check: editWindow,
			says: "Messages older than SentAfter are ErrEditWindowPassed."},
		{name: "edit/names who hid the message", check: editHiddenFrom,
			says: "Edit names who hid the message, by id; they are not to be shown the new text."},
		{name: "edit/race has one winner", check: editRace,
			says: "Of concurrent edits of one revision one wins, the others get ErrRevision."},
	}
}

func editReplaces(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	m, beside := c.send(p[0]), c.send(p[0])
	e := c.rewrite(m, 2)
	e.Body.KeyID = "another key"
	e.Body.Data = []byte(difficultTexts()[1] + "\x00\xff")
	out, err := r.m().Edit(r.ctx, e)
	r.ok(err)
	want := m
	want.Body, want.Revision, want.EditedAt = e.Body, 2, e.At
	event := messaging.StoredEvent{Event: messaging.Event{
		ChatID: c.id, Seq: 3, Type: messaging.MessageEdited, At: e.At, ActorID: p[0], MessageID: m.ID,
	}, Stored: &want}
	r.same("outcome", messaging.Changed{Events: []messaging.StoredEvent{event}}, out, without("Tally"), asSeenBy(p[0]))
	for _, viewer := range p {
		r.same("message", want, c.get(viewer, m.ID), asSeenBy(viewer))
		events := c.events(viewer)
		r.same("event of the edit", event, events[2], asSeenBy(viewer))
		r.same("message of its first event", &want, events[0].Stored, asSeenBy(viewer))
		r.same("history", []messaging.StoredMessage{want, beside}, c.history(viewer, newest()), asSeenBy(viewer))
	}
}

func editHiddenFrom(r *R) {
	p := r.people(4)
	c := r.group(p[0], p[1], p[2], p[3])
	m, beside := c.send(p[0]), c.send(p[0])
	r.same("hidden from nobody", 0, len(c.edit(m, 2).HiddenFrom))
	c.hide(p[3], m.ID)
	c.hide(p[1], m.ID)
	c.hide(p[2], beside.ID)
	r.same("hidden from", slices.Sorted(slices.Values([]string{p[1], p[3]})), c.edit(m, 3).HiddenFrom)
}

func editKeepsPast(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	m, beside := c.send(p[0]), c.send(p[0])
	past := func(viewer, id string) []messaging.PastBody {
		all, err := r.m().PastBodies(r.ctx, viewer, c.id, id)
		r.ok(err)
		return all
	}
	r.same("past of a message that was never edited", 0, len(past(p[0], m.ID)))
	var want []messaging.PastBody
	body := m.Body
	for revision := 2; revision <= 4; revision++ {
		e := c.rewrite(m, revision)
		_, err := r.m().Edit(r.ctx, e)
		r.ok(err)
		want = append(want, messaging.PastBody{Body: body, Revision: revision - 1, EditedAt: e.At})
		body = e.Body
		r.same("past bodies", want, past(p[1], m.ID))
	}
	r.same("past of the message beside", 0, len(past(p[0], beside.ID)))
	_, err := r.m().PastBodies(r.ctx, p[0], c.id, r.id("msg"))
	r.fails("past of an unknown message", err, messaging.ErrMessageNotFound)
}

func editRefuses(r *R) {
	p := r.people(2)
	c, other := r.group(p[0], p[1]), r.group(p[0], p[1])
	m, gone := c.send(p[1]), c.send(p[1])
	c.delete(p[1], gone.ID)
	refuse := func(what string, e messaging.EditMessage, want error) {
		_, err := r.m().Edit(r.ctx, e)
		r.fails(what, err, want)
	}
	e := c.rewrite(m, 2)
	e.EditorID = p[0]
	refuse("edit by the group's owner", e, messaging.ErrNotTheSender)
	for _, revision := range []int{0, 1, 3} {
		refuse("edit of another revision", c.rewrite(m, revision), messaging.ErrRevision)
	}
	refuse("edit of a deleted message", c.rewrite(gone, 2), messaging.ErrMessageNotFound)
	e = c.rewrite(m, 2)
	e.MessageID = r.id("msg")
	refuse("edit of an unknown message", e, messaging.ErrMessageNotFound)
	refuse("edit in another chat", other.rewrite(m, 2), messaging.ErrMessageNotFound)
	r.same("message afterwards", m, c.get(p[1], m.ID), asSeenBy(p[1]))
	c.edit(m, 2)
	refuse("edit of a revision that was edited", c.rewrite(m, 2), messaging.ErrRevision)
	c.edit(m, 3)
}

func editWindow(r *R) {
	p := r.people(1)
	c := r.group(p[0])
	m := c.send(p[0])
	e := c.rewrite(m, 2)
	e.SentAfter = m.CreatedAt.Add(micros(1))
	_, err := r.m().Edit(r.ctx, e)
	r.fails("edit of a message 1 µs too old", err, messaging.ErrEditWindowPassed)
	e.SentAfter = m.CreatedAt
	_, err = r.m().Edit(r.ctx, e)
	r.ok(err)
}

func editRace(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	for range 5 {
		m := c.send(p[0])
		head := c.view(p[0]).HeadSeq
		edits := make([]messaging.EditMessage, 6)
		for i := range edits {
			edits[i] = c.rewrite(m, 2)
			edits[i].Body.Data = []byte{byte(i)}
		}
		var wins, winner atomic.Int32
		r.race(len(edits), func(i int) {
			if _, err := r.m().Edit(r.ctx, edits[i]); err != nil {
				r.fails("edit of one who lost", err, messaging.ErrRevision)
				return
			}
			wins.Add(1)
			winner.Store(int32(i))
		})
		r.same("winners", int32(1), wins.Load())
		r.same("body", edits[winner.Load()].Body, c.get(p[1], m.ID).Body)
		r.same("head", head+1, c.view(p[0]).HeadSeq)
	}
}

func deleteRules() []rule {
	return []rule{
		{name: "delete/leaves a tombstone", check: deleteTombstone,
			says: "Delete leaves a tombstone, which keeps its place, sender and times; body, digest and past bodies are erased, and a MessageDeleted is made."},
		{name: "delete/is for the sender and who manages", check: deleteRights,
			says: "By the sender, or who manages the group; else ErrNotTheSender. ErrMessageNotFound, also when it is deleted already."},
		{name: "delete/race has one winner", check: deleteRace,
			says: "Of concurrent deletes one makes a MessageDeleted, the others find no message."},
		{name: "hide/hides from one alone", check: hideFromOne,
			says: "Hidden messages are absent from every read of the one who hid them, but for Events, which keeps their places."},
		{name: "hide/is an event of one's own", check: hideEvent,
			says: "Hide makes a MessageDeleted in the member's own sequence. Hiding twice changes nothing. ErrMessageNotFound."},
	}
}

func deleteTombstone(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	m, beside := c.send(p[0]), c.send(p[0])
	c.edit(m, 2)
	c.edit(m, 3)
	c.edit(beside, 2)
	want, keep := c.get(p[1], m.ID), c.get(p[1], beside.ID)
	out := c.delete(p[0], m.ID)
	want.Body, want.Digest, want.Deleted = messaging.Sealed{}, nil, true
	event := messaging.StoredEvent{Event: messaging.Event{
		ChatID: c.id, Seq: 6, Type: messaging.MessageDeleted, ActorID: p[0], MessageID: m.ID, At: out.Events[0].At,
	}}
	r.same("outcome", messaging.Changed{Events: []messaging.StoredEvent{event}}, out)
	for _, viewer := range p {
		_, err := r.m().Message(r.ctx, viewer, c.id, m.ID)
		r.fails("deleted message", err, messaging.ErrMessageNotFound)
		_, err = r.m().PastBodies(r.ctx, viewer, c.id, m.ID)
		r.fails("past of a deleted message", err, messaging.ErrMessageNotFound)
		_, err = r.m().Receipts(r.ctx, viewer, c.id, m.ID, "", 10)
		r.fails("receipts of a deleted message", err, messaging.ErrMessageNotFound)
		r.same("history", []messaging.StoredMessage{want, keep}, c.history(viewer, newest()), asSeenBy(viewer))
		events := c.events(viewer)
		for _, i := range []int{0, 2, 3} {
			r.same("message of an earlier event", &want, events[i].Stored, asSeenBy(viewer))
		}
		r.same("event of the delete", event, events[5])
	}
	past, err := r.m().PastBodies(r.ctx, p[0], c.id, beside.ID)
	r.ok(err)
	r.same("past bodies of the message beside", 1, len(past))
}

func deleteRights(r *R) {
	p := r.people(4)
	n := r.newChat(messaging.Group, p[0], p[1], p[2])
	n.Members[1].Role = messaging.RoleAdmin
	c, d, other := r.create(n), r.direct(p[0], p[1]), r.group(p[0])
	refuse := func(what string, c room, actor, id string, want ...error) {
		_, err := c.tryDelete(actor, id)
		r.fails(what, err, want...)
	}
	m := c.send(p[0])
	refuse("delete by a plain member", c, p[2], m.ID, messaging.ErrNotTheSender)
	refuse("delete by a stranger", c, p[3], m.ID, messaging.ErrChatNotFound, messaging.ErrMessageNotFound)
	refuse("delete in another chat", other, p[0], m.ID, messaging.ErrMessageNotFound)
	refuse("delete of an unknown message", c, p[0], r.id("msg"), messaging.ErrMessageNotFound)
	r.same("message after refused deletes", m, c.get(p[0], m.ID), asSeenBy(p[0]))
	c.delete(p[1], m.ID) // an admin, the owner's
	refuse("second delete", c, p[0], m.ID, messaging.ErrMessageNotFound)
	c.delete(p[0], c.send(p[2]).ID)
	c.delete(p[2], c.send(p[2]).ID)
	m = d.send(p[0])
	refuse("delete by the other of a direct chat", d, p[1], m.ID, messaging.ErrNotTheSender)
	d.delete(p[0], m.ID)
}

func deleteRace(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	m := c.send(p[1])
	var wins atomic.Int32
	r.race(6, func(i int) {
		if _, err := c.tryDelete(p[i%2], m.ID); err != nil {
			r.fails("delete of one who lost", err, messaging.ErrMessageNotFound)
			return
		}
		wins.Add(1)
	})
	r.same("winners", int32(1), wins.Load())
	r.same("events", "1 message.created, 2 message.deleted", outline(c.events(p[0])))
}

func hideFromOne(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	m := c.sendMany(p[1], 3)
	c.edit(m[1], 2)
	seen := c.history(p[1], newest())
	c.hide(p[0], m[1].ID)
	for name, read := range map[string]func() error{
		"Message":    func() error { return drop(r.m().Message(r.ctx, p[0], c.id, m[1].ID)) },
		"PastBodies": func() error { return drop(r.m().PastBodies(r.ctx, p[0], c.id, m[1].ID)) },
		"Receipts":   func() error { return drop(r.m().Receipts(r.ctx, p[0], c.id, m[1].ID, "", 10)) },
	} {
		r.fails(name+" of a hidden message", read(), messaging.ErrMessageNotFound)
	}
	r.same("history of the one who hid", []int64{1, 3}, seqs(c.history(p[0], newest())))
	r.same("history of the other", seen, c.history(p[1], newest()), asSeenBy(p[1]))
	r.same("unread of the one who hid", 2, r.unread(p[0], c.id).Chat)
	check := func(viewer string, hidden bool) {
		events := c.events(viewer)
		r.same("events", "1 message.created, 2 message.created, 3 message.created, 4 message.edited", outline(events))
		for i, e := range events {
			r.same("hidden flag of an event's message", hidden && (i == 1 || i == 3), e.Stored.Hidden)
		}
	}
	check(p[0], true)
	check(p[1], false)
	c.delete(p[1], m[1].ID) // its tombstone stays hidden
	r.same("history of the one who hid, after a delete", []int64{1, 3}, seqs(c.history(p[0], newest())))
	r.same("history of the other, after a delete", []int64{1, 2, 3}, seqs(c.history(p[1], newest())))
}

func hideEvent(r *R) {
	p := r.people(3)
	c, other := r.group(p[0], p[1]), r.group(p[0], p[1])
	m := c.send(p[0])
	at := r.now()
	out, err := r.m().Hide(r.ctx, messaging.HideMessage{ChatID: c.id, MessageID: m.ID, UserID: p[0], At: at})
	r.ok(err)
	event := messaging.UserEvent{UserID: p[0], Seq: 3, Type: messaging.MessageDeleted, At: at, ChatID: c.id, MessageID: m.ID}
	r.same("outcome", messaging.Changed{UserEvents: []messaging.UserEvent{event}}, out)
	r.same("outcome of hiding twice", messaging.Changed{}, c.hide(p[0], m.ID))
	r.same("own events", event, r.feed(p[0])[2])
	r.same("number of own events", 3, len(r.feed(p[0])))
	r.same("own events of the other", 2, len(r.feed(p[1])))
	r.same("head", int64(1), c.view(p[1]).HeadSeq)
	_, err = c.tryHide(p[0], r.id("msg"))
	r.fails("hiding an unknown message", err, messaging.ErrMessageNotFound)
	_, err = other.tryHide(p[0], m.ID)
	r.fails("hiding a message of another chat", err, messaging.ErrMessageNotFound)
	_, err = c.tryHide(p[2], m.ID)
	r.fails("hiding by a stranger", err, messaging.ErrChatNotFound, messaging.ErrMessageNotFound)
	c.hide(p[1], m.ID) // the other may hide it as well
	r.same("history of the other", 0, len(c.history(p[1], newest())))
}
