package messaging_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
)

func TestSend(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	w.heard.take()
	text := " hello\u200b \U0001F44B\r\n"
	msg, repeated, err := w.Send(w.ctx, messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: text, ClientID: "c1"})
	must(t, err)
	want := messaging.Message{
		ID: msg.ID, ChatID: chat, Seq: 1, SenderID: "ann", ClientID: "c1", Kind: messaging.KindText,
		Text: text, CreatedAt: msg.CreatedAt, Tally: messaging.Tally{Recipients: 1},
	}
	if diff := cmp.Diff(want, msg); diff != "" || repeated {
		t.Errorf("acknowledged, repeated %v:\n%s", repeated, diff)
	}
	if msg.CreatedAt.Nanosecond()%1000 != 0 || msg.CreatedAt.Location().String() != "UTC" {
		t.Errorf("time %v", msg.CreatedAt)
	}
	event := messaging.Event{
		ChatID: chat, Seq: 1, Type: messaging.MessageCreated, At: msg.CreatedAt,
		ActorID: "ann", MessageID: msg.ID, Message: &want,
	}
	if diff := cmp.Diff([]messaging.Committed{{Events: []messaging.Event{event}}}, w.heard.take()); diff != "" {
		t.Errorf("published:\n%s", diff)
	}
	stored, err := w.Events(w.ctx, "ann", chat, 0, 0)
	must(t, err)
	if diff := cmp.Diff([]messaging.Event{event}, stored); diff != "" {
		t.Errorf("live and stored event differ:\n%s", diff)
	}
	want.ClientID = ""
	got, err := w.Message(w.ctx, "bob", chat, msg.ID)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the other reads:\n%s", diff)
	}
}

func TestSendRepeated(t *testing.T) {
	w := newWorld(t)
	chat, other := w.direct("ann", "bob"), w.direct("ann", "cid")
	r := messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: "once", ClientID: "c1"}
	first, _, err := w.Send(w.ctx, r)
	must(t, err)
	w.edit("ann", first, "edited")
	w.heard.take()
	again, repeated, err := w.Send(w.ctx, r)
	if err != nil || !repeated || again.ID != first.ID || again.Text != "edited" || again.ClientID != "c1" {
		t.Errorf("%+v, %v, %v", again, repeated, err)
	}
	for _, reused := range []messaging.SendRequest{
		{SenderID: "ann", ChatID: chat, Text: "other", ClientID: "c1"},
		{SenderID: "ann", ChatID: other, Text: "once", ClientID: "c1"},
	} {
		if _, _, err := w.Send(w.ctx, reused); !errors.Is(err, messaging.ErrClientIDReused) {
			t.Errorf("%+v: %v", reused, err)
		}
	}
	w.delete("ann", first, true)
	again, repeated, err = w.Send(w.ctx, r)
	if err != nil || !repeated || again.ID != first.ID || !again.Deleted || again.Text != "" {
		t.Errorf("of a deleted one: %+v, %v, %v", again, repeated, err)
	}
	r.SenderID = "bob"
	if msg, repeated, err := w.Send(w.ctx, r); err != nil || repeated || msg.Seq != 4 {
		t.Errorf("client ids are each sender's own: %+v, %v, %v", msg, repeated, err)
	}
	if told := w.heard.take(); len(told) != 2 { // the delete and bob's message
		t.Errorf("published %d times: %+v", len(told), told)
	}
}

// Many devices retry at once: one message, whoever wins.
func TestSendRepeatedAtOnce(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	w.heard.take()
	var wg sync.WaitGroup
	got := make([]string, 16)
	for i := range got {
		wg.Go(func() {
			msg, _, err := w.Send(w.ctx, messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: "x", ClientID: "c"})
			if err != nil {
				t.Error(err)
			}
			got[i] = msg.ID
		})
	}
	wg.Wait()
	for _, id := range got {
		if id != got[0] {
			t.Fatalf("several messages: %q", got)
		}
	}
	if n, told := len(w.history("bob", chat)), len(w.heard.take()); n != 1 || told != 1 {
		t.Errorf("%d messages, published %d times", n, told)
	}
}

func TestSendRefused(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	group := w.group("ann", "bob")
	must(t, w.RemoveMember(w.ctx, "bob", group, "bob"))
	w.heard.take()
	long := strings.Repeat("x", messaging.MaxID+1)
	for name, c := range map[string]struct {
		r    messaging.SendRequest
		want error
	}{
		"blank":           {messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: " \u200b"}, messaging.ErrEmptyMessage},
		"long":            {messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: strings.Repeat("é", 4097)}, messaging.ErrMessageTooLong},
		"NUL":             {messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: "\x00"}, errs.Invalid},
		"no sender":       {messaging.SendRequest{ChatID: chat, Text: "x"}, errs.Invalid},
		"no chat":         {messaging.SendRequest{SenderID: "ann", Text: "x"}, messaging.ErrChatNotFound},
		"unknown chat":    {messaging.SendRequest{SenderID: "ann", ChatID: "none", Text: "x"}, messaging.ErrChatNotFound},
		"ill-formed chat": {messaging.SendRequest{SenderID: "ann", ChatID: long, Text: "x"}, messaging.ErrChatNotFound},
		"stranger":        {messaging.SendRequest{SenderID: "eve", ChatID: chat, Text: "x"}, messaging.ErrChatNotFound},
		"former member":   {messaging.SendRequest{SenderID: "bob", ChatID: group, Text: "x"}, messaging.ErrNotAMember},
		"long client id":  {messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: "x", ClientID: long}, errs.Invalid},
		"bad client id":   {messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: "x", ClientID: "\n"}, errs.Invalid},
	} {
		if _, _, err := w.Send(w.ctx, c.r); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if msgs, told := w.history("ann", chat), w.heard.take(); len(msgs) != 0 || len(told) != 0 {
		t.Errorf("stored %v, published %v", msgs, told)
	}
}

// Whatever valid text goes in comes back byte for byte, sent or edited.
func TestTextRoundTrip(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		runes := make([]rune, 1+random.IntN(40))
		for i := range runes {
			for runes[i] = random.Int32N(0x10ffff) + 1; runes[i]&^0x7ff == 0xd800; {
				runes[i] = random.Int32N(0x10ffff) + 1
			}
		}
		text := "." + string(runes)
		msg := w.send("ann", chat, text)
		got, err := w.Message(w.ctx, "bob", chat, msg.ID)
		if err != nil || got.Text != text {
			t.Fatalf("%q came back as %q, %v", text, got.Text, err)
		}
		w.edit("ann", msg, text+"!")
		got, err = w.Message(w.ctx, "bob", chat, msg.ID)
		if err != nil || got.Text != text+"!" {
			t.Fatalf("%q came back as %q, %v", text+"!", got.Text, err)
		}
	}
}
