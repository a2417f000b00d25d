package messaging_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/messaging"
)

// device is a client that knows nothing but the answers of Sync.
type device struct {
	user    string
	epoch   string
	userSeq int64
	chats   map[string]*deviceChat
	hidden  map[string]bool
}

type deviceChat struct {
	seq      int64
	messages map[string]messaging.Message
	members  map[string]messaging.Role // of events since the chat was made
	receipts []messaging.Watermark
}

func newDevice(user string) *device {
	return &device{user: user, chats: make(map[string]*deviceChat), hidden: make(map[string]bool)}
}

// catchUp asks until nothing is missing, or, as a device that loses its
// connection does, only once.
func (d *device) catchUp(w *world, limit int, whole bool) error {
	for more := true; more; {
		r := messaging.SyncRequest{UserID: d.user, Epoch: d.epoch, UserSeq: d.userSeq, Limit: limit, Chats: make(map[string]int64)}
		for id, chat := range d.chats {
			r.Chats[id] = chat.seq
		}
		answer, err := w.Sync(w.ctx, r)
		if err != nil {
			return err
		}
		joined, err := d.apply(answer)
		if err != nil {
			return err
		}
		more = whole && (answer.More || joined)
	}
	return nil
}

func (d *device) apply(answer messaging.SyncAnswer) (joined bool, err error) {
	if answer.Reset || answer.User.TooLong {
		return false, fmt.Errorf("unexpected answer %+v", answer)
	}
	d.epoch = answer.Epoch
	for _, c := range answer.Chats {
		if err := d.chats[c.ChatID].apply(c); err != nil {
			return false, fmt.Errorf("chat %s: %w", c.ChatID, err)
		}
	}
	for _, e := range answer.User.Events {
		if e.Seq <= d.userSeq {
			return false, fmt.Errorf("user event %d after %d", e.Seq, d.userSeq)
		}
		d.userSeq = e.Seq
		switch e.Type {
		case messaging.ChatJoined:
			d.chats[e.ChatID] = &deviceChat{messages: make(map[string]messaging.Message), members: make(map[string]messaging.Role)}
			joined = true
		case messaging.ChatLeft:
			delete(d.chats, e.ChatID)
		case messaging.MessageDeleted:
			d.hidden[e.MessageID] = true
		}
	}
	d.userSeq = answer.User.Head
	return joined, nil
}

func (c *deviceChat) apply(s messaging.ChatSync) error {
	for _, e := range s.Events {
		if e.Seq != c.seq+1 {
			return fmt.Errorf("event %d after %d", e.Seq, c.seq)
		}
		c.seq = e.Seq
		switch e.Type {
		case messaging.MessageCreated, messaging.MessageEdited:
			c.messages[e.MessageID] = *e.Message
		case messaging.MessageDeleted:
			m := c.messages[e.MessageID]
			m.Deleted, m.Text = true, ""
			c.messages[e.MessageID] = m
		case messaging.MemberAdded, messaging.MemberRole:
			c.members[e.UserID] = e.Role
		case messaging.MemberRemoved:
			delete(c.members, e.UserID)
		}
	}
	if s.Head != c.seq {
		return fmt.Errorf("head %d after event %d", s.Head, c.seq)
	}
	c.receipts = s.Receipts
	return nil
}

// compare tells in what the device differs from one that reads everything anew.
func (d *device) compare(w *world) string {
	page, err := w.Chats(w.ctx, d.user, messaging.List{Limit: messaging.MaxPage})
	must(w.t, err)
	var out strings.Builder
	if len(page.Items) != len(d.chats) {
		fmt.Fprintf(&out, "%s has %d chats, its device %d\n", d.user, len(page.Items), len(d.chats))
	}
	for _, view := range page.Items {
		c := d.chats[view.ID]
		if c == nil {
			fmt.Fprintf(&out, "%s misses chat %s\n", d.user, view.ID)
			continue
		}
		members, err := w.Members(w.ctx, d.user, view.ID, messaging.List{Limit: messaging.MaxPage})
		must(w.t, err)
		marks := make([]messaging.Watermark, len(members.Items))
		for i, m := range members.Items {
			marks[i] = messaging.Watermark{
				ChatID: m.ChatID, UserID: m.UserID, DeliveredSeq: m.DeliveredSeq, ReadSeq: m.ReadSeq, Version: view.ReceiptVersion,
			}
			if view.Kind == messaging.Group && m.UserID != view.CreatedBy && c.members[m.UserID] != m.Role && c.members[m.UserID] != "" {
				fmt.Fprintf(&out, "%s sees %s as %q, not %q\n", d.user, m.UserID, c.members[m.UserID], m.Role)
			}
			delete(c.members, m.UserID)
		}
		if len(c.members) > 0 {
			fmt.Fprintf(&out, "%s sees members who are gone: %v\n", d.user, c.members)
		}
		out.WriteString(cmp.Diff(marks, c.receipts))
		out.WriteString(cmp.Diff(timeless(w.history(d.user, view.ID)), timeless(d.visible(c))))
	}
	return out.String()
}

