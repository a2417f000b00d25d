package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/internal/hub"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/live"
)

// place is what a client applied at one place of a chat's sequence.
type place struct {
	Type, MessageID, UserID string
}

func placeOf(e api.Event) place {
	p := place{Type: e.Type, MessageID: e.MessageID, UserID: e.UserID}
	if e.Message != nil {
		p.MessageID = e.Message.ID
	}
	return p
}

// device applies events by the one rule: the next is applied, an older one
// ignored, before a newer one what lies between is fetched.
type device struct {
	w       *world
	user    string
	mu      sync.Mutex
	applied map[string][]place
	resumed int
}

func (d *device) has(chat string) []place {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.applied[chat]
}

func (d *device) add(chat string, p place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.applied[chat] = append(d.applied[chat], p)
}

func (d *device) apply(ctx context.Context, e api.Event) {
	if e.Seq == 0 && e.Type != string(messaging.ChatJoined) {
		return
	}
	switch have := int64(len(d.has(e.ChatID))); {
	case e.Seq == have+1:
		d.add(e.ChatID, placeOf(e))
	case e.Seq > have || e.Seq == 0:
		d.fetch(ctx, e.ChatID)
	}
}

func (d *device) fetch(ctx context.Context, chat string) {
	for before := -1; before < len(d.has(chat)); {
		before = len(d.has(chat))
		a, err := d.w.Sync(ctx, messaging.SyncRequest{UserID: d.user, Chats: map[string]int64{chat: int64(len(d.has(chat)))}, Limit: 7})
		if err != nil {
			return
		}
		for _, c := range a.Chats {
			for _, e := range c.Events {
				d.add(chat, placeOf(api.FromEvent(e, d.user)))
			}
		}
	}
}

// run connects, and again when it is cut, until the context ends.
func (d *device) run(ctx context.Context) {
	for ctx.Err() == nil {
		c, heads := d.w.connect(ctx, d.user)
		for _, h := range heads.Chats {
			d.fetch(ctx, h.ChatID)
		}
		for {
			items, err := c.Next(ctx, nil)
			if err != nil {
				break
			}
			for _, i := range items {
				var e api.Event
				if json.Unmarshal(i.Body, &e) == nil {
					d.apply(ctx, e)
				}
			}
		}
		c.Close()
		d.resumed++
	}
}

// write does what a person might do, and breaks connections.
func (w *world) write(t *testing.T, rnd *rand.Rand, user, direct, group string) {
	var sent []messaging.Message
	for i := range 25 {
		chat := direct
		if rnd.IntN(2) == 0 || user == "cid" {
			chat = group
		}
		switch op := rnd.IntN(10); {
		case op < 5 || len(sent) == 0:
			m, _, err := w.Send(t.Context(), messaging.SendRequest{SenderID: user, ChatID: chat, Text: fmt.Sprint(user, i)})
			if err == nil { // else not in the group just now
				sent = append(sent, m)
			}
		case op == 5:
			m := sent[rnd.IntN(len(sent))]
			w.Edit(t.Context(), messaging.EditRequest{UserID: user, ChatID: m.ChatID, MessageID: m.ID, Text: "edited"})
		case op == 6:
			m := sent[rnd.IntN(len(sent))]
			w.Delete(t.Context(), messaging.DeleteRequest{UserID: user, ChatID: m.ChatID, MessageID: m.ID, ForEveryone: true})
		case op == 7:
			w.AddMembers(t.Context(), "ann", group, []string{"bob", "cid"})
		case op == 8:
			w.RemoveMember(t.Context(), "ann", group, []string{"bob", "cid"}[rnd.IntN(2)])
		case op == 9:
			w.feed.Hub().End(user, []string{"session-of-" + user}, hub.ErrSlow)
		}
	}
}

// check waits until the device has everything of the chats that it is in, and
// compares it with the history.
func (d *device) check(t *testing.T) error {
	heads, err := d.w.Heads(t.Context(), d.user)
	must(t, err)
	timeout := time.After(10 * time.Second)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for _, h := range heads.Chats {
		for int64(len(d.has(h.ChatID))) < h.Seq {
			select {
			case <-look.C:
			case <-timeout:
				return fmt.Errorf("%s has %d events of %d", d.user, len(d.has(h.ChatID)), h.Seq)
			}
		}
		events, err := d.w.Events(t.Context(), d.user, h.ChatID, 0, messaging.MaxSync)
		must(t, err)
		var want []place
		for _, e := range events {
			want = append(want, placeOf(api.FromEvent(e, d.user)))
		}
		if diff := cmp.Diff(want, d.has(h.ChatID)); diff != "" {
			return fmt.Errorf("%s (-history +applied):\n%s", d.user, diff)
		}
	}
	return nil
}

// What three people's devices apply by the gap rule is the history, while all
// three write, come and go, their queues are short and connections break. No
// event is missed until a later one shows it: the last ones come by themselves.
func TestWhatDevicesApplyIsTheHistory(t *testing.T) {
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 100
	t.Logf("seed %d", parameters.Seed())
	resumed := 0
	properties := gopter.NewProperties(parameters)
	properties.Property("applied is history", prop.ForAll(func(seed uint64) (bool, error) {
		w := newWorld(t, live.Options{Hub: hub.Options{MaxEvents: 8}})
		group, _, err := w.CreateGroup(t.Context(), messaging.NewGroup{CreatorID: "ann", Title: "G", MemberIDs: []string{"bob"}})
		must(t, err)
		direct := w.direct("ann", "bob")
		ctx, stop := context.WithCancel(t.Context())
		var devices []*device
		var reading, writing sync.WaitGroup
		for i, u := range []string{"ann", "bob", "cid"} {
			d := &device{w: w, user: u, applied: map[string][]place{}}
			devices = append(devices, d)
			reading.Go(func() { d.run(ctx) })
			writing.Go(func() { w.write(t, rand.New(rand.NewPCG(seed, uint64(i))), u, direct, group.ID) })
		}
		writing.Wait()
		err = nil
		for _, d := range devices {
			err = errors.Join(err, d.check(t))
		}
		stop()
		reading.Wait()
		for _, d := range devices {
			resumed += d.resumed
		}
		return err == nil, err
	}, gen.UInt64()))
	properties.TestingRun(t)
	t.Logf("devices resumed %d times", resumed)
}
