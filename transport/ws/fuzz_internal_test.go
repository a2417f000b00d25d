package ws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/live"
	"github.com/wigwag-chat/wigwag/users"
)

// newSession is a session of ann, without a socket, in one chat with a message.
func newSession(t testing.TB) (s *session, chatID string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	store := memory.New(memory.Options{Epoch: "e"})
	key, err := keys.Generate(nil)
	must(err)
	log := slog.New(slog.DiscardHandler)
	people, err := users.New(users.Config{Store: store.Users(), Foreign: true})
	must(err)
	feed := live.New(live.Options{Logger: log})
	messenger, err := messaging.New(messaging.Config{
		Store: store.Messaging(), Keys: keys.NewRing(key), Secret: make([]byte, 32), People: people, Publisher: feed, Logger: log,
	})
	must(err)
	h, err := New(Config{
		Authenticator: auth.TokenFunc(func(context.Context, string) (auth.Identity, error) { return auth.Identity{}, auth.ErrTokenInvalid }), Messaging: messenger, Users: people, Feed: feed, Logger: log,
	})
	must(err)
	chat, _, err := messenger.OpenDirect(t.Context(), "ann", "bob")
	must(err)
	_, _, err = messenger.Send(t.Context(), messaging.SendRequest{SenderID: "ann", ChatID: chat.ID, Text: "x"})
	must(err)
	s = &session{h: h, id: auth.Identity{UserID: "ann"}}
	s.queue = feed.Hub().Connect(hub.Peer{UserID: "ann"})
	for !s.queue.Start(1<<40, nil) {
	}
	t.Cleanup(func() {
		s.queue.Close()
		must(store.Close())
	})
	return s, chat.ID
}

func FuzzFrame(f *testing.F) {
	for _, seed := range []string{
		`{"id":"1","type":"ping"}`, `{"id":"1","type":"message.send","chatId":"c","text":"x","clientId":"k"}`,
		`{"type":"message.edit","chatId":"c","messageId":"m","text":"x"}`, `{"type":"message.delete","chatId":"c","messageId":"m","forEveryone":true}`,
		`{"type":"read","chatId":"c","upTo":1}`, `{"type":"delivered","chatId":"c","upTo":-1}`, `{"type":"auth","token":"t"}`,
		`{"type":"sync","epoch":"e","userSeq":1,"chats":{"c":1},"limit":5}`, `{"type":"nope"}`, `null`, `[]`, `{"type":7,"id":[]}`,
		`{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `{"a":1,"a":1}`, `{"type":"sync","chats":{"c":1e3}}`,
	} {
		f.Add([]byte(seed))
	}
	s, chat := newSession(f)
	f.Add(fmt.Appendf(nil, `{"id":"1","type":"message.send","chatId":%q,"text":"x","clientId":"k"}`, chat))
	f.Fuzz(func(t *testing.T, data []byte) {
		err := s.frame(t.Context(), data)
		if err != nil {
			if !errors.Is(err, errBadFrame) {
				t.Fatalf("frame: %v", err)
			}
			return
		}
		items, err := s.queue.Next(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		replies := 0
		for _, i := range items {
			if !i.Alone {
				continue
			}
			replies++
			var r api.ServerFrame
			if err := json.Unmarshal(i.Body, &r); err != nil {
				t.Fatalf("the reply %s: %v", i.Body, err)
			}
			if r.OK == (r.Error != nil) || r.Error != nil && (r.Error.Code == "" || r.Error.Code == "internal") || len(r.ReplyTo) > maxFrameID {
				t.Fatalf("the reply to %q is %s", data, i.Body)
			}
		}
		if replies != 1 {
			t.Fatalf("%d replies to %q", replies, data)
		}
	})
}

func FuzzSyncCursor(f *testing.F) {
	s, chat := newSession(f)
	for _, seed := range []string{
		`{}`, `{"epoch":"e","userSeq":1,"chats":{"` + chat + `":0}}`, `{"epoch":"x"}`, `{"userSeq":-1}`, `{"chats":{"` + chat + `":9}}`,
		`{"chats":{"":-1}}`, `{"limit":1001}`, `{"userSeq":9223372036854775807}`, `{"chats":{"a":1,"a":2}}`, `{"chats":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var cursor api.Sync
		if err := api.Decode(data, &cursor); err != nil {
			if !errors.Is(err, errs.Invalid) {
				t.Fatalf("Decode of %q: %v", data, err)
			}
			return
		}
		answer, err := s.sync(t.Context(), cursor)
		if err != nil {
			if !errors.Is(err, errs.Invalid) {
				t.Fatalf("sync of %q: %v", data, err)
			}
			return
		}
		a := answer.(api.SyncAnswer)
		for _, c := range a.Chats {
			if _, asked := cursor.Chats[c.ID]; !asked || c.Head < cursor.Chats[c.ID] {
				t.Fatalf("sync of %q answers %+v", data, c)
			}
		}
		if a.Reset && (len(a.Chats) > 0 || len(a.User.Events) > 0) {
			t.Fatalf("sync of %q resets and answers %+v", data, a)
		}
	})
}
