package ws_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/live"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

func TestWhatIsNoHandshakeIsRefusedAsAnError(t *testing.T) {
	w := newWorld(t, nil)
	get := func(status int, code string) {
		t.Helper()
		resp, err := http.Get(w.url)
		must(t, err)
		defer resp.Body.Close()
		var body api.Error
		must(t, json.NewDecoder(resp.Body).Decode(&body))
		if resp.StatusCode != status || body.Error.Code != code || body.RequestID == "" || body.RequestID != resp.Header.Get("X-Request-Id") || body.Timestamp.IsZero() {
			t.Errorf("%d %+v", resp.StatusCode, body)
		}
	}
	defer http.DefaultClient.CloseIdleConnections()
	get(http.StatusBadRequest, "upgrade_required")
	must(t, w.h.Stop(t.Context()))
	get(http.StatusServiceUnavailable, "restarting")
}

func TestFirstFrames(t *testing.T) {
	w := newWorld(t, nil)
	for frame, code := range map[string]websocket.StatusCode{
		`{"type":"auth"`:                             ws.CloseBadFrame,
		`null`:                                       ws.CloseBadFrame,
		"{\"type\":\"auth\",\"token\":\"\xff\"}":     ws.CloseBadFrame,
		`{"type":"auth"}`:                            ws.CloseUnauthenticated,
		`{"type":"auth","token":7}`:                  ws.CloseUnauthenticated,
		`{"type":"auth","token":"ann","x":1}`:        ws.CloseUnauthenticated,
		`{"type":"auth","token":"a\u0000"}`:          ws.CloseUnauthenticated,
		`{"type":"message.send","chatId":"c"}`:       ws.CloseUnauthenticated,
		`{"type":"auth","token":"revoked","id":"1"}`: ws.CloseUnauthenticated,
	} {
		w.who.revoked["session-of-revoked"] = true
		c := w.dial(nil, "")
		c.write(websocket.MessageText, []byte(frame))
		if ce := c.closed(); ce.Code != code {
			t.Errorf("%s: closed with %d %q, want %d", frame, ce.Code, ce.Reason, code)
		}
	}
	c := w.dial(nil, "")
	c.write(websocket.MessageBinary, []byte(`{"type":"auth","token":"ann"}`))
	c.wantClose(ws.CloseBadFrame)
}

// raw speaks as much WebSocket as it takes to stop listening.
func (w *world) raw(header string) net.Conn {
	w.t.Helper()
	host := strings.TrimSuffix(strings.TrimPrefix(w.url, "http://"), "/v1/ws")
	conn, err := net.Dial("tcp", host)
	must(w.t, err)
	w.t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET /v1/ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n", host, header)
	line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
	if err != nil || !strings.Contains(line, "101") {
		w.t.Fatalf("handshake: %q, %v", line, err)
	}
	return conn
}

// until looks again and again whether something has come about.
func until(t *testing.T, done func() bool) {
	t.Helper()
	deadline := time.After(wait)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !done() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatal("it never came about")
		}
	}
}

func TestStopWaitsForNoClient(t *testing.T) {
	w := newWorld(t, nil)
	silent := w.dial(nil, "") // has not signed in
	w.raw("")                 // nor this one, and it does not read
	w.raw("Authorization: Bearer ann\r\n")
	w.open("ann/2")
	until(t, func() bool { return w.feed.Hub().Connections("ann") == 2 })
	done := make(chan error)
	begin := time.Now()
	go func() { done <- w.h.Stop(t.Context()) }()
	silent.wantClose(ws.CloseRestart)
	must(t, <-done)
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("Stop took %v", took)
	}
}

// A client whose window is full holds nothing for long.
func TestSlowClientIsGoneWithinSeconds(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Feed = live.New(live.Options{}) })
	w.raw("Authorization: Bearer ann\r\n")
	h := w.h.Feed.Hub()
	body := []byte(`{"type":"x","pad":"` + strings.Repeat("x", 64<<10) + `"}`)
	until(t, func() bool { return h.Connections("ann") == 1 })
	begin := time.Now()
	for h.Connections("ann") > 0 && time.Since(begin) < wait {
		h.SendUser("ann", 0, body)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("cutting it took %v", took)
	}
}

// panics breaks down when somebody sends "panic".
type panics struct{ messaging.Service }

func (p panics) Send(ctx context.Context, r messaging.SendRequest) (messaging.Message, bool, error) {
	if r.Text == "panic" {
		panic("a bug")
	}
	return p.Service.Send(ctx, r)
}

