// Package httpapi is the public HTTP interface (SPEC RT-6): every service as
// JSON under /v1, the OpenAPI 3.1 document that describes it at /openapi.json,
// and a page that shows the document at /docs without the internet.
//
// The handler mounts on any mux, below any prefix:
//
//	mux.Handle("/chat/", http.StripPrefix("/chat", handler))
//
// Every answer that is no success has the body of [api.Error], on every path:
// unknown routes, malformed input and panics included (ERR-2).
package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/groups"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

// Defaults of Config.
const (
	DefaultMaxBody = 256 << 10
	DefaultTimeout = 30 * time.Second
)

// Tickets gives out what opens one WebSocket without a header.
type Tickets interface {
	Issue(who auth.Identity) (ticket string, expiresAt time.Time, err error)
}

// Config is what the handler is made of. Users, Messaging and Groups are required,
// and one of Auth and Authenticator.
type Config struct {
	Auth          auth.Service       // nil: the host identifies people; no route of /v1/auth is there
	Authenticator auth.Authenticator // tells who makes a request; nil: Auth
	Users         users.Service
	Messaging     messaging.Service
	Groups        groups.Service
	Tickets       Tickets // nil: there is no WebSocket, and no route about it
	// Typing tells the others of a chat that somebody is writing; nil: there is nobody to tell, and no route.
	Typing func(ctx context.Context, chatID, userID string, typing bool) error
	Ping   func(context.Context) error // for /readyz; nil: always ready

	ClientIP     func(*http.Request) string // nil: the host of RemoteAddr
	NewRequestID func() string              // nil: 26 random letters and digits
	Now          func() time.Time           // nil: time.Now
	Logger       *slog.Logger               // nil: slog.Default
	MaxBody      int64                      // bytes of a request's body; 0: DefaultMaxBody
	Timeout      time.Duration              // of a request, its body included; 0: DefaultTimeout
	Version      string                     // of the OpenAPI document; "": "dev"
}

type server struct {
	Config
	api huma.API
}

// New makes the handler, or says which part of the Config is missing. It starts
// no goroutines.
func New(c Config) (http.Handler, error) {
	if c.Authenticator == nil && c.Auth != nil {
		c.Authenticator = c.Auth
	}
	switch {
	case c.Authenticator == nil:
		return nil, errors.New("httpapi: Config.Auth or Config.Authenticator is required")
	case c.Users == nil || c.Messaging == nil || c.Groups == nil:
		return nil, errors.New("httpapi: Config.Users, Messaging and Groups are required")
	case c.MaxBody < 0 || c.Timeout < 0:
		return nil, errors.New("httpapi: Config.MaxBody and Timeout cannot be negative")
	}
	s := &server{Config: c.withDefaults()}
	mux := http.NewServeMux()
	s.api = humago.New(mux, s.humaConfig())
	if s.Auth != nil {
		s.signInRoutes()
		s.sessionRoutes()
	}
	s.peopleRoutes()
	s.relationRoutes()
	s.chatRoutes()
	s.messageRoutes()
	s.groupRoutes()
	s.operationRoutes()
	if err := s.serveDocument(mux); err != nil {
		return nil, err
	}
	return s.guard(mux), nil
}

func (c Config) withDefaults() Config {
	if c.Ping == nil {
		c.Ping = func(context.Context) error { return nil }
	}
	if c.ClientIP == nil {
		c.ClientIP = func(r *http.Request) string {
			host, _, err := net.SplitHostPort(r.RemoteAddr)
			if err != nil {
				return r.RemoteAddr
			}
			return host
		}
	}
	if c.NewRequestID == nil {
		c.NewRequestID = rand.Text
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.MaxBody == 0 {
		c.MaxBody = DefaultMaxBody
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	return c
}
