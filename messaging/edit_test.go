package messaging_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
)

func TestEdit(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	sent := w.send("ann", chat, "one")
	must(t, w.Mark(w.ctx, messaging.MarkRequest{UserID: "bob", ChatID: chat, Read: true, UpTo: 1}))
	w.heard.take()

	msg := w.edit("ann", sent, "two")
	want := sent
	want.Text, want.EditedAt, want.Tally = "two", msg.EditedAt, messaging.Tally{Recipients: 1, Delivered: 1, Read: 1}
	if diff := cmp.Diff(want, msg); diff != "" || !msg.EditedAt.After(sent.CreatedAt) {
		t.Errorf("answered, edited at %v:\n%s", msg.EditedAt, diff)
	}
	told := w.heard.take()
	if len(told) != 1 || len(told[0].Events) != 1 {
		t.Fatalf("published %+v", told)
	}
	if e := told[0].Events[0]; e.Type != messaging.MessageEdited || e.Seq != 2 || e.ActorID != "ann" || !cmp.Equal(e.Message, &want) {
		t.Errorf("published %+v", e)
	}

	third := w.edit("ann", sent, "three")
	past, err := w.PastTexts(w.ctx, "bob", chat, sent.ID)
	must(t, err)
	if diff := cmp.Diff([]messaging.PastText{
		{Text: "one", EditedAt: msg.EditedAt}, {Text: "two", EditedAt: third.EditedAt},
	}, past); diff != "" {
		t.Errorf("past texts:\n%s", diff)
	}
	events, err := w.Events(w.ctx, "bob", chat, 0, 0)
	must(t, err)
	for _, e := range events {
		if e.Message.Text != "three" {
			t.Errorf("event %d shows %q", e.Seq, e.Message.Text)
		}
	}
}

func TestEditRefused(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	msg, gone := w.send("ann", chat, "one"), w.send("ann", chat, "gone")
	w.delete("ann", gone, true)
	edit := func(user, chat, id, text string) error {
		_, err := w.Edit(w.ctx, messaging.EditRequest{UserID: user, ChatID: chat, MessageID: id, Text: text})
		return err
	}
	for name, c := range map[string]struct{ got, want error }{
		"another's":  {edit("bob", chat, msg.ID, "x"), messaging.ErrNotTheSender},
		"stranger":   {edit("eve", chat, msg.ID, "x"), messaging.ErrChatNotFound},
		"blank":      {edit("ann", chat, msg.ID, "\n"), messaging.ErrEmptyMessage},
		"bytes":      {edit("ann", chat, msg.ID, "\xff"), errs.Invalid},
		"unknown":    {edit("ann", chat, "none", "x"), messaging.ErrMessageNotFound},
		"ill-formed": {edit("ann", chat, "\x00", "x"), messaging.ErrMessageNotFound},
		"deleted":    {edit("ann", chat, gone.ID, "x"), messaging.ErrMessageNotFound},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	w.clock.pass(messaging.EditWindow - time.Second)
	must(t, edit("ann", chat, msg.ID, "in time"))
	w.clock.pass(2 * time.Second)
	if err := edit("ann", chat, msg.ID, "late"); !errors.Is(err, messaging.ErrEditWindowPassed) {
		t.Errorf("late: %v", err)
	}
	w.delete("ann", msg, true) // still possible (MSG-7)
}

// Edits that race for a revision all win in some order, and lose no past text.
func TestEditRace(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	msg := w.send("ann", chat, "first")
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			r := messaging.EditRequest{UserID: "ann", ChatID: chat, MessageID: msg.ID, Text: fmt.Sprint(i)}
			if got, err := w.Edit(w.ctx, r); err != nil || got.Text != r.Text {
				t.Errorf("edit %d: %q, %v", i, got.Text, err)
			}
		})
	}
	wg.Wait()
	past, err := w.PastTexts(w.ctx, "bob", chat, msg.ID)
	must(t, err)
	now, err := w.Message(w.ctx, "bob", chat, msg.ID)
	must(t, err)
	seen := map[string]bool{now.Text: true}
	for _, p := range past {
		seen[p.Text] = p.Err == nil
	}
	if len(past) != 6 || len(seen) != 7 || !seen["first"] {
		t.Errorf("past %+v, now %q", past, now.Text)
	}
}

// A store that always says "edited meanwhile" is not asked for ever.
func TestEditGivesUp(t *testing.T) {
	var tries int
	w := newWorld(t, func(c *messaging.Config) {
		c.Store = &spy{Store: c.Store, edit: func(messaging.EditMessage) error { tries++; return messaging.ErrRevision }}
	})
	msg := w.send("ann", w.direct("ann", "bob"), "one")
	_, err := w.Edit(w.ctx, messaging.EditRequest{UserID: "ann", ChatID: msg.ChatID, MessageID: msg.ID, Text: "two"})
	if !errors.Is(err, messaging.ErrRevision) || tries < 2 || tries > 100 {
		t.Errorf("%v after %d tries", err, tries)
	}
}
