package ws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

const (
	writeTimeout = 10 * time.Second
	pongTimeout  = 10 * time.Second
)

// Why the server ends a connection; closeWith maps each to its code.
var (
	errRestart         = errors.New("ws: restarting")
	errBadFrame        = errors.New("ws: bad frame")
	errUnauthenticated = errors.New("ws: not authenticated")
	errTooMany         = errors.New("ws: too many connections")
	errRate            = errors.New("ws: too many frames")
)

// session is one connection: this goroutine reads and answers frames one after
// the other, a second one writes what the hub's queue holds.
type session struct {
	h      *Handler
	conn   *websocket.Conn
	limits *rate.Limiter
	id     auth.Identity
	queue  *hub.Conn
	expiry chan time.Time // a renewed expiry, for the writer
}

func newFrameLimit(l Limits) *rate.Limiter {
	if l.Off {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(l.FramesPerSecond), l.FrameBurst)
}

func (s *session) serve(ctx context.Context, r *http.Request) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	replyTo, err := s.authenticate(ctx, r)
	if err != nil {
		s.closeWith(err)
		return
	}
	if s.queue, err = s.connect(ctx); err != nil {
		s.closeWith(err)
		return
	}
	defer s.queue.Close()
	if replyTo != "" {
		s.reply(replyTo, api.Empty{}, nil)
	}

	s.expiry = make(chan time.Time, 1)
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.closeWith(s.write(ctx))
	}()
	err = s.read(ctx)
	if s.queue.Err() == nil && websocket.CloseStatus(err) == -1 && !errors.Is(err, context.Canceled) {
		s.queue.Fail(err)
	}
	s.queue.Close() // ends the writer, after it has said why
	<-written
}

// authenticate finds out who it is: by the request, a ticket, or the first frame,
// whose id it returns.
func (s *session) authenticate(ctx context.Context, r *http.Request) (replyTo string, err error) {
	q := r.URL.Query()
	for _, name := range []string{"token", "access_token", "accessToken"} {
		if q.Has(name) { // a long-lived secret would stay in logs and histories
			return "", errUnauthenticated
		}
	}
	if name := q.Get("ticket"); name != "" {
		s.id, err = s.h.redeem(name)
		return "", err
	}
	s.id, err = s.h.Authenticator.Request(r)
	if err == nil || r.Header.Get("Authorization") != "" {
		return "", err
	}

	// Not a deadline of Read, which would cut the connection without a close code.
	late := time.AfterFunc(s.h.Limits.AuthWithin, func() { s.closeWith(errUnauthenticated) })
	data, err := s.next(ctx)
	if !late.Stop() && err == nil {
		err = errUnauthenticated
	}
	if err != nil {
		return "", err
	}
	var f api.AuthFrame
	if err := api.Decode(data, &f); err != nil || f.Type != api.FrameAuth {
		return "", errUnauthenticated
	}
	s.id, err = s.h.Authenticator.Token(ctx, f.Token)
	if err != nil {
		s.writeNow(ctx, replyBody(f.ID, nil, err))
		return "", err
	}
	return f.ID, nil
}

