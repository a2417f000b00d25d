package live

import (
	"context"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// UnreadEvery is the least time between two unread counts of one chat and user.
const UnreadEvery = time.Second

// gather is how long changes of counts gather before Run looks at them.
const gather = 5 * time.Millisecond

// Counter counts what a user has not read; messaging.Service is one.
type Counter interface {
	Unread(ctx context.Context, userID, chatID string) (messaging.UnreadCount, error)
}

type unreadKey struct{ user, chat string }

// changes are unread counts to be pushed: of whoever listens to a chat, and of
// single users. To note one is cheap: a busy chat has one entry.
type changes struct {
	mu    sync.Mutex
	chats map[string]string // chat id to the one who need not be told: the only sender; "" when all must
	users map[unreadKey]struct{}
	wake  chan struct{}
}

func newChanges() changes {
	return changes{chats: make(map[string]string), users: make(map[unreadKey]struct{}), wake: make(chan struct{}, 1)}
}

func (c *changes) ofChat(chat, sender string) {
	c.mu.Lock()
	if before, ok := c.chats[chat]; ok && before != sender {
		sender = ""
	}
	c.chats[chat] = sender
	c.mu.Unlock()
	c.signal()
}

func (c *changes) ofUser(user, chat string) {
	c.mu.Lock()
	c.users[unreadKey{user, chat}] = struct{}{}
	c.mu.Unlock()
	c.signal()
}

func (c *changes) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run pushes unread counts until the context ends: the first change of a user's
// count of a chat at once, of later ones within UnreadEvery the latest, once.
func (f *Feed) Run(ctx context.Context, counter Counter) {
	p := pusher{
		Feed: f, counter: counter,
		nextOfChat: make(map[string]time.Time), nextOfUser: make(map[unreadKey]time.Time),
	}
	due := time.NewTimer(UnreadEvery)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.unread.wake:
		case <-due.C:
		}
		due.Reset(p.pass(ctx))
		select {
		case <-ctx.Done():
			return
		case <-time.After(gather):
		}
	}
}

// pusher is the state of Run: when each count may be pushed again.
type pusher struct {
	*Feed
	counter    Counter
	nextOfChat map[string]time.Time
	nextOfUser map[unreadKey]time.Time
}

// pass pushes what is due and returns when to look again.
func (p *pusher) pass(ctx context.Context) (wait time.Duration) {
	now := time.Now()
	for _, k := range p.due(now) {
		if ctx.Err() == nil {
			p.push(ctx, k)
		}
		p.nextOfUser[k] = time.Now().Add(UnreadEvery)
	}
	wait = UnreadEvery
	for chat, t := range p.nextOfChat {
		if !now.Before(t) {
			delete(p.nextOfChat, chat)
		} else {
			wait = min(wait, t.Sub(now))
		}
	}
	for k, t := range p.nextOfUser {
		if !now.Before(t) {
			delete(p.nextOfUser, k)
		} else {
			wait = min(wait, t.Sub(now))
		}
	}
	return wait
}

// due takes the changes that may be pushed; the others stay.
func (p *pusher) due(now time.Time) (keys []unreadKey) {
	c := &p.unread
	c.mu.Lock()
	defer c.mu.Unlock()
	for chat, sender := range c.chats {
		if now.Before(p.nextOfChat[chat]) {
			continue
		}
		delete(c.chats, chat)
		p.nextOfChat[chat] = now.Add(UnreadEvery)
		for _, user := range p.hub.Listeners(chat) {
			if user != sender {
				c.users[unreadKey{user, chat}] = struct{}{}
			}
		}
	}
	for k := range c.users {
		if !now.Before(p.nextOfUser[k]) {
			delete(c.users, k)
			keys = append(keys, k)
		}
	}
	return keys
}

func (p *pusher) push(ctx context.Context, k unreadKey) {
	if p.hub.Connections(k.user) == 0 {
		return
	}
	n, err := p.counter.Unread(ctx, k.user, k.chat)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Warn("unread count not pushed", "error", err)
		}
		return
	}
	p.hub.SendUser(k.user, 0, encode(api.FromUnread(k.chat, n, p.now())))
}
