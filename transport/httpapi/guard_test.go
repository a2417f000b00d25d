package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/apicheck"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/httpapi"
)

// faulty is a messaging.Service whose Chat does as told.
type faulty struct {
	messaging.Service
	chat func(context.Context) error
}

func (f faulty) Chat(ctx context.Context, _, _ string) (messaging.ChatView, error) {
	return messaging.ChatView{}, f.chat(ctx)
}

func TestFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		chat   func(context.Context) error
		status int
		code   string
		retry  string
	}{
		"panic":     {func(context.Context) error { panic("secret: hunter2") }, 500, "internal", ""},
		"foreign":   {func(context.Context) error { return errors.New("secret: hunter2") }, 500, "internal", ""},
		"cancelled": {func(context.Context) error { return context.Canceled }, 503, "timeout", ""},
		"slow":      {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, 503, "timeout", ""},
		"rate limited": {func(context.Context) error {
			return errs.New(errs.RateLimited, "x_y", "Wait.").After(1500 * time.Millisecond)
		}, 429, "x_y", "2"},
		"rate limited, who knows how long": {func(context.Context) error { return errs.New(errs.RateLimited, "x_y", "Wait.") }, 429, "x_y", "1"},

		"full":  {func(context.Context) error { return errs.New(errs.StorageFull, "storage_full", "No room.") }, 507, "storage_full", ""},
		"quota": {func(context.Context) error { return errs.New(errs.Quota, "quota", "Used up.") }, 402, "quota", ""},
		"away":  {func(context.Context) error { return errs.New(errs.Unavailable, "busy", "Busy.") }, 503, "busy", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, func(c *httpapi.Config) {
				c.Messaging = faulty{c.Messaging, tc.chat}
				if name == "slow" {
					c.Timeout = 50 * time.Millisecond
				}
			})
			ada := a.signUp(adaPhone)
			got := a.must(tc.status, ada, "GET", "/v1/chats/x", "", "X-Request-Id", "trace-1.A_b")
			want(t, got, tc.code, "error", "code")
			want(t, got, "trace-1.A_b", "requestId")
			if got.header.Get("Retry-After") != tc.retry {
				t.Errorf("Retry-After %q, want %q", got.header.Get("Retry-After"), tc.retry)
			}
			if strings.Contains(got.raw, "hunter2") {
				t.Errorf("internals in %s", got.raw)
			}
			if log := a.log.String(); tc.status >= 500 && !strings.Contains(log, "requestId=trace-1.A_b") {
				t.Errorf("not in the log: %s", log)
			}
		})
	}
}

func TestRequestIDs(t *testing.T) {
	a := newApp(t, func(c *httpapi.Config) { c.NewRequestID = func() string { return "fresh" } })
	for given, id := range map[string]string{"": "fresh", "ok-1": "ok-1", strings.Repeat("x", 65): "fresh", "a b": "fresh", "a\"b": "fresh", "ä": "fresh"} {
		got := a.do(person{}, "GET", "/healthz", "", "X-Request-Id", given)
		if got.header.Get("X-Request-Id") != id {
			t.Errorf("for %q: %q, want %q", given, got.header.Get("X-Request-Id"), id)
		}
	}
}

func TestBodies(t *testing.T) {
	a := newApp(t, func(c *httpapi.Config) { c.MaxBody = 64 })
	ada := a.signUp(adaPhone)
	send := func(body io.Reader) answer {
		r := httptest.NewRequest("POST", "/v1/chats/x/messages", body)
		r.Header.Set("Content-Type", "application/json; charset=UTF-8")
		r.Header.Set("Authorization", "Bearer "+ada.access)
		return a.send(r)
	}
	chunked := io.MultiReader(strings.NewReader(`{"text":"`), strings.NewReader(strings.Repeat("x", 100)), strings.NewReader(`"}`))
	want(t, send(chunked), "body_too_large", "error", "code")
	want(t, send(broken{}), "invalid_body", "error", "code")
	want(t, send(strings.NewReader(`{"text":"fits"}`)), "chat_not_found", "error", "code")
}

