package storagetest

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/messaging"
)

// deliveryProperty is property 5 of the seed.
func deliveryProperty() property {
	return property{5, "What one of two people sends, the other finds once, byte for byte and in its place, however often the send is repeated.",
		func(w *world) gopter.Prop {
			w.gather(4)
			return prop.ForAll(func(said []line, last line) string {
				return w.try(func(w *world) { w.delivers(append(said, last)) })
			}, lines(), aLine())
		}}
}

func (w *world) delivers(said []line) {
	chatID, a, b := w.direct()
	both := []person{a, b}
	var sent []messaging.Message
	for i, l := range said {
		from := both[l.from%2]
		r := messaging.SendRequest{SenderID: from.id, ChatID: chatID, Text: l.text, ClientID: fmt.Sprintf("%s%d", w.prefix, i)}
		m, repeated, err := w.app.Messaging.Send(w.ctx, r)
		w.ok(err)
		w.same("repeated", false, repeated)
		w.same("the message sent", messaging.Message{
			ID: m.ID, ChatID: chatID, Seq: int64(i + 1), SenderID: from.id, ClientID: r.ClientID, Kind: messaging.KindText,
			Text: l.text, CreatedAt: w.clock.Now(), Tally: messaging.Tally{Recipients: 1},
		}, m)
		if l.from%3 == 0 { // a client that did not hear the answer
			again, repeated, err := w.app.Messaging.Send(w.ctx, r)
			w.ok(err)
			w.same("repeated", true, repeated)
			w.same("the message sent again", m, again)
		}
		sent = append(sent, m)
		w.clock.pass(time.Duration(l.from) * time.Microsecond)
	}
	for _, viewer := range both {
		want := slices.Clone(sent)
		unread := 0
		for i := range want {
			if want[i].SenderID != viewer.id {
				want[i].ClientID = ""
				unread++
			}
		}
		w.same("the history", want, w.history(chatID, viewer))
		last := want[len(want)-1]
		got, err := w.message(last, viewer)
		w.ok(err)
		w.same("the last message", last, got)
		w.sameEvents(want, w.synced(chatID, viewer).Events)
		w.same("unread", unread, w.view(chatID, viewer).Unread)
	}
	stranger := w.crowd[(w.chats+1)%len(w.crowd)]
	_, err := w.message(sent[0], stranger)
	w.fails("a stranger's look", err, messaging.ErrChatNotFound)
}

// sameEvents demands that the messages and nothing else were told of, in order.
func (w *world) sameEvents(want []messaging.Message, events []messaging.Event) {
	var got []messaging.Message
	for i, e := range events {
		if e.Type != messaging.MessageCreated || e.Message == nil || e.Seq != int64(i+1) {
			w.Fatalf("event %d of the chat is %s at %d, want %s", i+1, e.Type, e.Seq, messaging.MessageCreated)
		}
		got = append(got, *e.Message)
	}
	// How far a message has come is told by watermarks, not by events.
	w.same("the messages of the events", want, got, without("Tally"))
}

// chatStep is one thing that happens in a chat whose messages have recipients.
type chatStep struct {
	send bool
	who  int
	read bool
	upTo int
	wait time.Duration
}

func (m chatStep) String() string {
	switch {
	case m.send:
		return fmt.Sprintf("%d sends", m.who)
	case m.read:
		return fmt.Sprintf("%d reads up to %d", m.who, m.upTo)
	}
	return fmt.Sprintf("%d receives up to %d", m.who, m.upTo)
}

// statusProperty is property 6 of the seed.
func statusProperty() property {
	return property{6, "However deliveries and reads come in, a message's status is the least that all its recipients have reached, and never goes back.",
		func(w *world) gopter.Prop {
			w.gather(6)
			steps := sequence(3, drawn(func(rng *rand.Rand) chatStep {
				return chatStep{
					send: rng.Intn(4) == 0, who: rng.Intn(60), read: rng.Intn(2) == 0, upTo: rng.Intn(1000),
					wait: time.Duration(rng.Intn(1e9)) * time.Microsecond,
				}
			}))
			return prop.ForAll(func(others int, steps []chatStep) string {
				return w.try(func(w *world) { w.progresses(others, steps) })
			}, gen.IntRange(1, 5), steps)
		}}
}

// reached is what one recipient has of one message.
type reached struct{ delivered, read time.Time }

