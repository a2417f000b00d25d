package storagetest

import (
	"context"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/users"
)

func storeRules() []rule {
	return []rule{
		{name: "store/answers a ping", check: answersPing,
			says: "Ping tells whether the store can serve."},
		{name: "store/ended context does nothing", check: endedContext,
			says: "Operations honour their context; when it ended before, nothing happened."},
		{name: "store/answers are copies", check: answersAreCopies,
			says: "What goes in and what comes out belongs to the caller, who may change it afterwards."},
		{name: "store/closed store answers so", check: closedStore,
			says: "Operations answer ErrClosed after Close. Closing twice is fine."},
		{name: "store/epoch stays", check: epochStays, reopens: true,
			says: "Epoch names this store's history. It changes when a backup is restored, and at no other time."},
		{name: "store/reopening keeps everything", check: reopenKeeps, reopens: true,
			says: "A write returns after it is durable: all that was acknowledged is there when the store is opened again."},
		{name: "store/stores are apart", check: storesAreApart,
			says: "Open returns a fresh store: what one keeps is in no other."},
	}
}

func answersPing(r *R) { r.ok(r.store.Ping(r.ctx)) }

// call is one operation of the contract with input that would succeed.
type call struct {
	name string
	do   func(ctx context.Context) error
}

// drop leaves the error alone of an operation's results.
func drop[T any](_ T, err error) error { return err }

// calls lists operations of all ports on what must exist already.
func (r *R) calls(s storage.Store, c room, m messaging.StoredMessage, owner, member, newcomer string) []call {
	at := r.now()
	a := auth.Account{ID: r.id("user"), Phone: r.phone(), Role: auth.RoleUser, CreatedAt: at, UpdatedAt: at}
	profile := users.StoredProfile{Profile: users.Profile{UserID: r.id("user"), CreatedAt: at, UpdatedAt: at}}
	secret := "secret-" + r.prefix + "ended"
	chat := r.newChat(messaging.Group, owner)
	rewrite, mark := c.rewrite(m, 2), messaging.Mark{ChatID: c.id, UserID: member, Read: true, UpTo: m.Seq, At: at}
	return []call{
		{"Ping", s.Ping},
		{"Secret", func(ctx context.Context) error { return drop(s.Keys().Secret(ctx, secret)) }},
		{"PutSecret", func(ctx context.Context) error { return drop(s.Keys().PutSecret(ctx, secret, []byte("x"))) }},
		{"EnsurePhone", func(ctx context.Context) error { _, _, err := s.Auth().EnsurePhone(ctx, a); return err }},
		{"Account", func(ctx context.Context) error { return drop(s.Auth().Account(ctx, a.ID)) }},
		{"SigningKeys", func(ctx context.Context) error { return drop(s.Auth().SigningKeys(ctx)) }},
		{"Create", func(ctx context.Context) error { return drop(s.Users().Create(ctx, profile)) }},
		{"Profiles", func(ctx context.Context) error { return drop(s.Users().Profiles(ctx, []string{profile.UserID})) }},
		{"Epoch", func(ctx context.Context) error { return drop(s.Messaging().Epoch(ctx)) }},
		{"CreateChat", func(ctx context.Context) error { return drop(s.Messaging().CreateChat(ctx, chat)) }},
		{"AddMembers", func(ctx context.Context) error {
			return drop(s.Messaging().AddMembers(ctx, messaging.AddMembers{
				ChatID: c.id, ActorID: owner, UserIDs: []string{newcomer}, Limit: 10, At: at}))
		}},
		{"RemoveMember", func(ctx context.Context) error {
			return drop(s.Messaging().RemoveMember(ctx, messaging.RemoveMember{
				ChatID: c.id, ActorID: owner, UserID: member, At: at}))
		}},
		{"Append", func(ctx context.Context) error {
			return drop(s.Messaging().Append(ctx, []messaging.NewMessage{c.message(owner)}))
		}},
		{"Edit", func(ctx context.Context) error { return drop(s.Messaging().Edit(ctx, rewrite)) }},
		{"Hide", func(ctx context.Context) error {
			return drop(s.Messaging().Hide(ctx, messaging.HideMessage{ChatID: c.id, MessageID: m.ID, UserID: member, At: at}))
		}},
		{"Delete", func(ctx context.Context) error {
			return drop(s.Messaging().Delete(ctx, messaging.DeleteMessage{ChatID: c.id, MessageID: m.ID, ActorID: owner, At: at}))
		}},
		{"Mark", func(ctx context.Context) error { return drop(s.Messaging().Mark(ctx, []messaging.Mark{mark})) }},
		{"Chat", func(ctx context.Context) error { return drop(s.Messaging().Chat(ctx, owner, c.id)) }},
		{"Messages", func(ctx context.Context) error { return drop(s.Messaging().Messages(ctx, owner, c.id, newest())) }},
		{"Events", func(ctx context.Context) error { return drop(s.Messaging().Events(ctx, owner, c.id, 0, 10)) }},
		{"UserEvents", func(ctx context.Context) error { return drop(s.Messaging().UserEvents(ctx, owner, 0, 10)) }},
		{"Unread", func(ctx context.Context) error { return drop(s.Messaging().Unread(ctx, c.id, []string{owner})) }},
		{"Heads", func(ctx context.Context) error { return drop(s.Messaging().Heads(ctx, owner)) }},
	}
}

