package storagetest

import (
	"fmt"
	"math/rand"
	"slices"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/messaging"
)

// some are texts of edits, one after the other.
func some() gopter.Gen { return gen.SliceOf(texts()) }

// conversation makes a chat of n people, a direct one where two are enough and
// the case is even, in which the lines were said.
func (w *world) conversation(n int, said []line) (people []person, sent []messaging.Message) {
	var chatID string
	if n == 2 && w.chats%2 == 0 {
		var a, b person
		chatID, a, b = w.direct()
		people = []person{a, b}
	} else {
		chatID, people, _ = w.group(n)
	}
	for _, l := range said {
		sent = append(sent, w.send(chatID, people[l.from%n], l.text))
		w.clock.pass(time.Second)
	}
	return people, sent
}

func sender(people []person, m messaging.Message) person {
	return people[slices.IndexFunc(people, func(p person) bool { return p.id == m.SenderID })]
}

// editProperty is property 30 of the seed.
func editProperty() property {
	return property{30, "After an edit everyone in the chat reads the new text and nobody the old one, wherever the message is shown, and no other message has changed.",
		func(w *world) gopter.Prop {
			w.gather(4)
			return prop.ForAll(func(n int, said []line, last line, which int, texts []string) string {
				return w.try(func(w *world) { w.propagates(n, append(said, last), which, texts) })
			}, gen.IntRange(2, 4), lines(), aLine(), gen.IntRange(0, 1000), some())
		}}
}

func (w *world) propagates(n int, said []line, which int, texts []string) {
	people, sent := w.conversation(n, said)
	i := which % len(sent)
	m := sent[i]
	for e, text := range texts {
		w.clock.pass(time.Hour)
		edited, err := w.edit(m, sender(people, m), text)
		w.ok(err)
		w.same("the text that the editor gets", text, edited.Text)
		sent[i].Text, sent[i].EditedAt = text, w.clock.Now()
		for _, p := range people {
			got, err := w.message(m, p)
			w.ok(err)
			w.same("the message for "+p.id, sent[i], got)
			events, err := w.app.Messaging.Events(w.ctx, p.id, m.ChatID, int64(len(sent)+e), 0)
			w.ok(err)
			if len(events) != 1 || events[0].Type != messaging.MessageEdited || events[0].Message == nil {
				w.Fatalf("%s is told %+v of the edit", p.id, events)
			}
			w.same("the edit that "+p.id+" is told of", sent[i], *events[0].Message, without("Tally"))
		}
	}
	for _, p := range people {
		view := w.view(m.ChatID, p)
		if view.LastMessage == nil {
			w.Fatalf("the chat has no last message for %s", p.id)
		}
		w.same("the last message for "+p.id, sent[len(sent)-1], *view.LastMessage)
		for _, e := range w.events(m.ChatID, p) { // old places show the present text
			now := sent[slices.IndexFunc(sent, func(m messaging.Message) bool { return m.ID == e.MessageID })]
			w.same(fmt.Sprintf("the message of event %d for %s", e.Seq, p.id), now.Text, e.Message.Text)
			w.same("edited", now.Edited(), e.Message.Edited())
		}
	}
}

// unread counts what others than the reader sent, in a conversation that
// nobody has read; skip leaves messages out.
func unread(sent []messaging.Message, reader person, skip func(messaging.Message) bool) (n int) {
	for _, m := range sent {
		if m.SenderID != reader.id && !skip(m) {
			n++
		}
	}
	return n
}

// editedProperty is property 31 of the seed.
func editedProperty() property {
	return property{31, "A message is marked as edited, with the time of the last edit, exactly when an edit succeeded, and its earlier texts are kept for all to read in order.",
		func(w *world) gopter.Prop {
			w.gather(4)
			return prop.ForAll(func(n int, l line, texts []string, refused int) string {
				return w.try(func(w *world) { w.marksEdited(n, l, texts, refused) })
			}, gen.IntRange(2, 4), aLine(), some(), gen.IntRange(0, 1000))
		}}
}

