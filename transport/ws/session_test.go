package ws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/live"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

func asClose(err error, target *websocket.CloseError) bool { return errors.As(err, target) }

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func TestConversation(t *testing.T) {
	w := newWorld(t, nil)
	chat := w.direct("ann", "bob")
	ann, hello := w.open("ann")
	bob, _ := w.open("bob")
	if diff := cmp.Diff(map[string]int64{chat: 0}, hello.Heads); diff != "" || hello.UserID != "ann" || hello.SessionID != "session-of-ann" {
		t.Errorf("hello %+v, heads (-want +got):\n%s", hello, diff)
	}

	r := ann.ask(fmt.Sprintf(`{"id":"1","type":"message.send","chatId":%q,"text":"hi","clientId":"c1"}`, chat))
	var sent api.Message
	must(t, json.Unmarshal(r.Data, &sent))
	if !r.OK || r.ReplyTo != "1" || sent.Text != "hi" || sent.Seq != 1 || sent.Status != "sent" || sent.ClientID != "c1" {
		t.Fatalf("reply %+v, message %+v", r, sent)
	}
	own, other := ann.event(), bob.event()
	if own.Message.ClientID != "c1" || own.Seq != 1 || own.Type != "message.created" {
		t.Errorf("the sender's own event is %+v", own)
	}
	if other.Message.ClientID != "" || other.Seq != 1 || other.Message.Text != "hi" || other.Message.ID != sent.ID {
		t.Errorf("the recipient's event is %+v", other.Message)
	}
	if u := bob.unread(); *u.UnreadCount != 1 || *u.Total != 1 || u.ChatID != chat {
		t.Errorf("unread %+v", u)
	}

	if r := bob.ask(fmt.Sprintf(`{"id":"r","type":"read","chatId":%q,"upTo":1}`, chat)); !r.OK {
		t.Fatalf("read: %+v", r)
	}
	if e := ann.event(); e.Type != "receipt" || e.UserID != "bob" || *e.ReadSeq != 1 || *e.DeliveredSeq != 1 || e.Version == 0 || e.UserSeq != 0 {
		t.Errorf("the receipt is %+v", e)
	}
	if e := bob.event(); e.Type != "receipt" || e.UserSeq == 0 || *e.ReadSeq != 1 {
		t.Errorf("bob's own position is %+v", e)
	}

	ann.ask(fmt.Sprintf(`{"id":"2","type":"message.edit","chatId":%q,"messageId":%q,"text":"hello"}`, chat, sent.ID))
	if e := bob.event(); e.Type != "message.edited" || e.Seq != 2 || e.Message.Text != "hello" || !e.Message.IsEdited {
		t.Errorf("the edit is %+v", e)
	}
	ann.ask(fmt.Sprintf(`{"id":"3","type":"message.delete","chatId":%q,"messageId":%q,"forEveryone":true}`, chat, sent.ID))
	if e := bob.event(); e.Type != "message.deleted" || e.MessageID != sent.ID || !*e.ForEveryone || e.Seq != 3 {
		t.Errorf("the delete is %+v", e)
	}

	r = bob.ask(fmt.Sprintf(`{"id":"s","type":"sync","chats":{%q:1},"userSeq":1}`, chat))
	var answer api.SyncAnswer
	must(t, json.Unmarshal(r.Data, &answer))
	if len(answer.Chats) != 1 || len(answer.Chats[0].Events) != 2 || answer.Chats[0].Head != 3 || len(answer.User.Events) != 1 {
		t.Errorf("sync answers %s", r.Data)
	}
	if r := ann.ask(`{"id":"p","type":"ping"}`); !r.OK || r.ReplyTo != "p" {
		t.Errorf("ping: %+v", r)
	}
}

