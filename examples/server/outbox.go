package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// outbox keeps what would leave by SMS or e-mail, so that a developer can read
// codes without a provider. It holds the newest keep items; it is served at
// /dev/outbox in development mode only.
type outbox struct {
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	items []outboxItem // oldest first
}

const keep = 10_000

type outboxItem struct {
	Channel string    `json:"channel"` // sms or email
	To      string    `json:"to"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

func (o *outbox) SendSMS(_ context.Context, to, text string) error {
	o.add(outboxItem{Channel: "sms", To: to, Text: text})
	return nil
}

func (o *outbox) SendMail(_ context.Context, to, subject, text string) error {
	o.add(outboxItem{Channel: "email", To: to, Text: subject + "\n\n" + text})
	return nil
}

func (o *outbox) add(item outboxItem) {
	item.At = o.now().UTC()
	o.mu.Lock()
	if len(o.items) == keep {
		o.items = append(o.items[:0], o.items[keep/2:]...)
	}
	o.items = append(o.items, item)
	o.mu.Unlock()
	o.log.Info("development outbox", "channel", item.Channel, "to", item.To, "text", item.Text)
}

// ServeHTTP answers GET /dev/outbox?to=… with what was sent to one address, or to
// all, newest first.
func (o *outbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	if strings.HasPrefix(to, " ") { // an unescaped + of a phone number
		to = "+" + to[1:]
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"items": o.sentTo(to)})
}

// sentTo returns the newest 200 items to an address, "" for all, newest first.
func (o *outbox) sentTo(to string) []outboxItem {
	found := []outboxItem{}
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := len(o.items) - 1; i >= 0 && len(found) < 200; i-- {
		if to == "" || o.items[i].To == to {
			found = append(found, o.items[i])
		}
	}
	return found
}
