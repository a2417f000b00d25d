package bunstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/internal/bunstore"
	"github.com/wigwag-chat/wigwag/storage/postgres"
)

// mixed is a store with chats a and b, in each of which two messages stand.
func mixed(t *testing.T) *bunstore.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, chat := range []string{"a", "b"} {
		group(t, s.Store, chat, "ann", "bob", "cyd")
		for i := range 2 {
			if _, err := s.Messaging().Append(t.Context(), []messaging.NewMessage{message(chat, "ann", fmt.Sprint(chat, i))}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s.Store
}

func mark(chat, user string, upTo int64, read bool) messaging.Mark {
	return messaging.Mark{ChatID: chat, UserID: user, UpTo: upTo, Read: read, At: noon}
}

// A batch of messages and marks of which the commit's answer is lost is answered
// like one of which it came: the same places, also in the users' own sequences.
func TestLostAnswerOfAMixedBatch(t *testing.T) {
	t.Parallel()
	var want string
	for _, lost := range []bool{false, true} {
		s := mixed(t)
		was := false
		if lost {
			s.LoseAnswer(func() { was = true })
		}
		appended, marked, err := s.Together(t.Context(),
			[]messaging.NewMessage{message("a", "ann", "new"), message("b", "dan", "stranger"), message("b", "bob", "other")},
			[]messaging.Mark{
				mark("a", "bob", 1, true), mark("b", "bob", 2, true), mark("a", "bob", 3, true), // three places of bob's
				mark("a", "cyd", 3, false), mark("b", "cyd", 3, true), mark("b", "cyd", 99, true), mark("a", "bob", 2, true),
			})
		if err != nil {
			t.Fatalf("lost %v: %v", lost, err)
		}
		got := fmt.Sprintln(was == lost)
		for _, a := range appended {
			got += fmt.Sprintln(a.Message.ID, a.Message.Seq, a.Repeated, a.Err)
		}
		for _, m := range marked {
			got += fmt.Sprintln(m.Watermark, m.Moved, m.Err)
			if m.UserEvent != nil {
				got += fmt.Sprintln(*m.UserEvent)
			}
		}
		for _, user := range []string{"bob", "cyd"} { // what the answers told is what stands
			events, err := s.Messaging().UserEvents(t.Context(), user, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			told := make(map[int64]messaging.UserEvent)
			for _, m := range marked {
				if m.UserEvent != nil && m.UserEvent.UserID == user {
					told[m.UserEvent.Seq] = *m.UserEvent
				}
			}
			found := make(map[int64]messaging.UserEvent)
			for _, e := range events {
				if e.Type == messaging.OwnPosition {
					found[e.Seq] = e
				}
			}
			if diff := cmp.Diff(found, told); diff != "" || len(told) == 0 {
				t.Errorf("lost %v: %s's own positions (-stored +told):\n%s", lost, user, diff)
			}
		}
		if !lost {
			want = got
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-answered +lost):\n%s", diff)
		}
	}
}

// Where the places cannot be found again nobody is told that it failed: a batch
// that was committed is not done once more.
func TestPlacesThatAreLostForGood(t *testing.T) {
	t.Parallel()
	s := mixed(t)
	s.LoseAnswer(func() {
		if _, err := s.Reader().ExecContext(context.Background(), "DELETE FROM user_events WHERE user_id = 'bob' AND type = $1", string(messaging.OwnPosition)); err != nil {
			t.Error(err)
		}
	})
	appended, marked, err := s.Together(t.Context(), []messaging.NewMessage{message("a", "ann", "new")}, []messaging.Mark{mark("a", "bob", 2, true)})
	if err == nil && len(appended) == 1 {
		err = errors.Join(appended[0].Err, marked[0].Err)
	}
	if errs.KindOf(err) != errs.Unavailable || errs.CodeOf(err) != "outcome_unknown" {
		t.Errorf("%+v, %+v, %v", appended, marked, err)
	}
	if events, err := s.Messaging().Events(t.Context(), "cyd", "a", 2, 100); err != nil || len(events) != 1 {
		t.Errorf("the message stands %d times, %v", len(events), err)
	}
	again, err := s.Messaging().Append(t.Context(), []messaging.NewMessage{message("a", "ann", "new")})
	if err != nil || !again[0].Repeated || again[0].Message.Seq != 3 {
		t.Errorf("again: %+v, %v", again, err)
	}
}
