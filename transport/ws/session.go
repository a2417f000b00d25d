package ws

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// maxStarts bounds the readings of the heads at the start; two are usual.
const maxStarts = 16

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
	_ = s.writeNow(ctx, replyBody(f.ID, nil, err)) // the connection ends either way
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
	if err := s.id.Require(scopeRead); err != nil {
		return err
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
