package live

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/users"
)

const (
	// BeatEvery is how often a node prolongs its lease; a lease lives for three beats (USER-6).
	BeatEvery = 5 * time.Second

	maxStations  = 500                    // announced at once
	presenceRest = 100 * time.Millisecond // in which a user is told of once: changes meanwhile are told as one
	lastWord     = 2 * time.Second        // of a node that stops
)

// presence is who is connected here, and what is to be said of it.
type presence struct {
	mu      sync.Mutex
	here    map[string]map[*hub.Conn]seat // by user
	said    map[string]users.Station      // as last announced; those who are gone are left out
	pending *announcement
	running bool
	wake    chan struct{} // holds one token while something is pending

	told map[string]bool // users whose presence is to be told; true: also to those who may not see it
	ring chan struct{}   // holds one token while there are any
}

// seat is one connection.
type seat struct {
	away bool
	view string // chat on screen; "" is none
}

// announcement gathers users until they are announced.
type announcement struct {
	users map[string]struct{}
	done  chan struct{} // closed when they were, or could not be
	err   error
}

func newAnnouncement() *announcement {
	return &announcement{users: make(map[string]struct{}), done: make(chan struct{})}
}

func newPresence() presence {
	return presence{
		here: make(map[string]map[*hub.Conn]seat), said: make(map[string]users.Station), pending: newAnnouncement(),
		wake: make(chan struct{}, 1), told: make(map[string]bool), ring: make(chan struct{}, 1),
	}
}

// Arrive counts a connection as its user's presence, until Depart.
func (f *Feed) Arrive(c *hub.Conn, userID string) {
	f.present.change(userID, func(seats map[*hub.Conn]seat) { seats[c] = seat{} })
}

// Depart ends what Arrive began.
func (f *Feed) Depart(c *hub.Conn, userID string) {
	f.present.change(userID, func(seats map[*hub.Conn]seat) { delete(seats, c) })
}

// Away says whether somebody is not at the device of a connection, which then does not make him
// online; it returns once that is known to all.
func (f *Feed) Away(ctx context.Context, c *hub.Conn, userID string, away bool) error {
	return f.present.set(ctx, c, userID, func(s *seat) { s.away = away })
}

// View says which chat a connection has on screen, "" for none; it returns once
// that is known to all (NTF-2). messaging.ErrChatNotFound when he is not a member.
func (f *Feed) View(ctx context.Context, chats Chats, c *hub.Conn, userID, chatID string) error {
	if chatID != "" && !f.hub.Follows(userID, chatID) {
		if _, err := chats.Chat(ctx, userID, chatID); err != nil {
			return err
		}
	}
	return f.present.set(ctx, c, userID, func(s *seat) { s.view = chatID })
}

func (p *presence) set(ctx context.Context, c *hub.Conn, userID string, to func(*seat)) error {
	done := p.change(userID, func(seats map[*hub.Conn]seat) {
		if s, ok := seats[c]; ok {
			to(&s)
			seats[c] = s
		}
	})
	if done == nil {
		return nil
	}
	select {
	case <-done.done:
		return done.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// change changes the seats of a user. It returns the announcement that tells of it, nil where
// there is nothing to tell, or nobody who does.
func (p *presence) change(userID string, do func(map[*hub.Conn]seat)) *announcement {
	p.mu.Lock()
	defer p.mu.Unlock()
	seats := p.here[userID]
	if seats == nil {
		seats = make(map[*hub.Conn]seat, 1)
		p.here[userID] = seats
	}
	do(seats)
	if len(seats) == 0 {
		delete(p.here, userID)
	}
	if !p.running {
		return nil // Attend announces all when it begins
	}
	_, waits := p.pending.users[userID]
	if !waits && same(p.station(userID), p.said[userID]) {
		return nil
	}
	p.want(userID)
	return p.pending
}

func (p *presence) want(userID string) {
	p.pending.users[userID] = struct{}{}
	signal(p.wake)
}

// station is what is to be said of a user.
func (p *presence) station(userID string) users.Station {
	s := users.Station{UserID: userID}
	for _, seat := range p.here[userID] {
		s.Online = s.Online || !seat.away
		if seat.view != "" && !slices.Contains(s.Views, seat.view) && len(s.Views) < users.MaxViews {
			s.Views = append(s.Views, seat.view)
		}
	}
	slices.Sort(s.Views)
	return s
}

func same(a, b users.Station) bool { return a.Online == b.Online && slices.Equal(a.Views, b.Views) }

// all wants everybody announced.
func (p *presence) all() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.here {
		p.want(id)
	}
	for id := range p.said {
		p.want(id)
	}
}

func (p *presence) run(running bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = running
	if !running { // nobody waits for what nobody says
		close(p.pending.done)
		p.pending = newAnnouncement()
	}
}

// take returns the pending announcement with its stations.
func (p *presence) take() (a *announcement, stations []users.Station) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, p.pending = p.pending, newAnnouncement()
	for id := range a.users {
		stations = append(stations, p.station(id))
	}
	return a, stations
}

// finish notes what was announced, or wants it announced again.
func (p *presence) finish(a *announcement, stations []users.Station, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range stations {
		switch {
		case err != nil:
			p.pending.users[s.UserID] = struct{}{} // without waking: the next beat tries again
			continue
		case s.Gone():
			delete(p.said, s.UserID)
		default:
			p.said[s.UserID] = s
		}
		if !same(p.station(s.UserID), s) { // changed back meanwhile
			p.want(s.UserID)
		}
	}
	a.err = err
	close(a.done)
}

