package client_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/client"
	"github.com/wigwag-chat/wigwag/transport/live"
	"github.com/wigwag-chat/wigwag/transport/ws"
	"github.com/wigwag-chat/wigwag/users"
)

func (s *site) direct(a, b string) string {
	s.t.Helper()
	c, _, err := s.app.Messaging.OpenDirect(s.t.Context(), a, b)
	must(s.t, err)
	return c.ID
}

func (s *site) send(from, chat string, n int) {
	s.t.Helper()
	var sending sync.WaitGroup
	for w := range min(n, 32) { // together, into one commit
		sending.Go(func() {
			for i := w; i < n; i += 32 {
				_, _, err := s.app.Messaging.Send(s.t.Context(), messaging.SendRequest{SenderID: from, ChatID: chat, Text: fmt.Sprint(i)})
				if err != nil {
					s.t.Error(err)
				}
			}
		})
	}
	sending.Wait()
}

func (s *site) connect(user string, o client.SocketOptions) *client.Socket {
	s.t.Helper()
	socket, err := s.client(user).Connect(s.t.Context(), o)
	must(s.t, err)
	s.t.Cleanup(func() { socket.Close() })
	return socket
}

func TestCursorOutlivesTheProcess(t *testing.T) {
	s := newSite(t)
	chat := s.direct("ann", "bob")
	s.send("ann", chat, 3)
	first := newRecord()
	socket := s.connect("bob", first.options())
	first.reaches(t, chat, 3)
	must(t, socket.MarkRead(t.Context(), chat, 3))
	socket.Close()
	saved, err := json.Marshal(socket.Cursor())
	must(t, err)

	s.send("ann", chat, 4)
	second := newRecord()
	o := second.options()
	must(t, json.Unmarshal(saved, &o.Cursor))
	s.connect("bob", o)
	second.reaches(t, chat, 7)
	dense(t, "first", first.chats[chat], 1)
	second.mu.Lock()
	dense(t, "second", second.chats[chat], 4)
	second.mu.Unlock()
	third := s.direct("cid", "bob") // a chat that is new while connected
	s.send("cid", third, 2)
	second.reaches(t, third, 2)
}

func TestTooFarBehindAndAnotherHistory(t *testing.T) {
	s := newSite(t)
	chat := s.direct("ann", "bob")
	s.send("ann", chat, messaging.MaxSync+5)
	r := newRecord()
	s.connect("bob", r.options())
	r.reaches(t, chat, messaging.MaxSync+5)
	r.mu.Lock()
	if r.snaps != 1 || len(r.chats[chat]) != 1 {
		t.Errorf("%d snapshots, %d events", r.snaps, len(r.chats[chat]))
	}
	r.mu.Unlock()
	s.send("ann", chat, 1)
	r.reaches(t, chat, messaging.MaxSync+6)

	s.stop()
	s.file = filepath.Join(t.TempDir(), "restored.db")
	s.start()
	restored := s.direct("ann", "bob")
	s.send("ann", restored, 2)
	r.reaches(t, restored, 2)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.resets != 1 || len(r.chats) != 1 {
		t.Errorf("%d resets, chats %v", r.resets, r.chats)
	}
}

// A handler may call the socket, and events wait for a slow one.
func TestHandlersTakeTheirTime(t *testing.T) {
	s := newSite(t)
	chat := s.direct("ann", "bob")
	hold := make(chan struct{})
	r := newRecord()
	o := r.options()
	var socket *client.Socket
	ready := make(chan struct{})
	o.Event = func(e api.Event) {
		<-ready
		if e.Seq == 1 {
			if _, err := socket.Send(t.Context(), chat, api.SendMessage{Text: "heard"}); err != nil {
				t.Error(err)
			}
			<-hold
		}
		r.event(e)
	}
	socket = s.connect("bob", o)
	close(ready)
	s.send("ann", chat, 1)
	s.send("ann", chat, 1800) // more than the socket keeps
	close(hold)
	r.reaches(t, chat, 1802)
	r.mu.Lock()
	defer r.mu.Unlock()
	dense(t, "bob", r.chats[chat], 1)
}

