package storagetest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

// patience is how long a property waits for what must come.
const patience = 20 * time.Second

// device is a WebSocket of somebody, with the events that it heard.
type device struct {
	w      *world
	of     person
	conn   *websocket.Conn
	heard  chan api.Event
	answer chan api.ServerFrame
	ended  chan struct{} // closed when it no longer reads
}

// serve puts the product on the network, and lets its upkeep run.
func (w *world) serve() (url string) {
	w.app.Start()
	server := httptest.NewServer(w.app.Handler())
	w.atEnd(server.Close)
	return server.URL
}

// open connects a device, which has heard hello.
func (w *world) open(url string, of person) *device {
	header := http.Header{"Authorization": {"Bearer " + of.token}}
	conn, _, err := websocket.Dial(w.ctx, url+"/v1/ws", &websocket.DialOptions{HTTPHeader: header, Subprotocols: []string{ws.Subprotocol}}) //nolint:bodyclose // the connection has taken it over
	w.ok(err)
	conn.SetReadLimit(1 << 20)
	d := &device{
		w: w, of: of, conn: conn, heard: make(chan api.Event, 1000), answer: make(chan api.ServerFrame, 100), ended: make(chan struct{}),
	}
	hello := make(chan struct{})
	go d.read(hello)
	select {
	case <-hello:
	case <-d.ended:
		w.Fatalf("a device was not greeted")
	}
	return d
}

func (d *device) read(hello chan struct{}) {
	defer close(d.ended)
	for {
		_, data, err := d.conn.Read(context.Background())
		if err != nil {
			return
		}
		var f api.ServerFrame
		if json.Unmarshal(data, &f) != nil {
			return
		}
		switch {
		case f.Type == api.FrameHello:
			close(hello)
		case f.ReplyTo != "":
			d.answer <- f
		}
		for _, e := range f.Events {
			d.heard <- e
		}
	}
}

// ask sends a frame and demands that it is done.
func (d *device) ask(frame any) {
	data, err := json.Marshal(frame)
	d.w.ok(err)
	d.w.ok(d.conn.Write(d.w.ctx, websocket.MessageText, data))
	select {
	case f := <-d.answer:
		if !f.OK {
			d.w.Fatalf("%s is refused: %+v", strings.TrimSpace(string(data)), f.Error)
		}
	case <-d.ended:
		d.w.Fatalf("the connection ended over %s", data)
	}
}

func (d *device) close() {
	_ = d.conn.CloseNow() // the other side learns it either way
	<-d.ended
}

// await returns the next event that is wanted; others are passed over.
func (d *device) await(what string, wanted func(api.Event) bool) api.Event {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case e := <-d.heard:
			if wanted(e) {
				return e
			}
		case <-d.ended:
			d.w.Fatalf("the connection of %s ended before %s came", d.of.id, what)
		case <-late.C:
			d.w.Fatalf("%s did not come to %s", what, d.of.id)
		}
	}
}

// until demands that something becomes so, and looks again and again.
func (w *world) until(what string, so func() bool) {
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	late := time.NewTimer(patience)
	defer late.Stop()
	for !so() {
		select {
		case <-look.C:
		case <-late.C:
			w.Fatalf("%s is not so after %v", what, patience)
		}
	}
}
