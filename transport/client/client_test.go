package client_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/apicheck"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// outbox keeps the last code sent to each number.
type outbox struct{ sync.Map }

var digits = regexp.MustCompile(`\b\d{6}\b`)

func (o *outbox) SendSMS(_ context.Context, to, text string) error {
	o.Store(to, digits.FindString(text))
	return nil
}

// server is an app on the memory store behind HTTP, held to its own document.
type server struct {
	*httptest.Server
	clock  *clock
	outbox *outbox
}

func newServer(t *testing.T) *server {
	t.Helper()
	key, err := keys.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{clock: &clock{at: time.Now()}, outbox: &outbox{}}
	app, err := wigwag.Open(t.Context(), wigwag.Config{
		Store: memory.New(memory.Options{}), Keys: keys.NewRing(key),
		Auth: auth.Config{SMS: s.outbox, Algorithm: "ES256", BcryptCost: 4, Limits: auth.Limits{IPOff: true, PrefixOff: true}},
		Now:  s.clock.Now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewServer(apicheck.Wrap(t, app.Handler(), "/v1/ws/"))
	t.Cleanup(func() {
		s.Client().CloseIdleConnections()
		s.Close()
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *server) client(t *testing.T, o client.Options) *client.Client {
	t.Helper()
	o.HTTPClient = s.Client()
	c, err := client.New(s.URL+"/", o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// signUp returns a client that is signed in by phone.
func (s *server) signUp(t *testing.T, number string, o client.Options) (*client.Client, api.User) {
	t.Helper()
	c := s.client(t, o)
	challenge, err := c.StartPhone(t.Context(), api.StartPhone{PhoneNumber: number})
	if err != nil {
		t.Fatal(err)
	}
	code, _ := s.outbox.Load(number)
	tokens, err := c.VerifyPhone(t.Context(), api.VerifyPhone{SessionID: challenge.SessionID, Code: code.(string), DisplayName: "N " + number})
	if err != nil {
		t.Fatal(err)
	}
	return c, tokens.User
}

func TestConversation(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ada, adaUser := s.signUp(t, "+12015550101", client.Options{})
	bob, bobUser := s.signUp(t, "+12015550102", client.Options{})
	must(ada.Ready(ctx))
	me, err := ada.UpdateMe(ctx, api.UpdateProfile{Username: new("ada.l"), Bio: new("Engines")})
	must(err)
	if again, err := ada.Me(ctx); err != nil || again.Bio != me.Bio || again.PhoneNumber != "+12015550101" {
		t.Fatalf("Me = %+v, %v", again, err)
	}
	found, err := bob.FindByUsername(ctx, "ADA.L")
	must(err)
	if byPhone, err := bob.FindByPhone(ctx, "+12015550101"); err != nil || len(byPhone) != 1 || len(found) != 1 || found[0].ID != adaUser.ID {
		t.Fatalf("found %v and %v, %v", found, byPhone, err)
	}
	if u, err := bob.User(ctx, adaUser.ID); err != nil || u.PhoneNumber != "" {
		t.Fatalf("User = %+v, %v", u, err)
	}

	chat, err := ada.OpenDirect(ctx, bobUser.ID)
	must(err)
	m, err := ada.Send(ctx, chat.ID, api.SendMessage{Text: "Hello"})
	must(err)
	if m.ClientID == "" {
		t.Error("the client gave the message no name")
	}
	must(bob.MarkDelivered(ctx, chat.ID, m.Seq))
	must(bob.MarkRead(ctx, chat.ID, m.Seq))
	seen, err := ada.Message(ctx, chat.ID, m.ID)
	must(err)
	if seen.Status != "read" || *seen.ReadCount != 1 {
		t.Errorf("status %s, %d readers", seen.Status, *seen.ReadCount)
	}
	_, err = ada.Edit(ctx, chat.ID, m.ID, "Hello, you")
	must(err)
	past, err := bob.PastTexts(ctx, chat.ID, m.ID, client.List{Limit: 1})
	must(err)
	receipts, err := ada.Receipts(ctx, chat.ID, m.ID, client.List{Limit: 1})
	must(err)
	_, err = ada.Send(ctx, chat.ID, api.SendMessage{Text: "Still there?"})
	must(err)
	history, err := bob.Messages(ctx, chat.ID, client.Window{After: new(int64), Limit: 1})
	must(err)
	rest, err := bob.Messages(ctx, chat.ID, client.Window{Cursor: history.Next, Limit: 1})
	must(err)
	if len(rest.Items) != 1 || rest.Items[0].Text != "Still there?" || rest.Next != "" {
		t.Errorf("after %+v comes %+v", history, rest)
	}
	if len(past.Items) != 1 || past.Items[0].Text != "Hello" || len(receipts.Items) != 1 || receipts.Items[0].ReadAt == nil || len(history.Items) != 1 {
		t.Errorf("past %v, receipts %v, history %v", past, receipts, history)
	}
	answer, err := bob.Sync(ctx, api.Sync{Chats: map[string]int64{chat.ID: 0}})
	must(err)
	if len(answer.Chats) != 1 && !answer.Reset {
		t.Errorf("Sync = %+v", answer)
	}
	must(bob.Hide(ctx, chat.ID, m.ID))
	must(ada.Delete(ctx, chat.ID, m.ID))

	group, err := ada.CreateGroup(ctx, api.CreateGroup{Name: "Club"})
	must(err)
	must(ada.AddMembers(ctx, group.ID, bobUser.ID))
	members, err := bob.Members(ctx, group.ID, client.List{})
	must(err)
	if group, err = bob.Group(ctx, group.ID); err != nil || group.MemberCount != 2 || len(members.Items) != 2 {
		t.Errorf("Group = %+v, %v, members %v", group, err, members)
	}
	must(bob.LeaveGroup(ctx, group.ID))
	must(ada.AddMembers(ctx, group.ID, bobUser.ID))
	must(ada.RemoveMember(ctx, group.ID, bobUser.ID))
	chats, err := ada.Chats(ctx, client.List{})
	must(err)
	if _, err := ada.Chat(ctx, chats.Items[0].ID); err != nil || len(chats.Items) != 2 {
		t.Errorf("Chats = %v, %v", chats, err)
	}
	ticket, err := ada.Ticket(ctx)
	must(err)
	set, err := ada.KeySet(ctx)
	must(err)
	if ticket.Ticket == "" || len(set.Keys) == 0 {
		t.Errorf("ticket %v, keys %v", ticket, set)
	}
}

func TestErrorsAreThoseOfTheServer(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	ada, _ := s.signUp(t, "+12015550101", client.Options{})
	_, err := ada.Chat(ctx, "a/b?c#d")
	if !errors.Is(err, messaging.ErrChatNotFound) || !errors.Is(err, errs.NotFound) {
		t.Errorf("Chat = %v", err)
	}
	_, err = ada.OpenDirect(ctx, "")
	if !errors.Is(err, errs.Invalid) {
		t.Errorf("OpenDirect = %v", err)
	}
	_, err = ada.UpdateMe(ctx, api.UpdateProfile{Username: new("1")})
	if e, ok := errors.AsType[*errs.Error](err); !ok || e.Code() != "invalid_username" || e.Details()["field"] != "username" {
		t.Errorf("UpdateMe = %v", err)
	}
	if err := ada.RotateKeys(ctx); !errors.Is(err, errs.Forbidden) {
		t.Errorf("RotateKeys = %v", err)
	}
	_, err = s.client(t, client.Options{}).Me(ctx)
	if !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("Me of nobody = %v", err)
	}
}

func TestPasswords(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	c := s.client(t, client.Options{})
	if _, err := c.Register(ctx, api.Register{Email: "ada@example.org", Username: "ada", Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	other := s.client(t, client.Options{})
	if _, err := other.Login(ctx, "ada", "wrong horse"); !errors.Is(err, auth.ErrInvalidCredentials) {
		t.Errorf("Login = %v", err)
	}
	if _, err := other.Login(ctx, "ada", "correct horse"); err != nil {
		t.Fatal(err)
	}
	sessions, err := c.Sessions(ctx, client.List{Limit: 2})
	if err != nil || len(sessions.Items) != 2 {
		t.Fatalf("Sessions = %v, %v", sessions, err)
	}
	if err := c.ChangePassword(ctx, "correct horse", "battery staple"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Me(ctx); !errors.Is(err, errs.Unauthenticated) || other.Tokens() != (client.Tokens{}) {
		t.Errorf("after the change: %v, %v", err, other.Tokens())
	}
	for _, err := range []error{c.VerifyEmail(ctx, "x"), c.ResetPassword(ctx, "x", "battery staple")} {
		if !errors.Is(err, auth.ErrLinkExpired) {
			t.Errorf("with a false token: %v", err)
		}
	}
	if err := c.RevokeOtherSessions(ctx); err != nil {
		t.Error(err)
	}
	if err := c.RevokeSession(ctx, "nope"); !errors.Is(err, auth.ErrSessionNotFound) {
		t.Errorf("RevokeSession = %v", err)
	}
	if err := c.Logout(ctx); err != nil || c.Tokens() != (client.Tokens{}) {
		t.Errorf("Logout = %v, tokens %v", err, c.Tokens())
	}
}

func TestHostCredentials(t *testing.T) {
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "user=ada" || r.Header.Get("Authorization") != "" {
			t.Errorf("headers %v", r.Header)
		}
		io.WriteString(w, `{"id":"ada"}`)
	}))
	defer h.Close()
	defer h.Client().CloseIdleConnections()
	c, err := client.New(h.URL, client.Options{HTTPClient: h.Client(), Authorize: func(r *http.Request) error {
		r.AddCookie(&http.Cookie{Name: "user", Value: "ada"})
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if u, err := c.Me(t.Context()); err != nil || u.ID != "ada" {
		t.Errorf("Me = %v, %v", u, err)
	}
}
