package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
)

const flips = 200

// vault is a closed database and what it holds.
type vault struct {
	ring  *keys.Ring
	chats []string
	texts map[string][]string // of a message, by revision
	data  []byte              // of the file
	aims  [][]byte            // sealed bodies and wrapped keys
}

func app(ctx context.Context, s *sqlite.Store, ring *keys.Ring) (*wigwag.App, error) {
	return wigwag.Open(ctx, wigwag.Config{
		Store: s, Keys: ring, Logger: slog.New(slog.DiscardHandler),
		Authenticator: auth.TokenFunc(func(context.Context, string) (auth.Identity, error) { return auth.Identity{}, nil }),
	})
}

func newVault(t *testing.T) vault {
	t.Helper()
	key, err := keys.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	v, path := vault{ring: keys.NewRing(key), texts: map[string][]string{}}, file(t)
	s := open(t, path, sqlite.Options{Migrate: true})
	a, err := app(t.Context(), s, v.ring)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"bob", "cyd"} {
		chat, _, err := a.Messaging.OpenDirect(t.Context(), "ann", other)
		if err != nil {
			t.Fatal(err)
		}
		v.chats = append(v.chats, chat.ID)
		for i := range 8 {
			text := strings.Repeat(fmt.Sprint(other, " ", i, ". "), 20)
			m, _, err := a.Messaging.Send(t.Context(), messaging.SendRequest{SenderID: "ann", ChatID: chat.ID, Text: text})
			if err != nil {
				t.Fatal(err)
			}
			v.texts[m.ID] = []string{text}
			if i%4 == 0 {
				if _, err := a.Messaging.Edit(t.Context(), messaging.EditRequest{UserID: "ann", ChatID: chat.ID, MessageID: m.ID, Text: "new " + text}); err != nil {
					t.Fatal(err)
				}
				v.texts[m.ID] = append(v.texts[m.ID], "new "+text)
			}
		}
	}
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := raw(t, path, "").QueryContext(t.Context(), "SELECT body FROM messages UNION ALL SELECT body FROM message_edits UNION ALL SELECT data FROM chat_keys")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		v.aims = append(v.aims, b)
	}
	if v.data, err = os.ReadFile(path); err != nil || rows.Err() != nil {
		t.Fatal(err, rows.Err())
	}
	return v
}

// One bit of the file is wrong: every text that is read is right, or its message
// says that it is lost, or the read fails; nothing panics, nothing hangs.
func TestBitFlips(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 3))
	var all tally
	for i := range flips {
		data, aimed := slices.Clone(v.data), i%2 == 0
		at := rnd.IntN(len(data))
		if aimed {
			aim := v.aims[rnd.IntN(len(v.aims))]
			at = bytes.Index(data, aim[:16]) + rnd.IntN(len(aim))
		}
		data[at] ^= 1 << rnd.IntN(8)
		path := filepath.Join(t.TempDir(), "chat.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got := v.readAll(t, fmt.Sprintf("seed %d, flip %d at %d", seed, i, at), path)
		if aimed && (got.failed > 0 || got.lost == 0) {
			t.Errorf("seed %d, flip %d at %d, in what is sealed: %+v; want pages with lost texts", seed, i, at, got)
		}
		all.right, all.lost, all.failed = all.right+got.right, all.lost+got.lost, all.failed+got.failed
	}
	t.Logf("%d flips: %d texts right, %d told as lost, %d reads failed", flips, all.right, all.lost, all.failed)
}

// tally counts what became of reads.
type tally struct{ right, lost, failed int }

// newest is the last of a message's texts, if there is such a message.
func (v vault) newest(id string) []string {
	all := v.texts[id]
	return all[max(0, len(all)-1):]
}

func (v vault) readAll(t *testing.T, what, path string) (n tally) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		n.failed++
		return n
	}
	defer s.Close()
	a, err := app(ctx, s, v.ring)
	if err != nil {
		n.failed++
		return n
	}
	text := func(id, text string, want []string, deleted bool, err error) {
		switch {
		case errors.Is(err, messaging.ErrUnreadable) && text == "":
			n.lost++
		case deleted && text == "" && err == nil: // the flag itself, which nothing seals
		case err == nil && slices.Contains(want, text):
			n.right++
		default:
			t.Errorf("%s: message %q reads %q, %v", what, id, text, err)
		}
	}
	outcome := func(err error) {
		if err != nil {
			n.failed++
		}
	}
	for _, chat := range v.chats {
		page, err := a.Messaging.Messages(ctx, "ann", chat, messaging.Window{Limit: 200})
		outcome(err)
		for _, m := range page {
			text(m.ID, m.Text, v.newest(m.ID), m.Deleted, m.Err)
			if m.EditedAt.IsZero() {
				continue
			}
			past, err := a.Messaging.PastTexts(ctx, "ann", chat, m.ID)
			outcome(err)
			for _, p := range past {
				text(m.ID, p.Text, v.texts[m.ID], false, p.Err)
			}
		}
	}
	answer, err := a.Messaging.Sync(ctx, messaging.SyncRequest{UserID: "ann", Chats: map[string]int64{v.chats[0]: 0, v.chats[1]: 0}, Limit: 100})
	outcome(err)
	for _, chat := range answer.Chats {
		for _, e := range chat.Events {
			if e.Message != nil {
				text(e.Message.ID, e.Message.Text, v.newest(e.Message.ID), e.Message.Deleted, e.Message.Err)
			}
		}
	}
	return n
}
