package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
)

// A store keeps in mind what its last batch left of chats and members. Whoever
// else writes, by the same store, another one on the same file, or on a
// connection that took the place of the first, it answers as if it had read.
func TestSeveralStoresOnOneFileAgree(t *testing.T) {
	t.Parallel()
	path := file(t)
	stores := []storage.Store{open(t, path, sqlite.Options{Migrate: true}), open(t, path, sqlite.Options{}), restless(t, path)}
	model := memory.New(memory.Options{})
	defer model.Close()
	cases := 0
	p := gopter.NewProperties(nil)
	p.Property("each store answers as one memory store does", prop.ForAllNoShrink(func(steps []uint16) string {
		cases++
		in := func(name string) string { return fmt.Sprintf("%s.%d", name, cases) }
		chats, people := []string{in("one"), in("two")}, []string{in("ann"), in("bob"), in("cid")}
		for _, id := range chats {
			group(t, stores[0], id, people...)
			group(t, model, id, people...)
		}
		for i, step := range steps {
			s := stores[[]int{0, 0, 0, 1, 1, 2}[step%6]]
			do := change(step/6, in(fmt.Sprint(i)), chats, people)
			want, got := do(t.Context(), model), do(t.Context(), s)
			if diff := cmp.Diff(want, got); diff != "" {
				return fmt.Sprintf("step %d, %d (-memory +sqlite):\n%s", i, steps[i], diff)
			}
		}
		return ""
	}, gen.SliceOfN(25, gen.UInt16())))
	p.TestingRun(t)
}

// restless opens a store whose every transaction has a new connection.
func restless(t *testing.T, path string) storage.Store {
	t.Helper()
	writer := raw(t, path, "&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	writer.SetMaxIdleConns(-1)
	s, err := sqlite.OpenDB(t.Context(), writer, writer, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// change makes one step of a number. Its name is like no other's.
func change(step uint16, its string, chats, people []string) func(context.Context, storage.Store) string {
	chat, who := chats[step%2], people[step/2%3]
	verb, rest := step/6%8, int(step/48)
	at := noon
	message := func(i int, clientID string) messaging.NewMessage {
		return messaging.NewMessage{
			ID: fmt.Sprint(its, "/", i), ChatID: chat, SenderID: who, ClientID: clientID, Kind: messaging.KindText,
			Body: messaging.Sealed{KeyID: "1", Data: []byte("body")}, Digest: []byte{byte(rest % 2)}, CreatedAt: at,
		}
	}
	return func(ctx context.Context, s storage.Store) string {
		switch m := s.Messaging(); verb {
		case 0:
			_, err := m.RemoveMember(ctx, messaging.RemoveMember{ChatID: chat, ActorID: who, UserID: people[rest%3], At: at})
			return kind(err)
		case 1:
			_, err := m.AddMembers(ctx, messaging.AddMembers{ChatID: chat, ActorID: who, UserIDs: []string{people[rest%3]}, Limit: 10, At: at})
			return kind(err)
		case 2:
			done, err := m.Mark(ctx, []messaging.Mark{{ChatID: chat, UserID: who, Read: rest%2 == 0, UpTo: int64(rest % 9), At: at}})
			if err != nil {
				return kind(err)
			}
			return fmt.Sprint(done[0].Watermark, done[0].Moved, kind(done[0].Err))
		default: // a name of its own, or one of few
			items := []messaging.NewMessage{message(0, "own "+its), message(1, fmt.Sprint("c", rest%4))}
			done, err := m.Append(ctx, items[:1+rest/4%2])
			if err != nil {
				return kind(err)
			}
			said := ""
			for _, a := range done {
				said += fmt.Sprintln(a.Message.ID, a.Message.Seq, a.Message.Tally.Recipients, a.Repeated, kind(a.Err))
			}
			return said
		}
	}
}

// kind names what an error says to callers.
func kind(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.Code()
	}
	return fmt.Sprint(err)
}
