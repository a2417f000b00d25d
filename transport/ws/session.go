package ws

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/transport/api"
)

const (
	writeTimeout = 10 * time.Second // of a frame, and a second more for each slowBytes
	slowBytes    = 64 << 10
	pongTimeout  = 10 * time.Second
	eventsBytes  = 256 << 10   // about, of a frame of events: a slow line needs time for each
	closeGrace   = time.Second // for a client to take the last frames and the close code
	maxStarts    = 16          // readings of the heads; two are usual
	idleBuffer   = 64 << 10    // memory that an idle connection keeps for frames
)

// Why the server ends a connection; closeWith maps each to its code.
var (
	errRestart         = errors.New("ws: restarting")
	errOrigin          = errors.New("ws: origin not allowed")
	errBadFrame        = errors.New("ws: bad frame")
	errUnauthenticated = auth.ErrUnauthenticated
	errRate            = errors.New("ws: too many frames")
	errGone            = errors.New("ws: the client is gone")
)

// session is one connection: one goroutine reads and answers frames one after
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

func (s *session) serve(r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()

	replyTo, err := s.authenticate(ctx, r)
	if err != nil {
		s.dismiss(err)
		return
	}
	peer := hub.Peer{
		UserID: s.id.UserID, SessionID: s.id.SessionID,
		Failed: func() { time.AfterFunc(closeGrace, cancel) }, // cuts whatever still reads or writes
	}
	if !s.h.Limits.Off {
		peer.Limit = s.h.Limits.PerUser
	}
	s.queue = s.h.Feed.Hub().Connect(peer)
	defer s.queue.Close()
	if err := s.greet(ctx); err != nil {
		s.dismiss(err)
		return
	}
	if replyTo != "" {
		s.reply(replyTo, api.Empty{}, nil)
	}

	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		err := s.write(ctx, &running)
		s.queue.Fail(err)
		s.closeWith(err)
	})
	err = s.read(ctx)
	if errors.Is(err, errGone) {
		cancel()
	}
	s.queue.Fail(err)
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
	data, err := s.first(ctx)
	if err != nil {
		return "", err
	}
	var f api.AuthFrame
	if head, err := readHead(data); err != nil || head.Type != api.FrameAuth {
		return "", cmp.Or(err, error(errUnauthenticated))
	}
	err = api.Decode(data, &f)
	if err == nil && len(f.ID) > maxFrameID {
		err = errFrameID
	}
	if err == nil {
		s.id, err = s.h.Authenticator.Token(ctx, f.Token)
	}
	if err == nil {
		return f.ID, nil
	}
	if len(f.ID) > maxFrameID {
		f.ID = ""
	}
	s.writeNow(ctx, replyBody(f.ID, nil, err))
	if errs.KindOf(err) == errs.Invalid {
		err = errUnauthenticated
	}
	return "", err
}

// first reads the first frame in time. Not by a deadline of Read, which would cut
// the connection without a close code.
func (s *session) first(ctx context.Context) ([]byte, error) {
	late, done := context.WithTimeoutCause(s.h.stopping, s.h.Limits.AuthWithin, errUnauthenticated)
	defer done()
	reading, cut := context.WithCancel(ctx)
	defer cut()
	closed := make(chan struct{})
	inTime := context.AfterFunc(late, func() {
		defer close(closed)
		time.AfterFunc(closeGrace, cut)
		s.closeWith(context.Cause(late))
	})
	data, err := s.next(reading)
	if inTime() {
		return data, err
	}
	for err == nil {
		_, err = s.next(reading)
	}
	<-closed
	return nil, errGone
}

// greet brings the connection to life, as package hub has it, and says hello.
func (s *session) greet(ctx context.Context) error {
	if err := s.queue.Err(); err != nil {
		return err
	}
	// What ended the session between authentication and Connect has not met the
	// connection in the hub.
	if s.h.Check != nil {
		if err := s.h.Check(ctx, s.id); err != nil {
			return err
		}
	}
	if err := s.h.Users.Ensure(ctx, s.id.UserID); err != nil {
		return err
	}
	for range maxStarts {
		heads, err := s.h.Messaging.Heads(ctx, s.id.UserID)
		if err != nil {
			return err
		}
		hello := api.Hello{
			Type: api.FrameHello, SessionID: s.id.SessionID, UserID: s.id.UserID,
			Epoch: heads.Epoch, UserSeq: heads.UserSeq, ServerTime: s.h.Now().UTC().Truncate(time.Microsecond),
			Heads: make(map[string]int64, len(heads.Chats)), ReceiptVersions: make(map[string]int64, len(heads.Chats)),
		}
		for _, ch := range heads.Chats {
			hello.Heads[ch.ChatID], hello.ReceiptVersions[ch.ChatID] = ch.Seq, ch.ReceiptVersion
		}
		if !s.queue.Start(hello.UserSeq, hello.Heads) {
			continue
		}
		body, err := json.Marshal(hello)
		if err != nil {
			return err
		}
		return s.writeNow(ctx, body)
	}
	return hub.ErrGap
}

