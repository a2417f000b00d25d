package storagetest

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
)

// world is the whole product on the store under test, a clock that only the
// property moves, and people who signed up by phone.
type world struct {
	*R
	app    *wigwag.App
	disk   *disk
	clock  *clock
	outbox *outbox

	numbers *numbers
	crowd   []person  // signed up once, members of many cases
	chats   int       // opened so far
	ends    []func()  // what the property started itself
	failed  time.Time // when the first case failed; zero while none has
}

// shrinking bounds the search for a smaller case that fails, in real time.
const shrinking = 15 * time.Second

// person is somebody with an account.
type person struct {
	id, number, token, session string
}

func newWorld(r *R) *world {
	key, err := keys.Generate(nil)
	r.ok(err)
	w := &world{
		R: r, disk: &disk{Store: r.store, challenges: make(map[string]auth.StoredChallenge)},
		clock: &clock{now: epoch()}, outbox: &outbox{codes: make(map[string]string)}, numbers: &numbers{},
	}
	w.app, err = wigwag.Open(r.ctx, wigwag.Config{
		Store: w.disk, Keys: keys.NewRing(key),
		Auth: auth.Config{
			SMS: w.outbox, Algorithm: "ES256", // RS256 keys take long to make
			Limits: auth.Limits{IPOff: true, PrefixOff: true, CodesPerNumber: -1},
		},
		Now: w.clock.Now, Logger: slog.New(slog.DiscardHandler),
	})
	r.ok(err)
	return w
}

// atEnd has f called before the product stops.
func (w *world) atEnd(f func()) { w.ends = append(w.ends, f) }

func (w *world) stop() {
	for _, f := range w.ends {
		f()
	}
	// The rule's own context may have ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), 30*time.Second)
	defer cancel()
	if err := w.app.Stop(ctx); err != nil {
		w.record(fmt.Sprintf("stop: %v", err))
	}
}

// try runs one case and returns what is wrong, "" when the property holds. The
// case gets the world under an R of its own, whose first failure ends it. Two
// cases never share a moment.
func (w *world) try(f func(w *world)) string {
	if !w.failed.IsZero() && time.Since(w.failed) > shrinking {
		return "" // ends the search
	}
	c := *w
	c.R = &R{shop: w.shop, ctx: w.ctx, prefix: w.id("case") + ".", rng: w.rng}
	w.clock.pass(time.Second)
	w.chats++
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				c.record(fmt.Sprintf("panic: %v\n%s", p, stack()))
			}
		}()
		f(&c)
	}()
	<-done
	if c.failure != "" && w.failed.IsZero() {
		w.failed = time.Now()
	}
	return c.failure
}

// gather signs up the people that the cases share.
func (w *world) gather(n int) {
	w.crowd = w.signUpMany(n)
}

func (w *world) signUpMany(n int) []person {
	all := make([]person, n)
	w.race(n, func(i int) { all[i] = w.signUp() })
	return all
}

// signUp makes a person with a new number.
func (w *world) signUp() person { return w.signIn(w.numbers.next()) }

// signIn signs the owner of a number in, or up.
func (w *world) signIn(number string) person {
	c, err := w.app.Auth.StartPhone(w.ctx, number, "", auth.Client{})
	w.ok(err)
	t, err := w.app.Auth.VerifyPhone(w.ctx, c.SessionID, w.outbox.code(c.PhoneNumber), "", auth.Client{})
	w.ok(err)
	return person{t.UserID, c.PhoneNumber, t.AccessToken, t.SessionID}
}

// direct opens a chat of somebody new with one of the crowd.
func (w *world) direct() (chatID string, a, b person) {
	a, b = w.signUp(), w.crowd[w.chats%len(w.crowd)]
	chat, created, err := w.app.Messaging.OpenDirect(w.ctx, a.id, b.id)
	w.ok(err)
	if !created {
		w.Fatalf("the direct chat of a new user existed already")
	}
	return chat.ID, a, b
}

