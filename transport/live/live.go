// Package live turns what the services committed into events for those who are
// online: it encodes each event once, hands it to the hub, and pushes unread
// counts at most once a second a chat and user. The streaming transports,
// WebSocket first, connect clients to it.
package live

import (
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/bus"
	"github.com/wigwag-chat/wigwag/users"
)

// Feed is a messaging.Publisher that delivers to live connections. It is safe
// for concurrent use, and never blocks on a connection.
type Feed struct {
	hub *hub.Hub
	log *slog.Logger
	now func() time.Time

	unread   changes
	receipts receipts
	typists  typists
	present  presence
	beat     time.Duration

	// Of a node among several; see Follow.
	bus    bus.Bus // nil: there are no others
	node   string
	check  time.Duration
	hints  *hints
	wanted wanted
	places places
}

// Options tune a Feed; the zero value is ready for use.
type Options struct {
	Hub    hub.Options
	Logger *slog.Logger     // default slog.Default()
	Now    func() time.Time // default time.Now

	Bus        bus.Bus       // to the other nodes of the system; nil: there are none
	NodeID     string        // unique among them; default: a UUID
	CheckEvery time.Duration // between looks for missed hints; default CheckEvery
	Beat       time.Duration // between two beats of the node's lease; default BeatEvery
}

// New makes a feed. Run pushes its unread counts, and goes with every feed.
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
	if opt.CheckEvery == 0 {
		opt.CheckEvery = CheckEvery
	}
	if opt.Beat == 0 {
		opt.Beat = BeatEvery
	}
	if opt.NodeID == "" {
		opt.NodeID = uuid.NewString()
	}
	f := &Feed{
		log: opt.Logger, now: opt.Now, unread: newChanges(),
		receipts: receipts{chats: make(map[string]*crowded)}, typists: typists{told: make(map[writer]telling)},
		present: newPresence(), beat: opt.Beat,
		bus: opt.Bus, node: opt.NodeID, check: opt.CheckEvery, hints: newHints(), wanted: newWanted(), places: newPlaces(),
	}
	if f.bus != nil {
		opt.Hub.Missing = func(chatID string, _ int64) { f.wanted.chat(chatHint{ID: chatID}) }
	}
	f.hub = hub.New(opt.Hub)
	return f
}

// Hub returns the connections.
func (f *Feed) Hub() *hub.Hub { return f.hub }

// Start lets the events of a user's connection go that are newer than heads just
// read, with their sequences by chat; see hub.Conn.Start.
func (f *Feed) Start(c *hub.Conn, userID string, heads messaging.Heads, seqs map[string]int64) bool {
	if f.bus != nil {
		f.places.start(userID, heads)
	}
	return c.Start(heads.UserSeq, seqs)
}

// Publish delivers one commit, and has the other nodes told.
func (f *Feed) Publish(c messaging.Committed) {
	if d := c.Doubt; d != nil {
		f.hub.Doubt(d.ChatID, d.UserIDs...)
	}
	f.deliver(c)
	if f.bus != nil {
		f.hints.add(c)
	}
}

func (f *Feed) deliver(c messaging.Committed) {
	for _, e := range c.UserEvents {
		f.user(e)
	}
	switch len(c.Events) {
	case 0:
	case 1:
		f.hub.Publish(f.event(c.Events[0]))
	default:
		out := make([]hub.Event, len(c.Events))
		for i, e := range c.Events {
			out[i] = f.event(e)
		}
		f.hub.Publish(out...) // in one run
	}
	for _, e := range c.Events {
		switch e.Type {
		case messaging.MessageCreated:
			f.unread.ofChat(e.ChatID, e.ActorID)
		case messaging.MessageDeleted:
			f.unread.ofChat(e.ChatID, "")
		}
	}
	for _, w := range c.Marks {
		f.moved(w)
	}
	if f.bus != nil {
		f.places.told(c)
	}
}

