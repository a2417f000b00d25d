package messaging_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/wigwag-chat/wigwag/messaging"
)

// canceling ends callers' contexts around the store's writes: before, when
// nothing happens, or right after, when it has happened and the caller is gone.
type canceling struct {
	messaging.Store
	mu     sync.Mutex
	random *rand.Rand
}

type cancelKey struct{}

func (c *canceling) around(ctx context.Context) (after func()) {
	cancel, _ := ctx.Value(cancelKey{}).(context.CancelFunc)
	c.mu.Lock()
	draw := c.random.IntN(4)
	c.mu.Unlock()
	switch {
	case cancel != nil && draw == 0:
		cancel()
	case cancel != nil && draw == 1:
		return cancel
	}
	return func() {}
}

func (c *canceling) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	defer c.around(ctx)()
	return c.Store.Append(ctx, items)
}

func (c *canceling) Edit(ctx context.Context, e messaging.EditMessage) (messaging.Changed, error) {
	defer c.around(ctx)()
	return c.Store.Edit(ctx, e)
}

func (c *canceling) Delete(ctx context.Context, d messaging.DeleteMessage) (messaging.Changed, error) {
	defer c.around(ctx)()
	return c.Store.Delete(ctx, d)
}

func (c *canceling) Hide(ctx context.Context, h messaging.HideMessage) (messaging.Changed, error) {
	defer c.around(ctx)()
	return c.Store.Hide(ctx, h)
}

func (c *canceling) Mark(ctx context.Context, items []messaging.Mark) ([]messaging.Marked, error) {
	defer c.around(ctx)()
	return c.Store.Mark(ctx, items)
}

func (c *canceling) AddMembers(ctx context.Context, a messaging.AddMembers) (messaging.Changed, error) {
	defer c.around(ctx)()
	return c.Store.AddMembers(ctx, a)
}

func (c *canceling) RemoveMember(ctx context.Context, r messaging.RemoveMember) (messaging.Changed, error) {
	defer c.around(ctx)()
	return c.Store.RemoveMember(ctx, r)
}

func (c *canceling) CreateChat(ctx context.Context, n messaging.NewChat) (messaging.CreatedChat, error) {
	defer c.around(ctx)()
	return c.Store.CreateChat(ctx, n)
}

// Whatever is committed is published exactly once, under concurrency and with
// callers who go away at any moment; and nothing else is published.
func TestPublishIsComplete(t *testing.T) {
	const workers, steps = 8, 150
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := newWorld(t, func(c *messaging.Config) {
		c.Store = &canceling{Store: c.Store, random: rand.New(rand.NewPCG(seed, 1))}
	})
	users := ids(5)
	chats := []string{w.group(users[0], users[1:]...), w.group(users[1], users[2:]...), w.direct(users[0], users[1])}
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)+2))
			var last messaging.Message
			for step := range steps {
				ctx, cancel := context.WithCancel(w.ctx)
				ctx = context.WithValue(ctx, cancelKey{}, cancel)
				act(ctx, w, random, users, chats, &last, fmt.Sprint(i, step))
				cancel()
			}
		})
	}
	wg.Wait()

	events, own := make(map[string][]int64), make(map[string][]int64)
	for _, told := range w.heard.take() {
		for j, e := range told.Events {
			events[e.ChatID] = append(events[e.ChatID], e.Seq)
			if j > 0 && (e.ChatID != told.Events[0].ChatID || e.Seq <= told.Events[j-1].Seq) {
				t.Errorf("not ascending in one chat: %+v", told.Events)
			}
			created := e.Type == messaging.MessageCreated || e.Type == messaging.MessageEdited
			if created != (e.Message != nil) || created && (e.Message.Text == "" || e.Message.Err != nil) {
				t.Errorf("event without its message: %+v", e)
			}
		}
		for _, e := range told.UserEvents {
			own[e.UserID] = append(own[e.UserID], e.Seq)
		}
	}
	heads := make(map[string]int64)
	for _, user := range users {
		h, err := w.Heads(w.ctx, user)
		must(t, err)
		checkDense(t, "user "+user, own[user], h.UserSeq)
		for _, chat := range h.Chats {
			heads[chat.ChatID] = chat.Seq
		}
	}
	for chat, head := range heads {
		checkDense(t, "chat "+chat, events[chat], head)
	}
	if heads[chats[0]] < 50 {
		t.Errorf("the test did little: %v", heads)
	}
}

func act(ctx context.Context, w *world, random *rand.Rand, users, chats []string, last *messaging.Message, text string) {
	user, chat := users[random.IntN(len(users))], chats[random.IntN(len(chats))]
	var err error
	switch random.IntN(10) {
	case 0:
		_, err = w.Edit(ctx, messaging.EditRequest{UserID: last.SenderID, ChatID: last.ChatID, MessageID: last.ID, Text: text})
	case 1:
		err = w.Delete(ctx, messaging.DeleteRequest{
			UserID: last.SenderID, ChatID: last.ChatID, MessageID: last.ID, ForEveryone: random.IntN(2) == 0,
		})
	case 2:
		err = w.Mark(ctx, messaging.MarkRequest{UserID: user, ChatID: last.ChatID, Read: true, UpTo: max(last.Seq, 1)})
	case 3:
		err = w.AddMembers(ctx, users[0], chats[0], []string{user})
	case 4:
		if user != users[0] {
			err = w.RemoveMember(ctx, users[0], chats[0], user)
		}
	case 5:
		_, _, err = w.CreateGroup(ctx, messaging.NewGroup{CreatorID: user, Title: "group", MemberIDs: users})
	default:
		var msg messaging.Message
		msg, _, err = w.Send(ctx, messaging.SendRequest{SenderID: user, ChatID: chat, Text: text, ClientID: text})
		if err == nil {
			*last = msg
		}
	}
	if err != nil && !expected(err) {
		w.t.Errorf("%v", err)
	}
}

// expected errors are those of a random walk: gone callers and lost races.
func expected(err error) bool {
	for _, e := range []error{
		context.Canceled, messaging.ErrChatNotFound, messaging.ErrMessageNotFound, messaging.ErrNotAMember,
		messaging.ErrMemberNotFound, messaging.ErrRevision, messaging.ErrNotAnAdmin,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	// Before its first message an actor edits nothing, as nobody.
	return err.Error() == "invalid_user: This is no user's id."
}

// checkDense demands 1 to head, each once, in any order.
func checkDense(t *testing.T, what string, seqs []int64, head int64) {
	t.Helper()
	seen := make(map[int64]int)
	for _, s := range seqs {
		seen[s]++
	}
	for s := int64(1); s <= head; s++ {
		if seen[s] != 1 {
			t.Errorf("%s: event %d of %d was published %d times", what, s, head, seen[s])
		}
	}
	if len(seqs) != int(head) {
		t.Errorf("%s: %d events were published, %d committed", what, len(seqs), head)
	}
}