func endedContext(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1])
	m := c.send(p[0])
	before, feeds := c.view(p[0]), [][]messaging.UserEvent{r.feed(p[0]), r.feed(p[1]), r.feed(p[2])}
	ended, cancel := context.WithCancel(r.ctx)
	cancel()
	for _, call := range r.calls(r.store, c, m, p[0], p[1], p[2]) {
		r.fails(call.name+" under an ended context", call.do(ended), context.Canceled)
	}
	late, cancel := context.WithDeadline(r.ctx, time.Now().Add(-time.Second))
	defer cancel()
	for _, call := range r.calls(r.store, c, m, p[0], p[1], p[2]) {
		r.fails(call.name+" after its deadline", call.do(late), context.DeadlineExceeded)
	}
	r.same("chat after operations under an ended context", before, c.view(p[0]), asSeenBy(p[0]))
	r.same("user events", feeds, [][]messaging.UserEvent{r.feed(p[0]), r.feed(p[1]), r.feed(p[2])})
	_, err := r.store.Keys().Secret(r.ctx, "secret-"+r.prefix+"ended")
	r.fails("secret that was put under an ended context", err, keys.ErrNoSecret)
}

func closedStore(r *R) {
	own := &R{shop: &shop{tb: r.tb, backend: r.backend, store: r.backend.Open(r.tb)}, ctx: r.ctx, prefix: r.prefix, rng: r.rng}
	defer func() { r.record(own.failure) }()
	p := own.people(3)
	c := own.group(p[0], p[1])
	m := c.send(p[0])
	calls := own.calls(own.store, c, m, p[0], p[1], p[2])
	r.ok(own.store.Close())
	r.ok(own.store.Close())
	for _, call := range calls {
		r.fails(call.name+" after Close", call.do(r.ctx), storage.ErrClosed)
	}
}

func storesAreApart(r *R) {
	other := r.backend.Open(r.tb)
	defer func() { _ = other.Close() }()
	p := r.people(1)
	c := r.group(p[0])
	_, err := other.Messaging().Chat(r.ctx, p[0], c.id)
	r.fails("chat of another store", err, messaging.ErrChatNotFound)
}

