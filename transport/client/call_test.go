package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/client"
)

// script answers one request after the other, and repeats the last answer.
func script(t *testing.T, answers ...func(http.ResponseWriter, *http.Request)) (*client.Client, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := int(n.Add(1)) - 1
		answers[min(i, len(answers)-1)](w, r)
	}))
	t.Cleanup(func() { h.Client().CloseIdleConnections(); h.Close() })
	c, err := client.New(h.URL, client.Options{HTTPClient: h.Client(), FirstWait: time.Millisecond, MaxWait: 5 * time.Millisecond, Tries: 4})
	if err != nil {
		t.Fatal(err)
	}
	return c, &n
}

func refuse(status int, code, retryAfter string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"code":%q,"message":"x"},"timestamp":"2026-01-01T00:00:00Z","requestId":"r"}`, code)
	}
}

func accept(body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }
}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

func TestRepeats(t *testing.T) {
	get := func(c *client.Client) error { _, err := c.Me(t.Context()); return err }
	send := func(c *client.Client) error {
		_, err := c.Send(t.Context(), "c", api.SendMessage{Text: "x"})
		return err
	}
	edit := func(c *client.Client) error { _, err := c.Edit(t.Context(), "c", "m", "x"); return err }
	for name, tc := range map[string]struct {
		do      func(*client.Client) error
		answers []func(http.ResponseWriter, *http.Request)
		tries   int32
		want    errs.Kind // "" for success
	}{
		"unavailable, then well": {get, []func(http.ResponseWriter, *http.Request){refuse(503, "timeout", ""), refuse(503, "busy", ""), accept("{}")}, 3, ""},
		"unavailable for good":   {get, []func(http.ResponseWriter, *http.Request){refuse(503, "timeout", "")}, 4, errs.Unavailable},
		"a named send":           {send, []func(http.ResponseWriter, *http.Request){hangUp, refuse(503, "timeout", ""), accept("{}")}, 3, ""},
		"an edit":                {edit, []func(http.ResponseWriter, *http.Request){refuse(503, "timeout", "")}, 1, errs.Unavailable},
		"not found":              {get, []func(http.ResponseWriter, *http.Request){refuse(404, "user_not_found", "")}, 1, errs.NotFound},
		"internal":               {get, []func(http.ResponseWriter, *http.Request){refuse(500, "internal", "")}, 1, errs.Internal},
		"asked to wait for long": {get, []func(http.ResponseWriter, *http.Request){refuse(429, "x", "30")}, 1, errs.RateLimited},
		"no idea how long":       {get, []func(http.ResponseWriter, *http.Request){refuse(429, "x", "")}, 1, errs.RateLimited},
		"a proxy's own answer":   {edit, []func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) }}, 1, errs.Unavailable},
		"full":                   {send, []func(http.ResponseWriter, *http.Request){refuse(507, "storage_full", "")}, 1, errs.StorageFull},
		"no JSON":                {get, []func(http.ResponseWriter, *http.Request){accept("<html>")}, 1, errs.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			c, n := script(t, tc.answers...)
			err := tc.do(c)
			if tc.want == "" && err != nil || tc.want != "" && !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if n.Load() != tc.tries {
				t.Errorf("%d tries, want %d", n.Load(), tc.tries)
			}
		})
	}
}

func TestSendIsRepeatedUnderOneName(t *testing.T) {
	var bodies []string
	read := func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(b))
	}
	c, _ := script(t,
		func(w http.ResponseWriter, r *http.Request) { read(w, r); refuse(503, "timeout", "")(w, r) },
		func(w http.ResponseWriter, r *http.Request) { read(w, r); accept("{}")(w, r) })
	if _, err := c.Send(t.Context(), "c", api.SendMessage{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 2 || bodies[0] != bodies[1] || !strings.Contains(bodies[0], `"clientId":"`) {
		t.Errorf("bodies %q", bodies)
	}
}

func TestContextEnds(t *testing.T) {
	c, _ := script(t, refuse(503, "timeout", ""))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Me(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Me = %v", err)
	}
}

// TestRefreshOnce: many calls with an expired token share one refresh.
func TestRefreshOnce(t *testing.T) {
	s := newServer(t)
	var changes atomic.Int32
	ada, _ := s.signUp(t, "+12015550101", client.Options{OnTokens: func(client.Tokens) { changes.Add(1) }})
	before := ada.Tokens()
	s.clock.advance(auth.AccessTTL + time.Minute)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := ada.Me(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if after := ada.Tokens(); after == before || changes.Load() != 2 {
		t.Errorf("%d changes of tokens, want one for the sign-in and one for the refresh", changes.Load())
	}
	later := s.client(t, client.Options{Tokens: ada.Tokens()})
	if _, err := later.Me(t.Context()); err != nil {
		t.Error(err)
	}
	s.clock.advance(auth.RefreshTTL + time.Minute)
	if _, err := ada.Me(t.Context()); !errors.Is(err, auth.ErrTokenExpired) || ada.Tokens() != (client.Tokens{}) {
		t.Errorf("after a week: %v, %v", err, ada.Tokens())
	}
}

func TestNewRefuses(t *testing.T) {
	for _, base := range []string{"", "example.org", "ftp://example.org", "http://", "http://a b", ":"} {
		if _, err := client.New(base, client.Options{}); err == nil {
			t.Errorf("New(%q) made a client", base)
		}
	}
	if _, err := client.New("http://example.org", client.Options{Tries: -1}); err == nil {
		t.Error("New took a negative number of tries")
	}
}
