package ws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/hub"
)

const (
	writeTimeout = 10 * time.Second // of a frame, and a second more for each slowBytes
	slowBytes    = 64 << 10
	eventsBytes  = 256 << 10 // about, of a frame of events: a slow line needs time for each
	pongTimeout  = 10 * time.Second
	idleBuffer   = 64 << 10 // memory that an idle connection keeps for frames
	idleItems    = 256
)

// write sends what waits, pings now and then, and returns why it stopped.
func (s *session) write(ctx context.Context, running *sync.WaitGroup) error {
	var (
		items   []hub.Item
		buf     bytes.Buffer
		expires = s.id.ExpiresAt
		pingAt  = s.h.Now().Add(s.h.PingEvery)
		pinging atomic.Bool
	)
	for {
		select {
		case expires = <-s.expiry:
		default:
		}
		now := s.h.Now()
		if !expires.IsZero() && !now.Before(expires) {
			return auth.ErrTokenExpired
		}
		if !now.Before(pingAt) {
			pingAt = now.Add(s.h.PingEvery)
			if pinging.CompareAndSwap(false, true) { // beside the writer: events need not wait for the pong
				running.Go(func() {
					defer pinging.Store(false)
					s.ping(ctx)
				})
			}
		}
		wait := pingAt.Sub(now)
		if !expires.IsZero() {
			wait = min(wait, expires.Sub(now))
		}
		waitCtx, cancel := context.WithTimeout(ctx, wait)
		var err error
		items, err = s.queue.Next(waitCtx, items[:0])
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded): // time to ping, or to look whether the credential was renewed
		case err != nil:
			return err
		default:
			if err := s.writeItems(ctx, &buf, items); err != nil {
				return err
			}
			if clear(items); cap(items) > idleItems {
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

// ping finds out whether the client is there, and whether its session still is.
func (s *session) ping(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pongTimeout)
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