// connect brings the connection to life; see package hub for the order.
func (s *session) connect(ctx context.Context) (*hub.Conn, error) {
	if err := s.h.Users.Ensure(ctx, s.id.UserID); err != nil {
		return nil, err
	}
	live := s.h.Feed.Hub()
	c := live.Connect(s.id.UserID, s.id.SessionID)
	if !s.h.Limits.Off && live.Connections(s.id.UserID) > s.h.Limits.PerUser {
		c.Close()
		return nil, errTooMany
	}
	heads, err := s.h.Messaging.Heads(ctx, s.id.UserID)
	if err == nil {
		ids := make([]string, len(heads.Chats))
		for i, ch := range heads.Chats {
			ids[i] = ch.ChatID
		}
		c.Follow(ids)
		heads, err = s.h.Messaging.Heads(ctx, s.id.UserID)
	}
	if err == nil {
		err = s.hello(ctx, c, heads)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (s *session) hello(ctx context.Context, c *hub.Conn, heads messaging.Heads) error {
	hello := api.Hello{
		Type: api.FrameHello, SessionID: s.id.SessionID, UserID: s.id.UserID,
		Epoch: heads.Epoch, UserSeq: heads.UserSeq, ServerTime: s.h.Now().UTC(),
		Heads: make(map[string]int64, len(heads.Chats)), ReceiptVersions: make(map[string]int64, len(heads.Chats)),
	}
	for _, ch := range heads.Chats {
		hello.Heads[ch.ChatID], hello.ReceiptVersions[ch.ChatID] = ch.Seq, ch.ReceiptVersion
	}
	body, err := json.Marshal(hello)
	if err != nil {
		return err
	}
	if err := s.writeNow(ctx, body); err != nil {
		return err
	}
	c.Start(hello.Heads)
	// What ended the session between authentication and Connect has not met the
	// connection in the hub.
	if s.h.Check == nil {
		return nil
	}
	return s.h.Check(ctx, s.id)
}

// read answers frames until the connection ends or breaks a rule.
func (s *session) read(ctx context.Context) error {
	for {
		data, err := s.next(ctx)
		if err != nil {
			return err
		}
		if s.queue.Err() != nil {
			return nil // revoked, slow or restarting: what comes now no longer counts
		}
		if !s.limits.AllowN(s.h.Now(), 1) {
			return errRate
		}
		if err := s.frame(ctx, data); err != nil {
			return err
		}
	}
}

// next reads one text frame.
func (s *session) next(ctx context.Context) ([]byte, error) {
	kind, data, err := s.conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageText {
		return nil, errBadFrame
	}
	return data, nil
}

// write sends what waits, pings when nothing does, and returns why it stopped.
func (s *session) write(ctx context.Context) error {
	var (
		items   []hub.Item
		buf     bytes.Buffer
		expires = s.id.ExpiresAt
	)
	for {
		select {
		case expires = <-s.expiry:
		default:
		}
		wait := s.h.PingEvery
		if !expires.IsZero() {
			left := expires.Sub(s.h.Now())
			if left <= 0 {
				return errUnauthenticated
			}
			wait = min(wait, left)
		}
		waitCtx, cancel := context.WithTimeout(ctx, wait)
		var err error
		items, err = s.queue.Next(waitCtx, items[:0])
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			if wait == s.h.PingEvery {
				if err := s.ping(ctx); err != nil {
					return err
				}
			}
			continue
		case err != nil:
			return err
		}
		if err := s.writeItems(ctx, &buf, items); err != nil {
			return err
		}
		clear(items)
	}
}

// writeItems sends answers as frames of their own, and events between them in
// one frame.
func (s *session) writeItems(ctx context.Context, buf *bytes.Buffer, items []hub.Item) error {
	for len(items) > 0 {
		if items[0].Alone {
			if err := s.writeNow(ctx, items[0].Body); err != nil {
				return err
			}
			items = items[1:]
			continue
		}
		buf.Reset()
		buf.WriteString(`{"type":"events","events":[`)
		for n := 0; len(items) > 0 && !items[0].Alone; n++ {
			if n > 0 {
				buf.WriteByte(',')
			}
			buf.Write(items[0].Body)
			items = items[1:]
		}
		buf.WriteString(`]}`)
		if err := s.writeNow(ctx, buf.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) writeNow(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, body)
}

func (s *session) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pongTimeout)
	defer cancel()
	return s.conn.Ping(ctx)
}

// closeWith closes the connection with the code for a reason.
func (s *session) closeWith(err error) {
	switch {
	case errors.Is(err, hub.ErrClosed), errors.Is(err, context.Canceled):
		s.conn.CloseNow()
	case errors.Is(err, errRestart):
		s.conn.Close(CloseRestart, fmt.Sprintf(`{"retryAfterMs":%d}`, restartDelay.Milliseconds()))
	case errors.Is(err, hub.ErrSlow), errors.Is(err, hub.ErrGap):
		s.conn.Close(CloseSlow, "reconnect and sync")
	case errors.Is(err, errBadFrame):
		s.conn.Close(CloseBadFrame, "bad frame")
	case errors.Is(err, errTooMany):
		s.conn.Close(CloseTooMany, "too many connections")
	case errors.Is(err, errRate):
		s.conn.Close(CloseRateLimited, "too many frames")
	case errors.Is(err, errUnauthenticated), errors.Is(err, errTicket), errors.Is(err, errs.Unauthenticated), errors.Is(err, errs.Forbidden):
		s.conn.Close(CloseUnauthenticated, errs.CodeOf(err))
	default:
		s.h.Logger.Debug("websocket ended", "error", err)
		s.conn.Close(websocket.StatusInternalError, "")
	}
}

// restartDelay is after how long clients should come back to a restarted server.
const restartDelay = time.Second
