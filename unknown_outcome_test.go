package wigwag_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/client"
)

// forgetful is a store that, when it is told to, does not know whether its next
// change was made. It was.
type forgetful struct {
	storage.Store
	forget atomic.Bool
}

func (f *forgetful) Messaging() messaging.Store { return forgetfulChats{f.Store.Messaging(), f} }

type forgetfulChats struct {
	messaging.Store
	of *forgetful
}

func changed[T any](f *forgetful, out T, err error) (T, error) {
	if err == nil && f.forget.CompareAndSwap(true, false) {
		var none T
		return none, errs.New(errs.Unavailable, "outcome_unknown", "Who knows.")
	}
	return out, err
}

func (c forgetfulChats) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	out, err := c.Store.Append(ctx, items)
	return changed(c.of, out, err)
}

func (c forgetfulChats) Edit(ctx context.Context, e messaging.EditMessage) (messaging.Changed, error) {
	out, err := c.Store.Edit(ctx, e)
	return changed(c.of, out, err)
}

func (c forgetfulChats) Delete(ctx context.Context, d messaging.DeleteMessage) (messaging.Changed, error) {
	out, err := c.Store.Delete(ctx, d)
	return changed(c.of, out, err)
}

func (c forgetfulChats) Hide(ctx context.Context, h messaging.HideMessage) (messaging.Changed, error) {
	out, err := c.Store.Hide(ctx, h)
	return changed(c.of, out, err)
}

func (c forgetfulChats) Mark(ctx context.Context, items []messaging.Mark) ([]messaging.Marked, error) {
	out, err := c.Store.Mark(ctx, items)
	return changed(c.of, out, err)
}

func (c forgetfulChats) AddMembers(ctx context.Context, a messaging.AddMembers) (messaging.Changed, error) {
	out, err := c.Store.AddMembers(ctx, a)
	return changed(c.of, out, err)
}

func (c forgetfulChats) RemoveMember(ctx context.Context, r messaging.RemoveMember) (messaging.Changed, error) {
	out, err := c.Store.RemoveMember(ctx, r)
	return changed(c.of, out, err)
}

func (c forgetfulChats) CreateChat(ctx context.Context, n messaging.NewChat) (messaging.CreatedChat, error) {
	out, err := c.Store.CreateChat(ctx, n)
	return changed(c.of, out, err)
}

// A change that was made, though nobody could say so, is heard of by those who
// are online, without another one after it.
func TestUnknownOutcomeIsHeardOf(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		user, event string // who hears of what
		do          func(context.Context, messaging.Service, messaging.Message) error
	}{
		"send": {"bob", "message.created", func(ctx context.Context, s messaging.Service, m messaging.Message) error {
			_, _, err := s.Send(ctx, messaging.SendRequest{SenderID: "ann", ChatID: m.ChatID, Text: "new"})
			return err
		}},
		"edit": {"bob", "message.edited", func(ctx context.Context, s messaging.Service, m messaging.Message) error {
			_, err := s.Edit(ctx, messaging.EditRequest{UserID: "ann", ChatID: m.ChatID, MessageID: m.ID, Text: "new"})
			return err
		}},
		"delete": {"bob", "message.deleted", func(ctx context.Context, s messaging.Service, m messaging.Message) error {
			return s.Delete(ctx, messaging.DeleteRequest{UserID: "ann", ChatID: m.ChatID, MessageID: m.ID, ForEveryone: true})
		}},
		"hide": {"bob", "message.deleted", func(ctx context.Context, s messaging.Service, m messaging.Message) error {
			return s.Delete(ctx, messaging.DeleteRequest{UserID: "bob", ChatID: m.ChatID, MessageID: m.ID})
		}},
		"mark": {"bob", "receipt", func(ctx context.Context, s messaging.Service, m messaging.Message) error {
			return s.Mark(ctx, messaging.MarkRequest{UserID: "bob", ChatID: m.ChatID, Read: true, UpTo: m.Seq})
		}},
		"add": {"cyd", "chat.joined", func(ctx context.Context, s messaging.Service, m messaging.Message) error {
			return s.AddMembers(ctx, "ann", m.ChatID, []string{"cyd"})
		}},
		"added": {"bob", "member.added", func(ctx context.Context, s messaging.Service, m messaging.Message) error {
			return s.AddMembers(ctx, "ann", m.ChatID, []string{"cyd"})
		}},
		"remove": {"bob", "chat.left", func(ctx context.Context, s messaging.Service, m messaging.Message) error {
			return s.RemoveMember(ctx, "ann", m.ChatID, "bob")
		}},
		"group": {"cyd", "chat.joined", func(ctx context.Context, s messaging.Service, _ messaging.Message) error {
			_, _, err := s.CreateGroup(ctx, messaging.NewGroup{CreatorID: "ann", Title: "New", MemberIDs: []string{"cyd"}})
			return err
		}},
		"direct": {"cyd", "chat.joined", func(ctx context.Context, s messaging.Service, _ messaging.Message) error {
			_, _, err := s.OpenDirect(ctx, "ann", "cyd")
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &forgetful{Store: memory.New(memory.Options{})}
			r := start(t, vessel{open: func() (storage.Store, error) { return store, nil }}, ring(t))
			defer r.stop()
			chat, _, err := r.app.Messaging.CreateGroup(t.Context(), messaging.NewGroup{CreatorID: "ann", Title: "G", MemberIDs: []string{"bob"}})
			check(t, err)
			m, _, err := r.app.Messaging.Send(t.Context(), messaging.SendRequest{SenderID: "ann", ChatID: chat.ID, Text: "old"})
			check(t, err)
			c, err := client.New(r.address, client.Options{
				HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Tokens: client.Tokens{Access: tc.user},
			})
			check(t, err)
			heard := make(chan api.Event, 100)
			socket, err := c.Connect(t.Context(), client.SocketOptions{Event: func(e api.Event) { heard <- e }})
			check(t, err)
			defer socket.Close()
			if tc.user == "bob" {
				<-heard // of what was before
			}
			store.forget.Store(true)
			if err := tc.do(t.Context(), r.app.Messaging, m); errs.CodeOf(err) != "outcome_unknown" {
				t.Fatal(err)
			}
			for late := time.After(staleBound); ; {
				select {
				case e := <-heard:
					if e.Type == tc.event {
						return
					}
				case <-late:
					t.Fatal("nothing is heard")
				}
			}
		})
	}
}
