// Package live turns what the services committed into events for those who are
// online: it encodes each event once, hands it to the hub, and pushes unread
// counts at most once a second a chat and user. The streaming transports,
// WebSocket first, connect clients to it.
package live

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// UnreadEvery is the least time between two unread counts of one chat and user.
const UnreadEvery = time.Second

// Counter counts what a user has not read; messaging.Service is one.
type Counter interface {
	Unread(ctx context.Context, userID, chatID string) (messaging.UnreadCount, error)
}

// Feed is a messaging.Publisher that delivers to live connections. It is safe
// for concurrent use, and never blocks on a connection.
type Feed struct {
	hub *hub.Hub
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	dirty map[unreadKey]struct{} // whose count has changed since it was last pushed
	wake  chan struct{}
}

type unreadKey struct{ user, chat string }

// Options tune a Feed; the zero value is ready for use.
type Options struct {
	Hub    hub.Options
	Logger *slog.Logger     // default slog.Default()
	Now    func() time.Time // default time.Now
}

// New makes a feed. Run pushes its unread counts.
func New(opt Options) *Feed {
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	if opt.Hub.Logger == nil {
		opt.Hub.Logger = opt.Logger
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Feed{
		hub: hub.New(opt.Hub), log: opt.Logger, now: opt.Now,
		dirty: make(map[unreadKey]struct{}), wake: make(chan struct{}, 1),
	}
}

// Hub returns the connections.
func (f *Feed) Hub() *hub.Hub { return f.hub }

// Publish delivers one commit.
func (f *Feed) Publish(c messaging.Committed) {
	for _, e := range c.UserEvents {
		f.user(e, len(c.Events) == 0)
	}
	for _, e := range c.Events {
		f.chat(e)
	}
	for _, w := range c.Marks {
		body := f.encode(api.FromWatermark(w, f.now()))
		f.hub.Publish(hub.Event{ChatID: w.ChatID, Body: body, Own: w.UserID})
	}
}

// user delivers an event of one user's own sequence.
func (f *Feed) user(e messaging.UserEvent, alone bool) {
	if f.hub.Connections(e.UserID) == 0 {
		return
	}
	if e.Type == messaging.ChatJoined && alone {
		// A new chat. Joining an old one takes effect at its event, in the chat's order.
		f.hub.Listen(e.UserID, e.ChatID, e.HeadSeq)
	}
	f.hub.SendUser(e.UserID, f.encode(api.FromUserEvent(e, nil)))
	if e.Type == messaging.OwnPosition || e.Type == messaging.MessageDeleted || e.Type == messaging.ChatLeft {
		f.recount(e.UserID, e.ChatID)
	}
}

// chat delivers an event of a chat's sequence.
func (f *Feed) chat(e messaging.Event) {
	out := hub.Event{ChatID: e.ChatID, Seq: e.Seq, Body: f.encode(api.Broadcast(e, ""))}
	switch e.Type {
	case messaging.MemberAdded:
		out.Join = e.UserID
	case messaging.MemberRemoved:
		out.Leave = e.UserID
	case messaging.MessageCreated:
		if e.Message != nil && e.Message.ClientID != "" {
			out.Own = e.Message.SenderID
			out.OwnBody = f.encode(api.Broadcast(e, out.Own))
		}
	}
	f.hub.Publish(out)
	if e.Type == messaging.MessageCreated || e.Type == messaging.MessageDeleted {
		f.hub.Listeners(e.ChatID, func(user string) {
			if e.Message == nil || user != e.Message.SenderID {
				f.recount(user, e.ChatID)
			}
		})
	}
}

// SessionsRevoked tells a user's connections, and fails those of the sessions
// with err before it returns.
func (f *Feed) SessionsRevoked(userID string, sessionIDs []string, err error) {
	for _, id := range sessionIDs {
		f.hub.SendUser(userID, f.encode(api.SessionRevoked(id, f.now())))
	}
	f.hub.End(userID, sessionIDs, err)
}

func (f *Feed) encode(e api.Event) []byte {
	body, err := json.Marshal(e)
	if err != nil { // no event has a value that JSON cannot hold
		f.log.Error("an event cannot be encoded", "type", e.Type, "error", err)
		return []byte(`{}`)
	}
	return body
}

// recount asks Run to push a user's unread count of a chat.
func (f *Feed) recount(user, chat string) {
	f.mu.Lock()
	f.dirty[unreadKey{user, chat}] = struct{}{}
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Run pushes unread counts until the context ends. Of many changes within
// UnreadEvery the latest count is pushed, once.
func (f *Feed) Run(ctx context.Context, counter Counter) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		}
		f.mu.Lock()
		dirty := f.dirty
		f.dirty = make(map[unreadKey]struct{})
		f.mu.Unlock()
		for k := range dirty {
			f.push(ctx, counter, k)
		}
		pause.Reset(UnreadEvery)
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
	}
}

func (f *Feed) push(ctx context.Context, counter Counter, k unreadKey) {
	if f.hub.Connections(k.user) == 0 {
		return
	}
	n, err := counter.Unread(ctx, k.user, k.chat)
	if err != nil {
		if ctx.Err() == nil {
			f.log.Warn("unread count not pushed", "error", err)
		}
		return
	}
	f.hub.SendUser(k.user, f.encode(api.FromUnread(k.chat, n, f.now())))
}