func (w *world) marksEdited(n int, l line, texts []string, refused int) {
	people, sent := w.conversation(n, []line{l, {from: l.from + 1, text: "another"}})
	m, from := sent[0], sender(people, sent[0])
	want := m
	var past []messaging.PastText
	for i, text := range texts {
		w.clock.pass(time.Minute)
		if (i+refused)%3 == 0 { // refused edits mark nothing
			_, err := w.edit(m, people[(l.from+1)%n], text)
			w.fails("editing what another sent", err, messaging.ErrNotTheSender)
			_, err = w.edit(m, from, "\u200b ")
			w.fails("editing to nothing", err, messaging.ErrEmptyMessage)
			w.clock.pass(time.Minute)
		}
		_, err := w.edit(m, from, text)
		w.ok(err)
		past = append(past, messaging.PastText{Text: want.Text, EditedAt: w.clock.Now()})
		want.Text, want.EditedAt = text, w.clock.Now()
	}
	for _, p := range people {
		got, err := w.message(m, p)
		w.ok(err)
		w.same("the message for "+p.id, want, got)
		w.same("edited", len(texts) > 0, got.Edited())
		other, err := w.message(sent[1], p)
		w.ok(err)
		w.same("edited, of the message that nobody edited", false, other.Edited())
		texts, err := w.app.Messaging.PastTexts(w.ctx, p.id, m.ChatID, m.ID)
		w.ok(err)
		w.same("the earlier texts for "+p.id, past, texts)
	}
}

// tombstoneProperty is property 32 of the seed.
func tombstoneProperty() property {
	return property{32, "What is deleted for everyone is a tombstone in its place for every member, counts for nobody as unread, and only its sender or a group's admin can do that.",
		func(w *world) gopter.Prop {
			w.gather(4)
			return prop.ForAll(func(n int, said []line, last line, which, by int) string {
				return w.try(func(w *world) { w.buries(n, append(said, last), which, by) })
			}, gen.IntRange(2, 4), lines(), aLine(), gen.IntRange(0, 1000), gen.IntRange(0, 1000))
		}}
}

func (w *world) buries(n int, said []line, which, by int) {
	people, sent := w.conversation(n, said)
	i := which % len(sent)
	m, actor := sent[i], people[by%n]
	err := w.delete(m, actor, true)
	if actor.id != m.SenderID && !w.view(m.ChatID, actor).Own.Role.Manages() {
		w.fails("deleting what another sent", err, messaging.ErrNotTheSender)
		w.same("the history", sent, w.history(m.ChatID, actor))
		actor = sender(people, m)
		err = w.delete(m, actor, true)
	}
	w.ok(err)
	want := slices.Clone(sent)
	want[i].Text, want[i].Deleted = "", true
	for _, p := range people {
		w.same("the history of "+p.id, want, w.history(m.ChatID, p), without("Tally"))
		_, err := w.message(m, p)
		w.fails("the look of "+p.id, err, messaging.ErrMessageNotFound)
		w.same("unread for "+p.id, unread(want, p, func(m messaging.Message) bool { return m.Deleted }), w.view(m.ChatID, p).Unread)
		events := w.events(m.ChatID, p)
		if e := events[i]; e.Message == nil || !e.Message.Deleted || e.Message.Text != "" {
			w.Fatalf("the event of the sending still shows %+v", e.Message)
		}
		if e := events[len(sent)]; e.Type != messaging.MessageDeleted || e.MessageID != m.ID || e.ActorID != actor.id {
			w.Fatalf("the newest event is %+v, want that the message was deleted", e)
		}
	}
}

// hidingProperty is property 33 of the seed.
func hidingProperty() property {
	return property{33, "Who deletes a message for himself no longer finds it anywhere; for everyone else in the chat nothing changed.",
		func(w *world) gopter.Prop {
			w.gather(4)
			return prop.ForAll(func(n int, said []line, last line, hidden []int, by int) string {
				return w.try(func(w *world) { w.hides(n, append(said, last), append(hidden, by), by) })
			}, gen.IntRange(2, 4), lines(), aLine(),
				gen.SliceOf(drawn(func(rng *rand.Rand) int { return rng.Intn(1000) })), gen.IntRange(0, 1000))
		}}
}

