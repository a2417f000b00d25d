package wigwag_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/storage/postgres"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/bus"
	"github.com/wigwag-chat/wigwag/transport/bus/inproc"
	"github.com/wigwag-chat/wigwag/transport/bus/pgbus"
	"github.com/wigwag-chat/wigwag/transport/client"
	"github.com/wigwag-chat/wigwag/transport/ws"
	"github.com/wigwag-chat/wigwag/users"
)

// system is where nodes of one system come from.
type system struct {
	ring *keys.Ring
	open func(*testing.T) (storage.Store, bus.Bus)
}

// systems are one on PostgreSQL alone, and one in this process's memory.
func systems(t *testing.T) map[string]system {
	url, shared, notes := pgtest.URL(t), memory.New(memory.Options{}), &inproc.Bus{}
	return map[string]system{
		"postgres": {ring(t), func(t *testing.T) (storage.Store, bus.Bus) {
			store, err := postgres.Open(t.Context(), url, postgres.Options{Migrate: true})
			check(t, err)
			b, err := pgbus.New(url, pgbus.Options{})
			check(t, err)
			return store, b
		}},
		"memory": {ring(t), func(*testing.T) (storage.Store, bus.Bus) { return shared, notes }},
	}
}

// node starts one more node; with accounts, or as one of a host whose users'
// tokens are their ids.
func (s system) node(t *testing.T, accounts *texts) running {
	t.Helper()
	store, notes := s.open(t)
	c := wigwag.Config{Store: store, Bus: notes, Keys: s.ring, Limits: ws.Limits{Off: true}, Logger: slog.New(slog.DiscardHandler)}
	if accounts != nil {
		c.Auth = auth.Config{SMS: accounts, Algorithm: "ES256"}
	} else {
		c.Authenticator = auth.TokenFunc(func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{UserID: token, SessionID: "of " + token}, nil
		})
	}
	app, err := wigwag.Open(t.Context(), c)
	check(t, err)
	app.Start()
	server := httptest.NewServer(app.Handler())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		check(t, app.Stop(ctx))
		server.Close()
	})
	return running{app: app, address: server.URL}
}

// follow connects a user and names what he hears.
func (r running) follow(t *testing.T, user string) <-chan string {
	t.Helper()
	heard := make(chan string, 1000)
	c, err := client.New(r.address, client.Options{
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Tokens: client.Tokens{Access: user},
	})
	check(t, err)
	read := make(map[string]int64)
	s, err := c.Connect(t.Context(), client.SocketOptions{Event: func(e api.Event) {
		switch {
		case e.Type == api.EventUnread, e.Type == api.EventPresence:
		case e.Type == api.EventReceipt: // the same may come again, by a sync
			if who := e.ChatID + e.UserID; e.UserID != user && *e.ReadSeq > read[who] {
				read[who] = *e.ReadSeq
				heard <- e.Type + " " + e.UserID
			}
		case e.Message != nil && e.Message.IsDeleted:
			heard <- e.Type + " tombstone"
		case e.Message != nil:
			heard <- e.Type + " " + e.Message.Text
		case e.Type == api.EventTyping:
			heard <- fmt.Sprint(e.Type, " ", e.UserID, " ", *e.Typing)
		case e.UserID != "":
			heard <- e.Type + " " + e.UserID
		default:
			heard <- e.Type
		}
	}})
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	return heard
}

