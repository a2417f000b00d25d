// Package inproc is a bus between nodes in one process: for tests, and for programs that run
// several systems on one store.
package inproc

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/wigwag-chat/wigwag/transport/bus"
)

// maxWaiting is how many notes wait for a listener that does not keep up.
const maxWaiting = 1024

// ErrSlow ends a Listen that missed notes.
var ErrSlow = errors.New("inproc: the listener does not keep up")

// Bus carries notes to every Listen of the same Bus. The zero value is ready for use.
type Bus struct {
	mu        sync.Mutex
	listeners map[*listener]struct{}
}

var _ bus.Bus = (*Bus)(nil)

type listener struct {
	notes chan []byte
	slow  chan struct{} // closed when a note was lost
}

// Send implements bus.Bus.
func (b *Bus) Send(ctx context.Context, note []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	note = bytes.Clone(note)
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		select {
		case l.notes <- note:
		default:
			delete(b.listeners, l)
			close(l.slow)
		}
	}
	return nil
}

// Close implements bus.Bus. The other nodes go on.
func (b *Bus) Close() error { return nil }

// Listen implements bus.Bus.
func (b *Bus) Listen(ctx context.Context, ready func(), take func([]byte)) error {
	l := &listener{notes: make(chan []byte, maxWaiting), slow: make(chan struct{})}
	b.mu.Lock()
	if b.listeners == nil {
		b.listeners = make(map[*listener]struct{})
	}
	b.listeners[l] = struct{}{}
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, l)
	}()
	ready()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.slow:
			return ErrSlow
		case note := <-l.notes:
			take(note)
		}
	}
}
