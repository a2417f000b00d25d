package live

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/users"
)

const (
	// CheckEvery is how often a node looks whether it missed a hint.
	CheckEvery = 10 * time.Second
	// lostEvery is the same while the bus is lost: then nothing else tells.
	lostEvery = time.Second

	// gatherNotes is the least time between two notes: on a busy node one tells of many commits.
	gatherNotes = 20 * time.Millisecond

	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// Source is where a node reads what others have committed; messaging.Service is one.
type Source interface {
	News(ctx context.Context, p messaging.Places) (messaging.News, error)
}

// Reads is what Follow asks the services.
type Reads struct {
	News Source // required
	// Sessions tells the users of those of up to 1,000 sessions that have not ended; nil: none are checked.
	Sessions func(ctx context.Context, ids []string) (owners map[string]string, err error)
	Settings func(ctx context.Context, userID string) (users.Settings, error) // nil: there are none
}

// Follow tells the other nodes what is published here, and delivers what they
// publish, until the context ends; without a bus it returns at once. A hint that was lost is
// made up for within CheckEvery. Sessions that other nodes end are ended by their note,
// and when the bus was lost by asking which live.
func (f *Feed) Follow(ctx context.Context, r Reads) {
	if f.bus == nil {
		return
	}
	own, _ := json.Marshal(note{Node: f.node}) // a struct of strings cannot fail
	w := &follower{Feed: f, Reads: r, doubt: make(chan struct{}, 1), own: bytes.TrimSuffix(own, []byte("}"))}
	var running sync.WaitGroup
	running.Go(func() { w.tell(ctx) })
	running.Go(func() { w.listen(ctx) })
	running.Go(func() { w.watchSessions(ctx) })
	w.read(ctx)
	running.Wait()
}

// follower is the state of Follow.
type follower struct {
	*Feed
	Reads
	doubt chan struct{} // holds one token when sessions are to be checked
	own   []byte        // how this node's notes begin

	mu   sync.Mutex
	lost bool // the bus; no note comes
}

// tell sends notes of what was published here.
func (w *follower) tell(ctx context.Context) {
	wait := retries()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.hints.wake:
		}
		n, some := w.hints.take()
		if !some {
			continue
		}
		n.Node = w.node
		var err error
		for _, body := range n.encode() {
			if err = w.bus.Send(ctx, body); err != nil {
				break
			}
		}
		again := gatherNotes
		if err == nil {
			wait.Reset()
		} else {
			w.hints.again(n)
			again = wait.NextBackOff()
			if ctx.Err() == nil {
				w.log.Warn("other nodes could not be told", "error", err)
			}
		}
		if !pause(ctx, again) {
			return
		}
	}
}

// listen takes the notes of others.
func (w *follower) listen(ctx context.Context) {
	wait := retries()
	for {
		err := w.bus.Listen(ctx, func() { wait.Reset(); w.setLost(false) }, w.take)
		if ctx.Err() != nil {
			return
		}
		w.setLost(true)
		w.log.Warn("the bus is lost", "error", err)
		if !pause(ctx, wait.NextBackOff()) {
			return
		}
	}
}

// setLost notes whether the bus is lost. Either way something may have been missed.
func (w *follower) setLost(lost bool) {
	w.mu.Lock()
	w.lost = lost
	w.mu.Unlock()
	w.wanted.everything()
}

func (w *follower) every() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost {
		return lostEvery
	}
	return w.check
}

// take notes what another node hints at, as far as somebody listens here.
func (w *follower) take(body []byte) {
	if bytes.HasPrefix(body, w.own) {
		return
	}
	var n note
	if err := json.Unmarshal(body, &n); err != nil {
		w.log.Warn("a note of another node cannot be read", "error", err)
		w.wanted.everything()
		return
	}
	for _, s := range n.Ended {
		w.end(s.User, []string{s.ID}, auth.ErrTokenRevoked)
	}
	for _, p := range n.Typed {
		w.tellTyping(writer{p.Chat, p.User}, p.Typing)
	}
	for _, s := range n.Seen {
		w.present.tell([]string{s.ID}, s.Hide)
	}
	for _, u := range n.Users {
		if w.hub.Connections(u.ID) > 0 {
			w.wanted.user(u)
		}
	}
	for _, c := range n.Chats {
		if w.hub.Missed(c.ID) {
			w.wanted.chat(c)
		}
	}
	if n.All {
		w.wanted.everything()
	}
}

// read reads what is wanted and delivers it.
func (w *follower) read(ctx context.Context) {
	wait := retries()
	look := time.NewTimer(w.every())
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			w.wanted.everything()
			continue
		case <-w.wanted.wake:
		}
		all := w.wanted.takeAll()
		if all {
			w.wantAll()
			look.Reset(w.every())
			select {
			case w.doubt <- struct{}{}:
			default:
			}
		}
		for more := true; more && ctx.Err() == nil; {
			var chats []chatHint
			var users []userHint
			chats, users, more = w.wanted.take()
			err := w.readSome(ctx, chats, users)
			if err == nil {
				wait.Reset()
				continue
			}
			for _, c := range chats {
				w.wanted.chat(c)
			}
			for _, u := range users {
				w.wanted.user(u)
			}
			if ctx.Err() == nil {
				w.log.Warn("what other nodes committed could not be read", "error", err)
			}
			if !pause(ctx, wait.NextBackOff()) {
				return
			}
		}
	}
}