// What is committed on one node is heard on the other, in order, and by nobody
// who is not to hear it (STO-3, GRP-4).
func TestNodesHearEachOther(t *testing.T) {
	t.Parallel()
	for name, s := range systems(t) {
		t.Run(name, func(t *testing.T) {
			here, there := s.node(t, nil), s.node(t, nil)
			ann, bob := here.follow(t, "ann"), there.follow(t, "bob")
			ctx, m := t.Context(), here.app.Messaging

			chat, _, err := m.OpenDirect(ctx, "ann", "bob")
			check(t, err)
			await(t, bob, "chat.joined")
			await(t, ann, "chat.joined")
			here.say(t, chat.ID, "one")
			await(t, bob, "message.created one")
			await(t, ann, "message.created one")
			check(t, there.app.Messaging.Mark(ctx, messaging.MarkRequest{UserID: "bob", ChatID: chat.ID, Read: true, UpTo: 1}))
			await(t, ann, "receipt bob")
			check(t, there.client(t).Typing(ctx, chat.ID, true))
			await(t, ann, "typing bob true")
			reply, _, err := there.app.Messaging.Send(ctx, messaging.SendRequest{SenderID: "bob", ChatID: chat.ID, Text: "two"})
			check(t, err)
			await(t, ann, "message.created two")
			await(t, bob, "message.created two")
			hide := messaging.DeleteRequest{UserID: "ann", ChatID: chat.ID, MessageID: reply.ID}
			check(t, m.Delete(ctx, hide))
			await(t, ann, "message.deleted")
			_, err = there.app.Messaging.Edit(ctx, messaging.EditRequest{UserID: "bob", ChatID: chat.ID, MessageID: reply.ID, Text: "three"})
			check(t, err)
			await(t, ann, "message.edited tombstone")
			await(t, bob, "message.edited three")

			_, err = there.app.Users.UpdateSettings(ctx, "ann", users.SettingsUpdate{Theme: new(users.Light)})
			check(t, err)
			await(t, ann, "settings")
			_, _, err = there.app.Users.AddContact(ctx, "ann", "bob", "")
			check(t, err)
			await(t, ann, "contact bob")

			group, _, err := m.CreateGroup(ctx, messaging.NewGroup{CreatorID: "ann", Title: "G"})
			check(t, err)
			await(t, ann, "chat.joined")
			for range 3 {
				here.say(t, group.ID, "before")
				check(t, m.AddMembers(ctx, "ann", group.ID, []string{"bob"}))
				here.say(t, group.ID, "while")
				check(t, m.RemoveMember(ctx, "ann", group.ID, "bob"))
				here.say(t, group.ID, "after")
				await(t, ann, "message.created before", "member.added bob", "message.created while", "member.removed bob", "message.created after")
			}
			// Bob hears of his memberships; what he fetches when he joins may hold the chat so
			// far, and of none is there anything above his removal.
			left := 0
			for left < 3 {
				select {
				case got := <-bob:
					if got == "chat.left" {
						left++
					}
				case <-time.After(20 * time.Second):
					t.Fatalf("bob hears of %d removals of 3", left)
				}
			}
			check(t, m.AddMembers(ctx, "ann", group.ID, []string{"bob"}))
			here.say(t, group.ID, "the end")
			for got := ""; got != "message.created the end"; {
				select {
				case got = <-bob:
				case <-time.After(20 * time.Second):
					t.Fatal("bob does not hear the end")
				}
			}
			title := "Another"
			_, err = m.ChangeGroup(ctx, messaging.ChangeGroup{ActorID: "ann", ChatID: group.ID, Title: &title})
			check(t, err)
			await(t, bob, "chat.updated")
			check(t, m.SetRole(ctx, "ann", group.ID, "bob", messaging.RoleOwner))
			await(t, bob, "member.role bob", "member.role ann")
			check(t, there.app.Messaging.Ban(ctx, "bob", group.ID, "ann"))
			for got := ""; got != "chat.left"; {
				select {
				case got = <-ann:
				case <-time.After(20 * time.Second):
					t.Fatal("ann does not hear of her ban")
				}
			}
		})
	}
}

// A session that ends on one node is over on the other: its socket, and its token (AUTH-8).
func TestSessionsEndOnAllNodes(t *testing.T) {
	t.Parallel()
	for name, s := range systems(t) {
		t.Run(name, func(t *testing.T) {
			sms := make(texts, 1)
			here, there := s.node(t, &sms), s.node(t, &sms)
			challenge, err := here.app.Auth.StartPhone(t.Context(), "+14155550123", "", auth.Client{})
			check(t, err)
			tokens, err := here.app.Auth.VerifyPhone(t.Context(), challenge.SessionID, (<-sms)[:6], "Ann", auth.Client{})
			check(t, err)
			conn, _, err := websocket.Dial(t.Context(), strings.Replace(there.address, "http", "ws", 1)+"/v1/ws", &websocket.DialOptions{
				Subprotocols: []string{"wigwag.v1"}, HTTPHeader: http.Header{"Authorization": {"Bearer " + tokens.AccessToken}},
			})
			check(t, err)
			defer conn.CloseNow()
			if _, hello, err := conn.Read(t.Context()); err != nil || !strings.Contains(string(hello), `"type":"hello"`) {
				t.Fatalf("the first frame is %s, %v", hello, err)
			}
			check(t, here.app.Auth.Revoke(t.Context(), tokens.UserID, tokens.SessionID))
			if _, err := there.app.Auth.Token(t.Context(), tokens.AccessToken); err == nil {
				t.Error("the token is taken on the other node")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for err = nil; err == nil; {
				_, _, err = conn.Read(ctx)
			}
			if code := websocket.CloseStatus(err); code != 4401 {
				t.Errorf("the socket ended with %v, want 4401", err)
			}
			http.DefaultClient.CloseIdleConnections()
		})
	}
}
