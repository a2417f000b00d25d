package bunstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/internal/bunstore"
	"github.com/wigwag-chat/wigwag/storage/postgres"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
	"github.com/wigwag-chat/wigwag/users"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, s *bunstore.Store)) {
	t.Run("sqlite", func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Migrate: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		test(t, s.Store)
	})
	t.Run("postgres", func(t *testing.T) {
		s, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{Migrate: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		test(t, s.Store)
	})
}

func group(t *testing.T, s *bunstore.Store, id string, members ...string) {
	t.Helper()
	n := messaging.NewChat{ID: id, Kind: messaging.Group, CreatedBy: members[0], CreatedAt: noon}
	for i, m := range members {
		role := messaging.RoleMember
		if i == 0 {
			role = messaging.RoleOwner
		}
		n.Members = append(n.Members, messaging.NewMember{UserID: m, Role: role})
	}
	if _, err := s.Messaging().CreateChat(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

func message(chat, sender, id string) messaging.NewMessage {
	return messaging.NewMessage{
		ID: id, ChatID: chat, SenderID: sender, ClientID: id, Kind: messaging.KindText, CreatedAt: noon,
		Body: messaging.Sealed{KeyID: "k", Data: []byte(id)}, Digest: []byte(id),
	}
}

// trace gathers statements.
type trace struct {
	mu         sync.Mutex
	statements []string
}

func watch(s *bunstore.Store) *trace {
	tr := new(trace)
	s.Trace(func(q string) {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.statements = append(tr.statements, q)
	})
	return tr
}

func (tr *trace) take() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	taken := tr.statements
	tr.statements = nil
	return taken
}

func TestTextThatWouldChangeIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s *bunstore.Store) {
		ctx := t.Context()
		group(t, s, "chat", "ann")
		for _, bad := range []string{"a\xffb", "a\x00b", "\xed\xa0\x80"} {
			_, created := s.Users().Create(ctx, users.StoredProfile{Profile: users.Profile{UserID: "u", Bio: bad}})
			_, chat := s.Messaging().CreateChat(ctx, messaging.NewChat{ID: "c", Kind: messaging.Group, Title: bad, CreatedBy: "u", Members: []messaging.NewMember{{UserID: "u"}}})
			_, member := s.Messaging().CreateChat(ctx, messaging.NewChat{ID: "c", Kind: messaging.Group, CreatedBy: "u", Members: []messaging.NewMember{{UserID: bad}}})
			_, profiles := s.Users().Profiles(ctx, []string{"u", bad})
			_, read := s.Messaging().Chat(ctx, "ann", bad)
			_, secret := s.Keys().Secret(ctx, bad)
			session := s.Auth().CreateSession(ctx, auth.StoredSession{Session: auth.Session{ID: "s", UserAgent: bad}})
			for what, err := range map[string]error{
				"profile": created, "title": chat, "member": member, "ids": profiles, "chat id": read, "secret": secret, "user agent": session,
			} {
				if errs.KindOf(err) != errs.Invalid {
					t.Errorf("%q as %s: %v", bad, what, err)
				}
			}
			got, err := s.Messaging().Append(ctx, []messaging.NewMessage{message("chat", "ann", bad), message("chat", "ann", "good"+fmt.Sprint(len(bad)))})
			if err != nil || errs.KindOf(got[0].Err) != errs.Invalid || got[1].Err != nil {
				t.Errorf("%q beside a good message: %v, %v", bad, got, err)
			}
		}
		if got, err := s.Users().Profiles(ctx, []string{"u"}); err != nil || len(got) > 0 {
			t.Errorf("something was stored: %v, %v", got, err)
		}
	})
}

