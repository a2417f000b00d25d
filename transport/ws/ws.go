// Package ws is the WebSocket of Wigwag: JSON frames on one http.Handler that
// mounts under any path (SPEC RT-1, RT-2, RT-4, RT-5). What a client asks is
// answered by the services; what happens reaches it from a live feed.
package ws

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/live"
	"github.com/wigwag-chat/wigwag/users"
)

// Subprotocol is what a client offers and the server selects.
const Subprotocol = "wigwag.v1"

// Close codes of the public interface.
const (
	CloseRestart         websocket.StatusCode = 1012 // reason {"retryAfterMs":n}
	CloseBadFrame        websocket.StatusCode = 4400
	CloseUnauthenticated websocket.StatusCode = 4401
	CloseOrigin          websocket.StatusCode = 4403
	CloseSlow            websocket.StatusCode = 4408 // reconnect and sync
	CloseTooMany         websocket.StatusCode = 4409
	CloseRateLimited     websocket.StatusCode = 4429
)

// Limits bound what one connection and one user may take; zero values are the
// defaults of the public interface.
type Limits struct {
	FrameBytes      int64         // of one frame; default 64 KiB
	FramesPerSecond int           // default 20
	FrameBurst      int           // default 60
	PerUser         int           // connections; default 10
	AuthWithin      time.Duration // for the first frame; default 5 s
	Off             bool          // lifts FramesPerSecond and PerUser, for load tests
}

// Config is what a Handler is made of. Authenticator, Messaging, Users and Feed
// are required.
type Config struct {
	Authenticator auth.Authenticator
	Messaging     messaging.Service
	Users         users.Service
	Feed          *live.Feed

	// Check tells whether an identity still counts: asked once a connection can
	// hear of a revocation. Nil: it does.
	Check func(context.Context, auth.Identity) error

	Origins   []string // exact origins ("https://app.example.org") besides the server's own host
	Limits    Limits
	PingEvery time.Duration // of a ping, to be answered within 10 s, and of a Check; default 30 s
	Now       func() time.Time
	Rand      io.Reader // of tickets; default crypto/rand
	Logger    *slog.Logger
}

// Handler serves WebSockets. It is safe for concurrent use.
type Handler struct {
	Config
	tickets tickets
	buffers sync.Pool // of *buffer

	mu       sync.Mutex
	stopping context.Context // ends with errRestart
	stop     context.CancelCauseFunc
	running  sync.WaitGroup
}

// New makes a handler, or says which part of the Config is missing.
func New(c Config) (*Handler, error) {
	if c.Authenticator == nil || c.Messaging == nil || c.Users == nil || c.Feed == nil {
		return nil, errors.New("ws: Authenticator, Messaging, Users and Feed are required")
	}
	l := &c.Limits
	l.FrameBytes = orDefault(l.FrameBytes, 64<<10)
	l.FramesPerSecond = orDefault(l.FramesPerSecond, 20)
	l.FrameBurst = orDefault(l.FrameBurst, 60)
	l.PerUser = orDefault(l.PerUser, 10)
	l.AuthWithin = orDefault(l.AuthWithin, 5*time.Second)
	c.PingEvery = orDefault(c.PingEvery, 30*time.Second)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	h := &Handler{Config: c, tickets: newTickets()}
	h.buffers.New = func() any { return new(buffer) }
	h.stopping, h.stop = context.WithCancelCause(context.Background())
	return h, nil
}

func orDefault[T int | int64 | time.Duration](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

// ServeHTTP upgrades a request, and asks the Authenticator about it. It returns
// as soon as the connection stands, which lives on in one goroutine of its own,
// while idle, until it ends or Stop ends it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.begin() {
		h.refuse(w, http.StatusServiceUnavailable, errStopping)
		return
	}
	var conn *websocket.Conn
	serving := false
	defer func() { // a panic of the host's Authenticator comes by too
		if serving {
			return
		}
		if conn != nil {
			conn.CloseNow()
		}
		h.running.Done()
	}()
	if !hijackable(w) {
		h.refuse(w, http.StatusBadRequest, errUpgrade)
		return
	}
	// Origin is checked below, so that a browser learns of it by a close code.
	answer := &upgrade{ResponseWriter: w}
	var err error
	conn, err = websocket.Accept(answer, r, &websocket.AcceptOptions{
		Subprotocols: []string{Subprotocol}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		h.refuse(w, http.StatusBadRequest, errUpgrade)
		return
	}
	s := &session{h: h, conn: conn, socket: answer.socket, limits: newFrameLimit(h.Limits)}
	conn.SetReadLimit(h.Limits.FrameBytes)
	known := false
	err = errOrigin
	if h.originAllowed(r) {
		known, err = s.identify(r)
	}
	// Nothing of the request, nor the HTTP server's goroutine with its large stack,
	// stays with the connection.
	serving = true
	go func() {
		defer h.running.Done()
		s.serve(known, err)
	}()
}

func (h *Handler) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping.Err() != nil {
		return false
	}
	h.running.Add(1)
	return true
}

// Stop closes every connection with CloseRestart and waits until all have ended,
// or the context has. New ones are refused. Connections end by themselves within
// about a second more, whatever their clients do.
func (h *Handler) Stop(ctx context.Context) error {
	h.mu.Lock()
	h.stop(errRestart)
	h.mu.Unlock()
	h.Feed.Hub().Close(errRestart)
	done := make(chan struct{})
	go func() { h.running.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// originAllowed lets through what is no browser, the server's own pages, and
// the origins of the Config, compared whole (RFC 6455, section 10.2).
func (h *Handler) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(h.Origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}
