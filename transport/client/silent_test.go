package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/client"
)

// pipes listens in memory, so that its time is the bubble's.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error { close(p.done); return nil }

func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A server that has vanished behind an open connection costs a send no more than
// CallTimeout, and the message is not sent twice: it keeps its client id.
func TestSendOnASilentConnection(t *testing.T) {
	for name, tc := range map[string]struct {
		hears bool          // it still takes bytes, and answers pings
		limit time.Duration // CallTimeout
		want  time.Duration
	}{
		"takes nothing":           {false, 0, 10 * time.Second},
		"takes all, answers none": {true, 0, 10 * time.Second},
		"in the time given":       {true, 3 * time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := pipes{make(chan net.Conn), make(chan struct{})}
				sent := make(chan api.SendFrame, 10)
				silent := true // the first connection; the second one answers
				server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"wigwag.v1"}})
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.CloseNow()
					ctx, first := context.Background(), silent
					silent = false
					write := func(v any) {
						data, _ := json.Marshal(v)
						_ = conn.Write(ctx, websocket.MessageText, data)
					}
					if _, _, err := conn.Read(ctx); err != nil { // the token
						t.Error(err)
					}
					write(api.Hello{Type: api.FrameHello, Epoch: "e"})
					if first && !tc.hears {
						<-network.done
						return
					}
					for {
						_, data, err := conn.Read(ctx)
						if err != nil {
							return
						}
						var f api.SendFrame
						if json.Unmarshal(data, &f) != nil || f.Type != api.FrameSend {
							continue
						}
						sent <- f
						if !first {
							m, _ := json.Marshal(api.Message{ID: "m", Seq: 1})
							write(api.ServerFrame{ReplyTo: f.ID, OK: true, Data: m})
						}
					}
				})}
				go server.Serve(network)
				transport := &http.Transport{DialContext: network.dial, DisableKeepAlives: true}
				c, err := client.New("http://server", client.Options{
					HTTPClient: &http.Client{Transport: transport}, Tokens: client.Tokens{Access: "ann"},
					FirstWait: time.Millisecond, MaxWait: time.Millisecond,
				})
				must(t, err)
				var why error
				socket, err := c.Connect(t.Context(), client.SocketOptions{
					CallTimeout: tc.limit,
					Status: func(err error) {
						if err != nil && why == nil {
							why = err
						}
					},
				})
				must(t, err)
				began := time.Now()
				m, err := socket.Send(t.Context(), "chat", api.SendMessage{Text: "x"})
				if took := time.Since(began); err != nil || m.ID != "m" || took < tc.want || took > tc.want+100*time.Millisecond {
					t.Errorf("%+v, %v after %v", m, err, took)
				}
				must(t, socket.Close())
				must(t, server.Close())
				synctest.Wait()
				close(sent)
				var ids []string
				for f := range sent {
					ids = append(ids, f.ClientID)
				}
				if want := map[bool]int{false: 1, true: 2}[tc.hears]; len(ids) != want || ids[0] == "" || ids[len(ids)-1] != ids[0] {
					t.Errorf("sent as %q", ids)
				}
				if why == nil || !strings.Contains(why.Error(), "without an answer") {
					t.Errorf("lost by %v", why)
				}
			})
		})
	}
}

// The caller's own limit ends a call, and not the connection.
func TestCallersLimitLeavesTheConnection(t *testing.T) {
	s := newSite(t)
	socket, err := s.client("ann").Connect(t.Context(), client.SocketOptions{Status: func(err error) {
		if err != nil {
			t.Error(err)
		}
	}})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := socket.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	must(t, socket.Ping(t.Context()))
	must(t, socket.Close())
}
