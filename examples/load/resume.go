package main

import (
	"context"
	"fmt"
	"time"
)

const resumePage = 200

// pause lets a server come back.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(100 * time.Millisecond):
		return nil
	}
}

// resume connects a member again: first the live connection, then what was
// missed from history, then whatever was sent and not answered once more, under
// the same client ids. A server that is not there yet is tried for as long as the
// context lives.
func (t *traffic) resume(ctx context.Context, m *member) error {
	m.conn.Load().close() // lets go of a sender that is stuck
	m.sending.Lock()
	defer m.sending.Unlock()
	for {
		c, _, err := t.b.dial(ctx, m.user)
		if err == nil {
			m.conn.Store(c)
			break
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	t.resumed.Add(1)
	if ctx.Err() != nil { // all connections have been closed, this one perhaps not
		m.conn.Load().close()
		return ctx.Err()
	}
	for {
		var page struct {
			Items []struct {
				ID, Text string
				Seq      int64
			}
		}
		path := fmt.Sprintf("/v1/chats/%s/messages?after=%d&limit=%d", m.chat, m.newest.Load(), resumePage)
		if err := t.b.api.call(ctx, "GET", path, m.user.token, nil, &page); err != nil {
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		}
		for _, item := range page.Items {
			if d, ok := t.scan.stored(item.ID, item.Text, item.Seq); ok {
				t.take(m, d, t.b.meter.elapsed())
			}
			m.newest.Store(max(m.newest.Load(), item.Seq))
		}
		if m.again = m.newest.Load(); len(page.Items) < resumePage {
			break
		}
	}
	if m.sends == nil {
		return nil
	}
	for n := range int(m.sends.ledger.sent.Load()) {
		if m.sends.ledger.record(n).seq.Load() != 0 {
			continue
		}
		if err := m.conn.Load().write(m.sends.template.set(n)); err != nil {
			return nil // the reader learns why, and resumes again
		}
	}
	return nil
}