// Routes that take no body take an empty one and {}, and refuse what they would pass over.
func TestNoBody(t *testing.T) {
	a := newApp(t, func(c *httpapi.Config) { c.MaxBody = 64 })
	ada := a.signUp(adaPhone)
	send := func(target, kind string, body io.Reader) answer {
		r := httptest.NewRequest("POST", target, body)
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		r.Header.Set("Authorization", "Bearer "+ada.access)
		return a.send(r)
	}
	for _, body := range []io.Reader{nil, strings.NewReader(""), io.MultiReader(), strings.NewReader("{}"), strings.NewReader(" {\n} ")} {
		kind := "application/json"
		if body == nil {
			kind = ""
		}
		if got := send("/v1/ws/ticket", kind, body); got.status != 201 {
			t.Errorf("%v is answered %d %s", body, got.status, got.raw)
		}
	}
	if got := send("/v1/ws/ticket", "application/x-www-form-urlencoded", io.MultiReader()); got.status != 201 {
		t.Errorf("no body of a form is answered %d %s", got.status, got.raw)
	}
	for _, target := range []string{"/v1/ws/ticket", "/v1/auth/logout", "/v1/groups/x/leave", "/v1/admin/keys/rotate"} {
		for _, body := range []func(string) io.Reader{
			func(s string) io.Reader { return strings.NewReader(s) },
			func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }, // of unknown length
		} {
			unknown := send(target, "application/json", body(`{"reason":"x"}`))
			want(t, unknown, "unknown_field", "error", "code")
			want(t, unknown, "reason", "error", "details", "field")
			want(t, send(target, "application/json", body(`[]`)), "invalid_json", "error", "code")
			want(t, send(target, "application/json", body(strings.Repeat(" ", 65))), "body_too_large", "error", "code")
			want(t, send(target, "text/plain", body(`{}`)), "unsupported_media_type", "error", "code")
		}
	}
	want(t, a.must(400, ada, "DELETE", "/v1/auth/sessions", `{"all":true}`), "unknown_field", "error", "code")
	a.must(204, ada, "DELETE", "/v1/auth/sessions", "{}")
}

func TestCredentialsThatEnd(t *testing.T) {
	a := newApp(t)
	ada := a.signUp(adaPhone)
	a.must(200, ada, "GET", "/v1/me", "")
	a.clock.advance(auth.AccessTTL + time.Second)
	want(t, a.must(401, ada, "GET", "/v1/me", ""), "token_expired", "error", "code")
	fresh := a.signUp(adaPhone)
	check(t, a.auth.Revoke(t.Context(), fresh.id, fresh.session))
	want(t, a.must(401, fresh, "GET", "/v1/me", ""), "token_revoked", "error", "code")
}

func TestNotReady(t *testing.T) {
	a := newApp(t, func(c *httpapi.Config) { c.Ping = func(context.Context) error { return errors.New("secret: hunter2") } })
	got := a.must(503, person{}, "GET", "/readyz", "")
	want(t, got, "not_ready", "error", "code")
	if strings.Contains(got.raw, "hunter2") || !strings.Contains(a.log.String(), "hunter2") {
		t.Error("the cause belongs in the log, and there alone")
	}
	a.must(200, person{}, "GET", "/healthz", "")
}

// host identifies people by a header, as a host application may.
type host struct{ auth.Authenticator }

func (host) Request(r *http.Request) (auth.Identity, error) {
	id := r.Header.Get("X-User")
	if id == "" {
		return auth.Identity{}, auth.ErrUnauthenticated
	}
	who := auth.Identity{UserID: id}
	if s := r.Header.Get("X-Scopes"); s != "" {
		who.Scopes = strings.Fields(s)
	}
	return who, nil
}

