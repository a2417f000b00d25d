package messaging_test

import (
	"errors"
	"testing"

	"github.com/wigwag-chat/wigwag/messaging"
)

func TestDeleteForEveryone(t *testing.T) {
	w := newWorld(t)
	group := w.group("ann", "bob", "cid")
	msg := w.send("bob", group, "secret")
	w.edit("bob", msg, "secret too")
	w.heard.take()
	err := w.Delete(w.ctx, messaging.DeleteRequest{UserID: "cid", ChatID: group, MessageID: msg.ID, ForEveryone: true})
	if !errors.Is(err, messaging.ErrNotTheSender) {
		t.Errorf("by another member: %v", err)
	}
	w.delete("ann", msg, true) // who manages the group
	told := w.heard.take()
	if len(told) != 1 || len(told[0].Events) != 1 || told[0].Events[0].Type != messaging.MessageDeleted || told[0].Events[0].Message != nil {
		t.Errorf("published %+v", told)
	}
	err = w.Delete(w.ctx, messaging.DeleteRequest{UserID: "ann", ChatID: group, MessageID: msg.ID, ForEveryone: true})
	if !errors.Is(err, messaging.ErrMessageNotFound) {
		t.Errorf("twice: %v", err)
	}
	for _, user := range []string{"ann", "bob", "cid"} {
		if msgs := w.history(user, group); len(msgs) != 1 || !msgs[0].Deleted || msgs[0].Text != "" || msgs[0].Err != nil {
			t.Errorf("%s sees %+v", user, msgs)
		}
		if _, err := w.Message(w.ctx, user, group, msg.ID); !errors.Is(err, messaging.ErrMessageNotFound) {
			t.Errorf("%s reads it: %v", user, err)
		}
		if _, err := w.PastTexts(w.ctx, user, group, msg.ID); !errors.Is(err, messaging.ErrMessageNotFound) {
			t.Errorf("%s reads its past: %v", user, err)
		}
		events, err := w.Events(w.ctx, user, group, 0, 0)
		must(t, err)
		for _, e := range events {
			if m := e.Message; m != nil && (!m.Deleted || m.Text != "") {
				t.Errorf("%s sees event %+v", user, m)
			}
		}
	}
}

func TestDeleteForMe(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	msg := w.send("ann", chat, "kept")
	w.heard.take()
	w.delete("bob", msg, false)
	told := w.heard.take()
	if len(told) != 1 || len(told[0].Events) != 0 || len(told[0].UserEvents) != 1 ||
		told[0].UserEvents[0].Type != messaging.MessageDeleted || told[0].UserEvents[0].UserID != "bob" {
		t.Errorf("published %+v", told)
	}
	w.delete("bob", msg, false)
	if told := w.heard.take(); len(told) != 0 {
		t.Errorf("twice: published %+v", told)
	}
	if msgs := w.history("bob", chat); len(msgs) != 0 {
		t.Errorf("bob sees %+v", msgs)
	}
	if msgs := w.history("ann", chat); len(msgs) != 1 || msgs[0].Text != "kept" {
		t.Errorf("ann sees %+v", msgs)
	}
	for user, hidden := range map[string]bool{"ann": false, "bob": true} {
		events, err := w.Events(w.ctx, user, chat, 0, 0)
		must(t, err)
		if m := events[0].Message; m.Deleted != hidden || (m.Text == "") != hidden {
			t.Errorf("%s sees event %+v", user, m)
		}
	}
}