func (w *world) progresses(others int, steps []chatStep) {
	chatID, people, _ := w.group(1 + others)
	var sent []messaging.Message
	marks := make(map[string]map[string]*reached) // by message, then by recipient
	send := func(from person) {
		m := w.send(chatID, from, "text")
		w.same("the status at first", messaging.Sent, m.Tally.Status())
		sent = append(sent, m)
		marks[m.ID] = make(map[string]*reached)
		for _, p := range people {
			if p != from {
				marks[m.ID][p.id] = &reached{}
			}
		}
	}
	status := make(map[string]messaging.Status)
	send(people[0])
	for _, step := range steps {
		w.clock.pass(step.wait)
		who := people[step.who%len(people)]
		if step.send {
			send(who)
		} else {
			upTo := int64(step.upTo % (len(sent) + 1))
			w.ok(w.app.Messaging.Mark(w.ctx, messaging.MarkRequest{UserID: who.id, ChatID: chatID, Read: step.read, UpTo: upTo}))
			for _, m := range sent[:upTo] {
				if r := marks[m.ID][who.id]; r != nil {
					r.delivered = earlier(r.delivered, w.clock.Now())
					if step.read {
						r.read = earlier(r.read, w.clock.Now())
					}
				}
			}
		}
		for i, m := range w.history(chatID, who) {
			want := tally(marks[sent[i].ID])
			w.same(fmt.Sprintf("the tally of message %d after %v", i+1, step), want, m.Tally)
			w.notBack(status, m)
		}
	}
	for _, m := range sent {
		var want []messaging.Receipt
		for _, p := range people {
			if r := marks[m.ID][p.id]; r != nil {
				want = append(want, messaging.Receipt{UserID: p.id, DeliveredAt: r.delivered, ReadAt: r.read})
			}
		}
		slices.SortFunc(want, func(a, b messaging.Receipt) int { return strings.Compare(a.UserID, b.UserID) })
		got, err := w.app.Messaging.Receipts(w.ctx, m.SenderID, chatID, m.ID, messaging.List{})
		w.ok(err)
		w.same(fmt.Sprintf("the receipts of message %d", m.Seq), want, got.Items)
	}
}

// notBack demands that a message's status is not less than it was.
func (w *world) notBack(status map[string]messaging.Status, m messaging.Message) {
	order := []messaging.Status{"", messaging.Sent, messaging.Delivered, messaging.Read}
	was, now := status[m.ID], m.Tally.Status()
	if slices.Index(order, now) < slices.Index(order, was) {
		w.Fatalf("message %d was %s and is %s", m.Seq, was, now)
	}
	status[m.ID] = now
}

func tally(recipients map[string]*reached) messaging.Tally {
	t := messaging.Tally{Recipients: len(recipients)}
	for _, r := range recipients {
		if !r.delivered.IsZero() {
			t.Delivered++
		}
		if !r.read.IsZero() {
			t.Read++
		}
	}
	return t
}

func earlier(before, now time.Time) time.Time {
	if before.IsZero() {
		return now
	}
	return before
}

// blankProperty is property 7 of the seed.
func blankProperty() property {
	return property{7, "A text that shows nothing is refused as empty and leaves no trace; one visible character among the same blanks is enough.",
		func(w *world) gopter.Prop {
			w.gather(3)
			return prop.ForAll(func(blank string, shown rune) string {
				return w.try(func(w *world) { w.refusesBlank(blank, shown) })
			}, blanks(), drawn(func(rng *rand.Rand) rune {
				return choose(rng, '.', 'a', '0', '世', 'ש', '😀', '\u2800', '\u0301', '\u3164')
			}))
		}}
}

func (w *world) refusesBlank(blank string, shown rune) {
	chatID, people, _ := w.group(2)
	for _, clientID := range []string{"", w.id("client")} {
		_, _, err := w.app.Messaging.Send(w.ctx, messaging.SendRequest{SenderID: people[0].id, ChatID: chatID, Text: blank, ClientID: clientID})
		w.refusedField("sending", err, "text", "empty_message")
	}
	for _, p := range people {
		view := w.view(chatID, p)
		if view.HeadSeq != 0 || view.LastMessage != nil || !view.LastMessageAt.IsZero() || view.Unread != 0 {
			w.Fatalf("a refused text left a trace: %+v", view)
		}
		w.same("the history", []messaging.Message(nil), w.history(chatID, p))
	}

	runes := []rune(blank)
	half := min(len(runes), messaging.MaxText-1) / 2
	visible := string(runes[:half]) + string(shown) + string(runes[half:min(len(runes), messaging.MaxText-1)])
	m := w.send(chatID, people[0], visible)
	_, err := w.edit(m, people[0], blank)
	w.refusedField("editing", err, "text", "empty_message")
	got, err := w.message(m, people[1])
	w.ok(err)
	w.same("the text", visible, got.Text)
	w.same("edited", false, got.Edited())
}
