package messaging_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
)

func (w *world) sync(r messaging.SyncRequest) messaging.SyncAnswer {
	w.t.Helper()
	answer, err := w.Sync(w.ctx, r)
	must(w.t, err)
	return answer
}

func TestSyncReset(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	w.send("ann", chat, "x")
	reset := messaging.SyncAnswer{Epoch: "first", Reset: true}
	for name, r := range map[string]messaging.SyncRequest{
		"other epoch":      {UserID: "ann", Epoch: "other"},
		"chat ahead":       {UserID: "ann", Epoch: "first", Chats: map[string]int64{chat: 2}},
		"chat ahead, new":  {UserID: "ann", Chats: map[string]int64{chat: 2}},
		"user ahead":       {UserID: "ann", Epoch: "first", UserSeq: 2},
		"stranger's ahead": {UserID: "eve", UserSeq: 1},
	} {
		if diff := cmp.Diff(reset, w.sync(r)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	for name, r := range map[string]messaging.SyncRequest{
		"new":             {UserID: "ann"},
		"not in the chat": {UserID: "eve", Epoch: "first", Chats: map[string]int64{chat: 99, "none": 5, "\x00": 5}},
	} {
		if got := w.sync(r); got.Reset || len(got.Chats) != 0 || got.Epoch != "first" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestSyncRefused(t *testing.T) {
	w := newWorld(t)
	many := make(map[string]int64)
	for i := range 1001 {
		many[strconv.Itoa(i)] = 0
	}
	for name, r := range map[string]messaging.SyncRequest{
		"nobody":          {},
		"limit":           {UserID: "ann", Limit: 1001},
		"negative limit":  {UserID: "ann", Limit: -1},
		"negative user":   {UserID: "ann", UserSeq: -1},
		"negative chat":   {UserID: "ann", Chats: map[string]int64{"a": 1, "b": -1}},
		"too many chats":  {UserID: "ann", Chats: many},
		"ill-formed user": {UserID: "a\x00"},
	} {
		if _, err := w.Sync(w.ctx, r); !errors.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSyncPages(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	for range 7 {
		w.send("ann", chat, "x")
	}
	must(t, w.Mark(w.ctx, messaging.MarkRequest{UserID: "bob", ChatID: chat, Read: true, UpTo: 3}))
	r := messaging.SyncRequest{UserID: "ann", Epoch: "first", UserSeq: 1, Chats: map[string]int64{chat: 1}, Limit: 3}
	var seqs []int64
	for range 2 {
		answer := w.sync(r)
		if len(answer.Chats) != 1 || answer.More != (len(seqs) == 0) {
			t.Fatalf("%+v", answer)
		}
		got := answer.Chats[0]
		for _, e := range got.Events {
			seqs = append(seqs, e.Seq)
		}
		want := []messaging.Watermark{
			{ChatID: chat, UserID: "ann", Version: 1},
			{ChatID: chat, UserID: "bob", DeliveredSeq: 3, ReadSeq: 3, Version: 1},
		}
		if diff := cmp.Diff(want, got.Receipts); diff != "" || got.ReceiptVersion != 1 {
			t.Errorf("receipts of version %d:\n%s", got.ReceiptVersion, diff)
		}
		r.Chats[chat] = got.Head
	}
	if !slices.Equal(seqs, []int64{2, 3, 4, 5, 6, 7}) {
		t.Errorf("events %v", seqs)
	}
}

// A chat where nothing happened costs no read of its events.
func TestSyncIsCheap(t *testing.T) {
	var queries []string
	hooks := &spy{query: func(method string) { queries = append(queries, method) }}
	w := newWorld(t, func(c *messaging.Config) { hooks.Store, c.Store = c.Store, hooks })
	chat := w.direct("ann", "bob")
	w.send("ann", chat, "x")
	queries = nil
	answer := w.sync(messaging.SyncRequest{UserID: "ann", Epoch: "first", UserSeq: 1, Chats: map[string]int64{chat: 1}})
	if len(queries) != 0 || len(answer.Chats) != 1 || answer.Chats[0].Head != 1 || len(answer.Chats[0].Receipts) != 2 {
		t.Errorf("%v: %+v", queries, answer)
	}
}

func TestSyncTooLong(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	for i := range messaging.MaxSync + 1 {
		w.send("ann", chat, strconv.Itoa(i))
	}
	r := messaging.SyncRequest{UserID: "bob", Epoch: "first", UserSeq: 1, Chats: map[string]int64{chat: 1}, Limit: messaging.MaxSync}
	if got := w.sync(r); got.More || got.Chats[0].TooLong || len(got.Chats[0].Events) != messaging.MaxSync {
		t.Errorf("1,000 behind: %d events, too long %v", len(got.Chats[0].Events), got.Chats[0].TooLong)
	}
	r.Chats[chat] = 0
	got := w.sync(r)
	if len(got.Chats) != 1 || got.More {
		t.Fatalf("%+v", got)
	}
	c := got.Chats[0]
	if !c.TooLong || c.Snapshot == nil || len(c.Events) != 0 || c.Head != messaging.MaxSync+1 || len(c.Receipts) != 2 {
		t.Fatalf("1,001 behind: %+v", c)
	}
	s := c.Snapshot
	if s.Chat.ID != chat || s.Chat.Unread != messaging.MaxSync+1 || len(s.Members) != 2 || len(s.Messages) != 50 || s.Messages[49].Text != "1000" {
		t.Errorf("snapshot of %d messages, %d members, %+v", len(s.Messages), len(s.Members), s.Chat)
	}
}

func TestSyncUserTooLong(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	for range messaging.MaxSync {
		m := w.send("ann", chat, "x")
		w.delete("bob", m, false)
	}
	got := w.sync(messaging.SyncRequest{UserID: "bob", UserSeq: 1, Limit: 1000})
	if got.User.TooLong || len(got.User.Events) != 1000 || got.User.Head != 1001 || got.More {
		t.Errorf("1,000 behind: %d events, %+v", len(got.User.Events), got.User.Head)
	}
	got = w.sync(messaging.SyncRequest{UserID: "bob"})
	if !got.User.TooLong || len(got.User.Events) != 0 || got.User.Head != 1001 || got.More {
		t.Errorf("1,001 behind: %+v", got.User)
	}
}

// One answer is bounded over all its chats, and asking again gets the rest.
func TestSyncAnswerIsBounded(t *testing.T) {
	const chats, each = 13, 900
	w := newWorld(t)
	r := messaging.SyncRequest{UserID: "bob", UserSeq: chats, Chats: make(map[string]int64), Limit: messaging.MaxSync}
	for i := range chats {
		chat := w.direct("bob", "user"+strconv.Itoa(i))
		r.Chats[chat] = 0
		for range each {
			w.send("bob", chat, "x")
		}
	}
	var events, answers int
	for more := true; more; answers++ {
		answer := w.sync(r)
		more = answer.More
		n := 0
		for _, c := range answer.Chats {
			n += len(c.Events)
			r.Chats[c.ChatID] = c.Head
		}
		if events += n; n > 11_000 || answers > 3 {
			t.Fatalf("answer %d has %d events", answers, n)
		}
	}
	if events != chats*each || answers != 2 {
		t.Errorf("%d events in %d answers", events, answers)
	}
}

func TestSyncReceiptsOfLargeGroups(t *testing.T) {
	w := newWorld(t)
	names := ids(66)
	for size, want := range map[int]int{64: 64, 65: 3, 66: 3} {
		group := w.group(names[0], names[1:size]...)
		for range 5 {
			w.send(names[0], group, "x")
		}
		mark := func(user string, read bool, upTo int64) {
			must(t, w.Mark(w.ctx, messaging.MarkRequest{UserID: user, ChatID: group, Read: read, UpTo: upTo}))
		}
		mark(names[5], true, 3)
		mark(names[7], true, 2)
		mark(names[9], false, 5)
		for _, viewer := range []string{names[0], names[9], names[5]} {
			answer := w.sync(messaging.SyncRequest{UserID: viewer, Chats: map[string]int64{group: 0}})
			marks := make(map[string]messaging.Watermark)
			for _, m := range answer.Chats[0].Receipts {
				marks[m.UserID] = m
			}
			if _, own := marks[viewer]; !own {
				t.Errorf("%d members: own marks of %s are missing", size, viewer)
			}
			if want == 64 && len(marks) != 64 || len(marks) > want || len(marks) != len(answer.Chats[0].Receipts) {
				t.Errorf("%d members: %d marks", size, len(marks))
			}
			if marks[names[5]].ReadSeq != 3 || marks[names[9]].DeliveredSeq != 5 {
				t.Errorf("%d members, for %s: the greatest are missing in %+v", size, viewer, marks)
			}
		}
	}
}
