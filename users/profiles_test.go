package users_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/users"
)

func TestCreateAgain(t *testing.T) {
	p := newProfiles(t, nil)
	create(t, p, "u", "", "Ada")
	create(t, p, "u", "", "Other")
	create(t, p, "u", "ada", "")
	create(t, p, "u", "ADA", "Other")
	if err := p.Create(t.Context(), "u", "babbage", ""); !errors.Is(err, users.ErrChanged) {
		t.Errorf("another username: %v", err)
	}
	if err := p.Create(t.Context(), "v", "aDa", ""); !errors.Is(err, users.ErrUsernameTaken) {
		t.Errorf("a taken username: %v", err)
	}
	if u, err := p.User(t.Context(), "", "u"); err != nil || u.Username != "ada" || u.DisplayName != "Ada" {
		t.Errorf("%+v, %v", u.Profile, err)
	}
	for _, bad := range []string{"", strings.Repeat("i", 129), "a\x00", "\xff"} {
		if err := p.Create(t.Context(), bad, "", ""); !errors.Is(err, users.ErrID) {
			t.Errorf("id %q: %v", bad, err)
		}
		if err := p.Ensure(t.Context(), bad); !errors.Is(err, users.ErrID) {
			t.Errorf("id %q: %v", bad, err)
		}
	}
}

// Of many who claim one username at once, one gets it, and each keeps a profile to try again with.
func TestClaimsAtOnce(t *testing.T) {
	p := newProfiles(t, nil)
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			id := fmt.Sprint("u", i)
			err := p.Ensure(t.Context(), id)
			if err == nil {
				_, err = p.Update(t.Context(), id, users.Update{Username: ptr("Ada")})
			}
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, users.ErrUsernameTaken):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d have it", won.Load())
	}
}

