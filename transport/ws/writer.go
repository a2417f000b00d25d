package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/hub"
)

const (
	eventsBytes = 256 << 10 // about, of a frame of events: a slow line needs time for each
	pongTimeout = 10 * time.Second
	idleBuffer  = 64 << 10 // memory that the handler keeps in one buffer
	idleItems   = 256
)

// buffer is memory for one frame that was read, or for all that is written at
// once. Connections borrow it: one that is idle has none.
type buffer struct {
	data  []byte
	items []hub.Item
}

func (h *Handler) borrow() *buffer { return h.buffers.Get().(*buffer) }

func (h *Handler) giveBack(b *buffer) {
	clear(b.items[:cap(b.items)])
	if cap(b.items) > idleItems {
		b.items = nil
	}
	if cap(b.data) > idleBuffer {
		b.data = nil
	}
	h.buffers.Put(b)
}

// readAll replaces the contents by everything of a reader.
func (b *buffer) readAll(r io.Reader) error {
	b.data = b.data[:0]
	for {
		if len(b.data) == cap(b.data) {
			b.data = append(b.data, make([]byte, max(512, cap(b.data)))...)[:len(b.data)]
		}
		n, err := r.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// ready lets a writer run, as the hub asks for one: but not before the hello.
func (s *session) ready() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.greeted {
		s.waiting = true
		return
	}
	s.running.Go(s.drain)
}

// release lets the writer run that was asked for before the hello.
func (s *session) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.greeted = true
	if s.waiting {
		s.running.Go(s.drain)
	}
}

// drain writes until nothing waits, or closes the connection.
func (s *session) drain() {
	b := s.h.borrow()
	defer s.h.giveBack(b)
	for {
		var err error
		b.items, err = s.queue.Take(b.items[:0])
		if err == nil && len(b.items) == 0 {
			return
		}
		if err == nil {
			err = s.writeItems(b)
		}
		if err != nil {
			s.queue.Fail(err)
			s.closeWith(err)
			return
		}
	}
}

const eventsHead, eventsTail = `{"type":"events","events":[`, `]}`

// writeItems sends answers as frames of their own, and events between them in
// one frame; all of them in one write, unless they are large.
func (s *session) writeItems(b *buffer) error {
	b.data = b.data[:0]
	for items := b.items; len(items) > 0; {
		if len(b.data) >= eventsBytes {
			if err := s.send(b.data); err != nil {
				return err
			}
			b.data = b.data[:0]
		}
		if answer := items[0]; answer.Alone {
			items = items[1:]
			b.data = appendHead(b.data, len(answer.Body))
			if len(answer.Body) < eventsBytes {
				b.data = append(b.data, answer.Body...)
				continue
			}
			if err := s.send(b.data, answer.Body); err != nil {
				return err
			}
			b.data = b.data[:0]
			continue
		}
		n, size := 0, len(eventsHead)+len(eventsTail)-1
		for n < len(items) && !items[n].Alone && size < eventsBytes {
			size += len(items[n].Body) + 1
			n++
		}
		b.data = append(appendHead(b.data, size), eventsHead...)
		for i := range items[:n] {
			if i > 0 {
				b.data = append(b.data, ',')
			}
			b.data = append(b.data, items[i].Body...)
		}
		b.data = append(b.data, eventsTail...)
		items = items[n:]
	}
	return s.send(b.data)
}

func (s *session) send(parts ...[]byte) error {
	if err := s.socket.send(parts...); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// writeNow sends one frame past the queue.
func (s *session) writeNow(body []byte) error {
	return s.send(appendHead(make([]byte, 0, maxFrameHead), len(body)), body)
}

// watch starts what happens by the clock: pings, and the end of the credential.
func (s *session) watch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.h.Now()
	s.expires, s.pingAt = s.id.ExpiresAt, now.Add(s.h.PingEvery)
	s.timer = time.AfterFunc(s.untilTick(now), s.tick)
}

// unwatch ends it.
func (s *session) unwatch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.timer.Stop()
}

func (s *session) untilTick(now time.Time) time.Duration {
	wait := s.pingAt.Sub(now)
	if !s.expires.IsZero() {
		wait = min(wait, s.expires.Sub(now))
	}
	return max(wait, time.Millisecond)
}

func (s *session) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	now := s.h.Now()
	if !s.expires.IsZero() && !now.Before(s.expires) {
		s.running.Go(func() { s.queue.Fail(auth.ErrTokenExpired) }) // which asks for a writer
		return
	}
	if !now.Before(s.pingAt) {
		s.pingAt = now.Add(s.h.PingEvery)
		if !s.pinging {
			s.pinging = true
			s.running.Go(s.ping)
		}
	}
	s.timer.Reset(s.untilTick(now))
}

// ping finds out whether the client is there, and whether its session still is.
func (s *session) ping() {
	defer func() {
		s.mu.Lock()
		s.pinging = false
		s.mu.Unlock()
	}()
	ctx, cancel := context.WithTimeout(s.ctx, pongTimeout)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil {
		s.queue.Fail(fmt.Errorf("%w: %w", errGone, err))
		return
	}
	// No event tells of a session that another node ended.
	if s.h.Check != nil {
		if err := s.h.Check(ctx, s.id); errors.Is(err, errs.Unauthenticated) {
			s.queue.Fail(err)
		}
	}
}
