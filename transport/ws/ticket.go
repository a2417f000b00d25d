package ws

import (
	"encoding/base64"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
)

// TicketTTL is how long a ticket may be used, once.
const TicketTTL = 30 * time.Second

// Bounds of the tickets that wait to be used on this node.
const (
	maxTickets    = 100_000
	maxOfOneOwner = 32 // more than connections; the oldest make room
)

var (
	errTicket  = errs.New(errs.Unauthenticated, "invalid_ticket", "This ticket was used or has expired.")
	errTickets = errs.New(errs.Unavailable, "overloaded", "Too many connections are being made. Try again.").After(time.Second)
)

// tickets are held by the node that issued them: the client comes back to it at once.
type tickets struct {
	mu    sync.Mutex
	open  map[string]ticket
	owned map[string][]string // user id to names of tickets, oldest first
	order []string            // names, oldest first; some were used
}

type ticket struct {
	id      auth.Identity
	expires time.Time
}

func newTickets() tickets {
	return tickets{open: make(map[string]ticket), owned: make(map[string][]string)}
}

// Issue makes a ticket that stands for an identity in a WebSocket's URL (RT-1).
// It may be used once, on this node, within TicketTTL.
func (h *Handler) Issue(id auth.Identity) (string, time.Time, error) {
	raw := make([]byte, 24)
	t := &h.tickets
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := io.ReadFull(h.Rand, raw); err != nil {
		return "", time.Time{}, err
	}
	now := h.Now().UTC()
	t.expire(now)
	if mine := t.owned[id.UserID]; len(mine) >= maxOfOneOwner {
		t.drop(mine[0])
	}
	if len(t.open) >= maxTickets {
		return "", time.Time{}, errTickets
	}
	name, exp := base64.RawURLEncoding.EncodeToString(raw), now.Add(TicketTTL)
	t.open[name] = ticket{id, exp}
	t.owned[id.UserID] = append(t.owned[id.UserID], name)
	t.order = append(t.order, name)
	return name, exp, nil
}

func (h *Handler) redeem(name string) (auth.Identity, error) {
	t := &h.tickets
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.open[name]
	t.drop(name)
	if !ok || !h.Now().Before(k.expires) {
		return auth.Identity{}, errTicket
	}
	return k.id, nil
}

// expire lets go of what nobody used in time: all live equally long.
func (t *tickets) expire(now time.Time) {
	n := 0
	for _, name := range t.order {
		if k, ok := t.open[name]; ok && now.Before(k.expires) {
			break
		}
		t.drop(name)
		n++
	}
	t.order = t.order[n:]
	if len(t.order) > 2*len(t.open)+maxOfOneOwner {
		t.order = slices.DeleteFunc(t.order, func(name string) bool { _, ok := t.open[name]; return !ok })
	}
}

func (t *tickets) drop(name string) {
	k, ok := t.open[name]
	if !ok {
		return
	}
	delete(t.open, name)
	rest := slices.DeleteFunc(t.owned[k.id.UserID], func(n string) bool { return n == name })
	if len(rest) == 0 {
		delete(t.owned, k.id.UserID)
		return
	}
	t.owned[k.id.UserID] = rest
}
