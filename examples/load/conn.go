package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	subprotocol  = "wigwag.v1"
	dialTimeout  = 30 * time.Second
	rateLimited  = websocket.StatusCode(4429)
	probedFrames = 100 // more than a server with its limits on lets through at once
)

// conn is one authenticated WebSocket. One goroutine reads; another may write.
type conn struct {
	ws    *websocket.Conn
	meter *meter
	buf   []byte
}

// hello is what the server says first.
type hello struct {
	Epoch   string
	UserSeq int64
	Heads   map[string]int64
}

// dial connects and reads the hello.
func (b *bench) dial(ctx context.Context, u user) (*conn, hello, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	ws, res, err := websocket.Dial(ctx, b.socketURL, &websocket.DialOptions{
		HTTPClient: b.api.http, Subprotocols: []string{subprotocol},
		HTTPHeader: http.Header{"Authorization": {"Bearer " + u.token}},
	})
	if err != nil {
		return nil, hello{}, fmt.Errorf("connect: %w", err)
	}
	if res.Body != nil {
		res.Body.Close()
	}
	ws.SetReadLimit(-1)
	c := &conn{ws: ws, meter: b.meter}
	stop := context.AfterFunc(ctx, c.close) // read has no deadline of its own
	data, err := c.read()
	if !stop() {
		err = errors.Join(ctx.Err(), err)
	}
	var h hello
	if err == nil {
		err = json.Unmarshal(data, &h)
	}
	if err != nil {
		c.close()
		return nil, hello{}, fmt.Errorf("hello: %w", err)
	}
	return c, h, nil
}

// read returns the next frame; it is valid until the next read.
func (c *conn) read() ([]byte, error) {
	_, r, err := c.ws.Reader(context.Background()) // close ends it
	if err != nil {
		return nil, err
	}
	c.buf = c.buf[:0]
	for {
		if len(c.buf) == cap(c.buf) {
			grown := make([]byte, len(c.buf), max(512, 2*cap(c.buf)))
			copy(grown, c.buf)
			c.buf = grown
		}
		n, err := r.Read(c.buf[len(c.buf):cap(c.buf)])
		c.buf = c.buf[:len(c.buf)+n]
		if errors.Is(err, io.EOF) {
			c.meter.in.Add(int64(len(c.buf)))
			return c.buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (c *conn) write(frame []byte) error {
	c.meter.out.Add(int64(len(frame)))
	return c.ws.Write(context.Background(), websocket.MessageText, frame)
}

// ask sends a frame and returns the reply to it, passing over events.
func (c *conn) ask(ctx context.Context, frame string) (json.RawMessage, error) {
	stop := context.AfterFunc(ctx, c.close)
	defer stop()
	if err := c.write([]byte(frame)); err != nil {
		return nil, err
	}
	for {
		data, err := c.read()
		if err != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
		var reply struct {
			ReplyTo *string
			OK      bool
			Data    json.RawMessage
			Error   struct{ Code string }
		}
		if err := json.Unmarshal(data, &reply); err != nil {
			return nil, err
		}
		switch {
		case reply.ReplyTo == nil:
		case !reply.OK:
			return nil, errors.New(reply.Error.Code)
		default:
			return reply.Data, nil
		}
	}
}

func (c *conn) close() { c.ws.CloseNow() }

// reason names why a connection ended, in few words, to count it by.
func reason(err error) string {
	if code := websocket.CloseStatus(err); code != -1 {
		return fmt.Sprintf("closed with %d", code)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "timeout"
	}
	text := err.Error()
	return text[strings.LastIndex(text, ": ")+1:]
}

// checkLimits refuses a server whose limits are on: it would be those that are measured.
func (b *bench) checkLimits(ctx context.Context, u user) error {
	c, _, err := b.dial(ctx, u)
	if err != nil {
		return err
	}
	defer c.close()
	for range probedFrames {
		if err = c.write([]byte(`{"id":"probe","type":"ping"}`)); err != nil {
			break
		}
	}
	stop := context.AfterFunc(ctx, c.close)
	defer stop()
	for n := 0; n < probedFrames; {
		data, err := c.read()
		if websocket.CloseStatus(err) == rateLimited {
			return errors.New("the server has its limits on: start it with -limits=off")
		}
		if err != nil {
			return fmt.Errorf("probe: %w", err)
		}
		if _, ok := replyTo(data); ok {
			n++
		}
	}
	return nil
}