func answersAreCopies(r *R) {
	p := r.people(2)
	n := r.newChat(messaging.Group, p[0], p[1])
	c := r.create(n)
	item := c.message(p[0])
	item.ClientID = r.id("client")
	sent := r.append1(item)
	r.ok(sent.Err)
	scribble := func(bs ...[]byte) {
		for _, b := range bs {
			for i := range b {
				b[i] = '#'
			}
		}
	}
	want := c.get(p[0], item.ID)
	want.Body.Data, want.Digest = []byte("body of "+item.ID), []byte("digest of "+item.ID)
	scribble(n.Key.Data, item.Body.Data, item.Digest, sent.Message.Body.Data, sent.Message.Digest)
	n.Members[0].UserID = "#"
	again := c.get(p[0], item.ID)
	r.same("message after its input was changed", want, again)
	scribble(again.Body.Data, again.Digest)
	r.same("message after an answer was changed", want, c.get(p[0], item.ID))
	key, err := r.m().Key(r.ctx, c.id, "")
	r.ok(err)
	r.same("key after its input was changed", "wrapped key of "+c.id, string(key.Data))

	secret := []byte("sealed")
	_, err = r.store.Keys().PutSecret(r.ctx, "copies-"+r.prefix+"x", secret)
	r.ok(err)
	scribble(secret)
	got, err := r.store.Keys().Secret(r.ctx, "copies-"+r.prefix+"x")
	r.ok(err)
	r.same("secret after its input was changed", "sealed", string(got))
}

func epochStays(r *R) {
	before, err := r.m().Epoch(r.ctx)
	r.ok(err)
	if before == "" {
		r.Fatalf("the epoch has no name")
	}
	r.reopen()
	after, err := r.m().Epoch(r.ctx)
	r.ok(err)
	r.same("epoch after reopening", before, after)
	r.same("epoch in the heads", before, r.heads(r.id("user")).Epoch)
}

// reopenKeeps writes to every port, and reads the same before and after.
func reopenKeeps(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1])
	m := c.sendMany(p[0], 3)
	c.edit(m[0], 2)
	c.delete(p[0], m[1].ID)
	c.hide(p[1], m[2].ID)
	c.read(p[1], m[0].Seq)
	c.add(p[0], p[2])
	c.remove(p[0], p[1])
	name := c.message(p[0])
	name.ClientID = r.id("client")
	c.post(name)
	at := r.now()
	_, err := r.store.Keys().PutSecret(r.ctx, "reopen-"+r.prefix+"x", []byte("sealed"))
	r.ok(err)
	account := r.account()
	_, _, err = r.store.Auth().EnsurePhone(r.ctx, account)
	r.ok(err)
	session := r.session(account.ID)
	r.ok(r.store.Auth().CreateSession(r.ctx, session))
	profile := users.StoredProfile{
		Profile:     users.Profile{UserID: p[0], Username: "Ada", DisplayName: "Ada 👩‍💻", CreatedAt: at, UpdatedAt: at},
		UsernameKey: r.id("ada"),
	}
	_, err = r.store.Users().Create(r.ctx, profile)
	r.ok(err)

	look := func() []any {
		secret, err := r.store.Keys().Secret(r.ctx, "reopen-"+r.prefix+"x")
		r.ok(err)
		a, err := r.store.Auth().AccountByPhone(r.ctx, account.Phone)
		r.ok(err)
		s, err := r.store.Auth().Session(r.ctx, session.ID)
		r.ok(err)
		u, err := r.store.Users().ByUsername(r.ctx, profile.UsernameKey)
		r.ok(err)
		past, err := r.m().PastBodies(r.ctx, p[0], c.id, m[0].ID)
		r.ok(err)
		return []any{
			secret, a, s, u, past, c.view(p[0]), c.events(p[2]), c.members(p[0]), c.history(p[0], newest()),
			c.receipts(p[0], m[0].ID), r.unread(p[2], c.id), r.feed(p[0]), r.feed(p[1]), r.heads(p[0]),
		}
	}
	before := look()
	r.reopen()
	r.same("what is read after reopening", before, look())
	last := c.view(p[0]).HeadSeq
	r.same("next sequence after reopening", last+1, c.send(p[0]).Seq)
	again := r.append1(name)
	r.ok(again.Err)
	r.same("client id is known after reopening", true, again.Repeated)
}
