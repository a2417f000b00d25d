package main

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/transport/api"
)

const testRun = "0a1b2c3d"

func encode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sent decodes what a template says.
func sent(t *testing.T, frame []byte) (f api.SendFrame) {
	t.Helper()
	if err := json.Unmarshal(frame, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func message(f api.SendFrame, id string, seq int64) api.Message {
	return api.Message{ID: id, ChatID: f.ChatID, Seq: seq, SenderID: "u", ClientID: f.ClientID, Kind: "text", Text: f.Text, CreatedAt: time.Now()}
}

func TestTemplate(t *testing.T) {
	for _, size := range []int{minSize, 128, maxSize} {
		tp := newTemplate(testRun, "chat", 42, size)
		f := sent(t, tp.set(1234567))
		want := "load-" + testRun + "00042" + "0001234567"
		if f.ID != "0001234567" || f.Type != api.FrameSend || f.ChatID != "chat" || f.ClientID != want || len(f.Text) != size || f.Text[:len(want)] != want {
			t.Errorf("%+v", f)
		}
		if f = sent(t, tp.set(8)); f.ID != "0000000008" || f.ClientID[len(f.ClientID)-10:] != f.ID || f.Text[len(want)-10:len(want)] != f.ID {
			t.Errorf("the next one: %+v", f)
		}
	}
}

// What the scanner finds is what the server's own types encode.
func TestScanner(t *testing.T) {
	s := newScanner(testRun)
	hash := func(id string) uint64 { return maphash.String(s.seed, id) | 1 }
	one := message(sent(t, newTemplate(testRun, "a", 3, 128).set(7)), "m1", 12)
	two := message(sent(t, newTemplate(testRun, "b", 9999, minSize).set(0)), "m2", 5)
	other := message(sent(t, newTemplate("ffffffff", "b", 1, minSize).set(1)), "m3", 6)
	two.ClientID = ""

	frame := encode(t, api.Events{Type: api.FrameEvents, Events: []api.Event{
		{Type: "unread", ChatID: "a", UnreadCount: new(int)},
		{Type: "message.created", ChatID: "a", Seq: 12, Message: &one},
		{Type: "message.created", ChatID: "b", Seq: 6, Message: &other},
		{Type: "message.edited", ChatID: "a", Seq: 13, Message: &one},
		{Type: "receipt", ChatID: "a", UserID: "u", Version: 4},
		{Type: "message.created", ChatID: "b", Seq: 5, Message: &two},
	}})
	var got []delivery
	s.events(frame, func(d delivery) { got = append(got, d) })
	want := []delivery{{3, 7, 12, hash("m1")}, {9999, 0, 5, hash("m2")}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(delivery{})); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if _, ok := replyTo(frame); ok {
		t.Error("events were taken for an answer")
	}

	if d, ok := s.stored("m1", one.Text, 12); !ok || d != want[0] {
		t.Errorf("from history %+v %t", d, ok)
	}
	if _, ok := s.stored("m3", other.Text, 6); ok {
		t.Error("another run's message was taken for one of this run")
	}
	answer := encode(t, api.Reply{ReplyTo: "0000000007", OK: true, Data: one})
	id, ok := replyTo(answer)
	d, found := s.message(answer)
	if !ok || string(id) != "0000000007" || !succeeded(answer) || !found || d != want[0] {
		t.Errorf("answer to %q %t, message %+v %t", id, ok, d, found)
	}
	refusal := encode(t, api.Reply{ReplyTo: "1", Error: &api.Failure{Code: "not_a_member"}})
	if _, ok := replyTo(refusal); !ok || succeeded(refusal) || failure(refusal) != "not_a_member" {
		t.Errorf("refusal %s", refusal)
	}
	for _, junk := range []string{"", "{", `{"replyTo":"`, `"type":"message.created"`, string(frame[:len(frame)/2]), `{"type":"message.created","text":"load-` + testRun + "0"} {
		s.events([]byte(junk), func(delivery) {})
		replyTo([]byte(junk))
		failure([]byte(junk))
	}
}

// wire feeds a traffic of one chat as connections would.
type wire struct {
	t  *testing.T
	tr *traffic
	b  *bench
}

func newWire(t *testing.T) *wire {
	b := &bench{opt: options{size: 128}, mark: testRun, meter: &meter{start: time.Now(), failures: map[string]int{}}}
	w := &wire{t, &traffic{b: b, scan: newScanner(testRun), fan: 2}, b}
	w.tr.add(nil, user{}, "chat", 0, 0, true)
	w.tr.add(nil, user{}, "chat", 0, 0, false)
	return w
}

// send sends n messages; their frames are kept as messages with ids and sequences.
func (w *wire) send(n int) (all []api.Message) {
	s := w.tr.senders[0]
	for i := range n {
		if _, ok := s.ledger.begin(0); !ok {
			w.t.Fatal("the ledger is full")
		}
		all = append(all, message(sent(w.t, s.template.set(i)), fmt.Sprint("m", i), int64(i+1)))
	}
	return all
}

func (w *wire) ack(m api.Message) {
	w.tr.reply(w.tr.members[0], encode(w.t, api.Reply{ReplyTo: m.ClientID[len(m.ClientID)-numberDigits:], OK: true, Data: m}), 1)
}

func (w *wire) arrive(member int, m api.Message) {
	frame := encode(w.t, api.Events{Type: api.FrameEvents, Events: []api.Event{{Type: "message.created", Seq: m.Seq, Message: &m}}})
	w.tr.scan.events(frame, func(d delivery) { w.tr.take(w.tr.members[member], d, 1) })
}

// Every fault of a server shows in the accounts, and only that.
func TestAccounting(t *testing.T) {
	sound := accounting{Sent: 4, Acknowledged: 4, Expected: 8, Delivered: 8}
	for _, test := range []struct {
		name   string
		fault  func(w *wire, m []api.Message, i, member int) bool // replaces the delivery
		want   func(a *accounting)
		passes bool
	}{
		{"sound", nil, func(*accounting) {}, true},
		{"loses one", func(_ *wire, _ []api.Message, i, member int) bool { return i == 2 && member == 1 },
			func(a *accounting) { a.Missing, a.Delivered = 1, 7 }, false},
		{"doubles one", func(w *wire, m []api.Message, i, member int) bool {
			if i == 2 && member == 1 {
				w.arrive(1, m[i])
			}
			return false
		}, func(a *accounting) { a.Duplicates = 1 }, false},
		{"swaps two", func(w *wire, m []api.Message, i, member int) bool {
			if member == 1 && i == 1 {
				w.arrive(1, m[2])
				w.arrive(1, m[1])
			}
			return member == 1 && (i == 1 || i == 2)
		}, func(a *accounting) { a.OutOfOrder = 1 }, false},
		{"another id", func(w *wire, m []api.Message, i, member int) bool {
			if i == 3 && member == 1 {
				m[3].ID = "other"
				w.arrive(1, m[3])
			}
			return i == 3 && member == 1
		}, func(a *accounting) { a.Contradicted, a.Missing, a.Delivered = 1, 1, 7 }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWire(t)
			m := w.send(4)
			for i := range m {
				w.ack(m[i])
				for member := range 2 {
					if test.fault == nil || !test.fault(w, m, i, member) {
						w.arrive(member, m[i])
					}
				}
			}
			want := sound
			test.want(&want)
			got := w.tr.account()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("accounts (-want +got):\n%s", diff)
			}
			r := &report{names: namesOf(direct)}
			r.settled = func() { r.Accounting = &got }
			done := sample{done: 4}
			r.take(sample{}, done, done, w.b.meter)
			if err := r.verdict(); (err == nil) != test.passes {
				t.Errorf("verdict %v", err)
			}
		})
	}
}

func TestUnanswered(t *testing.T) {
	w := newWire(t)
	m := w.send(3)
	w.ack(m[0])
	w.arrive(0, m[0])
	w.arrive(1, m[0])
	w.arrive(1, m[1]) // never acknowledged
	w.tr.reply(w.tr.members[0], []byte(`{"replyTo":"0000000002","ok":false,"error":{"code":"unavailable"}}`), 1)
	want := accounting{Sent: 3, Acknowledged: 1, Refused: 1, Unanswered: 1, Expected: 2, Delivered: 2, Unasked: 1}
	if diff := cmp.Diff(want, w.tr.account()); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"unavailable": 1}, w.b.meter.allFailures()); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	w.ack(m[0])
	if a := w.tr.account(); a.Contradicted != 1 {
		t.Errorf("a second answer to one message: %+v", a)
	}
}