func TestHostIdentity(t *testing.T) {
	a := newApp(t, func(c *httpapi.Config) { c.Auth, c.Authenticator, c.Tickets = nil, host{}, nil })
	want(t, a.must(401, person{}, "GET", "/v1/me", ""), "unauthenticated", "error", "code")
	want(t, a.must(200, person{}, "GET", "/v1/me", "", "X-User", "host-7"), "host-7", "id")
	for _, r := range []string{"POST /v1/auth/login", "GET /v1/auth/sessions", "GET /.well-known/jwks.json", "GET /v1/ws", "POST /v1/ws/ticket", "POST /v1/admin/keys/rotate"} {
		method, target, _ := strings.Cut(r, " ")
		want(t, a.must(404, person{}, method, target, "", "X-User", "host-7"), "not_found", "error", "code")
	}
	limited := []string{"X-User", "host-7", "X-Scopes", "users:read messages:read"}
	a.must(200, person{}, "GET", "/v1/me", "", limited...)
	want(t, a.must(403, person{}, "PATCH", "/v1/me", `{"bio":"x"}`, limited...), "missing_scope", "error", "code")
	a.must(200, person{}, "PATCH", "/v1/me", `{"bio":"x"}`, "X-User", "host-7", "X-Scopes", "*")
}

func TestPrefix(t *testing.T) {
	a := newApp(t)
	ada := a.signUp(adaPhone)
	bare, err := httpapi.New(a.config)
	check(t, err)
	mux := http.NewServeMux()
	mux.Handle("/chat/api/", http.StripPrefix("/chat/api", bare))
	server := httptest.NewServer(mux)
	defer server.Close()
	defer server.Client().CloseIdleConnections()
	for target, status := range map[string]int{"/v1/me": 200, "/docs": 200, "/docs/docs.js": 200, "/openapi.json": 200, "/": 404} {
		r, err := http.NewRequest("GET", server.URL+"/chat/api"+target, nil)
		check(t, err)
		r.Header.Set("Authorization", "Bearer "+ada.access)
		resp, err := server.Client().Do(r)
		check(t, err)
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != status || resp.Request.URL.Path != "/chat/api"+target && status == 200 {
			t.Errorf("%s = %d at %s, want %d", target, resp.StatusCode, resp.Request.URL, status)
		}
		if target == "/openapi.json" && !strings.Contains(string(body), `"servers":[{"url":"./"}]`) {
			t.Error("the servers of the document are not relative")
		}
	}
}

func TestConfig(t *testing.T) {
	a := newApp(t)
	for name, spoil := range map[string]func(*httpapi.Config){
		"nobody to authenticate": func(c *httpapi.Config) { c.Auth = nil },
		"no users":               func(c *httpapi.Config) { c.Users = nil },
		"no messaging":           func(c *httpapi.Config) { c.Messaging = nil },
		"no groups":              func(c *httpapi.Config) { c.Groups = nil },
		"negative":               func(c *httpapi.Config) { c.MaxBody = -1 },
	} {
		c := a.config
		spoil(&c)
		if _, err := httpapi.New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// Two APIs in one process do not disturb each other.
	_ = apicheck.Wrap(t, a.Handler)
}

// TestErrorTable holds errors.md to the codes in the sources.
func TestErrorTable(t *testing.T) {
	table, err := os.ReadFile("errors.md")
	check(t, err)
	code := regexp.MustCompile(`errs\.(?:New\(errs\.\w+|Field\([^,]+), "([a-z_]+)"`)
	for _, dir := range []string{"../../auth", "../../users", "../../messaging", "../../groups", "../../phone/e164", "../../internal/batch", "../api", "../ws", "."} {
		files, err := filepath.Glob(dir + "/*.go")
		check(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			check(t, err)
			for _, m := range code.FindAllSubmatch(source, -1) {
				if !strings.Contains(string(table), "`"+string(m[1])+"`") {
					t.Errorf("errors.md lacks %s of %s", m[1], file)
				}
			}
		}
	}
}

// A client that sends its body too slowly is let go.
func TestSlowBody(t *testing.T) {
	a := newApp(t, func(c *httpapi.Config) { c.Timeout = 100 * time.Millisecond })
	ada := a.signUp(adaPhone)
	server := httptest.NewServer(a)
	defer server.Close()
	defer server.Client().CloseIdleConnections()
	body, writer := io.Pipe()
	go writer.Write([]byte(`{"text":`))
	defer writer.Close()
	r, err := http.NewRequest("POST", server.URL+"/v1/chats/x/messages", body)
	check(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+ada.access)
	resp, err := server.Client().Do(r)
	check(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", resp.StatusCode)
	}
}