func TestTextIsKeptAsItIs(t *testing.T) {
	each(t, func(t *testing.T, s *bunstore.Store) {
		for i, text := range []string{`it's "quoted" \ ?`, "?0 ?TableName $1 :name -- /* */", "\u2028\U0001F600\ufffd\u0301", `\x00 \'`, " ' OR ''='"} {
			p := users.StoredProfile{Profile: users.Profile{UserID: fmt.Sprint(i, text), Bio: text, CreatedAt: noon, UpdatedAt: noon}}
			if _, err := s.Users().Create(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			got, err := s.Users().Profiles(t.Context(), []string{p.UserID})
			if err != nil || len(got) != 1 || got[0] != p {
				t.Errorf("%q came back as %+v, %v", text, got, err)
			}
		}
	})
}

// Concurrent writers share commits, and a batch takes the same few statements
// whatever its size.
func TestGroupCommit(t *testing.T) {
	each(t, func(t *testing.T, s *bunstore.Store) {
		ids := []string{"a", "b", "c", "d"}
		for _, id := range ids {
			group(t, s, id, "ann", "bob")
		}
		tr := watch(s)
		items := make([]messaging.NewMessage, 200)
		for i := range items {
			items[i] = message(ids[i%4], "ann", fmt.Sprint("m", i))
		}
		if _, err := s.Messaging().Append(t.Context(), items); err != nil {
			t.Fatal(err)
		}
		if got := tr.take(); len(got) != 2+5 || got[0] != "BEGIN" || got[len(got)-1] != "COMMIT" {
			t.Errorf("%d statements for 200 messages: %.80q", len(got), got)
		}

		const writers = 64
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				got, err := s.Messaging().Append(t.Context(), []messaging.NewMessage{message(ids[i%4], "bob", fmt.Sprint("n", i))})
				if err != nil || got[0].Err != nil {
					t.Error(err, got)
				}
			})
		}
		wg.Wait()
		commits := 0
		for _, q := range tr.take() {
			if q == "COMMIT" {
				commits++
			}
		}
		if commits == 0 || commits > writers/2 {
			t.Errorf("%d writers made %d commits", writers, commits)
		}
		for _, id := range ids {
			view, err := s.Messaging().Chat(t.Context(), "ann", id)
			if err != nil || view.HeadSeq != 50+16 || view.Unread != 16 {
				t.Errorf("chat %s: head %d, unread %d, %v", id, view.HeadSeq, view.Unread, err)
			}
		}
	})
}

// Writes of every kind beside each other: whoever fails fails alone.
func TestIsolation(t *testing.T) {
	each(t, func(t *testing.T, s *bunstore.Store) {
		ctx := t.Context()
		group(t, s, "chat", "ann", "bob")
		if _, err := s.Messaging().Append(ctx, []messaging.NewMessage{message("chat", "ann", "taken")}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				id := fmt.Sprint("m", i)
				switch i % 4 {
				case 0: // a good one
					got, err := s.Messaging().Append(ctx, []messaging.NewMessage{message("chat", "ann", id)})
					if err != nil || got[0].Err != nil {
						t.Errorf("good: %v, %v", got, err)
					}
				case 1: // its id is taken: breaks the statement that it is in
					m := message("chat", "bob", "taken")
					m.ClientID = ""
					got, err := s.Messaging().Append(ctx, []messaging.NewMessage{m})
					if err == nil && got[0].Err == nil {
						t.Error("a message id was given twice")
					}
				case 2: // a conflict
					m := message("chat", "ann", id)
					m.ClientID = "taken"
					got, err := s.Messaging().Append(ctx, []messaging.NewMessage{m})
					if err != nil || !errors.Is(got[0].Err, messaging.ErrClientIDReused) {
						t.Errorf("reused: %v, %v", got, err)
					}
				case 3: // refused, among the functions
					_, err := s.Messaging().RemoveMember(ctx, messaging.RemoveMember{ChatID: "chat", ActorID: "bob", UserID: "ann", At: noon})
					if !errors.Is(err, messaging.ErrNotAnAdmin) {
						t.Errorf("remove: %v", err)
					}
				}
			})
		}
		wg.Wait()
		events, err := s.Messaging().Events(ctx, "ann", "chat", 0, 100)
		if err != nil || len(events) != 11 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		for i, e := range events {
			if e.Seq != int64(i)+1 {
				t.Errorf("event %d has the number %d", i, e.Seq)
			}
		}
	})
}

// No statement of a read or of a write walks through a table.
func TestPlans(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tr := watch(s.Store)
	everything(t, s.Store)
	seen := make(map[string]bool)
	for _, q := range tr.take() {
		verb, _, _ := strings.Cut(q, " ")
		if !slices.Contains([]string{"SELECT", "UPDATE", "DELETE", "INSERT", "WITH"}, verb) || seen[q] {
			continue
		}
		seen[q] = true
		for _, step := range plan(t, s.Reader(), q) {
			table, scans := strings.CutPrefix(step, "SCAN ")
			// The values of the statement itself, a table that is read as a whole, and a
			// pragma, which is none.
			given := table == "v" || strings.HasPrefix(table, "pragma_data_version ") || strings.Contains(table, "CONSTANT ROW") || strings.Contains(table, "VALUES CLAUSE")
			if scans && !given && table != "signing_keys" {
				t.Errorf("%s\n in %s", step, q)
			}
		}
	}
	if len(seen) < 60 {
		t.Errorf("only %d statements were seen", len(seen))
	}
}

func plan(t *testing.T, db *sql.DB, q string) (steps []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+q)
	if err != nil {
		t.Fatalf("%v in %s", err, q)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
