package messaging_test

import (
	"errors"
	"testing"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
)

func TestAddAndRemoveMembers(t *testing.T) {
	w := newWorld(t, func(c *messaging.Config) { c.People = &people{} })
	group := w.group("ann", "bob")
	w.send("ann", group, "early")
	w.heard.take()

	must(t, w.AddMembers(w.ctx, "ann", group, []string{"cid", "bob", "cid", "dan"}))
	told := w.heard.take()
	if len(told) != 1 || len(told[0].Events) != 2 || len(told[0].UserEvents) != 2 ||
		told[0].Events[0].Type != messaging.MemberAdded || told[0].Events[0].UserID != "cid" || told[0].Events[1].UserID != "dan" {
		t.Fatalf("published %+v", told)
	}
	if msgs := w.history("cid", group); len(msgs) != 1 || msgs[0].Text != "early" {
		t.Errorf("the new one sees %+v", msgs)
	}
	must(t, w.AddMembers(w.ctx, "ann", group, []string{"bob"}))
	if told := w.heard.take(); len(told) != 0 {
		t.Errorf("nothing changed, published %+v", told)
	}

	must(t, w.RemoveMember(w.ctx, "ann", group, "cid"))
	told = w.heard.take()
	if len(told) != 1 || len(told[0].Events) != 1 || told[0].Events[0].Reason != messaging.ReasonRemoved ||
		len(told[0].UserEvents) != 1 || told[0].UserEvents[0].Type != messaging.ChatLeft {
		t.Errorf("published %+v", told)
	}
	if _, err := w.Messages(w.ctx, "cid", group, messaging.Window{}); !errors.Is(err, messaging.ErrChatNotFound) {
		t.Errorf("the removed one reads: %v", err)
	}
	must(t, w.RemoveMember(w.ctx, "ann", group, "ann"))
	if chat, err := w.Chat(w.ctx, "bob", group); err != nil || chat.Own.Role != messaging.RoleOwner {
		t.Errorf("after the owner left: %+v, %v", chat.Own, err)
	}
}

func TestMembersRefused(t *testing.T) {
	w := newWorld(t, func(c *messaging.Config) { c.People = &people{} })
	group, direct := w.group("ann", "bob"), w.direct("ann", "bob")
	w.heard.take()
	add := func(user, chat string, members ...string) error { return w.AddMembers(w.ctx, user, chat, members) }
	remove := func(user, chat, member string) error { return w.RemoveMember(w.ctx, user, chat, member) }
	for name, c := range map[string]struct{ got, want error }{
		"nobody":              {add("ann", group), errs.Invalid},
		"too many":            {add("ann", group, ids(1001)...), errs.Invalid},
		"unknown":             {add("ann", group, "cid", "no-one"), messaging.ErrUserNotFound},
		"by a member":         {add("bob", group, "cid"), messaging.ErrNotAnAdmin},
		"by a stranger":       {add("eve", group, "cid"), messaging.ErrChatNotFound},
		"to a direct chat":    {add("ann", direct, "cid"), messaging.ErrNotAGroup},
		"remove by a member":  {remove("bob", group, "ann"), messaging.ErrNotAnAdmin},
		"remove a stranger":   {remove("ann", group, "eve"), messaging.ErrMemberNotFound},
		"remove ill-formed":   {remove("ann", group, "\xff"), messaging.ErrMemberNotFound},
		"remove from another": {remove("eve", group, "bob"), messaging.ErrChatNotFound},
		"leave a direct chat": {remove("ann", direct, "ann"), messaging.ErrNotAGroup},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	chat, err := w.Chat(w.ctx, "ann", group)
	if err != nil || chat.MemberCount != 2 || len(w.heard.take()) != 0 {
		t.Errorf("something changed: %+v, %v", chat, err)
	}
}
