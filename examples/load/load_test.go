package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/phone/e164"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outbox keeps the newest text to each number, as the example server does.
type outbox struct{ texts sync.Map }

func (o *outbox) SendSMS(_ context.Context, to, text string) error {
	o.texts.Store(to, text)
	return nil
}

func (o *outbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	items := []map[string]any{}
	if text, ok := o.texts.Load(r.URL.Query().Get("to")); ok {
		items = append(items, map[string]any{"channel": "sms", "text": text})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"items": items})
}

// network remembers connections, so that a test can cut them all.
type network struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (n *network) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, c)
	return c, err
}

func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		if c != nil {
			c.Close()
		}
	}
	n.conns = nil
}

// target is a whole server on the memory store, mounted below a prefix.
func target(t *testing.T, dev bool, limits ws.Limits) (url string, n *network) {
	t.Helper()
	key, err := keys.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	box := new(outbox)
	app, err := wigwag.Open(t.Context(), wigwag.Config{
		Store: memory.New(memory.Options{}), Keys: keys.NewRing(key), Limits: limits,
		Auth:   auth.Config{SMS: box, Phones: e164.Parser{Fictional: true}, Limits: auth.Limits{IPOff: true, PrefixOff: true}},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	app.Start()
	mux := http.NewServeMux()
	if dev {
		mux.Handle("GET /chat/dev/outbox", box)
	}
	mux.Handle("/chat/", http.StripPrefix("/chat", app.Handler()))
	server := httptest.NewUnstartedServer(mux)
	n = &network{Listener: server.Listener}
	server.Listener = n
	server.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := app.Stop(ctx); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return server.URL + "/chat", n
}

// loaded runs the program and returns its report.
func loaded(t *testing.T, args ...string) (r report) {
	t.Helper()
	dir := t.TempDir()
	var out, progress bytes.Buffer
	args = append(args, "-json", filepath.Join(dir, "r.json"), "-svg", filepath.Join(dir, "r.svg"))
	if err := run(t.Context(), args, &out, &progress); err != nil {
		t.Fatalf("%v\n%s%s", err, &progress, &out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(filepath.Join(dir, "r.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(svg, new(struct{ XMLName xml.Name })); err != nil || bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
		t.Errorf("the plot is no sound SVG: %v", err)
	}
	if !strings.Contains(out.String(), r.Description) || len(r.Errors) != 0 || r.Total == 0 || r.Ack.Count == 0 || len(r.Series) == 0 {
		t.Errorf("report %+v\n%s", r, &out)
	}
	return r
}

// whole wants everything sent to be acknowledged and delivered, once, in order, to so many.
func whole(t *testing.T, r report, fan int64) {
	t.Helper()
	a := r.Accounting
	want := accounting{Sent: a.Sent, Acknowledged: a.Sent, Expected: fan * a.Sent, Delivered: fan * a.Sent}
	if diff := cmp.Diff(want, *a); diff != "" || a.Sent == 0 {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
}

func TestModes(t *testing.T) {
	url, _ := target(t, true, ws.Limits{Off: true})
	short := []string{"-url", url, "-duration", "400ms", "-warmup", "100ms", "-interval", "50ms"}
	args := func(more ...string) []string { return append(short[:len(short):len(short)], more...) }

	t.Run("direct", func(t *testing.T) {
		r := loaded(t, args("-mode", "direct", "-senders", "3", "-inflight", "4")...)
		whole(t, r, 2)
	})
	t.Run("direct by schedule", func(t *testing.T) {
		r := loaded(t, args("-mode", "direct", "-senders", "3", "-rate", "100")...)
		whole(t, r, 2)
		if n := r.Accounting.Sent; n < 45 || n > 51 {
			t.Errorf("%d messages in half a second at 100 a second", n)
		}
	})
	t.Run("group", func(t *testing.T) {
		r := loaded(t, args("-mode", "group", "-members", "8", "-senders", "2")...)
		whole(t, r, 8)
	})
	t.Run("group with receipts", func(t *testing.T) {
		r := loaded(t, args("-mode", "group", "-members", "8", "-senders", "2", "-receipts", "20ms")...)
		told := r.Accounting.Receipts
		if r.Accounting.Receipts = 0; told < 16 { // each of eight, more than once
			t.Errorf("%d receipts", told)
		}
		whole(t, r, 8)
	})
	t.Run("history", func(t *testing.T) {
		loaded(t, args("-mode", "history", "-connections", "3", "-stored", "120")...)
		loaded(t, args("-mode", "history", "-connections", "1", "-stored", "50", "-rate", "50")...)
	})
	t.Run("idle", func(t *testing.T) {
		r := loaded(t, "-url", url, "-mode", "idle", "-connections", "20", "-users", "3", "-duration", "100ms", "-pid", "1")
		if r.Total != 20 || len(r.Memory) != 1 {
			t.Errorf("%d of 20 connections lived; memory %+v", r.Total, r.Memory)
		}
	})
	t.Run("storm", func(t *testing.T) {
		r := loaded(t, "-url", url, "-mode", "storm", "-connections", "5", "-chats", "3", "-missed", "7", "-rounds", "2")
		whole(t, r, 5)
		if r.Total != 10 || r.Accounting.Sent != 14 {
			t.Errorf("%d reconnects, %d messages", r.Total, r.Accounting.Sent)
		}
	})
}

// A network that fails in the middle costs time and no message: what was missed is
// read from history, what was not answered is sent again.
func TestResumes(t *testing.T) {
	url, n := target(t, true, ws.Limits{Off: true})
	for _, loop := range [][]string{{"-inflight", "8"}, {"-rate", "500"}} {
		var out bytes.Buffer
		file := filepath.Join(t.TempDir(), "r.json")
		args := append(loop, "-url", url, "-mode", "group", "-members", "6", "-senders", "3", "-warmup", "0", "-duration", "600ms", "-interval", "100ms", "-json", file)
		if err := run(t.Context(), args, &out, onProgress{n.cut}); err != nil {
			t.Errorf("%v\n%s", err, &out)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r report
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
		if a := r.Accounting; a.Resumed == 0 || len(r.Errors) == 0 || a.Acknowledged == 0 || a.Acknowledged != a.Sent || a.Delivered != 6*a.Sent {
			t.Errorf("%v: errors %v, accounts %+v", loop, r.Errors, a)
		}
	}
}

// Whoever interrupts a run gets the report of what was measured so far.
func TestInterrupted(t *testing.T) {
	url, _ := target(t, true, ws.Limits{Off: true})
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	err := run(ctx, []string{"-url", url, "-senders", "2", "-warmup", "0", "-duration", "1m", "-interval", "20ms"}, &out, onProgress{cancel})
	if err != nil || !strings.Contains(out.String(), "0 missing") {
		t.Errorf("%v\n%s", err, &out)
	}
}

// onProgress is a place for progress that does something at each sign of it.
type onProgress struct{ do func() }

func (o onProgress) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(" deliveries/s")) {
		o.do()
	}
	return len(p), nil
}

func TestRefusesTheTarget(t *testing.T) {
	for _, test := range []struct {
		name   string
		dev    bool
		limits ws.Limits
		want   string
	}{
		{"not in development mode", false, ws.Limits{Off: true}, "/dev/outbox"},
		{"limits on", true, ws.Limits{}, "-limits=off"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, _ := target(t, test.dev, test.limits)
			for _, args := range [][]string{
				{"-mode", direct, "-senders", "1"}, {"-mode", group, "-members", "2", "-senders", "1"},
				{"-mode", history, "-connections", "1"}, {"-mode", idle, "-connections", "1"}, {"-mode", storm, "-connections", "1"},
			} {
				err := run(t.Context(), append(args, "-url", url), io.Discard, io.Discard)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v: got %v, want a word about %s", args, err, test.want)
				}
			}
		})
	}
}

func TestRefusesFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-mode", "other"}, {"-url", "localhost:8080"}, {"-mode", "group", "-members", "5", "-senders", "6"}, {"-senders", "0"},
		{"-mode", "direct", "-chats", "3"}, {"-pid", "x"}, {"-duration", "20m"}, {"-size", "10"}, {"-inflight", "1024", "-size", "4096"}, {"surplus"},
		{"-mode", "idle", "-connections", "3", "-users", "4"}, {"-rate", "-1"},
		{"-receipts", "-1s"}, {"-receipts", "1ms"}, {"-mode", "history", "-receipts", "1s"},
	} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%v were taken", args)
		}
	}
	if _, err := parse([]string{"-h"}, io.Discard); !errors.Is(err, errHelp) {
		t.Errorf("-h: %v", err)
	}
}
