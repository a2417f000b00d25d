package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/postgres"
)

// Whatever is changed in what lies sealed: each text reads right or is told as
// lost, item by item, and the page that holds it is answered.
func TestTamperedRows(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	key, err := keys.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, ring := open(t, url, postgres.Options{Migrate: true}), keys.NewRing(key)
	service := func() messaging.Service { // with no key in its cache
		t.Helper()
		a, err := wigwag.Open(t.Context(), wigwag.Config{
			Store: s, Keys: ring, Logger: slog.New(slog.DiscardHandler),
			Authenticator: auth.TokenFunc(func(context.Context, string) (auth.Identity, error) { return auth.Identity{}, nil }),
		})
		if err != nil {
			t.Fatal(err)
		}
		return a.Messaging
	}
	m, texts := service(), map[string]string{}
	var chats []string
	for _, other := range []string{"bob", "cyd"} {
		chat, _, err := m.OpenDirect(t.Context(), "ann", other)
		if err != nil {
			t.Fatal(err)
		}
		chats = append(chats, chat.ID)
		for i := range 6 {
			text := strings.Repeat(fmt.Sprint(other, i), 20)
			sent, _, err := m.Send(t.Context(), messaging.SendRequest{SenderID: "ann", ChatID: chat.ID, Text: text})
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				text = "new " + text
				if _, err := m.Edit(t.Context(), messaging.EditRequest{UserID: "ann", ChatID: chat.ID, MessageID: sent.ID, Text: text}); err != nil {
					t.Fatal(err)
				}
			}
			texts[sent.ID] = text
		}
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 4))
	flip := func(column, table string) string {
		return fmt.Sprintf(`UPDATE %[2]s SET %[1]s = set_bit(%[1]s, (%[3]d %% (8 * length(%[1]s)))::bigint, 1 - get_bit(%[1]s, (%[3]d %% (8 * length(%[1]s)))::bigint))
			WHERE ctid = (SELECT ctid FROM %[2]s ORDER BY ctid OFFSET %[4]d LIMIT 1)`, column, table, rnd.IntN(1<<20), rnd.IntN(2))
	}
	swap := func(columns, table, key string) string {
		return fmt.Sprintf(`UPDATE %[2]s AS a SET (%[1]s) = (SELECT %[1]s FROM %[2]s AS b WHERE b.ctid <> a.ctid ORDER BY b.%[3]s DESC LIMIT 1)
			WHERE a.ctid = (SELECT ctid FROM %[2]s ORDER BY %[3]s LIMIT 1)`, columns, table, key)
	}
	for _, kind := range []struct {
		name      string
		statement func() string
		times     int
		harmless  bool // to texts
	}{
		{"bit of a body", func() string { return flip("body", "messages") }, 40, false},
		{"bit of a wrapped key", func() string { return flip("data", "chat_keys") }, 40, false},
		{"bit of a digest", func() string { return flip("digest", "messages") }, 10, true},
		{"bodies of two messages", func() string { return swap("body", "messages", "id") }, 1, false},
		{"keys of two chats", func() string { return swap("data", "chat_keys", "chat_id") }, 1, false},
		{"a replaced text put back", func() string {
			return "UPDATE messages SET body = e.body FROM message_edits AS e WHERE e.message_id = messages.id"
		}, 1, false},
		{"revision", func() string { return "UPDATE messages SET revision = revision + 1" }, 1, false},
		{"key id", func() string { return "UPDATE messages SET key_id = '2'" }, 1, false},
		{"empty body", func() string { return "UPDATE messages SET body = ''" }, 1, false},
	} {
		for range kind.times {
			statement := kind.statement()
			if _, err := db.ExecContext(t.Context(), "CREATE TABLE kept_m AS TABLE messages; CREATE TABLE kept_k AS TABLE chat_keys; "+statement); err != nil {
				t.Fatalf("%s: %v", kind.name, err)
			}
			lost, reader := 0, service()
			for _, chat := range chats {
				page, err := reader.Messages(t.Context(), "ann", chat, messaging.Window{Limit: 100})
				if err != nil || len(page) != 6 {
					t.Errorf("seed %d, %s: a page of %d, %v", seed, statement, len(page), err)
				}
				for _, m := range page {
					switch {
					case errors.Is(m.Err, messaging.ErrUnreadable) && m.Text == "":
						lost++
					case m.Err != nil || m.Text != texts[m.ID]:
						t.Errorf("seed %d, %s: %q, %v", seed, statement, m.Text, m.Err)
					}
				}
			}
			if (lost == 0) != kind.harmless {
				t.Errorf("seed %d, %s: %d texts are lost", seed, statement, lost)
			}
			if _, err := db.ExecContext(t.Context(), `UPDATE messages AS m SET body = k.body, digest = k.digest, revision = k.revision, key_id = k.key_id FROM kept_m AS k WHERE k.id = m.id;
				UPDATE chat_keys AS c SET data = k.data FROM kept_k AS k WHERE k.chat_id = c.chat_id; DROP TABLE kept_m, kept_k`); err != nil {
				t.Fatal(err)
			}
		}
	}
}