// group makes a group of n people of the crowd, other ones in each case. The
// first is its owner; the rest of the crowd is outside.
func (w *world) group(n int) (chatID string, inside, outside []person) {
	for i := range w.crowd {
		p := w.crowd[(i+w.chats)%len(w.crowd)]
		if i < n {
			inside = append(inside, p)
		} else {
			outside = append(outside, p)
		}
	}
	chat, _, err := w.app.Groups.Create(w.ctx, messaging.NewGroup{
		CreatorID: inside[0].id, Title: "A group", MemberIDs: ids(inside[1:]),
	})
	w.ok(err)
	return chat.ID, inside, outside
}

func ids(people []person) []string {
	out := make([]string, len(people))
	for i, p := range people {
		out[i] = p.id
	}
	return out
}

func (w *world) send(chatID string, from person, text string) messaging.Message {
	m, _, err := w.app.Messaging.Send(w.ctx, messaging.SendRequest{SenderID: from.id, ChatID: chatID, Text: text})
	w.ok(err)
	return m
}

func (w *world) edit(m messaging.Message, by person, text string) (messaging.Message, error) {
	return w.app.Messaging.Edit(w.ctx, messaging.EditRequest{UserID: by.id, ChatID: m.ChatID, MessageID: m.ID, Text: text})
}

func (w *world) delete(m messaging.Message, by person, everyone bool) error {
	return w.app.Messaging.Delete(w.ctx, messaging.DeleteRequest{
		UserID: by.id, ChatID: m.ChatID, MessageID: m.ID, ForEveryone: everyone,
	})
}

func (w *world) message(m messaging.Message, viewer person) (messaging.Message, error) {
	return w.app.Messaging.Message(w.ctx, viewer.id, m.ChatID, m.ID)
}

// history is everything that a viewer finds in a small chat.
func (w *world) history(chatID string, viewer person) []messaging.Message {
	all, err := w.app.Messaging.Messages(w.ctx, viewer.id, chatID, messaging.Window{Limit: messaging.MaxPage})
	w.ok(err)
	return all
}

// events are all events of a small chat, as a viewer is told of them.
func (w *world) events(chatID string, viewer person) []messaging.Event {
	all, err := w.app.Messaging.Events(w.ctx, viewer.id, chatID, 0, messaging.MaxSync)
	w.ok(err)
	return all
}

// synced is what a viewer's device without any state is told of a chat.
func (w *world) synced(chatID string, viewer person) messaging.ChatSync {
	heads := w.heads(viewer.id)
	answer, err := w.app.Messaging.Sync(w.ctx, messaging.SyncRequest{
		UserID: viewer.id, Epoch: heads.Epoch, UserSeq: heads.UserSeq, Chats: map[string]int64{chatID: 0}, Limit: messaging.MaxSync,
	})
	w.ok(err)
	if len(answer.Chats) != 1 || answer.Reset {
		w.Fatalf("%s syncs %d chats, want the one asked for (reset: %t)", viewer.id, len(answer.Chats), answer.Reset)
	}
	return answer.Chats[0]
}

// heads is where everything of a user stands, as the service tells it.
func (w *world) heads(userID string) messaging.Heads {
	h, err := w.app.Messaging.Heads(w.ctx, userID)
	w.ok(err)
	return h
}

// same demands that got is what was wanted. What is plainly equal is not
// compared field by field: properties compare much.
func (w *world) same(what string, want, got any, options ...cmp.Option) {
	if !reflect.DeepEqual(want, got) {
		w.R.same(what, want, got, options...)
	}
}

// view is a chat as one of its members sees it.
func (w *world) view(chatID string, viewer person) messaging.ChatView {
	v, err := w.app.Messaging.Chat(w.ctx, viewer.id, chatID)
	w.ok(err)
	return v
}

// clock tells a time that moves only when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// outbox is a telephone company that keeps the last code of each number.
type outbox struct {
	mu    sync.Mutex
	codes map[string]string
	sent  int
}

func (o *outbox) SendSMS(_ context.Context, to, text string) error {
	code := regexp.MustCompile(`\d{6}`).FindString(text)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.codes[to] = code
	o.sent++
	return nil
}

func (o *outbox) code(number string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.codes[number]
}

func (o *outbox) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent
}
