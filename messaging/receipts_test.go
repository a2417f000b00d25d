package messaging_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
)

func TestMark(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	first, second := w.send("ann", chat, "one"), w.send("ann", chat, "two")
	w.heard.take()
	mark := func(r messaging.MarkRequest) error {
		r.UserID, r.ChatID = "bob", chat
		return w.Mark(w.ctx, r)
	}
	status := func(m messaging.Message) messaging.Status {
		got, err := w.Message(w.ctx, "ann", chat, m.ID)
		must(t, err)
		return got.Tally.Status()
	}

	must(t, mark(messaging.MarkRequest{UpTo: 2}))
	told := w.heard.take()
	want := []messaging.Watermark{{ChatID: chat, UserID: "bob", DeliveredSeq: 2, Version: 1}}
	if len(told) != 1 || !cmp.Equal(told[0].Marks, want) || len(told[0].UserEvents) != 0 {
		t.Errorf("delivered: published %+v", told)
	}
	must(t, mark(messaging.MarkRequest{Read: true, MessageID: first.ID}))
	told = w.heard.take()
	if len(told) != 1 || len(told[0].Marks) != 1 || len(told[0].UserEvents) != 1 ||
		told[0].UserEvents[0].Type != messaging.OwnPosition || told[0].UserEvents[0].ReadSeq != 1 {
		t.Errorf("read: published %+v", told)
	}
	if s1, s2 := status(first), status(second); s1 != messaging.Read || s2 != messaging.Delivered {
		t.Errorf("status %s, %s", s1, s2)
	}
	for _, r := range []messaging.MarkRequest{{}, {Read: true}, {Read: true, UpTo: 1}, {UpTo: 1}, {MessageID: second.ID}} {
		if err := mark(r); err != nil || len(w.heard.take()) != 0 {
			t.Errorf("%+v moves nothing: %v", r, err)
		}
	}
	for name, c := range map[string]struct {
		r    messaging.MarkRequest
		want error
	}{
		"beyond the head": {messaging.MarkRequest{UpTo: 3}, messaging.ErrBeyondHead},
		"negative":        {messaging.MarkRequest{UpTo: -1}, errs.Invalid},
		"both":            {messaging.MarkRequest{UpTo: 1, MessageID: first.ID}, errs.Invalid},
		"unknown":         {messaging.MarkRequest{MessageID: "none"}, messaging.ErrMessageNotFound},
		"ill-formed":      {messaging.MarkRequest{MessageID: "\x00"}, messaging.ErrMessageNotFound},
	} {
		if err := mark(c.r); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := w.Mark(w.ctx, messaging.MarkRequest{UserID: "eve", ChatID: chat, UpTo: 1}); !errors.Is(err, messaging.ErrChatNotFound) {
		t.Errorf("stranger: %v", err)
	}
	page, err := w.Receipts(w.ctx, "ann", chat, first.ID, messaging.List{})
	if err != nil || len(page.Items) != 1 || page.Items[0].DeliveredAt.IsZero() || page.Items[0].ReadAt.Before(page.Items[0].DeliveredAt) {
		t.Errorf("receipts %+v, %v", page, err)
	}
}

func TestUnread(t *testing.T) {
	w := newWorld(t)
	chat, other := w.direct("ann", "bob"), w.direct("cid", "bob")
	w.send("cid", other, "x")
	var msgs []messaging.Message
	for range 5 {
		msgs = append(msgs, w.send("ann", chat, "x"))
	}
	w.send("bob", chat, "own")
	w.delete("ann", msgs[4], true)
	w.delete("bob", msgs[3], false)
	must(t, w.Mark(w.ctx, messaging.MarkRequest{UserID: "bob", ChatID: chat, Read: true, UpTo: 1}))
	for id, want := range map[string]messaging.UnreadCount{
		chat: {Chat: 2, Total: 3}, other: {Chat: 1, Total: 3}, "": {Total: 3}, "none": {Total: 3}, "\x00": {Total: 3},
	} {
		if got, err := w.Unread(w.ctx, id, []string{"bob"}); err != nil || got[0] != want {
			t.Errorf("%q: %+v, %v, want %+v", id, got, err, want)
		}
	}
	for _, ids := range [][]string{{"bob", ""}, make([]string, messaging.MaxUnread+1)} {
		if got, err := w.Unread(w.ctx, chat, ids); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%d users: %v, %v", len(ids), got, err)
		}
	}
}
