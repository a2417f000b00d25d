package client_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/client"
)

// documented reads the codes of errors.md, and the status of each. A code of two
// statuses has the latter: invalid_token, of which a reply says 401's.
func documented(t *testing.T) map[string]int {
	t.Helper()
	table, err := os.ReadFile("../httpapi/errors.md")
	must(t, err)
	codes := make(map[string]int)
	for _, m := range regexp.MustCompile("(?m)^\\| (\\d{3}) \\| `(\\w+)` \\|").FindAllSubmatch(table, -1) {
		status, err := strconv.Atoi(string(m[1]))
		must(t, err)
		codes[string(m[2])] = max(codes[string(m[2])], status)
	}
	return codes
}

// refusing is a server that refuses to send to a chat with the code that is the
// chat's id: over HTTP with its status, else 400, over the socket without.
func refusing(t *testing.T, statuses map[string]int) (*client.Client, *client.Socket) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chats/{code}/messages", func(w http.ResponseWriter, r *http.Request) {
		code := r.PathValue("code")
		refuse(cmp.Or(statuses[code], http.StatusBadRequest), code, "")(w, r)
	})
	mux.HandleFunc("GET /v1/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"wigwag.v1"}})
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		reply := any(api.Hello{Type: api.FrameHello, Epoch: "e"})
		for { // the token, then requests
			_, data, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			var f api.SendFrame
			if err := json.Unmarshal(data, &f); err != nil {
				t.Error(err)
			}
			if f.Type == api.FrameSend {
				reply = api.Reply{ReplyTo: f.ID, Error: &api.Failure{Code: f.ChatID, Message: "x"}}
			}
			if data, err = json.Marshal(reply); err == nil {
				err = conn.Write(r.Context(), websocket.MessageText, data)
			}
			if err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := client.New(server.URL, client.Options{
		HTTPClient: &http.Client{Transport: transport}, Tokens: client.Tokens{Access: "ann"}, Tries: 1,
		FirstWait: time.Millisecond, MaxWait: time.Millisecond,
	})
	must(t, err)
	socket, err := c.Connect(t.Context(), client.SocketOptions{FramesPerSecond: -1})
	must(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	return c, socket
}

// A failure is of one kind, whichever way it was told.
func TestKindsOverBothWays(t *testing.T) {
	statuses := documented(t)
	c, socket := refusing(t, statuses)
	kinds := make(map[errs.Kind]int)
	for code := range statuses {
		_, told := c.Send(t.Context(), code, api.SendMessage{Text: "x"})
		_, replied := socket.Send(t.Context(), code, api.SendMessage{Text: "x"})
		if errs.CodeOf(told) != code || errs.CodeOf(replied) != code || errs.KindOf(told) != errs.KindOf(replied) {
			t.Errorf("%s over HTTP: %v, %v; over the socket: %v, %v", code, told, errs.KindOf(told), replied, errs.KindOf(replied))
		}
		kinds[errs.KindOf(told)]++
	}
	if len(statuses) < 80 || len(kinds) < 11 {
		t.Errorf("%d codes, kinds %v: the table was not read", len(statuses), kinds)
	}
	for code, want := range map[string]errs.Kind{
		"storage_unavailable": errs.Unavailable, "outcome_unknown": errs.Unavailable, "timeout": errs.Unavailable,
		"storage_full": errs.StorageFull, "made_up": errs.Invalid,
	} {
		if _, err := socket.Send(t.Context(), code, api.SendMessage{Text: "x"}); errs.KindOf(err) != want {
			t.Errorf("%s is of kind %v, want %v", code, errs.KindOf(err), want)
		}
	}
}
