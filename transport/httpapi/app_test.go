package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/groups"
	"github.com/wigwag-chat/wigwag/internal/apicheck"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/phone/e164"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/httpapi"
	"github.com/wigwag-chat/wigwag/transport/live"
	"github.com/wigwag-chat/wigwag/users"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// app is the real services on the memory store, behind a handler that is held to
// its own document.
type app struct {
	http.Handler
	t      testing.TB
	auth   *auth.Provider
	config httpapi.Config
	log    *record
	outbox *outbox
	clock  *clock
}

// newApp makes one; change may alter the handler's Config first.
func newApp(t testing.TB, change ...func(*httpapi.Config)) *app {
	t.Helper()
	key, err := keys.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	ring, store := keys.NewRing(key), memory.New(memory.Options{Epoch: "first"})
	vault := keys.NewVault(ring, store.Keys(), nil)
	a := &app{t: t, log: &record{}, outbox: &outbox{}, clock: &clock{now: time.Date(2026, 5, 6, 7, 8, 9, 123456789, time.UTC)}}
	logger := slog.New(slog.NewTextHandler(a.log, nil))

	accounts := &directory{phones: e164.Parser{}}
	people, err := users.New(users.Config{Store: store.Users(), Directory: accounts, Now: a.clock.Now})
	check(t, err)
	a.auth, err = auth.New(auth.Config{
		Store: store.Auth(), Vault: vault, Profiles: people, Phones: e164.Parser{}, SMS: a.outbox, Mailer: a.outbox,
		Algorithm: "ES256", BcryptCost: 4, Now: a.clock.Now, Logger: logger, Limits: auth.Limits{IPOff: true, PrefixOff: true},
		Admins: []string{"+12015550199"},
	})
	check(t, err)
	accounts.auth = a.auth
	chats, err := messaging.New(messaging.Config{
		Store: store.Messaging(), Keys: ring, Secret: []byte(strings.Repeat("s", 32)), People: people, Now: a.clock.Now, Logger: logger,
	})
	check(t, err)
	feed := live.New(live.Options{Logger: logger})
	policy, err := groups.New(groups.Config{Messaging: chats})
	check(t, err)

	a.config = httpapi.Config{
		Auth: a.auth, Users: people, Messaging: chats, Groups: policy, Tickets: tickets{}, Ping: store.Ping,
		Typing: func(ctx context.Context, chatID, userID string, typing bool) error {
			return feed.Typing(ctx, chats, chatID, userID, typing)
		},
		Now: a.clock.Now, Logger: logger, Version: "test",
	}
	for _, f := range change {
		f(&a.config)
	}
	bare, err := httpapi.New(a.config)
	check(t, err)
	a.Handler = apicheck.Wrap(t, bare, "/docs/")
	return a
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person is somebody signed in.
type person struct {
	id, session, access, refresh string
}

// signUp signs somebody up, or in, by phone.
func (a *app) signUp(number string) person {
	a.t.Helper()
	c, err := a.auth.StartPhone(a.t.Context(), number, "", auth.Client{})
	check(a.t, err)
	tokens, err := a.auth.VerifyPhone(a.t.Context(), c.SessionID, a.outbox.code(number), "", auth.Client{})
	check(a.t, err)
	return person{tokens.UserID, tokens.SessionID, tokens.AccessToken, tokens.RefreshToken}
}

// answer is what came back, its JSON decoded.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

// at returns the value at a path of names and indices.
func (a answer) at(path ...any) any {
	var v any = a.body
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

func (a answer) id() string   { s, _ := a.at("id").(string); return s }
func (a answer) code() string { s, _ := a.at("error", "code").(string); return s }

// do makes a request; body is a JSON text, or "" for none.
func (a *app) do(who person, method, target, body string, headers ...string) answer {
	a.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if who.access != "" {
		r.Header.Set("Authorization", "Bearer "+who.access)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return a.send(r)
}

func (a *app) send(r *http.Request) answer {
	a.t.Helper()
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	out := answer{status: w.Code, header: w.Header(), raw: w.Body.String()}
	if strings.Contains(w.Header().Get("Content-Type"), "json") && w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out.body); err != nil {
			a.t.Fatalf("%s %s: %v in %s", r.Method, r.URL, err, out.raw)
		}
	}
	return out
}

// must makes a request that has to be answered with a status.
func (a *app) must(want int, who person, method, target, body string, headers ...string) answer {
	a.t.Helper()
	got := a.do(who, method, target, body, headers...)
	if got.status != want {
		a.t.Fatalf("%s %s %s = %d %s, want %d", method, target, body, got.status, got.raw, want)
	}
	return got
}

// outbox keeps what would leave by SMS and e-mail.
type outbox struct {
	mu   sync.Mutex
	sent map[string]string // the last text by address
}

func (o *outbox) SendSMS(_ context.Context, to, text string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent == nil {
		o.sent = make(map[string]string)
	}
	o.sent[to] = text
	return nil
}

func (o *outbox) SendMail(ctx context.Context, to, _, text string) error {
	return o.SendSMS(ctx, to, text)
}

var codes = regexp.MustCompile(`\b\d{6}\b`)

func (o *outbox) code(to string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return codes.FindString(o.sent[to])
}

// record is a log in memory.
type record struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String()
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type tickets struct{}

func (tickets) Issue(who auth.Identity) (string, time.Time, error) {
	return "ticket-of-" + who.UserID, time.Date(2026, 1, 1, 0, 0, 30, 0, time.UTC), nil
}

// directory wires users to auth, as the root package does.
type directory struct {
	auth   auth.Service
	phones auth.PhoneParser
}

func (d *directory) Account(ctx context.Context, userID string) (users.Account, error) {
	a, err := d.auth.Account(ctx, userID)
	return users.Account{Phone: a.Phone, Email: a.Email, Role: string(a.Role), Active: a.Active, Verified: a.Verified(), LastLogin: a.LastLogin}, err
}

func (d *directory) ByPhone(ctx context.Context, number string) (string, error) {
	canonical, err := d.phones.Parse(number, "")
	if err != nil {
		return "", err
	}
	a, err := d.auth.AccountByPhone(ctx, canonical)
	return a.ID, err
}

func (d *directory) Phones(ctx context.Context, ids []string) (map[string]string, error) {
	return d.auth.Phones(ctx, ids)
}

// broken is a body whose reading fails.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("line cut") }
func (broken) Close() error             { return nil }

var _ io.ReadCloser = broken{}
