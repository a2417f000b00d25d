// Package client is the typed Go client of the HTTP and WebSocket interfaces. A
// Client makes calls; a [Socket] hears what happens, sends, reconnects and
// resumes, so that a program sees every event of its chats once and in order.
//
// Errors come back as they left the server: errors.Is(err, messaging.ErrChatNotFound)
// and errors.Is(err, errs.Unavailable) work as they do in the server's process.
// Calls that may be repeated without harm are repeated with growing waits while
// the server is unavailable; sends and new groups are among them, since the
// client names each so that a repeat is recognised.
package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
)

// Defaults of Options.
const (
	DefaultTries   = 5
	DefaultMaxWait = 5 * time.Second
)

// Options sets up a Client. The zero value is ready to use.
type Options struct {
	HTTPClient *http.Client // nil: one without a time limit of its own; contexts limit calls

	// Tokens to begin with, from an earlier OnTokens. Sign-ins and refreshes
	// replace them; OnTokens, if set, hears of each change before the call that
	// made it returns, and of zero Tokens when the session has ended.
	Tokens   Tokens
	OnTokens func(Tokens)
	// Authorize, if set, gives requests the host's own credentials instead of tokens.
	Authorize func(*http.Request) error

	Tries     int           // of a call that may be repeated; 0: DefaultTries, 1: no repeats
	FirstWait time.Duration // about, before the second try; 0: 200 ms; each later one is twice as long
	MaxWait   time.Duration // between tries; when the server asks for a longer one the error is returned; 0: DefaultMaxWait
}

// Client calls one server as one user. It is safe for concurrent use. No goroutine
// outlives a call, but for a refresh of tokens whose callers all gave up, 30 s at most.
type Client struct {
	base   *url.URL
	opt    Options
	tokens tokens
}

// New makes a client of the server at a base URL, which may have a path.
func New(base string, o Options) (*Client, error) {
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("client: the base is an http or https URL")
	}
	if o.Tries < 0 || o.FirstWait < 0 || o.MaxWait < 0 {
		return nil, errors.New("client: Options cannot be negative")
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{}
	}
	if o.Tries == 0 {
		o.Tries = DefaultTries
	}
	if o.FirstWait == 0 {
		o.FirstWait = 200 * time.Millisecond
	}
	if o.MaxWait == 0 {
		o.MaxWait = DefaultMaxWait
	}
	return &Client{base: u, opt: o, tokens: tokens{now: o.Tokens, flight: new(singleflight.Group)}}, nil
}

// Ready reports whether the server can serve.
func (c *Client) Ready(ctx context.Context) error {
	_, err := call[none](ctx, c, request{method: http.MethodGet, path: path("readyz"), anonymous: true})
	return err
}

// path joins the segments of an address; each is escaped.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}