// tell wants the presence of users told to those who watch them here.
func (p *presence) tell(ids []string, hide bool) {
	if len(ids) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		p.told[id] = p.told[id] || hide
	}
	signal(p.ring)
}

func (p *presence) takeTold() map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	told := p.told
	p.told = make(map[string]bool)
	return told
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Attend announces who is connected here, and tells those connected here of the presence of
// others, until the context ends (USER-6, USER-7). What other nodes announce comes by
// Follow. When it ends, nobody is here any more.
func (f *Feed) Attend(ctx context.Context, desk users.Desk) {
	var running sync.WaitGroup
	running.Go(func() { f.tellPresence(ctx, desk) })
	beat := time.NewTicker(f.beat)
	defer beat.Stop()
	f.present.run(true)
	f.present.all()
	f.announce(ctx, desk, true)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-f.present.wake:
			f.announce(ctx, desk, false)
		case <-beat.C:
			f.announce(ctx, desk, true)
			f.sweep(ctx, desk)
		}
	}
	f.takeLeave(context.WithoutCancel(ctx), desk)
	running.Wait()
}

// announce says what is pending; with a beat, that the node lives at least.
func (f *Feed) announce(ctx context.Context, desk users.Desk, beat bool) {
	a, stations := f.present.take()
	var err error
	for some := range slices.Chunk(stations, maxStations) {
		if err = f.say(ctx, desk, some); err != nil {
			break
		}
		beat = false
	}
	if beat && err == nil {
		err = f.say(ctx, desk, nil)
	}
	f.present.finish(a, stations, err)
	if err != nil && ctx.Err() == nil {
		f.log.Warn("presence could not be announced", "error", err)
	}
}

func (f *Feed) say(ctx context.Context, desk users.Desk, stations []users.Station) error {
	out, err := desk.Announce(ctx, f.node, 3*f.beat, stations)
	if err != nil {
		return err
	}
	f.changed(out.Changed)
	if out.Fresh { // whatever was said before was swept
		f.present.all()
	}
	return nil
}

func (f *Feed) sweep(ctx context.Context, desk users.Desk) {
	changed, err := desk.Sweep(ctx)
	f.changed(changed)
	if err != nil && ctx.Err() == nil {
		f.log.Warn("nodes that have died could not be swept", "error", err)
	}
}

// takeLeave announces that nobody is here, and tells the other nodes who went offline by it.
func (f *Feed) takeLeave(ctx context.Context, desk users.Desk) {
	ctx, cancel := context.WithTimeout(ctx, lastWord)
	defer cancel()
	p := &f.present
	p.run(false)
	p.mu.Lock()
	clear(p.here)
	var gone []users.Station
	for id := range p.said {
		gone = append(gone, users.Station{UserID: id})
	}
	clear(p.said)
	p.mu.Unlock()
	var changed []string
	for some := range slices.Chunk(gone, maxStations) {
		out, err := desk.Announce(ctx, f.node, 0, some)
		if err != nil {
			f.log.Warn("who was connected could not be signed off", "error", err)
			return
		}
		changed = append(changed, out.Changed...)
	}
	if f.bus == nil || len(changed) == 0 {
		return
	}
	n := note{Node: f.node}
	for _, id := range changed {
		n.Seen = append(n.Seen, seenHint{ID: id})
	}
	for _, body := range n.encode() {
		if err := f.bus.Send(ctx, body); err != nil {
			return // their lease ends
		}
	}
}

// changed tells this node and the others of users who went online or offline.
func (f *Feed) changed(ids []string) { f.showPresence(ids, false) }

func (f *Feed) showPresence(ids []string, hide bool) {
	f.present.tell(ids, hide)
	if f.bus != nil && len(ids) > 0 {
		f.hints.presence(ids, hide)
	}
}

// tellPresence tells of each user as he is then: at once, and what changes again soon after,
// when some time has passed.
func (f *Feed) tellPresence(ctx context.Context, desk users.Desk) {
	told, again := make(map[string]struct{}), make(map[string]bool)
	var passed <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-passed:
			for id, hide := range again {
				f.present.tell([]string{id}, hide)
			}
			clear(told)
			clear(again)
			passed = nil
			continue
		case <-f.present.ring:
		}
		if passed == nil {
			passed = time.After(presenceRest)
		}
		for id, hide := range f.present.takeTold() {
			if _, lately := told[id]; lately {
				again[id] = again[id] || hide
				continue
			}
			told[id] = struct{}{}
			if err := f.tellOf(ctx, desk, id, hide); err != nil {
				again[id] = hide
				if ctx.Err() == nil {
					f.log.Warn("presence could not be told", "error", err)
				}
			}
		}
	}
}

// tellOf tells those connected here of one user; with hide, those too who may not see it, that he
// is offline.
func (f *Feed) tellOf(ctx context.Context, desk users.Desk, userID string, hide bool) error {
	seen, hidden, err := desk.Watchers(ctx, userID, func(id string) bool { return f.hub.Connections(id) > 0 })
	if err != nil {
		return err
	}
	key := "presence\x00" + userID
	for viewer, now := range seen {
		f.hub.SendPassing(viewer, key, encode(api.PresenceChanged(now, f.now())))
	}
	if hide && len(hidden) > 0 {
		body := encode(api.PresenceChanged(users.Presence{UserID: userID}, f.now()))
		for _, viewer := range hidden {
			f.hub.SendPassing(viewer, key, body)
		}
	}
	return nil
}