func TestAPanicIsAnInternalError(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Messaging = panics{c.Messaging} })
	chat := w.direct("ann", "bob")
	c, _ := w.open("ann")
	r := c.ask(fmt.Sprintf(`{"id":"1","type":"message.send","chatId":%q,"text":"panic"}`, chat))
	if r.OK || r.Error.Code != "internal" || strings.Contains(r.Error.Message, "bug") || r.ReplyTo != "1" {
		t.Errorf("reply %+v", r)
	}
	if logs := w.logs.String(); !strings.Contains(logs, "level=ERROR") || !strings.Contains(logs, "a bug") {
		t.Errorf("logged %q", logs)
	}
	if r := c.ask(fmt.Sprintf(`{"id":"2","type":"message.send","chatId":%q,"text":"fine"}`, chat)); !r.OK {
		t.Errorf("after it: %+v", r)
	}
}

func TestAnAnswerLargerThanTheQueue(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Limits.Off = true })
	w.feed.Hub() // its queues take 4 MiB of events
	chat := w.direct("ann", "bob")
	text := strings.Repeat("😀", messaging.MaxText)
	for range 320 {
		_, _, err := w.chats.Send(t.Context(), messaging.SendRequest{SenderID: "ann", ChatID: chat, Text: text})
		must(t, err)
	}
	bob, _ := w.open("bob")
	for range 3 { // asked for at once, answered one after the other
		bob.write(websocket.MessageText, fmt.Appendf(nil, `{"id":"s","type":"sync","limit":1000,"chats":{%q:0}}`, chat))
	}
	for range 3 {
		var a api.SyncAnswer
		r := bob.reply()
		must(t, json.Unmarshal(r.Data, &a))
		if len(a.Chats) != 1 || len(a.Chats[0].Events) != 320 || a.More {
			t.Fatalf("%d bytes, more %v", len(r.Data), a.More)
		}
	}
}

// Events that never pause do not keep an expired connection alive.
func TestABusyConnectionExpires(t *testing.T) {
	w := newWorld(t, nil)
	w.who.expires["ann"] = time.Now().Add(200 * time.Millisecond)
	c, _ := w.open("ann")
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Microsecond):
				w.feed.Hub().SendUser("ann", 0, []byte(`{}`))
			}
		}
	}()
	ce := c.closed()
	close(stop)
	<-done
	if ce.Code != ws.CloseUnauthenticated || ce.Reason != auth.ErrTokenExpired.Code() {
		t.Errorf("closed with %d %q", ce.Code, ce.Reason)
	}
}

func TestPing(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.PingEvery = 10 * time.Millisecond })
	pinged := make(chan struct{}, 100)
	conn, _, err := websocket.Dial(t.Context(), w.url, &websocket.DialOptions{
		HTTPHeader:     bearer("ann"),
		OnPingReceived: func(context.Context, []byte) bool { pinged <- struct{}{}; return true },
	})
	must(t, err)
	defer conn.CloseNow()
	go func() {
		for {
			if _, _, err := conn.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	for range 3 {
		<-pinged
	}
}

func TestTicketsAreBounded(t *testing.T) {
	began, passed := time.Now(), atomic.Int64{}
	w := newWorld(t, func(c *ws.Config) {
		c.Now = func() time.Time { return began.Add(time.Duration(passed.Load())) }
	})
	issue := func(user string) string {
		name, _, err := w.h.Issue(auth.Identity{UserID: user, SessionID: "s"})
		must(t, err)
		return name
	}
	eve := issue("eve")
	first := issue("ann")
	for range 32 {
		issue("ann")
	}
	w.dial(nil, "?ticket="+first).wantClose(ws.CloseUnauthenticated) // made room
	w.dial(nil, "?ticket="+eve).hello()
	late := issue("ann")
	passed.Add(int64(ws.TicketTTL))
	w.dial(nil, "?ticket="+late).wantClose(ws.CloseUnauthenticated)
	w.dial(nil, "?ticket="+issue("ann")).hello()
}

func TestLimitUnderContention(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Limits.PerUser = 5 })
	got := make(chan bool)
	for range 20 {
		go func() {
			conn, _, err := websocket.Dial(t.Context(), w.url, &websocket.DialOptions{HTTPHeader: bearer("ann")})
			if err == nil {
				_, _, err = conn.Read(t.Context())
				t.Cleanup(func() { conn.CloseNow() })
			}
			got <- err == nil
		}()
	}
	in := 0
	for range 20 {
		if <-got {
			in++
		}
	}
	if in != 5 {
		t.Errorf("%d connections, want 5", in)
	}
}

// broken is an Authenticator of a host that has a bug.
type broken struct{ *tokens }

func (broken) Request(*http.Request) (auth.Identity, error) { panic("a bug of the host's") }

// Whatever a host's code does after the handshake, no connection is left behind.
func TestPanicOfTheHostClosesTheConnection(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Authenticator = broken{} })
	conn := w.raw("Authorization: Bearer ann\r\n")
	must(t, conn.SetReadDeadline(time.Now().Add(wait)))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is still open")
	}
}