func (w *world) hides(n int, said []line, hidden []int, by int) {
	people, sent := w.conversation(n, said)
	chatID, actor := sent[0].ChatID, people[by%n]
	gone := make(map[string]bool)
	var last messaging.Message
	for _, h := range hidden {
		m := sent[h%len(sent)]
		err := w.delete(m, actor, false)
		if gone[m.ID] { // twice is fine, or nothing is there any more
			if err != nil {
				w.fails("deleting again", err, messaging.ErrMessageNotFound)
			}
			continue
		}
		w.ok(err)
		gone[m.ID] = true
		last = m
	}
	w.told(actor, messaging.UserEvent{Type: messaging.MessageDeleted, ChatID: chatID, MessageID: last.ID})
	var left []messaging.Message
	for _, m := range sent {
		if !gone[m.ID] {
			left = append(left, m)
			continue
		}
		_, err := w.message(m, actor)
		w.fails("looking at what one has deleted", err, messaging.ErrMessageNotFound)
	}
	w.same("the history of the one who deleted", left, w.history(chatID, actor))
	for _, e := range w.events(chatID, actor) {
		if gone[e.MessageID] && (e.Message == nil || !e.Message.Deleted || e.Message.Text != "") {
			w.Fatalf("the one who deleted is told %+v", e.Message)
		}
	}
	for _, p := range people {
		view := w.view(chatID, p)
		w.same("the chat's head for "+p.id, int64(len(sent)), view.HeadSeq)
		w.same("unread for "+p.id, unread(sent, p, func(m messaging.Message) bool { return p == actor && gone[m.ID] }), view.Unread)
		if p == actor {
			continue
		}
		w.same("the history of "+p.id, sent, w.history(chatID, p))
		got, err := w.message(last, p)
		w.ok(err)
		w.same("the message for "+p.id, last, got)
	}
}

// ages are times since a sending, around the end of the edit window.
func ages() gopter.Gen {
	return drawn(func(rng *rand.Rand) time.Duration {
		switch rng.Intn(4) {
		case 0: // the last moments
			return messaging.EditWindow - time.Duration(rng.Intn(2))*time.Microsecond
		case 1: // too late
			return messaging.EditWindow + time.Duration(1+rng.Intn(2))*time.Microsecond
		case 2:
			return messaging.EditWindow + time.Duration(rng.Int63n(int64(3*365*24*time.Hour))).Truncate(time.Microsecond)
		default:
			return time.Duration(rng.Int63n(int64(2 * messaging.EditWindow))).Truncate(time.Microsecond)
		}
	})
}

// windowProperty is property 34 of the seed.
func windowProperty() property {
	return property{34, "A message can be edited for 48 hours after it was sent, whatever edits came before, and deleted at any age.",
		func(w *world) gopter.Prop {
			w.gather(4)
			return prop.ForAll(func(n int, l line, age time.Duration, early, everyone bool, text string) string {
				return w.try(func(w *world) { w.closes(n, l, age, early, everyone, text) })
			}, gen.IntRange(2, 4), aLine(), ages(), gen.Bool(), gen.Bool(), texts())
		}}
}

func (w *world) closes(n int, l line, age time.Duration, early, everyone bool, text string) {
	people, sent := w.conversation(n, []line{l})
	m, from := sent[0], sender(people, sent[0])
	want := m
	if early { // an edit in time does not make the window longer
		w.clock.pass(time.Second)
		var err error
		want, err = w.edit(m, from, "an early edit")
		w.ok(err)
	}
	w.clock.pass(m.CreatedAt.Add(age).Sub(w.clock.Now()))
	_, err := w.edit(m, from, text)
	if age <= messaging.EditWindow {
		w.ok(err)
		want.Text, want.EditedAt = text, w.clock.Now()
	} else {
		w.fails(fmt.Sprintf("an edit after %v", age), err, messaging.ErrEditWindowPassed)
	}
	for _, p := range people {
		got, err := w.message(m, p)
		w.ok(err)
		w.same("the message for "+p.id, want, got)
	}
	w.ok(w.delete(m, from, everyone))
	for _, p := range people {
		if _, err := w.message(m, p); everyone || p == from {
			w.fails("the look of "+p.id, err, messaging.ErrMessageNotFound)
		} else {
			w.ok(err)
		}
	}
}