func TestContextsAndClose(t *testing.T) {
	s := newSite(t)
	chat := s.direct("ann", "bob")
	socket := s.connect("ann", client.SocketOptions{})
	s.backend.Store("127.0.0.1:1") // nobody is there
	s.cutAll()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := socket.Send(ctx, chat, api.SendMessage{Text: "x"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Send = %v", err)
	}
	if _, err := s.client("ann").Connect(ctx, client.SocketOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Connect = %v", err)
	}
	late := make(chan error)
	go func() {
		_, err := socket.Send(t.Context(), chat, api.SendMessage{Text: "late"})
		late <- err
	}()
	s.backend.Store(s.server.Listener.Addr().String())
	must(t, <-late)
	must(t, socket.Ping(t.Context()))
	must(t, socket.Close())
	must(t, socket.Close())
	if err := socket.Ping(t.Context()); err == nil {
		t.Error("a closed socket answers")
	}
}

func TestErrorsOfFrames(t *testing.T) {
	s := newSite(t)
	chat := s.direct("ann", "bob")
	socket := s.connect("ann", client.SocketOptions{})
	m, err := socket.Send(t.Context(), chat, api.SendMessage{Text: "x"})
	must(t, err)
	for name, c := range map[string]struct{ got, want error }{
		"chat":    {second(socket.Send(t.Context(), "no", api.SendMessage{Text: "x"})), messaging.ErrChatNotFound},
		"kind":    {second(socket.Send(t.Context(), "no", api.SendMessage{Text: "x"})), errs.NotFound},
		"text":    {second(socket.Send(t.Context(), chat, api.SendMessage{})), errs.Invalid},
		"message": {second(socket.Edit(t.Context(), chat, "no", "y")), messaging.ErrMessageNotFound},
		"head":    {socket.MarkDelivered(t.Context(), chat, 99), messaging.ErrBeyondHead},
		"hide":    {socket.Hide(t.Context(), chat, m.ID), nil},
		"delete":  {socket.Delete(t.Context(), chat, m.ID), nil},
		"again":   {socket.Delete(t.Context(), chat, m.ID), messaging.ErrMessageNotFound},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if _, err := socket.Sync(t.Context(), api.Sync{}); err != nil {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestATooManiethConnectionWaits(t *testing.T) {
	s := newSite(t)
	s.stop()
	s.limits = ws.Limits{PerUser: 1}
	s.start()
	first := s.connect("ann", client.SocketOptions{})
	lost := make(chan error, 100)
	done := make(chan error)
	go func() {
		socket, err := s.client("ann").Connect(t.Context(), client.SocketOptions{Status: func(err error) { lost <- err }})
		if err == nil {
			err = socket.Close()
		}
		done <- err
	}()
	if err := <-lost; err == nil {
		t.Error("a second connection was taken")
	}
	first.Close()
	must(t, <-done)
}

// gate is a server whose tokens end: "ann.1" and so on, each refresh the next.
type gate struct {
	mu      sync.Mutex
	now     int
	valid   map[string]bool
	life    time.Duration
	revoked bool
	told    []string // tokens that were shown
}

// issue is a token in the form of RFC 7519, unsigned.
func (g *gate) issue() string {
	g.now++
	claims, _ := json.Marshal(map[string]any{"n": g.now, "iat": time.Now().Unix(), "exp": time.Now().Add(g.life).Unix()})
	token := "h." + base64.RawURLEncoding.EncodeToString(claims) + ".s"
	g.valid[token] = true
	return token
}

func (g *gate) Token(_ context.Context, token string) (auth.Identity, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = append(g.told, token)
	if !g.valid[token] {
		return auth.Identity{}, auth.ErrTokenExpired
	}
	return auth.Identity{UserID: "ann", SessionID: "s"}, nil
}

func newGate(t *testing.T, life time.Duration) (*gate, *live.Feed, *client.Client) {
	t.Helper()
	g := &gate{valid: map[string]bool{}, life: life}
	store := memory.New(memory.Options{})
	key, err := keys.Generate(nil)
	must(t, err)
	feed := live.New(live.Options{})
	people, err := users.New(users.Config{Store: store.Users(), Foreign: true})
	must(t, err)
	chats, err := messaging.New(messaging.Config{Store: store.Messaging(), Keys: keys.NewRing(key), Secret: make([]byte, 32), Publisher: feed})
	must(t, err)
	h, err := ws.New(ws.Config{Authenticator: auth.TokenFunc(g.Token), Messaging: chats, Users: people, Feed: feed})
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("GET /v1/ws", h)
	mux.HandleFunc("POST /v1/auth/refresh", func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.revoked {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":{"code":"token_revoked","message":"x"}}`)
			return
		}
		json.NewEncoder(w).Encode(api.Tokens{AccessToken: g.issue(), RefreshToken: "r"})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		must(t, h.Stop(context.Background()))
		server.Client().CloseIdleConnections()
		server.Close()
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	c, err := client.New(server.URL, client.Options{
		HTTPClient: server.Client(), Tokens: client.Tokens{Access: g.issue(), Refresh: "r"}, FirstWait: time.Millisecond, MaxWait: 5 * time.Millisecond,
	})
	must(t, err)
	return g, feed, c
}

func TestTokensAreRenewed(t *testing.T) {
	g, feed, c := newGate(t, 3*time.Second)
	connected := make(chan error, 10)
	socket, err := c.Connect(t.Context(), client.SocketOptions{Status: func(err error) { connected <- err }})
	must(t, err)
	defer socket.Close()
	must(t, <-connected)
	t.Run("in place", func(t *testing.T) {
		deadline := time.After(10 * time.Second)
		look := time.NewTicker(10 * time.Millisecond)
		defer look.Stop()
		for shown := 0; shown < 2; {
			select {
			case err := <-connected:
				t.Fatalf("the connection was lost: %v", err)
			case <-deadline:
				t.Fatal("no second token was shown")
			case <-look.C:
				g.mu.Lock()
				shown = len(g.told)
				g.mu.Unlock()
			}
		}
		must(t, socket.Ping(t.Context()))
	})
	t.Run("after it ended", func(t *testing.T) {
		g.mu.Lock()
		clear(g.valid)
		g.mu.Unlock()
		feed.Hub().End("ann", []string{"s"}, auth.ErrTokenExpired)
		if err := <-connected; err == nil || !strings.Contains(err.Error(), "4401") {
			t.Errorf("lost by %v", err)
		}
		must(t, socket.Ping(t.Context()))
	})
	t.Run("until the session ends", func(t *testing.T) {
		g.mu.Lock()
		g.revoked = true
		clear(g.valid)
		g.mu.Unlock()
		feed.Hub().End("ann", []string{"s"}, auth.ErrTokenRevoked)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var err error
		for err == nil {
			err = socket.Ping(ctx)
		}
		if !errors.Is(err, errs.Unauthenticated) || c.Tokens() != (client.Tokens{}) {
			t.Errorf("Ping = %v, tokens %v", err, c.Tokens())
		}
		if _, err := c.Connect(ctx, client.SocketOptions{}); !errors.Is(err, errs.Unauthenticated) {
			t.Errorf("Connect = %v", err)
		}
	})
}

func TestHostCredentialsOfASocket(t *testing.T) {
	s := newSite(t)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	user := "ann"
	c, err := client.New("http://"+s.proxy.Addr().String(), client.Options{
		HTTPClient: &http.Client{Transport: transport},
		Authorize:  func(r *http.Request) error { r.Header.Set("Authorization", "Bearer "+user); return nil },
	})
	must(t, err)
	socket, err := c.Connect(t.Context(), client.SocketOptions{})
	must(t, err)
	must(t, socket.Ping(t.Context()))
	must(t, socket.Close())
}
