// Package live turns what the services committed into events for those who are
// online: it encodes each event once, hands it to the hub, and pushes unread
// counts at most once a second a chat and user. The streaming transports,
// WebSocket first, connect clients to it.
package live

import (
	"log/slog"
	"time"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// Feed is a messaging.Publisher that delivers to live connections. It is safe
// for concurrent use, and never blocks on a connection.
type Feed struct {
	hub *hub.Hub
	log *slog.Logger
	now func() time.Time

	unread   changes
	receipts receipts
}

// Options tune a Feed; the zero value is ready for use.
type Options struct {
	Hub    hub.Options
	Logger *slog.Logger     // default slog.Default()
	Now    func() time.Time // default time.Now
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
	return &Feed{
		hub: hub.New(opt.Hub), log: opt.Logger, now: opt.Now, unread: newChanges(),
		receipts: receipts{chats: make(map[string]*crowded)},
	}
}

// Hub returns the connections.
func (f *Feed) Hub() *hub.Hub { return f.hub }

// Publish delivers one commit.
func (f *Feed) Publish(c messaging.Committed) {
	if d := c.Doubt; d != nil {
		f.hub.Doubt(d.ChatID, d.UserIDs...)
	}
	var places map[string]int64 // where a join or leave stands in its user's own sequence
	for _, e := range c.UserEvents {
		f.user(e, len(c.Events) == 0)
		if e.Type == messaging.ChatJoined || e.Type == messaging.ChatLeft {
			if places == nil {
				places = make(map[string]int64, len(c.UserEvents))
			}
			places[e.UserID] = e.Seq
		}
	}
	switch len(c.Events) {
	case 0:
	case 1:
		f.hub.Publish(f.event(c.Events[0], places))
	default:
		out := make([]hub.Event, len(c.Events))
		for i, e := range c.Events {
			out[i] = f.event(e, places)
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
}

// user delivers an event of one user's own sequence.
func (f *Feed) user(e messaging.UserEvent, alone bool) {
	if f.hub.Connections(e.UserID) == 0 {
		return
	}
	if e.Type == messaging.ChatJoined && alone {
		// A new chat. Joining an old one takes effect at its event, in the chat's order.
		f.hub.Listen(e.UserID, e.ChatID, e.HeadSeq, e.Seq)
	}
	f.hub.SendUser(e.UserID, e.Seq, encode(api.FromUserEvent(e, nil)))
	if e.Type == messaging.OwnPosition || e.Type == messaging.MessageDeleted || e.Type == messaging.ChatLeft {
		f.unread.ofUser(e.UserID, e.ChatID)
	}
}

// event is an event of a chat's sequence, encoded; places says where joins and
// leaves stand in their users' own sequences.
func (f *Feed) event(e messaging.Event, places map[string]int64) hub.Event {
	out := hub.Event{ChatID: e.ChatID, Seq: e.Seq, Body: encode(api.Broadcast(e, ""))}
	switch e.Type {
	case messaging.MemberAdded:
		out.Join, out.UserSeq = e.UserID, places[e.UserID]
	case messaging.MemberRemoved:
		out.Leave, out.UserSeq = e.UserID, places[e.UserID]
	case messaging.MessageCreated:
		f.sent(e.ChatID, e.Seq, e.ActorID)
		if e.Message != nil && e.Message.ClientID != "" {
			sender := e.Message.SenderID
			out.For = map[string][]byte{sender: encode(api.Broadcast(e, sender))}
		}
	case messaging.MessageEdited:
		if len(e.HiddenFrom) > 0 {
			out.For = f.tombstone(e)
		}
	}
	return out
}

// tombstone is what those get who hid an edited message: its place in the
// sequence without its text.
func (f *Feed) tombstone(e messaging.Event) map[string][]byte {
	bare := *e.Message
	bare.Text, bare.Deleted = "", true
	e.Message = &bare
	body := encode(api.Broadcast(e, ""))
	bodies := make(map[string][]byte, len(e.HiddenFrom))
	for _, user := range e.HiddenFrom {
		bodies[user] = body
	}
	return bodies
}

// SessionsRevoked tells a user's connections, and fails those of the sessions
// with err before it returns.
func (f *Feed) SessionsRevoked(userID string, sessionIDs []string, err error) {
	for _, id := range sessionIDs {
		f.hub.SendUser(userID, 0, encode(api.SessionRevoked(id, f.now())))
	}
	f.hub.End(userID, sessionIDs, err)
}

// eventSize is about the length of an event with a short text.
const eventSize = 640

func encode(e api.Event) []byte { return e.AppendJSON(make([]byte, 0, eventSize)) }