func (d *device) visible(c *deviceChat) []messaging.Message {
	all := slices.Collect(maps.Values(c.messages))
	all = slices.DeleteFunc(all, func(m messaging.Message) bool { return d.hidden[m.ID] })
	slices.SortFunc(all, func(a, b messaging.Message) int { return int(a.Seq - b.Seq) })
	return all
}

// timeless leaves the tallies out: they move by receipts, without events.
func timeless(msgs []messaging.Message) []messaging.Message {
	out := make([]messaging.Message, 0, len(msgs))
	for _, m := range msgs {
		m.Tally = messaging.Tally{}
		out = append(out, m)
	}
	return out
}

// MSG-14: whatever happens and whenever devices look, in whatever portions, they
// end up knowing exactly what one knows who reads everything anew.
func TestSyncWalkProperty(t *testing.T) {
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 150
	p := gopter.NewProperties(parameters)
	p.Property("devices that only sync know everything", prop.ForAll(
		func(seed uint64, steps int) string {
			random := rand.New(rand.NewPCG(seed, 0))
			w := newWorld(t)
			users := ids(4)
			devices := make([]*device, 0, 2*len(users))
			for _, u := range users {
				devices = append(devices, newDevice(u), newDevice(u))
			}
			chats := []string{w.group(users[0], users[1:3]...), w.direct(users[0], users[3]), w.group(users[1])}
			var msgs []messaging.Message
			for step := range steps {
				walk(w, random, users, chats, &msgs, fmt.Sprint("text ", step))
				if d := devices[random.IntN(len(devices))]; random.IntN(4) == 0 {
					if err := d.catchUp(w, 1+random.IntN(4), random.IntN(2) == 0); err != nil {
						return err.Error()
					}
				}
			}
			for _, d := range devices {
				if err := d.catchUp(w, 1+random.IntN(20), true); err != nil {
					return err.Error()
				}
				if diff := d.compare(w); diff != "" {
					return diff
				}
			}
			return ""
		},
		gen.UInt64(), gen.IntRange(0, 80),
	))
	p.TestingRun(t)
}

// walk does one random thing; what is not allowed at the moment changes nothing.
func walk(w *world, random *rand.Rand, users, chats []string, msgs *[]messaging.Message, text string) {
	user, chat := users[random.IntN(len(users))], chats[random.IntN(len(chats))]
	var msg messaging.Message
	if len(*msgs) > 0 {
		msg = (*msgs)[random.IntN(len(*msgs))]
	}
	switch random.IntN(9) {
	case 0:
		_, _ = w.Edit(w.ctx, messaging.EditRequest{UserID: msg.SenderID, ChatID: msg.ChatID, MessageID: msg.ID, Text: text})
	case 1:
		_ = w.Delete(w.ctx, messaging.DeleteRequest{UserID: msg.SenderID, ChatID: msg.ChatID, MessageID: msg.ID, ForEveryone: true})
	case 2:
		_ = w.Delete(w.ctx, messaging.DeleteRequest{UserID: user, ChatID: msg.ChatID, MessageID: msg.ID})
	case 3:
		_ = w.Mark(w.ctx, messaging.MarkRequest{UserID: user, ChatID: msg.ChatID, MessageID: msg.ID, Read: random.IntN(2) == 0})
	case 4:
		_ = w.AddMembers(w.ctx, users[random.IntN(2)], chat, []string{user})
	case 5:
		if random.IntN(2) == 0 {
			_ = w.RemoveMember(w.ctx, users[random.IntN(len(users))], chat, user)
		}
	default:
		if sent, _, err := w.Send(w.ctx, messaging.SendRequest{SenderID: user, ChatID: chat, Text: text, ClientID: text}); err == nil {
			*msgs = append(*msgs, sent)
		}
	}
}
