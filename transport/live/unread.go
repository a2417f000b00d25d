package live

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// UnreadEvery is the least time between two unread counts of one chat and user.
const UnreadEvery = time.Second

// gather is how long changes of counts gather before Run looks at them.
const gather = 5 * time.Millisecond

// Counter counts what users have not read of a chat, and of all their chats, at
// most messaging.MaxUnread at once; messaging.Service is one.
type Counter interface {
	Unread(ctx context.Context, chatID string, userIDs []string) ([]messaging.UnreadCount, error)
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

// Run pushes unread counts, and receipts of crowded chats, until the context ends:
// the first change of a user's count of a chat at once, of later ones within
// UnreadEvery the latest, once.
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
	swept      time.Time
}

// pass pushes what is due and returns when to look again.
func (p *pusher) pass(ctx context.Context) time.Duration {
	now := time.Now()
	receipts := p.tellReceipts(now)
	chats, wait := p.due(now)
	for chat, users := range chats {
		for some := range slices.Chunk(users, messaging.MaxUnread) {
			if ctx.Err() == nil {
				p.push(ctx, chat, some)
			}
		}
		next := time.Now().Add(UnreadEvery)
		for _, user := range users {
			p.nextOfUser[unreadKey{user, chat}] = next
		}
	}
	if now.Sub(p.swept) >= UnreadEvery {
		p.swept = now
		maps.DeleteFunc(p.nextOfChat, func(_ string, t time.Time) bool { return !now.Before(t) })
		maps.DeleteFunc(p.nextOfUser, func(_ unreadKey, t time.Time) bool { return !now.Before(t) })
	}
	return min(wait, receipts)
}

// due takes the changes that may be pushed, by chat; the others stay, until the
// first of them may.
func (p *pusher) due(now time.Time) (chats map[string][]string, wait time.Duration) {
	c := &p.unread
	c.mu.Lock()
	defer c.mu.Unlock()
	wait = UnreadEvery
	for chat, sender := range c.chats {
		if next := p.nextOfChat[chat]; now.Before(next) {
			wait = min(wait, next.Sub(now))
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
		if next := p.nextOfUser[k]; now.Before(next) {
			wait = min(wait, next.Sub(now))
			continue
		}
		delete(c.users, k)
		if p.hub.Connections(k.user) == 0 {
			continue
		}
		if chats == nil {
			chats = make(map[string][]string)
		}
		chats[k.chat] = append(chats[k.chat], k.user)
	}
	return chats, wait
}

func (p *pusher) push(ctx context.Context, chat string, users []string) {
	counts, err := p.counter.Unread(ctx, chat, users)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Warn("unread counts not pushed", "error", err)
		}
		return
	}
	key := "unread\x00" + chat
	for i, user := range users {
		p.hub.SendPassing(user, key, encode(api.FromUnread(chat, counts[i], p.now())))
	}
}