// Changes of different fields at once are all kept.
func TestUpdatesAtOnce(t *testing.T) {
	p := newProfiles(t, nil)
	var wg sync.WaitGroup
	for _, u := range []users.Update{
		{Username: ptr("ada")}, {DisplayName: ptr("Ada")}, {FullName: ptr("Ada L")}, {Bio: ptr("bio")}, {PictureID: ptr("pic")}, {Language: ptr("en")},
	} {
		wg.Go(func() {
			if _, err := p.Update(t.Context(), "u", u); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	u, err := p.User(t.Context(), "u", "u")
	if err != nil || u.Username+u.DisplayName+u.FullName+u.Bio+u.PictureID+u.Language != "adaAdaAda Lbiopicen" {
		t.Fatalf("%+v, %v", u.Profile, err)
	}
}

func TestAccountForOneselfOnly(t *testing.T) {
	p := newProfiles(t, func(c *users.Config) {
		c.Directory = accounts{"u": {Phone: "+4930123456"}, "gone": {Phone: "+4930000000"}}
	})
	create(t, p, "u", "ada", "")
	create(t, p, "v", "bob", "")
	own, err := p.User(t.Context(), "u", "u")
	if err != nil || own.Account == nil || own.Account.Phone != "+4930123456" {
		t.Errorf("own: %+v, %v", own, err)
	}
	for name, find := range map[string]func() (users.User, error){
		"by id":       func() (users.User, error) { return p.User(t.Context(), "v", "u") },
		"by username": func() (users.User, error) { return p.FindByUsername(t.Context(), "v", "ADA") },
		"by phone":    func() (users.User, error) { return p.FindByPhone(t.Context(), "v", "+4930123456") },
	} {
		if u, err := find(); err != nil || u.UserID != "u" || u.Account != nil {
			t.Errorf("%s: %+v, %v", name, u, err)
		}
	}
	if u, err := p.User(t.Context(), "v", "v"); err != nil || u.Account != nil {
		t.Errorf("without an account: %+v, %v", u, err)
	}
	for name, find := range map[string]func() (users.User, error){
		"unknown id":       func() (users.User, error) { return p.User(t.Context(), "v", "w") },
		"malformed id":     func() (users.User, error) { return p.User(t.Context(), "v", "\x00") },
		"unknown username": func() (users.User, error) { return p.FindByUsername(t.Context(), "v", "nobody9") },
		"no username":      func() (users.User, error) { return p.FindByUsername(t.Context(), "v", "") },
		"reserved":         func() (users.User, error) { return p.FindByUsername(t.Context(), "v", "admin") },
		"unknown phone":    func() (users.User, error) { return p.FindByPhone(t.Context(), "v", "+1") },
		"without profile":  func() (users.User, error) { return p.FindByPhone(t.Context(), "v", "+4930000000") },
	} {
		if _, err := find(); !errors.Is(err, users.ErrUserNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.FindByPhone(t.Context(), "v", "nonsense"); errs.KindOf(err) != errs.Invalid {
		t.Errorf("no number: %v", err)
	}
	if _, err := newProfiles(t, nil).FindByPhone(t.Context(), "v", "+1"); !errors.Is(err, users.ErrUserNotFound) {
		t.Errorf("without a directory: %v", err)
	}
}

func TestUsers(t *testing.T) {
	p := newProfiles(t, nil)
	create(t, p, "a", "", "")
	create(t, p, "b", "", "")
	found, err := p.Users(t.Context(), "a", []string{"b", "x", "a", "b", ""})
	if err != nil || !cmp.Equal(ids(found), []string{"a", "b"}) {
		t.Errorf("%v, %v", ids(found), err)
	}
	if _, err := p.Users(t.Context(), "a", make([]string, 201)); !errors.Is(err, users.ErrTooManyIDs) {
		t.Errorf("201 ids: %v", err)
	}
}

func TestEnsureReadsOnce(t *testing.T) {
	store := &counting{Store: memory.New(memory.Options{}).Users()}
	p := newProfiles(t, func(c *users.Config) { c.Store = store })
	for range 3 {
		if err := p.Ensure(t.Context(), "u"); err != nil {
			t.Fatal(err)
		}
	}
	if store.reads != 1 {
		t.Errorf("%d reads", store.reads)
	}
	if missing, err := p.Missing(t.Context(), []string{"u"}); err != nil || len(missing) != 0 || store.reads != 1 {
		t.Errorf("%v, %v, %d reads", missing, err, store.reads)
	}
}

func TestMissing(t *testing.T) {
	var asked [][]string
	lookup := func(_ context.Context, ids []string) ([]string, error) {
		asked = append(asked, slices.Clone(ids))
		return []string{"host", "not asked for"}, nil
	}
	input := []string{"x", "own", "", "host", "x", "\x00", "own"}
	for _, c := range []struct {
		name   string
		change func(*users.Config)
		want   []string
	}{
		{"own accounts", nil, []string{"x", "", "host", "\x00"}},
		{"a host without a lookup", func(c *users.Config) { c.Foreign = true }, []string{"", "\x00"}},
		{"a host with one", func(c *users.Config) { c.Lookup = lookup }, []string{"x", "", "\x00"}},
	} {
		store := memory.New(memory.Options{}).Users()
		p := newProfiles(t, func(cfg *users.Config) {
			cfg.Store = store
			if c.change != nil {
				c.change(cfg)
			}
		})
		create(t, p, "own", "", "")
		got, err := p.Missing(t.Context(), input)
		if err != nil || !cmp.Equal(got, c.want) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		stored, err := store.Profiles(t.Context(), []string{"host", "x", "not asked for"})
		if want := c.name == "a host with one"; err != nil || (len(stored) == 1) != want || len(stored) > 1 {
			t.Errorf("%s: stored %v, %v", c.name, stored, err)
		}
	}
	if !cmp.Equal(asked, [][]string{{"x", "host"}}) {
		t.Errorf("the host was asked for %q", asked)
	}
	foreign := newProfiles(t, func(c *users.Config) { c.Foreign = true })
	if u, err := foreign.User(t.Context(), "me", "never seen"); err != nil || u.UserID != "never seen" {
		t.Errorf("%+v, %v", u, err)
	}
	broken := errors.New("host away")
	p := newProfiles(t, func(c *users.Config) {
		c.Lookup = func(context.Context, []string) ([]string, error) { return nil, broken }
	})
	if _, err := p.Missing(t.Context(), []string{"x"}); !errors.Is(err, broken) {
		t.Errorf("a lookup that fails: %v", err)
	}
	many := make([]string, 2500)
	for i := range many {
		many[i] = fmt.Sprintf("m%04d", i)
	}
	if missing, err := newProfiles(t, nil).Missing(t.Context(), many); err != nil || !cmp.Equal(missing, many) {
		t.Errorf("%d of 2,500 missing, %v", len(missing), err)
	}
}
