package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/wigwag-chat/wigwag/transport/api"
)

// link is one connection.
type link struct {
	conn  *websocket.Conn
	token string
	hello api.Hello
	limit *rate.Limiter
	kick  chan struct{} // holds one token while something is to be fetched
	gone  chan struct{} // closed when it has ended

	silent atomic.Bool // ended because a request had no answer

	mu      sync.Mutex
	last    int // number of the last request
	waiting map[string]chan api.ServerFrame
}

// dial connects, authenticates and reads the hello.
func (s *Socket) dial(ctx context.Context, token string) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.AnswerTimeout)
	defer cancel()
	address := s.c.base.String() + path("v1", "ws")
	var header http.Header
	if s.c.opt.Authorize != nil {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err == nil {
			err = s.c.opt.Authorize(r)
		}
		if err != nil {
			return nil, fmt.Errorf("client: authorize: %w", err)
		}
		header = r.Header
	} else if token == "" {
		return nil, errSignIn
	}
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{ //nolint:bodyclose // Dial says that there is no need
		HTTPClient: s.c.opt.HTTPClient, HTTPHeader: header, Subprotocols: []string{"wigwag.v1"},
	})
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	conn.SetReadLimit(maxAnswer)
	l := &link{
		conn: conn, token: token, limit: rate.NewLimiter(rate.Inf, 0),
		kick: make(chan struct{}, 1), gone: make(chan struct{}), waiting: make(map[string]chan api.ServerFrame),
	}
	if s.opt.FramesPerSecond > 0 {
		l.limit = rate.NewLimiter(rate.Limit(s.opt.FramesPerSecond), 40)
	}
	if err = l.greet(ctx, header == nil); err != nil {
		conn.CloseNow()
		return nil, err
	}
	return l, nil
}

// greet sends the token as the first frame, if it is to, and reads the hello.
func (l *link) greet(ctx context.Context, auth bool) error {
	if auth {
		if err := l.write(ctx, api.AuthFrame{FrameHead: api.FrameHead{Type: api.FrameAuth}, Token: l.token}); err != nil {
			return err
		}
	}
	for {
		_, data, err := l.conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("client: %w", err)
		}
		if err := json.Unmarshal(data, &l.hello); err != nil {
			return fmt.Errorf("client: hello: %w", err)
		}
		if l.hello.Type == api.FrameHello {
			return nil
		} // else the refusal; a close code follows
	}
}

func (l *link) write(ctx context.Context, frame any) error {
	body, err := json.Marshal(frame)
	if err == nil {
		err = l.conn.Write(ctx, websocket.MessageText, body)
	}
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	return nil
}

// serve reads until the connection ends, and returns why.
func (s *Socket) serve(ctx context.Context, l *link) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var tending sync.WaitGroup
	tending.Go(func() { cancel(s.tend(ctx, l)) }) // an error ends the reading too
	err := s.read(ctx, l)
	if ctx.Err() != nil && websocket.CloseStatus(err) == -1 {
		err = context.Cause(ctx)
	}
	if l.silent.Load() {
		err = errSilent
	}
	cancel(err)
	close(l.gone)
	l.conn.CloseNow()
	tending.Wait()
	return err
}

func (s *Socket) read(ctx context.Context, l *link) error {
	for {
		_, data, err := l.conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("client: %w", err)
		}
		var f api.ServerFrame
		if err := json.Unmarshal(data, &f); err != nil {
			return fmt.Errorf("client: frame: %w", err)
		}
		if f.Type == api.FrameEvents {
			if s.live(f.Events) {
				l.wake()
			}
			continue
		}
		l.mu.Lock()
		answer := l.waiting[f.ReplyTo]
		delete(l.waiting, f.ReplyTo)
		l.mu.Unlock()
		if answer != nil {
			answer <- f // never full: one answer for each
		}
	}
}

func (l *link) ping(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return l.conn.Ping(ctx)
}

// end gives up a connection whose other side is silent.
func (l *link) end() {
	l.silent.Store(true)
	l.conn.CloseNow()
}

func (l *link) lost() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

func (l *link) wake() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

var errLost = errors.New("client: the connection was lost")

var errSilent = errors.New("client: the server leaves a request without an answer")

// call makes one request on this connection, which it ends when there is no answer
// within some time. errLost: nobody knows what became of the request.
func (l *link) call(ctx context.Context, within time.Duration, frame func(api.FrameHead) any) (api.ServerFrame, error) {
	if err := l.limit.Wait(ctx); err != nil {
		return api.ServerFrame{}, fmt.Errorf("client: %w: %w", cmp.Or(context.Cause(ctx), context.DeadlineExceeded), err)
	}
	answer := make(chan api.ServerFrame, 1)
	l.mu.Lock()
	l.last++
	id := strconv.Itoa(l.last)
	l.waiting[id] = answer
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.waiting, id)
		l.mu.Unlock()
	}()
	silence := time.AfterFunc(within, l.end)
	defer silence.Stop()
	// Not under ctx: a frame that is torn would end the connection.
	if err := l.write(context.WithoutCancel(ctx), frame(api.FrameHead{ID: id})); err != nil {
		return api.ServerFrame{}, errLost
	}
	select {
	case f := <-answer:
		return f, nil
	case <-l.gone:
		return api.ServerFrame{}, errLost
	case <-ctx.Done():
		return api.ServerFrame{}, context.Cause(ctx)
	}
}