// read answers frames until the connection ends or breaks a rule.
func (s *session) read(ctx context.Context) error {
	for {
		if err := s.queue.Room(ctx); err != nil {
			return err
		}
		data, err := s.next(ctx)
		if err != nil {
			return err
		}
		if err := s.queue.Err(); err != nil {
			return err // revoked, slow or restarting: what comes now no longer counts
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
		return nil, fmt.Errorf("%w: %w", errGone, err)
	}
	if kind != websocket.MessageText {
		return nil, errBadFrame
	}
	return data, nil
}

// write sends what waits, pings when nothing does, and returns why it stopped.
func (s *session) write(ctx context.Context, running *sync.WaitGroup) error {
	var (
		items   []hub.Item
		buf     bytes.Buffer
		expires = s.id.ExpiresAt
		pinging atomic.Bool
	)
	for {
		select {
		case expires = <-s.expiry:
		default:
		}
		wait, last := s.h.PingEvery, false
		if !expires.IsZero() {
			left := expires.Sub(s.h.Now())
			if left <= 0 {
				return auth.ErrTokenExpired
			}
			if left <= wait {
				wait, last = left, true
			}
		}
		waitCtx, cancel := context.WithTimeout(ctx, wait)
		var err error
		items, err = s.queue.Next(waitCtx, items[:0])
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded) && last: // it has expired, or was renewed just now
		case errors.Is(err, context.DeadlineExceeded):
			if pinging.CompareAndSwap(false, true) { // beside the writer: events need not wait for the pong
				running.Go(func() {
					defer pinging.Store(false)
					s.ping(ctx)
				})
			}
		case err != nil:
			return err
		default:
			if err := s.writeItems(ctx, &buf, items); err != nil {
				return err
			}
			if clear(items); cap(items) > 256 {
				items = nil
			}
			if buf.Cap() > idleBuffer {
				buf = bytes.Buffer{}
			}
		}
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
		for n := 0; len(items) > 0 && !items[0].Alone && buf.Len() < eventsBytes; n++ {
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
	ctx, cancel := context.WithTimeout(ctx, writeTimeout+time.Duration(len(body)/slowBytes)*time.Second)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, body); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

func (s *session) ping(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pongTimeout)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil {
		s.queue.Fail(fmt.Errorf("%w: %w", errGone, err))
	}
}

// dismiss closes a connection that nobody reads, and waits no longer than a moment
// for the client to agree.
func (s *session) dismiss(err error) {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() {
		for {
			if _, _, err := s.conn.Read(ctx); err != nil {
				return
			}
		}
	})
	s.closeWith(err)
}

// closeWith closes the connection with the code for a reason.
func (s *session) closeWith(err error) {
	code, reason := websocket.StatusInternalError, ""
	switch {
	case errors.Is(err, errGone), errors.Is(err, hub.ErrClosed), errors.Is(err, context.Canceled):
		s.conn.CloseNow()
		return
	case errors.Is(err, errRestart):
		code, reason = CloseRestart, fmt.Sprintf(`{"retryAfterMs":%d}`, restartDelay.Milliseconds())
	case errors.Is(err, hub.ErrSlow), errors.Is(err, hub.ErrGap):
		code, reason = CloseSlow, "reconnect and sync"
	case errors.Is(err, errOrigin):
		code, reason = CloseOrigin, "origin not allowed"
	case errors.Is(err, errBadFrame):
		code, reason = CloseBadFrame, "bad frame"
	case errors.Is(err, hub.ErrTooMany):
		code, reason = CloseTooMany, "too many connections"
	case errors.Is(err, errRate):
		code, reason = CloseRateLimited, "too many frames"
	case errors.Is(err, errs.Unauthenticated), errors.Is(err, errs.Forbidden):
		code, reason = CloseUnauthenticated, errs.CodeOf(err)
	case errors.Is(err, errs.Unavailable):
		code = websocket.StatusTryAgainLater
	default:
		s.h.Logger.Error("websocket ended", "error", err)
	}
	s.conn.Close(code, reason)
}

// restartDelay is after how long clients should come back to a restarted server.
const restartDelay = time.Second
