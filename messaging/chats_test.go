package messaging_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
)

// people knows everyone but those whose id begins with "no-".
type people struct{ asked [][]string }

func (p *people) Missing(_ context.Context, ids []string) ([]string, error) {
	p.asked = append(p.asked, slices.Clone(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !strings.HasPrefix(id, "no-") }), nil
}

func TestOpenDirect(t *testing.T) {
	w := newWorld(t, func(c *messaging.Config) { c.People = &people{} })
	chat, created, err := w.OpenDirect(w.ctx, "ann", "bob")
	if err != nil || !created || chat.Kind != messaging.Direct || chat.PeerID != "bob" || chat.MemberCount != 2 {
		t.Fatalf("%+v, %v, %v", chat, created, err)
	}
	told := w.heard.take()
	if len(told) != 1 || len(told[0].UserEvents) != 2 || told[0].UserEvents[0].Type != messaging.ChatJoined {
		t.Errorf("published %+v", told)
	}
	again, created, err := w.OpenDirect(w.ctx, "bob", "ann")
	if err != nil || created || again.ID != chat.ID || again.PeerID != "ann" || len(w.heard.take()) != 0 {
		t.Errorf("%+v, %v, %v", again, created, err)
	}
	for name, c := range map[string]struct {
		user, peer string
		want       error
	}{
		"oneself":    {"ann", "ann", errs.Invalid},
		"unknown":    {"ann", "no-one", messaging.ErrUserNotFound},
		"ill-formed": {"ann", "\x00", errs.Invalid},
		"empty":      {"ann", "", errs.Invalid},
		"no user":    {"", "bob", errs.Invalid},
	} {
		if _, _, err := w.OpenDirect(w.ctx, c.user, c.peer); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestCreateGroup(t *testing.T) {
	known := &people{}
	w := newWorld(t, func(c *messaging.Config) { c.People = known })
	r := messaging.NewGroup{
		CreatorID: "ann", Title: " Trip \u2708 ", Description: "line\nline",
		MemberIDs: []string{"cid", "bob", "ann", "cid"}, ClientID: "g1",
	}
	chat, created, err := w.CreateGroup(w.ctx, r)
	if err != nil || !created || chat.Title != r.Title || chat.Description != r.Description ||
		chat.MemberCount != 3 || chat.Own.Role != messaging.RoleOwner || chat.CreatedBy != "ann" {
		t.Fatalf("%+v, %v, %v", chat, created, err)
	}
	if diff := cmp.Diff([][]string{{"cid", "bob"}}, known.asked); diff != "" {
		t.Errorf("asked about:\n%s", diff)
	}
	if told := w.heard.take(); len(told) != 1 || len(told[0].UserEvents) != 3 {
		t.Errorf("published %+v", told)
	}
	r.MemberIDs = []string{"bob", "cid"} // another order is the same request
	again, created, err := w.CreateGroup(w.ctx, r)
	if err != nil || created || again.ID != chat.ID || len(w.heard.take()) != 0 {
		t.Errorf("again: %+v, %v, %v", again, created, err)
	}
	r.Title = "Other"
	if _, _, err := w.CreateGroup(w.ctx, r); !errors.Is(err, messaging.ErrClientIDReused) {
		t.Errorf("reused: %v", err)
	}
}

func TestCreateGroupRefused(t *testing.T) {
	w := newWorld(t, func(c *messaging.Config) { c.People = &people{} })
	good := messaging.NewGroup{CreatorID: "ann", Title: "group", MemberIDs: []string{"bob"}}
	for name, c := range map[string]struct {
		change func(*messaging.NewGroup)
		code   string
		field  string
	}{
		"no name":          {func(r *messaging.NewGroup) { r.Title = "" }, "empty_name", "name"},
		"blank":            {func(r *messaging.NewGroup) { r.Title = " \u200b" }, "empty_name", "name"},
		"long name":        {func(r *messaging.NewGroup) { r.Title = strings.Repeat("é", 101) }, "name_too_long", "name"},
		"two lines":        {func(r *messaging.NewGroup) { r.Title = "a\nb" }, "invalid_name", "name"},
		"bytes":            {func(r *messaging.NewGroup) { r.Title = "\xff" }, "invalid_name", "name"},
		"long description": {func(r *messaging.NewGroup) { r.Description = strings.Repeat("é", 501) }, "description_too_long", "description"},
		"NUL":              {func(r *messaging.NewGroup) { r.Description = "\x00" }, "invalid_description", "description"},
		"too many":         {func(r *messaging.NewGroup) { r.MemberIDs = ids(1001) }, "too_many_members", "memberIds"},
		"ill-formed":       {func(r *messaging.NewGroup) { r.MemberIDs = []string{"bob", ""} }, "invalid_user", "memberIds"},
		"client id":        {func(r *messaging.NewGroup) { r.ClientID = "\x00" }, "invalid_client_id", "clientId"},
		"unknown":          {func(r *messaging.NewGroup) { r.MemberIDs = []string{"no-a", "bob", "no-b"} }, "user_not_found", "memberIds"},
	} {
		r := good
		c.change(&r)
		_, _, err := w.CreateGroup(w.ctx, r)
		e, ok := errors.AsType[*errs.Error](err)
		if !ok || e.Code() != c.code || e.Details()["field"] != c.field {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name == "unknown" && !cmp.Equal(e.Details()["userIds"], []string{"no-a", "no-b"}) {
			t.Errorf("unknown are named as %v", e.Details())
		}
	}
	page, err := w.Chats(w.ctx, "ann", messaging.List{})
	if err != nil || len(page.Items) != 0 || page.Next != "" || len(w.heard.take()) != 0 {
		t.Errorf("something was made: %+v, %v", page, err)
	}
}

// Pages are complete, in order, and the last one says so, whatever the limit.
func TestPages(t *testing.T) {
	w := newWorld(t)
	names := ids(12)
	group := w.group("user-0000", names[1:]...)
	for i, name := range names[1:] {
		if chat := w.direct("user-0000", name); i > 4 { // chats without messages stand by when they were made
			w.send("user-0000", chat, "hello "+name)
		}
	}
	msg := w.send("user-0000", group, "hello all")
	for limit := 1; limit <= 13; limit++ {
		chats := collect(t, limit, func(r messaging.List) (messaging.Page[messaging.ChatView], error) {
			return w.Chats(w.ctx, "user-0000", r)
		})
		if len(chats) != 12 || chats[0].ID != group || chats[1].LastMessage.Text != "hello user-0011" || chats[11].PeerID != "user-0001" {
			t.Errorf("limit %d: %d chats", limit, len(chats))
		}
		members := collect(t, limit, func(r messaging.List) (messaging.Page[messaging.Member], error) {
			return w.Members(w.ctx, "user-0003", group, r)
		})
		if got := memberIDs(members); !slices.Equal(got, names) {
			t.Errorf("limit %d: members %q", limit, got)
		}
		receipts := collect(t, limit, func(r messaging.List) (messaging.Page[messaging.Receipt], error) {
			return w.Receipts(w.ctx, "user-0003", group, msg.ID, r)
		})
		if len(receipts) != 11 || receipts[10].UserID != "user-0011" {
			t.Errorf("limit %d: receipts %+v", limit, receipts)
		}
	}
	for _, r := range []messaging.List{{Limit: -1}, {Limit: 201}, {Cursor: "garbage"}} {
		_, err1 := w.Chats(w.ctx, "user-0000", r)
		_, err2 := w.Members(w.ctx, "user-0000", group, r)
		_, err3 := w.Receipts(w.ctx, "user-0000", group, msg.ID, r)
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, errs.Invalid) {
				t.Errorf("%+v: %v", r, err)
			}
		}
	}
}

// collect walks a list to its end; a page must be full unless it is the last.
func collect[T any](t *testing.T, limit int, list func(messaging.List) (messaging.Page[T], error)) []T {
	t.Helper()
	var all []T
	r := messaging.List{Limit: limit}
	for {
		page, err := list(r)
		must(t, err)
		if len(page.Items) == 0 && r.Cursor != "" {
			t.Fatal("the page before promised more")
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all
		}
		if len(page.Items) != limit {
			t.Fatalf("a page of %d items, and more to come", len(page.Items))
		}
		r.Cursor = page.Next
	}
}

func memberIDs(members []messaging.Member) []string {
	got := make([]string, len(members))
	for i, m := range members {
		got[i] = m.UserID
	}
	return got
}