// wantAll wants every chat and user that somebody listens to.
func (w *follower) wantAll() {
	w.places.prune(w.hub)
	for _, id := range w.hub.Chats() {
		w.wanted.chat(chatHint{ID: id})
	}
	for _, id := range w.hub.Users() {
		w.wanted.user(userHint{ID: id})
	}
}

func (w *follower) readSome(ctx context.Context, chats []chatHint, users []userHint) error {
	var from messaging.Places
	for _, c := range chats {
		if head, behind := w.behind(c); behind {
			from.Chats = append(from.Chats, head)
		}
	}
	for _, u := range users {
		seq, known := w.places.user(u.ID)
		if !known {
			if u.Seq == 0 {
				continue
			}
			seq = u.Seq - 1
		}
		if u.Seq == 0 || seq < u.Seq {
			from.Users = append(from.Users, messaging.UserHead{UserID: u.ID, Seq: seq})
		}
	}
	if len(from.Chats)+len(from.Users) == 0 {
		return nil
	}
	news, err := w.News.News(ctx, from)
	if err != nil {
		return err
	}
	return w.deliverNews(ctx, news)
}

// behind tells from where a chat is to be read, if it is.
func (w *follower) behind(c chatHint) (from messaging.Head, behind bool) {
	last, known, listened := w.hub.Place(c.ID)
	version := w.places.version(c.ID)
	look := c.Seq+c.Version == 0
	if !listened || look && !known { // nobody is behind: who starts now reads the heads
		return from, false
	}
	if !known { // until he has, the newest waits for what is before it
		last = c.Seq - 1
		if c.Seq == 0 {
			last = math.MaxInt64
		}
	}
	return messaging.Head{ChatID: c.ID, Seq: last, ReceiptVersion: version}, look || last < c.Seq || version < c.Version
}

// deliverNews delivers own events first: who joins must hear of the chat before what happens in it.
func (w *follower) deliverNews(ctx context.Context, news messaging.News) error {
	for _, u := range news.Users {
		if err := w.tellSettings(ctx, u); err != nil {
			return err
		}
		w.deliver(messaging.Committed{UserEvents: u.Events})
		last := u.Seq
		if n := len(u.Events); n > 0 && u.Events[n-1].Seq < u.Seq {
			last = u.Events[n-1].Seq
			w.wanted.user(userHint{ID: u.UserID})
		}
		w.places.userCaughtUp(u.UserID, last)
		for _, e := range u.Events {
			if e.Type == messaging.ChatJoined || e.Type == messaging.ChatLeft {
				w.wanted.chat(chatHint{ID: e.ChatID}) // its hint may have come while nobody listened
			}
		}
	}
	for _, c := range news.Chats {
		w.deliver(messaging.Committed{Events: c.Events, Marks: c.Marks})
		w.places.caughtUp(c.ChatID, c.ReceiptVersion)
		if n := len(c.Events); n > 0 && c.Events[n-1].Seq < c.Seq {
			w.wanted.chat(chatHint{ID: c.ChatID})
		}
	}
	return nil
}

// tellSettings tells a user's connections of settings that he changed elsewhere.
func (w *follower) tellSettings(ctx context.Context, u messaging.UserNews) error {
	var now *users.Settings
	for _, e := range u.Events {
		if e.Type != messaging.Settings || w.Settings == nil {
			continue
		}
		if now == nil {
			s, err := w.Settings(ctx, u.UserID)
			if err != nil {
				return err
			}
			now = &s
		}
		w.hub.SendUser(u.UserID, e.Seq, encode(api.SettingsChanged(e.Seq, e.At, *now)))
	}
	return nil
}

// watchSessions ends the connections whose sessions have ended elsewhere, in case no
// note has said so.
func (w *follower) watchSessions(ctx context.Context) {
	for w.Sessions != nil {
		select {
		case <-ctx.Done():
			return
		case <-w.doubt:
		}
		if err := w.checkSessions(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn("sessions could not be checked", "error", err)
		}
	}
}

const maxOwners = 1000 // sessions asked about at once

func (w *follower) checkSessions(ctx context.Context) error {
	var here []session
	for _, user := range w.hub.Users() {
		for _, id := range w.hub.Sessions(user) {
			here = append(here, session{user, id})
		}
	}
	for some := range slices.Chunk(here, maxOwners) {
		ids := make([]string, len(some))
		for i, s := range some {
			ids[i] = s.ID
		}
		owners, err := w.Sessions(ctx, ids)
		if err != nil {
			return err
		}
		for _, s := range some {
			if owners[s.ID] != s.User {
				w.end(s.User, []string{s.ID}, auth.ErrTokenRevoked)
			}
		}
	}
	return nil
}

func retries() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = firstRetry, lastRetry
	return b
}

// pause reports false when the context has ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
