package live_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen is a started connection of a user who follows chat c from its beginning.
func listen(t *testing.T, f *live.Feed, user string) *hub.Conn {
	t.Helper()
	conn := f.Hub().Connect(hub.Peer{UserID: user})
	t.Cleanup(conn.Close)
	for range 10 {
		if conn.Start(0, map[string]int64{"c": 0}) {
			return conn
		}
	}
	t.Fatal("the connection does not start")
	return nil
}

// next returns the events that wait for a connection; there is at least one.
func next(t *testing.T, conn *hub.Conn) []api.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	items, err := conn.Next(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	events := make([]api.Event, len(items))
	for i, item := range items {
		if err := json.Unmarshal(item.Body, &events[i]); err != nil {
			t.Fatal(err)
		}
	}
	return events
}

// MSG-8: what one hid from himself does not come back by an edit, and the
// sequence has no gap for him.
func TestAnEditStaysHiddenFromWhoHidTheMessage(t *testing.T) {
	f := live.New(live.Options{})
	bob, eve := listen(t, f, "bob"), listen(t, f, "eve")
	edited := messaging.Message{ID: "m", ChatID: "c", Seq: 1, SenderID: "ann", Kind: messaging.KindText, Text: "new", EditedAt: time.Unix(9, 0)}
	f.Publish(messaging.Committed{Events: []messaging.Event{{
		ChatID: "c", Seq: 1, Type: messaging.MessageEdited, MessageID: "m", Message: &edited, HiddenFrom: []string{"bob"},
	}}})
	if e := next(t, bob)[0]; e.Seq != 1 || e.Message.Text != "" || !e.Message.IsDeleted {
		t.Errorf("bob, who hid it, gets %+v", e.Message)
	}
	if e := next(t, eve)[0]; e.Seq != 1 || e.Message.Text != "new" || e.Message.IsDeleted {
		t.Errorf("eve gets %+v", e.Message)
	}
	if edited.Text != "new" {
		t.Error("the publisher's message was changed")
	}
}
