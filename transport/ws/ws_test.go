package ws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/groups"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/live"
	"github.com/wigwag-chat/wigwag/transport/ws"
	"github.com/wigwag-chat/wigwag/users"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wait bounds everything that a test waits for.
const wait = 10 * time.Second

// tokens is an Authenticator: the token "ann" or "ann/2" is user ann.
type tokens struct {
	mu      sync.Mutex
	expires map[string]time.Time
	revoked map[string]bool // by session
}

func (a *tokens) Request(r *http.Request) (auth.Identity, error) {
	t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return auth.Identity{}, auth.ErrUnauthenticated
	}
	return a.Token(r.Context(), t)
}

func (a *tokens) Token(_ context.Context, token string) (auth.Identity, error) {
	user, _, _ := strings.Cut(token, "/")
	if user == "" || user == "forged" {
		return auth.Identity{}, auth.ErrTokenInvalid
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	id := auth.Identity{UserID: user, SessionID: "session-of-" + token, ExpiresAt: a.expires[token]}
	return id, a.check(id)
}

func (a *tokens) Check(_ context.Context, id auth.Identity) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.check(id)
}

func (a *tokens) check(id auth.Identity) error {
	if id.UserID == "expired" {
		return auth.ErrTokenExpired
	}
	if a.revoked[id.SessionID] {
		return auth.ErrTokenRevoked
	}
	return nil
}

// logbook is what was logged.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// world is the services on the memory store behind one WebSocket handler.
type world struct {
	t      *testing.T
	who    *tokens
	feed   *live.Feed
	chats  messaging.Service
	groups groups.Service
	h      *ws.Handler
	url    string
	logs   *logbook
}

func newWorld(t *testing.T, change func(*ws.Config)) *world {
	t.Helper()
	w := &world{t: t, who: &tokens{expires: map[string]time.Time{}, revoked: map[string]bool{}}, logs: new(logbook)}
	log := slog.New(slog.NewTextHandler(w.logs, nil))
	store := memory.New(memory.Options{})
	key, err := keys.Generate(nil)
	must(t, err)
	people, err := users.New(users.Config{Store: store.Users(), Foreign: true})
	must(t, err)
	w.feed = live.New(live.Options{Logger: log})
	messenger, err := messaging.New(messaging.Config{
		Store: store.Messaging(), Keys: keys.NewRing(key), Secret: make([]byte, 32), People: people, Publisher: w.feed, Logger: log,
	})
	must(t, err)
	w.chats = messenger
	w.groups, err = groups.New(groups.Config{Messaging: messenger})
	must(t, err)
	config := ws.Config{
		Authenticator: w.who, Messaging: messenger, Users: people, Feed: w.feed, Check: w.who.Check, Logger: log,
		Origins: []string{"https://app.example.org"},
	}
	if change != nil {
		change(&config)
	}
	w.h, err = ws.New(config)
	must(t, err)
	server := httptest.NewServer(w.h)
	w.url = server.URL + "/v1/ws"
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.feed.Run(ctx, messenger) }()
	t.Cleanup(func() {
		stop, end := context.WithTimeout(context.Background(), wait)
		defer end()
		must(t, w.h.Stop(stop))
		server.Close()
		cancel()
		<-done
		must(t, store.Close())
	})
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// direct makes the direct chat of two users.
func (w *world) direct(a, b string) string {
	w.t.Helper()
	c, _, err := w.chats.OpenDirect(w.t.Context(), a, b)
	must(w.t, err)
	return c.ID
}

// client is a raw WebSocket client that reads frames one by one.
type client struct {
	t      *testing.T
	conn   *websocket.Conn
	events []api.Event // read, not yet taken
}

// dial connects with a header, without reading anything.
func (w *world) dial(header http.Header, query string) *client {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), wait)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, w.url+query, &websocket.DialOptions{HTTPHeader: header, Subprotocols: []string{ws.Subprotocol}})
	must(w.t, err)
	conn.SetReadLimit(16 << 20)
	w.t.Cleanup(func() { conn.CloseNow() })
	return &client{t: w.t, conn: conn}
}

// open connects with a token and reads the hello.
func (w *world) open(token string) (*client, api.Hello) {
	w.t.Helper()
	c := w.dial(http.Header{"Authorization": {"Bearer " + token}}, "")
	return c, c.hello()
}

func (c *client) hello() api.Hello {
	c.t.Helper()
	var h api.Hello
	must(c.t, json.Unmarshal(c.read(), &h))
	if h.Type != api.FrameHello {
		c.t.Fatalf("the first frame is a %q, not a hello", h.Type)
	}
	return h
}

func (c *client) read() []byte {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), wait)
	defer cancel()
	_, data, err := c.conn.Read(ctx)
	must(c.t, err)
	return data
}

func (c *client) write(kind websocket.MessageType, data []byte) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), wait)
	defer cancel()
	must(c.t, c.conn.Write(ctx, kind, data))
}

// ask sends a frame and returns its reply.
func (c *client) ask(frame string) api.ServerFrame {
	c.t.Helper()
	c.write(websocket.MessageText, []byte(frame))
	return c.reply()
}

// reply returns the next reply; events that come before are kept.
func (c *client) reply() api.ServerFrame {
	c.t.Helper()
	for {
		var f api.ServerFrame
		must(c.t, json.Unmarshal(c.read(), &f))
		if f.Type != api.FrameEvents {
			return f
		}
		c.events = append(c.events, f.Events...)
	}
}

// event returns the next event that is no unread count.
func (c *client) event() api.Event {
	c.t.Helper()
	for {
		for len(c.events) > 0 {
			e := c.events[0]
			c.events = c.events[1:]
			if e.Type != api.EventUnread {
				return e
			}
		}
		c.fetch()
	}
}

// unread returns the next unread count.
func (c *client) unread() api.Event {
	c.t.Helper()
	for {
		for i, e := range c.events {
			if e.Type == api.EventUnread {
				c.events = append(c.events[:i:i], c.events[i+1:]...)
				return e
			}
		}
		c.fetch()
	}
}

func (c *client) fetch() {
	c.t.Helper()
	var f api.ServerFrame
	must(c.t, json.Unmarshal(c.read(), &f))
	if f.Type != api.FrameEvents {
		c.t.Fatalf("got %+v, want events", f)
	}
	c.events = append(c.events, f.Events...)
}

// closed reads until the server closes, and returns the code and reason.
func (c *client) closed() websocket.CloseError {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), wait)
	defer cancel()
	for {
		_, _, err := c.conn.Read(ctx)
		if err == nil {
			continue
		}
		var ce websocket.CloseError
		if !asClose(err, &ce) {
			c.t.Fatalf("the connection ended with %v, want a close code", err)
		}
		return ce
	}
}

func (c *client) wantClose(code websocket.StatusCode) {
	c.t.Helper()
	if ce := c.closed(); ce.Code != code {
		c.t.Errorf("closed with %d %q, want %d", ce.Code, ce.Reason, code)
	}
}
