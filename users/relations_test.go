package users_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/users"
)

func TestContacts(t *testing.T) {
	var heard told
	p := newProfiles(t, func(c *users.Config) { c.Publisher = &heard })
	create(t, p, "ann", "ann", "Ann")
	create(t, p, "bob", "bob", "Böb ﬁne")
	ctx := t.Context()
	c, created, err := p.AddContact(ctx, "ann", "bob", "k")
	if err != nil || !created || c.User.UserID != "bob" || !c.AddedAt.Equal(start) {
		t.Fatalf("added %+v, %t, %v", c, created, err)
	}
	if _, created, err := p.AddContact(ctx, "ann", "bob", "k"); err != nil || created {
		t.Errorf("the same request again: %t, %v", created, err)
	}
	for key, other := range map[string]string{"": "bob", "l": "bob"} {
		if _, _, err := p.AddContact(ctx, "ann", other, key); !errors.Is(err, users.ErrContact) {
			t.Errorf("another request: %v", err)
		}
	}
	relation := users.Relation{OwnerID: "ann", UserID: "bob", Kind: users.KindContact, Key: "k", At: start}
	if diff := cmp.Diff(told{relation, true, int64(1)}, heard); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
	for name, found := range map[string]int{"": 1, "bö": 1, "BÖ": 1, "bo": 1, "fi": 1, "ﬁ": 1, "ine": 0, "ann": 0} {
		page, err := p.Contacts(ctx, "ann", users.List{Name: name})
		if err != nil || len(page.Items) != found {
			t.Errorf("named %q: %v, %v", name, page, err)
		}
	}
	for _, other := range []string{"bob", "bob", "nobody", "", "\x00"} {
		if err := p.RemoveContact(ctx, "ann", other); err != nil {
			t.Errorf("remove %q: %v", other, err)
		}
	}
	if len(heard) != 6 {
		t.Errorf("published %v", heard)
	}
}

func TestRelationsRefuse(t *testing.T) {
	p := newProfiles(t, nil)
	create(t, p, "ann", "ann", "Ann")
	create(t, p, "bob", "bob", "Bob")
	ctx := t.Context()
	if _, _, err := p.Block(ctx, "bob", "ann"); err != nil {
		t.Fatal(err)
	}
	add := func(other string) error { _, _, err := p.AddContact(ctx, "ann", other, ""); return err }
	block := func(other string) error { _, _, err := p.Block(ctx, "ann", other); return err }
	list := func(r users.List) error { _, err := p.Contacts(ctx, "ann", r); return err }
	for what, c := range map[string]struct{ got, want error }{
		"oneself":          {add("ann"), users.ErrOneself},
		"blocking oneself": {block("ann"), users.ErrOneself},
		"nobody":           {add("nobody"), users.ErrUserNotFound},
		"blocking nobody":  {block(""), users.ErrUserNotFound},
		"who blocks":       {add("bob"), users.ErrBlocked},
		"limit":            {list(users.List{Limit: 201}), users.ErrLimit},
		"negative limit":   {list(users.List{Limit: -1}), users.ErrLimit},
		"cursor":           {list(users.List{Cursor: "x"}), users.ErrCursor},
		"cursor of blocks": {list(users.List{Cursor: "YmJvYg"}), users.ErrCursor},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", what, c.got, c.want)
		}
	}
	if page, err := p.Contacts(ctx, "ann", users.List{}); err != nil || len(page.Items) > 0 {
		t.Errorf("contacts %v, %v", page, err)
	}
	if err := list(users.List{Name: string(make([]byte, 500))}); !errors.Is(err, errs.Invalid) {
		t.Errorf("a long name: %v", err)
	}
}

// A page is full although most do not fit, and the next one goes on behind it.
func TestContactsPage(t *testing.T) {
	p := newProfiles(t, nil)
	ctx := context.Background()
	create(t, p, "ann", "ann", "Ann")
	for i := range 450 {
		id := fmt.Sprintf("u%03d", i)
		create(t, p, id, "", []string{"Odd", "Even", "Every third"}[i%3])
		if _, _, err := p.AddContact(ctx, "ann", id, ""); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for r := (users.List{Name: "eve", Limit: 70}); ; {
		page, err := p.Contacts(ctx, "ann", r)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Items {
			got = append(got, c.User.UserID)
		}
		if page.Next == "" {
			break
		}
		if len(page.Items) != 70 {
			t.Errorf("a page of %d", len(page.Items))
		}
		r.Cursor = page.Next
	}
	var want []string
	for i := range 450 {
		if i%3 > 0 {
			want = append(want, fmt.Sprintf("u%03d", i))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contacts (-want +got):\n%s", diff)
	}
}
