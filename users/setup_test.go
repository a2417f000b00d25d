package users_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/users"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is the time at which the test clocks stand still.
var start = time.Date(2026, 1, 2, 3, 4, 5, 6_000, time.UTC)

func newProfiles(t testing.TB, change func(*users.Config)) *users.Profiles {
	t.Helper()
	cfg := users.Config{Store: memory.New(memory.Options{}).Users(), Now: func() time.Time { return start }}
	if change != nil {
		change(&cfg)
	}
	p, err := users.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func create(t testing.TB, p *users.Profiles, id, username, displayName string) {
	t.Helper()
	if err := p.Create(t.Context(), id, username, displayName); err != nil {
		t.Fatalf("create %s: %v", id, err)
	}
}

// accounts is a Directory by user id.
type accounts map[string]users.Account

func (a accounts) Account(_ context.Context, id string) (users.Account, error) {
	if account, ok := a[id]; ok {
		return account, nil
	}
	return users.Account{}, errs.NotFound
}

func (a accounts) ByPhone(_ context.Context, number string) (string, error) {
	if number == "nonsense" {
		return "", errs.Field("phoneNumber", "invalid_phone_number", "No.")
	}
	for id, account := range a {
		if account.Phone == number {
			return id, nil
		}
	}
	return "", errs.NotFound
}

func (a accounts) Phones(_ context.Context, ids []string) (map[string]string, error) {
	phones := make(map[string]string)
	for _, id := range ids {
		if a[id].Phone != "" {
			phones[id] = a[id].Phone
		}
	}
	return phones, nil
}

// counting is a Store that counts reads.
type counting struct {
	users.Store
	reads int
}

func (c *counting) Profiles(ctx context.Context, ids []string) ([]users.StoredProfile, error) {
	c.reads++
	return c.Store.Profiles(ctx, ids)
}

func ids(found []users.User) []string {
	out := make([]string, len(found))
	for i, u := range found {
		out[i] = u.UserID
	}
	slices.Sort(out)
	return out
}

func ptr(s string) *string { return &s }