func TestWaysToAuthenticate(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Limits.AuthWithin = 100 * time.Millisecond })
	t.Run("first frame", func(t *testing.T) {
		c := w.dial(nil, "")
		c.write(websocket.MessageText, []byte(`{"id":"a","type":"auth","token":"ann"}`))
		if h := c.hello(); h.UserID != "ann" {
			t.Errorf("hello %+v", h)
		}
		if r := c.ask(`{"id":"p","type":"ping"}`); r.ReplyTo != "a" || !r.OK {
			t.Errorf("the reply to auth is %+v", r)
		}
	})
	t.Run("ticket, once", func(t *testing.T) {
		ticket, _, err := w.h.Issue(auth.Identity{UserID: "ann", SessionID: "s"})
		must(t, err)
		if h := w.dial(nil, "?ticket="+ticket).hello(); h.UserID != "ann" || h.SessionID != "s" {
			t.Errorf("hello %+v", h)
		}
		w.dial(nil, "?ticket="+ticket).wantClose(ws.CloseUnauthenticated)
	})
	t.Run("forged first frame", func(t *testing.T) {
		c := w.dial(nil, "")
		if r := c.ask(`{"id":"a","type":"auth","token":"forged"}`); r.OK || r.Error.Code != "invalid_token" {
			t.Errorf("reply %+v", r)
		}
		c.wantClose(ws.CloseUnauthenticated)
	})
	for name, c := range map[string]*client{
		"silence":              w.dial(nil, ""),
		"forged header":        w.dial(bearer("forged"), ""),
		"token in the URL":     w.dial(bearer("ann"), "?token=ann"),
		"ticket never issued":  w.dial(nil, "?ticket=x"),
		"first frame no auth":  first(w.dial(nil, ""), `{"id":"1","type":"ping"}`),
		"revoked before hello": revoked(w),
	} {
		t.Run(name, func(t *testing.T) { c.wantClose(ws.CloseUnauthenticated) })
	}
}

func first(c *client, frame string) *client {
	c.write(websocket.MessageText, []byte(frame))
	return c
}

// revoked connects by the ticket of a session that has ended meanwhile.
func revoked(w *world) *client {
	ticket, _, err := w.h.Issue(auth.Identity{UserID: "eve", SessionID: "session-of-eve"})
	must(w.t, err)
	w.who.mu.Lock()
	w.who.revoked["session-of-eve"] = true
	w.who.mu.Unlock()
	return w.dial(nil, "?ticket="+ticket)
}

func TestOrigins(t *testing.T) {
	w := newWorld(t, nil)
	host := strings.TrimSuffix(strings.TrimPrefix(w.url, "http://"), "/v1/ws")
	for origin, ok := range map[string]bool{
		"": true, "http://" + host: true, "https://app.example.org": true,
		"https://evil.example.org": false, "https://app.example.org.evil.com": false, "null": false, "http://app.example.org": false,
	} {
		h := bearer("ann")
		if origin != "" {
			h.Set("Origin", origin)
		}
		c := w.dial(h, "")
		if ok {
			c.hello()
			c.conn.CloseNow()
		} else {
			c.wantClose(ws.CloseOrigin)
		}
	}
}

func TestRevokedSessionsEndAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	gone, _ := w.open("ann/phone")
	stays, _ := w.open("ann/laptop")
	w.feed.SessionsRevoked("ann", []string{"session-of-ann/phone"}, auth.ErrTokenRevoked)
	gone.wantClose(ws.CloseUnauthenticated)
	if e := stays.event(); e.Type != "session.revoked" || e.SessionID != "session-of-ann/phone" {
		t.Errorf("the other connection hears %+v", e)
	}
}

func TestExpiryAndRenewal(t *testing.T) {
	w := newWorld(t, nil)
	w.who.expires["ann/1"] = time.Now().Add(300 * time.Millisecond)
	ends, _ := w.open("ann/1")
	w.who.expires["bob"] = time.Now().Add(300 * time.Millisecond)
	lives, _ := w.open("bob")
	w.who.mu.Lock()
	w.who.expires["bob"] = time.Now().Add(time.Hour)
	w.who.mu.Unlock()
	if r := lives.ask(`{"id":"a","type":"auth","token":"bob"}`); !r.OK {
		t.Errorf("renewal: %+v", r)
	}
	if r := lives.ask(`{"id":"a","type":"auth","token":"eve"}`); r.OK || r.Error.Code != "invalid_token" {
		t.Errorf("another user's token renews: %+v", r)
	}
	ends.wantClose(ws.CloseUnauthenticated)
	if r := lives.ask(`{"id":"p","type":"ping"}`); !r.OK {
		t.Errorf("after the first expiry: %+v", r)
	}
}

func TestBounds(t *testing.T) {
	t.Run("frames a second", func(t *testing.T) {
		w := newWorld(t, func(c *ws.Config) { c.Limits.FrameBurst, c.Limits.FramesPerSecond = 3, 1 })
		c, _ := w.open("ann")
		for range 3 {
			c.ask(`{"type":"ping"}`)
		}
		c.write(websocket.MessageText, []byte(`{"type":"ping"}`))
		c.wantClose(ws.CloseRateLimited)
	})
	t.Run("connections a user", func(t *testing.T) {
		w := newWorld(t, func(c *ws.Config) { c.Limits.PerUser = 2 })
		w.open("ann/1")
		w.open("ann/2")
		w.open("bob")
		w.dial(bearer("ann/3"), "").wantClose(ws.CloseTooMany)
	})
	t.Run("bytes of a frame", func(t *testing.T) {
		w := newWorld(t, nil)
		c, _ := w.open("ann")
		c.write(websocket.MessageText, []byte(`{"type":"`+strings.Repeat("x", 65<<10)+`"}`))
		c.wantClose(websocket.StatusMessageTooBig)
	})
}

