package messaging_test

import (
	"context"
	"strings"
	"testing"

	"github.com/wigwag-chat/wigwag/messaging"
)

// The service's own share of a send: checks, key, cipher, digest, publishing.
func BenchmarkSend(b *testing.B) {
	text := strings.Repeat("hello you ", 8)
	for _, c := range []struct{ name, clientID string }{{"plain", ""}, {"repeatable", "c"}} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b, func(c *messaging.Config) {
				c.Store = &instant{Store: c.Store}
				c.Publisher = nil
			})
			r := messaging.SendRequest{SenderID: "ann", ChatID: w.direct("ann", "bob"), Text: text, ClientID: c.clientID}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := w.Send(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSendMemory(b *testing.B) {
	w := newWorld(b, func(c *messaging.Config) { c.Publisher = nil })
	r := messaging.SendRequest{SenderID: "ann", ChatID: w.direct("ann", "bob"), Text: strings.Repeat("hello you ", 8)}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := w.Send(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}

// instant stores nothing: what is left is the service.
type instant struct {
	messaging.Store
	seq int64
}

func (s *instant) Append(_ context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	s.seq++
	i := items[0]
	return []messaging.Appended{{Message: messaging.StoredMessage{Message: messaging.Message{
		ID: i.ID, ChatID: i.ChatID, Seq: s.seq, SenderID: i.SenderID, ClientID: i.ClientID,
		Kind: i.Kind, CreatedAt: i.CreatedAt,
	}}}}, nil
}
