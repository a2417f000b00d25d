package client

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/transport/api"
)

// Cursor is how far an application has come. It may be saved, as JSON say, and
// given to Connect by a later process. The zero Cursor has seen nothing.
type Cursor struct {
	Epoch    string           `json:"epoch"`
	UserSeq  int64            `json:"userSeq"`
	Chats    map[string]int64 `json:"chats"`
	Receipts map[string]int64 `json:"receipts"` // chat id to receipt version
}

func (c Cursor) clone() Cursor {
	c.Chats, c.Receipts = maps.Clone(c.Chats), maps.Clone(c.Receipts)
	if c.Chats == nil {
		c.Chats = make(map[string]int64)
	}
	if c.Receipts == nil {
		c.Receipts = make(map[string]int64)
	}
	return c
}

// SocketOptions sets up a Socket. The functions may be nil; all but Status are
// called one at a time by one goroutine of the socket, in order. They may call the
// socket, but for Close.
type SocketOptions struct {
	// Cursor is where to go on. With a zero one every chat is told from its first
	// event on, or by a Snapshot.
	Cursor Cursor
	// Event hears every event of every chat exactly once and in the order of its
	// sequence, whatever happens to the connection and the server; one's own in the
	// order of theirs; and what has no place in a sequence, which may be lost or
	// come twice. Receipts missed while away come as receipt events too.
	Event func(api.Event)
	// Snapshot replaces what the application has of a chat: it is too far behind.
	Snapshot func(api.ChatSync)
	// Reset tells to forget everything: the server's history is another one.
	// Every chat is told from the start after it.
	Reset func()
	// Reload tells that events of one's own were skipped: lists are to be loaded anew.
	Reload func()
	// Status hears nil for each connection made, and why each was lost. It must
	// return at once and call nothing here.
	Status func(error)

	FramesPerSecond float64       // sent at most; 0: 18, which the server's default lets pass; below 0: no limit
	PingEvery       time.Duration // 0: 30 s
	AnswerTimeout   time.Duration // of connecting and of each ping; 0: 10 s; then the server is gone
	// CallTimeout is how long each request, Send say, waits for its answer on one
	// connection; 0: 10 s. Then the connection is given up, as one whose other side
	// has vanished, and the request repeated on the next, until the caller's context ends.
	CallTimeout time.Duration
}

// Socket is a WebSocket that comes back by itself and resumes (SPEC RT-4). It is
// safe for concurrent use. Its goroutines end with Close.
type Socket struct {
	c       *Client
	opt     SocketOptions
	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	link   *link         // nil while there is no connection
	change chan struct{} // closed when link or err changes
	err    error         // why it has ended for good
	feed
}

var errClosed = errors.New("client: the socket is closed")

// Connect opens a socket and waits for its first connection, retrying until ctx
// ends, which has no say afterwards. errs.Unauthenticated when the server does not
// know who it is.
func (c *Client) Connect(ctx context.Context, o SocketOptions) (*Socket, error) {
	if o.FramesPerSecond == 0 {
		o.FramesPerSecond = 18
	}
	if o.PingEvery == 0 {
		o.PingEvery = 30 * time.Second
	}
	if o.AnswerTimeout == 0 {
		o.AnswerTimeout = 10 * time.Second
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = 10 * time.Second
	}
	s := &Socket{c: c, opt: o, change: make(chan struct{}), feed: newFeed(o.Cursor)}
	var life context.Context
	life, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.running.Go(func() { s.run(life) })
	s.running.Go(func() { s.tell(life) })
	if _, err := s.connected(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the connection and waits until all has ended, a handler that runs
// included. What the handlers were not told stays above the Cursor.
func (s *Socket) Close() error {
	s.stop()
	s.running.Wait()
	return nil
}

// Cursor returns how far the application was told. Called by a handler, it
// includes what the handler is told.
func (s *Socket) Cursor() Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told.clone()
}

// connected waits for a connection.
func (s *Socket) connected(ctx context.Context) (*link, error) {
	for {
		s.mu.Lock()
		l, err, change := s.link, s.err, s.change
		s.mu.Unlock()
		if l != nil && !l.lost() || err != nil {
			return l, err
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// set tells everybody who waits of another link, or of the end.
func (s *Socket) set(l *link, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link, s.err = l, err
	close(s.change)
	s.change = make(chan struct{})
}

func (s *Socket) status(err error) {
	if s.opt.Status != nil {
		s.opt.Status(err)
	}
}
