package ws

import (
	"encoding/base64"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
)

// TicketTTL is how long a ticket may be used, once.
const TicketTTL = 30 * time.Second

// maxTickets bounds the tickets that wait to be used on this node.
const maxTickets = 100_000

// tickets are held by the node that issued them: the client comes back to it at once.
type tickets struct {
	mu   sync.Mutex
	open map[string]ticket
}

type ticket struct {
	id      auth.Identity
	expires time.Time
}

// Issue makes a ticket that stands for an identity in a WebSocket's URL (RT-1).
func (h *Handler) Issue(id auth.Identity) (string, time.Time, error) {
	raw := make([]byte, 24)
	if _, err := io.ReadFull(h.Rand, raw); err != nil {
		return "", time.Time{}, err
	}
	name := base64.RawURLEncoding.EncodeToString(raw)
	now := h.Now().UTC()

	t := &h.tickets
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.open) >= maxTickets {
		for n, old := range t.open {
			if !now.Before(old.expires) {
				delete(t.open, n)
			}
		}
		if len(t.open) >= maxTickets {
			return "", time.Time{}, errs.New(errs.Unavailable, "overloaded", "Too many connections are being made. Try again.").After(time.Second)
		}
	}
	exp := now.Add(TicketTTL)
	t.open[name] = ticket{id, exp}
	return name, exp, nil
}

var errTicket = errors.New("ws: ticket unknown, used or expired")

func (h *Handler) redeem(name string) (auth.Identity, error) {
	t := &h.tickets
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.open[name]
	delete(t.open, name)
	if !ok || !h.Now().Before(k.expires) {
		return auth.Identity{}, errTicket
	}
	return k.id, nil
}
