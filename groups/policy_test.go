package groups_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/groups"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
)

func newServices(t testing.TB) (*groups.Policy, *messaging.Messenger) {
	t.Helper()
	key, err := keys.Generate(nil)
	must(t, err)
	chats, err := messaging.New(messaging.Config{
		Store:  memory.New(memory.Options{}).Messaging(),
		Keys:   keys.NewRing(key),
		Secret: []byte(strings.Repeat("s", 32)),
	})
	must(t, err)
	g, err := groups.New(groups.Config{Messaging: chats})
	must(t, err)
	return g, chats
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := groups.New(groups.Config{}); err == nil {
		t.Error("made without messaging")
	}
}

func TestGroup(t *testing.T) {
	g, chats := newServices(t)
	ctx := t.Context()
	made, created, err := g.Create(ctx, messaging.NewGroup{CreatorID: "ann", Title: "Trip", MemberIDs: []string{"bob"}})
	if err != nil || !created {
		t.Fatalf("%+v, %v, %v", made, created, err)
	}
	must(t, g.Add(ctx, "ann", made.ID, []string{"cid", "dan"}))
	if err := g.Add(ctx, "bob", made.ID, []string{"eve"}); !errors.Is(err, messaging.ErrNotAnAdmin) {
		t.Errorf("a member adds: %v", err)
	}
	must(t, g.Remove(ctx, "ann", made.ID, "cid"))
	must(t, g.Leave(ctx, "ann", made.ID))
	got, err := g.Group(ctx, "bob", made.ID)
	if err != nil || got.MemberCount != 2 || got.Own.Role != messaging.RoleOwner {
		t.Errorf("%+v, %v", got, err)
	}
	members, err := g.Members(ctx, "dan", made.ID, messaging.List{Limit: 1})
	if err != nil || len(members.Items) != 1 || members.Items[0].UserID != "bob" || members.Next == "" {
		t.Errorf("%+v, %v", members, err)
	}
	must(t, g.Leave(ctx, "bob", made.ID))
	must(t, g.Leave(ctx, "dan", made.ID))
	if _, err := chats.Chat(ctx, "dan", made.ID); !errors.Is(err, messaging.ErrChatNotFound) {
		t.Errorf("of a group that was left: %v", err)
	}
}

// A direct chat is no group, and says no more than one that does not exist.
func TestOnlyGroups(t *testing.T) {
	g, chats := newServices(t)
	ctx := t.Context()
	direct, _, err := chats.OpenDirect(ctx, "ann", "bob")
	must(t, err)
	group, _, err := g.Create(ctx, messaging.NewGroup{CreatorID: "ann", Title: "Trip"})
	must(t, err)
	for _, c := range []struct{ who, user, chat string }{
		{"a direct chat", "ann", direct.ID}, {"a stranger", "eve", group.ID}, {"nothing", "ann", "none"}, {"ill-formed", "ann", "\x00"},
	} {
		_, group := g.Group(ctx, c.user, c.chat)
		_, members := g.Members(ctx, c.user, c.chat, messaging.List{})
		for what, err := range map[string]error{
			"group": group, "members": members,
			"add":    g.Add(ctx, c.user, c.chat, []string{"dan"}),
			"remove": g.Remove(ctx, c.user, c.chat, "bob"),
			"leave":  g.Leave(ctx, c.user, c.chat),
		} {
			if !errors.Is(err, messaging.ErrChatNotFound) {
				t.Errorf("%s, %s: %v", c.who, what, err)
			}
		}
	}
	if view, err := chats.Chat(ctx, "ann", direct.ID); err != nil || view.MemberCount != 2 {
		t.Errorf("the direct chat changed: %+v, %v", view, err)
	}
}

func TestListsOfMembersAreBounded(t *testing.T) {
	g, _ := newServices(t)
	ctx := t.Context()
	names := make([]string, messaging.MaxMembersCall+1)
	for i := range names {
		names[i] = fmt.Sprintf("user-%04d", i)
	}
	if _, _, err := g.Create(ctx, messaging.NewGroup{CreatorID: "ann", Title: "x", MemberIDs: names}); errs.CodeOf(err) != "too_many_members" {
		t.Errorf("create: %v", err)
	}
	made, _, err := g.Create(ctx, messaging.NewGroup{CreatorID: "ann", Title: "x", MemberIDs: names[1:]})
	if err != nil || made.MemberCount != 1001 {
		t.Errorf("%d members, %v", made.MemberCount, err)
	}
	if err := g.Add(ctx, "ann", made.ID, names); errs.CodeOf(err) != "too_many_members" {
		t.Errorf("add: %v", err)
	}
	if err := g.Add(ctx, "ann", made.ID, nil); !errors.Is(err, errs.Invalid) {
		t.Errorf("add nobody: %v", err)
	}
	if _, err := g.Members(ctx, "ann", made.ID, messaging.List{Limit: messaging.MaxPage + 1}); errs.CodeOf(err) != "invalid_limit" {
		t.Errorf("members: %v", err)
	}
	must(t, g.Add(ctx, "ann", made.ID, names[:1]))
}

// A group fills up to its limit, and not by one more.
func TestGroupIsFull(t *testing.T) {
	g, _ := newServices(t)
	ctx := t.Context()
	made, _, err := g.Create(ctx, messaging.NewGroup{CreatorID: "ann", Title: "x"})
	must(t, err)
	for n := 1; n < messaging.MaxMembers; {
		batch := make([]string, min(messaging.MaxMembersCall, messaging.MaxMembers-n))
		for i := range batch {
			batch[i] = fmt.Sprint("user", n+i)
		}
		must(t, g.Add(ctx, "ann", made.ID, batch))
		n += len(batch)
	}
	if err := g.Add(ctx, "ann", made.ID, []string{"one", "more"}); !errors.Is(err, messaging.ErrGroupFull) {
		t.Errorf("%v", err)
	}
	if got, err := g.Group(ctx, "ann", made.ID); err != nil || got.MemberCount != messaging.MaxMembers {
		t.Errorf("%d members, %v", got.MemberCount, err)
	}
}
