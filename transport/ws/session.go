package ws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
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

// session is one connection. One goroutine reads and answers frames one after
// the other; while something waits in the hub's queue a second one writes it. Pings
// and the end of the credential come by a timer.
type session struct {
	h      *Handler
	conn   *websocket.Conn // shakes hands, reads, and answers control frames
	socket *socket         // below it: what data is written to
	limits *rate.Limiter
	id     auth.Identity
	queue  *hub.Conn
	ctx    context.Context // of what its frames ask for
	cancel context.CancelFunc

	running sync.WaitGroup // besides the reader

	mu      sync.Mutex
	greeted bool // the hello is out
	waiting bool // a writer was asked for before
	ended   bool
	pinging bool
	timer   *time.Timer
	expires time.Time
	pingAt  time.Time
}

func newFrameLimit(l Limits) *rate.Limiter {
	if l.Off {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(l.FramesPerSecond), l.FrameBurst)
}

// serve runs the connection of somebody known, or to be known by the first frame,
// or refused.
func (s *session) serve(known bool, err error) {
	s.ctx, s.cancel = context.WithCancel(context.Background())
	defer s.cancel()
	defer s.conn.CloseNow()
	defer func() {
		if p := recover(); p != nil {
			s.h.Logger.Error("websocket ended", "error", fmt.Sprintf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	replyTo := ""
	if err == nil && !known {
		replyTo, err = s.introduce()
	}
	if err != nil {
		s.dismiss(err)
		return
	}
	peer := hub.Peer{
		UserID: s.id.UserID, SessionID: s.id.SessionID, Ready: s.ready,
		Failed: func() { time.AfterFunc(closeGrace, s.cut) },
	}
	if !s.h.Limits.Off {
		peer.Limit = s.h.Limits.PerUser
	}
	s.queue = s.h.Feed.Hub().Connect(peer)
	defer s.queue.Close()
	if err := s.greet(s.ctx); err != nil {
		s.dismiss(err)
		return
	}
	if replyTo != "" {
		s.reply(replyTo, api.Empty{}, nil)
	}
	s.h.Feed.Arrive(s.queue, s.id.UserID)
	defer s.h.Feed.Depart(s.queue, s.id.UserID)
	s.watch()
	defer s.running.Wait()
	defer s.unwatch()
	s.release()
	err = s.read(s.ctx)
	if errors.Is(err, websocket.ErrMessageTooBig) {
		s.socket.drain() // else the rest of the frame meets a reset, and the close code is lost
	}
	if errors.Is(err, errGone) {
		s.cut()
	}
	s.queue.Fail(err)
}

// cut ends whatever still reads, writes or is asked for.
func (s *session) cut() {
	s.cancel()
	s.socket.Close()
}

// identify finds out who it is by the request or a ticket; if neither says
// anything, the first frame has to.
func (s *session) identify(r *http.Request) (known bool, err error) {
	q := r.URL.Query()
	for _, name := range []string{"token", "access_token", "accessToken"} {
		if q.Has(name) { // a long-lived secret would stay in logs and histories
			return false, errUnauthenticated
		}
	}
	if name := q.Get("ticket"); name != "" {
		s.id, err = s.h.redeem(name)
		return true, err
	}
	s.id, err = s.h.Authenticator.Request(r)
	if err == nil || r.Header.Get("Authorization") != "" {
		return true, err
	}
	return false, nil
}

// introduce finds out who it is by the first frame, whose id it returns.
func (s *session) introduce() (replyTo string, err error) {
	b := s.h.borrow()
	defer s.h.giveBack(b)
	data, err := s.first(b)
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
		s.id, err = s.h.Authenticator.Token(s.ctx, f.Token)
	}
	if err == nil {
		return f.ID, nil
	}
	if len(f.ID) > maxFrameID {
		f.ID = ""
	}
	_ = s.writeNow(replyBody(f.ID, nil, err)) // the connection ends either way
	if errs.KindOf(err) == errs.Invalid {
		err = errUnauthenticated
	}
	return "", err
}

// first reads the first frame in time. Not by a deadline of the socket, which would
// cut the connection without a close code.
func (s *session) first(b *buffer) ([]byte, error) {
	late, done := context.WithTimeoutCause(s.h.stopping, s.h.Limits.AuthWithin, errUnauthenticated)
	defer done()
	closed := make(chan struct{})
	inTime := context.AfterFunc(late, func() {
		defer close(closed)
		time.AfterFunc(closeGrace, s.cut)
		s.closeWith(context.Cause(late))
	})
	data, err := s.next(b)
	if inTime() {
		return data, err
	}
	for err == nil {
		_, err = s.next(b)
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
		if !s.h.Feed.Start(s.queue, s.id.UserID, heads, hello.Heads) {
			continue
		}
		return s.writeNow(hello.AppendJSON(nil))
	}
	return hub.ErrGap
}

// read answers frames until the connection ends or breaks a rule.
func (s *session) read(ctx context.Context) error {
	for {
		if err := s.queue.Room(ctx); err != nil {
			return err
		}
		if err := s.readOne(ctx); err != nil {
			return err
		}
	}
}

func (s *session) readOne(ctx context.Context) error {
	kind, r, err := s.conn.Reader(context.Background()) // cut ends it
	if err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	b := s.h.borrow()
	defer s.h.giveBack(b)
	data, err := s.text(b, kind, r)
	if err != nil {
		return err
	}
	if err := s.queue.Err(); err != nil {
		return err // revoked, slow or restarting: what comes now no longer counts
	}
	if !s.limits.AllowN(s.h.Now(), 1) {
		return errRate
	}
	return s.frame(ctx, data)
}

// next reads one text frame.
func (s *session) next(b *buffer) ([]byte, error) {
	kind, r, err := s.conn.Reader(context.Background())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errGone, err)
	}
	return s.text(b, kind, r)
}

// text reads a frame that is no other than text; it is valid while b is.
func (s *session) text(b *buffer, kind websocket.MessageType, r io.Reader) ([]byte, error) {
	if err := b.readAll(r); err != nil {
		return nil, fmt.Errorf("%w: %w", errGone, err)
	}
	if kind != websocket.MessageText {
		return nil, errBadFrame
	}
	return b.data, nil
}