func TestSlowClientIsCutAndOthersAreNot(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) {
		c.Feed = live.New(live.Options{Hub: hub.Options{MaxEvents: 4}})
	})
	slow, _ := w.open("ann") // never reads again
	// Events for her alone fill the socket's buffers, then her queue.
	body := []byte(`{"type":"x","pad":"` + strings.Repeat("x", 64<<10) + `"}`)
	deadline := time.Now().Add(wait)
	for w.h.Feed.Hub().Connections("ann") > 0 && time.Now().Before(deadline) {
		w.h.Feed.Hub().SendUser("ann", 0, body)
	}
	if n := w.h.Feed.Hub().Connections("ann"); n != 0 {
		t.Fatalf("a client that does not read still has %d connections", n)
	}
	slow.conn.CloseNow()
	quick, _ := w.open("bob")
	if r := quick.ask(`{"id":"p","type":"ping"}`); !r.OK {
		t.Errorf("ping: %+v", r)
	}
}

func TestStopSaysWhenToComeBack(t *testing.T) {
	w := newWorld(t, nil)
	c, _ := w.open("ann")
	done := make(chan error, 1)
	go func() { done <- w.h.Stop(t.Context()) }()
	ce := c.closed()
	var reason struct{ RetryAfterMs int }
	if err := json.Unmarshal([]byte(ce.Reason), &reason); err != nil || ce.Code != ws.CloseRestart || reason.RetryAfterMs <= 0 {
		t.Errorf("closed with %d %q", ce.Code, ce.Reason)
	}
	must(t, <-done)
}

func TestARemovedMemberHearsNothingMore(t *testing.T) {
	w := newWorld(t, nil)
	chat, _, err := w.groups.Create(t.Context(), messaging.NewGroup{CreatorID: "ann", Title: "G", MemberIDs: []string{"bob"}})
	must(t, err)
	bob, _ := w.open("bob")
	must(t, w.groups.Remove(t.Context(), "ann", chat.ID, "bob"))
	_, _, err = w.chats.Send(t.Context(), messaging.SendRequest{SenderID: "ann", ChatID: chat.ID, Text: "secret"})
	must(t, err)
	must(t, w.groups.Add(t.Context(), "ann", chat.ID, []string{"bob"}))
	var got []string
	for range 4 {
		e := bob.event()
		got = append(got, fmt.Sprint(e.Type, e.Seq))
		if e.Message != nil {
			t.Errorf("a removed member heard %+v", e.Message)
		}
	}
	want := map[string]bool{"member.removed1": true, "chat.left0": true, "chat.joined0": true, "member.added3": true}
	for _, g := range got {
		if !want[g] {
			t.Errorf("heard %v, want %v", got, want)
		}
	}
}

func TestScopesHoldForFrames(t *testing.T) {
	w := newWorld(t, nil)
	chat := w.direct("ann", "bob")
	ticket, _, err := w.h.Issue(auth.Identity{UserID: "ann", SessionID: "s", Scopes: []string{"messages:read"}})
	must(t, err)
	c := w.dial(nil, "?ticket="+ticket)
	c.hello()
	r := c.ask(fmt.Sprintf(`{"id":"1","type":"message.send","chatId":%q,"text":"hi"}`, chat))
	if r.OK || r.Error.Code != "missing_scope" {
		t.Errorf("sending with a credential for reading: %+v", r)
	}
	if r := c.ask(fmt.Sprintf(`{"id":"2","type":"sync","chats":{%q:0}}`, chat)); !r.OK {
		t.Errorf("sync with a credential for reading: %+v", r)
	}
	ticket, _, err = w.h.Issue(auth.Identity{UserID: "ann", SessionID: "s", Scopes: []string{"users:read"}})
	must(t, err)
	w.dial(nil, "?ticket="+ticket).wantClose(ws.CloseUnauthenticated)
}

// Another node ended the session: nobody told this one.
func TestASessionEndedElsewhereIsFoundOut(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.PingEvery = 20 * time.Millisecond })
	c, _ := w.open("ann")
	w.who.mu.Lock()
	w.who.revoked["session-of-ann"] = true
	w.who.mu.Unlock()
	c.wantClose(ws.CloseUnauthenticated)
}