// user delivers an event of one user's own sequence.
func (f *Feed) user(e messaging.UserEvent) {
	if f.hub.Connections(e.UserID) == 0 {
		return
	}
	if e.Type == messaging.ChatJoined {
		// He hears the chat, receipts too, before he is told of it and fetches it. His
		// own event, where there is one, stands at HeadSeq.
		f.hub.Listen(e.UserID, e.ChatID, max(e.HeadSeq-1, 0), e.Seq)
	}
	if e.Type == messaging.Settings {
		return // SettingsChanged tells
	}
	f.hub.SendUser(e.UserID, e.Seq, encode(api.FromUserEvent(e, nil)))
	if e.Type == messaging.OwnPosition || e.Type == messaging.MessageDeleted || e.Type == messaging.ChatLeft {
		f.unread.ofUser(e.UserID, e.ChatID)
	}
}

// event is an event of a chat's sequence, encoded.
func (f *Feed) event(e messaging.Event) hub.Event {
	out := hub.Event{ChatID: e.ChatID, Seq: e.Seq, Body: encode(api.Broadcast(e, ""))}
	switch e.Type {
	case messaging.MemberAdded:
		out.Join, out.UserSeq = e.UserID, e.UserSeq
	case messaging.MemberRemoved:
		out.Leave, out.UserSeq = e.UserID, e.UserSeq
	case messaging.MessageCreated:
		f.sent(e.ChatID, e.Seq, e.ActorID)
		f.typists.wrote(writer{e.ChatID, e.ActorID})
		if e.Message != nil && e.Message.ClientID != "" {
			sender := e.Message.SenderID
			out.For = map[string][]byte{sender: encode(api.Broadcast(e, sender))}
		}
	}
	if len(e.HiddenFrom) > 0 && e.Message != nil {
		out.For = f.tombstones(e, out.For)
	}
	return out
}

// tombstones is what those get who hid a message: its place in the sequence
// without its text.
func (f *Feed) tombstones(e messaging.Event, bodies map[string][]byte) map[string][]byte {
	bare := *e.Message
	bare.Text, bare.Deleted = "", true
	e.Message = &bare
	body := encode(api.Broadcast(e, ""))
	if bodies == nil {
		bodies = make(map[string][]byte, len(e.HiddenFrom))
	}
	for _, user := range e.HiddenFrom {
		bodies[user] = body
	}
	return bodies
}

// SettingsChanged tells a user's connections how his settings stand now; other nodes follow.
func (f *Feed) SettingsChanged(userID string, seq int64, at time.Time, now users.Settings) {
	f.hub.SendUser(userID, seq, encode(api.SettingsChanged(seq, at, now)))
	if f.bus != nil {
		c := messaging.Committed{UserEvents: []messaging.UserEvent{{UserID: userID, Seq: seq, Type: messaging.Settings, At: at}}}
		f.places.told(c)
		f.hints.add(c)
	}
	f.showPresence([]string{userID}, true)
}

// RelationChanged tells a user's connections of his contacts and blocks; other nodes follow.
func (f *Feed) RelationChanged(r users.Relation, stands bool, seq int64) {
	e := messaging.UserEvent{UserID: r.OwnerID, Seq: seq, Type: messaging.RelationEvent(string(r.Kind), stands), At: r.At, AboutID: r.UserID}
	f.Publish(messaging.Committed{UserEvents: []messaging.UserEvent{e}})
	f.showPresence([]string{r.OwnerID}, true)
}

// SessionsRevoked tells a user's connections, and fails those of the sessions
// with err before it returns; other nodes follow.
func (f *Feed) SessionsRevoked(userID string, sessionIDs []string, err error) {
	f.end(userID, sessionIDs, err)
	if f.bus != nil {
		f.hints.end(userID, sessionIDs)
	}
}

func (f *Feed) end(userID string, sessionIDs []string, err error) {
	for _, id := range sessionIDs {
		f.hub.SendUser(userID, 0, encode(api.SessionRevoked(id, f.now())))
	}
	f.hub.End(userID, sessionIDs, err)
}

// eventSize is about the length of an event with a short text.
const eventSize = 640

func encode(e api.Event) []byte { return e.AppendJSON(make([]byte, 0, eventSize)) }
