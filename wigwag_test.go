package wigwag_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ring(t *testing.T) *keys.Ring {
	t.Helper()
	key, err := keys.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return keys.NewRing(key)
}

// texts is an SMSSender that hands each text on.
type texts chan string

func (c texts) SendSMS(_ context.Context, _, text string) error { c <- text; return nil }

func open(t *testing.T, c wigwag.Config) *wigwag.App {
	t.Helper()
	c.Auth.Algorithm = "ES256" // RSA keys take long to make
	app, err := wigwag.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := app.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return app
}

func TestOpenRefusesAnotherKey(t *testing.T) {
	store := memory.New(memory.Options{})
	open(t, wigwag.Config{Store: store, Keys: ring(t)})
	if _, err := wigwag.Open(t.Context(), wigwag.Config{Store: store, Keys: ring(t)}); !errors.Is(err, keys.ErrWrongKey) {
		t.Errorf("Open = %v, want ErrWrongKey", err)
	}
}

func TestOpenNeedsAStoreAndKeys(t *testing.T) {
	if _, err := wigwag.Open(t.Context(), wigwag.Config{Keys: ring(t)}); err == nil {
		t.Error("Open without a store succeeds")
	}
	if _, err := wigwag.Open(t.Context(), wigwag.Config{Store: memory.New(memory.Options{})}); err == nil {
		t.Error("Open without keys succeeds")
	}
}

// Everything answers below a prefix of the host's choice: HTTP, the document,
// and the WebSocket. Ending a session ends its socket and its token before the call returns.
func TestBelowAPrefix(t *testing.T) {
	sms := make(texts, 1)
	app := open(t, wigwag.Config{Store: memory.New(memory.Options{}), Keys: ring(t), Auth: auth.Config{SMS: sms}})
	app.Start()
	mux := http.NewServeMux()
	mux.Handle("/chat/", http.StripPrefix("/chat", app.Handler()))
	server := httptest.NewServer(mux)
	defer server.Close()

	challenge, err := app.Auth.StartPhone(t.Context(), "+14155550123", "", auth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := app.Auth.VerifyPhone(t.Context(), challenge.SessionID, (<-sms)[:6], "Ann", auth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/chat"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for _, path := range []string{"/v1/me", "/v1/chats", "/openapi.json", "/docs", "/healthz", "/readyz", "/.well-known/jwks.json"} {
		if code := get(path); code != http.StatusOK {
			t.Errorf("GET %s: %d", path, code)
		}
	}

	conn, _, err := websocket.Dial(t.Context(), strings.Replace(server.URL, "http", "ws", 1)+"/chat/v1/ws", &websocket.DialOptions{
		Subprotocols: []string{"wigwag.v1"}, HTTPHeader: http.Header{"Authorization": {"Bearer " + tokens.AccessToken}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if _, hello, err := conn.Read(t.Context()); err != nil || !strings.Contains(string(hello), `"type":"hello"`) {
		t.Fatalf("the first frame is %s, %v", hello, err)
	}
	if err := app.Auth.Revoke(t.Context(), tokens.UserID, tokens.SessionID); err != nil {
		t.Fatal(err)
	}
	if code := get("/v1/me"); code != http.StatusUnauthorized {
		t.Errorf("GET /v1/me with a revoked token: %d", code)
	}
	for {
		if _, _, err = conn.Read(t.Context()); err != nil {
			break
		}
	}
	if code := websocket.CloseStatus(err); code != 4401 {
		t.Errorf("the socket ended with %v, want 4401", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestStopClosesTheStore(t *testing.T) {
	store := memory.New(memory.Options{})
	app := open(t, wigwag.Config{Store: store, Keys: ring(t)})
	app.Start()
	app.Start()
	for range 2 {
		if err := app.Stop(t.Context()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	}
	if err := store.Ping(t.Context()); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("Ping after Stop = %v, want ErrClosed", err)
	}
	app.Start() // must not bring anything back to life
}
