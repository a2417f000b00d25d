package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

func markRules() []rule {
	return []rule{
		{name: "marks/merge by maximum", check: marksMerge,
			says: "Mark moves watermarks, merged by maximum: never backwards. Read implies delivered."},
		{name: "marks/beyond the head is refused", check: marksBeyond,
			says: "UpTo above the chat's head is ErrBeyondHead."},
		{name: "marks/read position is an own event", check: marksOwnPosition,
			says: "A move of the read mark is an OwnPosition; what moves nothing makes none."},
		{name: "marks/each move takes a receipt version", check: marksVersion,
			says: "Each move takes a receipt version, which grows with every move of a watermark."},
		{name: "marks/results stand in the order of the items", check: marksBatch,
			says: "The results stand in the order of the items, with an error for each."},
		{name: "marks/watermarks since a version", check: watermarksSince,
			says: "Watermarks returns the marks of present members that moved after the receipt version, by version ascending, then by user, and the chat's version now."},
		{name: "marks/of many chats", check: marksOfMany,
			says: "Marks returns the marks of all present members of those of the chats that the viewer is a member of and that have at most most members, by chat id, then by user id."},
		{name: "marks/race is monotone", check: marksRace,
			says: "Watermarks never go backwards, whatever moves at the same time; each receipt version is given once."},
	}
}

func marksMerge(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	c.sendMany(p[0], 6)
	steps := []struct {
		read            bool
		upTo            int64
		moved           bool
		deliveredTo, to int64
	}{
		{false, 3, true, 3, 0}, {false, 2, false, 3, 0}, {true, 2, true, 3, 2}, {true, 1, false, 3, 2}, {true, 2, false, 3, 2},
		{false, 3, false, 3, 2}, {true, 5, true, 5, 5}, {false, 4, false, 5, 5}, {false, 6, true, 6, 5}, {true, 6, true, 6, 6},
	}
	for i, s := range steps {
		out := c.mark(messaging.Mark{ChatID: c.id, UserID: p[1], Read: s.read, UpTo: s.upTo, At: r.now()})
		what := fmt.Sprintf("step %d (read %v up to %d)", i, s.read, s.upTo)
		r.same(what+": moved", s.moved, out.Moved)
		want := messaging.Watermark{
			ChatID: c.id, UserID: p[1], DeliveredSeq: s.deliveredTo, ReadSeq: s.to, Version: out.Watermark.Version,
		}
		r.same(what, want, out.Watermark)
		own := c.view(p[1]).Own
		r.same(what+": own membership", []int64{s.deliveredTo, s.to}, []int64{own.DeliveredSeq, own.ReadSeq})
	}
	other := c.view(p[0]).Own
	r.same("marks of the other", []int64{0, 0}, []int64{other.DeliveredSeq, other.ReadSeq})
}

func marksBeyond(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	c.sendMany(p[0], 2)
	for _, read := range []bool{true, false} {
		out := r.marks(messaging.Mark{ChatID: c.id, UserID: p[1], Read: read, UpTo: 3, At: r.now()})[0]
		r.fails("mark above the head", out.Err, messaging.ErrBeyondHead)
	}
	r.same("receipt version", int64(0), c.view(p[0]).ReceiptVersion)
	r.same("moved to the head", true, c.read(p[1], 2).Moved)
}

func marksOwnPosition(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	c.sendMany(p[0], 4)
	r.same("event of a delivered mark", (*messaging.UserEvent)(nil), c.deliver(p[1], 3).UserEvent)
	at := r.now()
	out := c.mark(messaging.Mark{ChatID: c.id, UserID: p[1], Read: true, UpTo: 2, At: at})
	want := messaging.UserEvent{
		UserID: p[1], Seq: 2, Type: messaging.OwnPosition, At: at, ChatID: c.id, DeliveredSeq: 3, ReadSeq: 2, Version: 2,
	}
	r.same("event of a read mark", &want, out.UserEvent)
	r.same("event of a read mark that moves nothing", (*messaging.UserEvent)(nil), c.read(p[1], 1).UserEvent)
	r.same("own events", want, r.feed(p[1])[1])
	r.same("number of own events", 2, len(r.feed(p[1])))
	r.same("own events of the other", 1, len(r.feed(p[0])))
}

func marksVersion(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1], p[2])
	c.sendMany(p[0], 4)
	version := int64(0)
	for _, s := range []struct {
		user string
		read bool
		upTo int64
		move bool
	}{
		{p[1], false, 1, true}, {p[1], true, 1, true}, {p[2], true, 4, true}, {p[1], true, 1, false}, {p[0], false, 4, true},
		{p[2], false, 4, false}, {p[1], true, 3, true},
	} {
		out := c.mark(messaging.Mark{ChatID: c.id, UserID: s.user, Read: s.read, UpTo: s.upTo, At: r.now()})
		r.same("moved", s.move, out.Moved)
		if s.move {
			version++
			r.same("version of a move", version, out.Watermark.Version)
		}
		r.same("chat's version", version, c.view(p[0]).ReceiptVersion)
	}
	r.same("version in the heads", version, r.heads(p[1]).Chats[0].ReceiptVersion)
	r.same("head", int64(4), c.view(p[0]).HeadSeq)
}

func marksBatch(r *R) {
	p := r.people(3)
	c, other := r.group(p[0], p[1]), r.group(p[1])
	c.sendMany(p[0], 3)
	other.send(p[1])
	at := r.now()
	out := r.marks(
		messaging.Mark{ChatID: c.id, UserID: p[2], Read: true, UpTo: 1, At: at},
		messaging.Mark{ChatID: c.id, UserID: p[1], Read: true, UpTo: 2, At: at},
		messaging.Mark{ChatID: r.id("chat"), UserID: p[1], Read: true, UpTo: 1, At: at},
		messaging.Mark{ChatID: other.id, UserID: p[1], UpTo: 1, At: at},
		messaging.Mark{ChatID: c.id, UserID: p[0], Read: true, UpTo: 4, At: at},
	)
	r.fails("mark of a stranger", out[0].Err, messaging.ErrChatNotFound)
	r.fails("mark in an unknown chat", out[2].Err, messaging.ErrChatNotFound)
	r.fails("mark above the head", out[4].Err, messaging.ErrBeyondHead)
	for _, i := range []int{1, 3} {
		r.ok(out[i].Err)
		r.same("moved", true, out[i].Moved)
	}
	r.same("marks of a good item", []any{c.id, int64(2), int64(2)},
		[]any{out[1].Watermark.ChatID, out[1].Watermark.DeliveredSeq, out[1].Watermark.ReadSeq})
	r.same("marks of another good item", []any{other.id, int64(1), int64(0)},
		[]any{out[3].Watermark.ChatID, out[3].Watermark.DeliveredSeq, out[3].Watermark.ReadSeq})
	r.same("versions", []int64{1, 1}, []int64{c.view(p[0]).ReceiptVersion, other.view(p[1]).ReceiptVersion})
}

func watermarksSince(r *R) {
	p := r.people(5)
	c := r.group(p[0], p[1], p[2], p[3], p[4])
	c.sendMany(p[0], 5)
	c.deliver(p[1], 1)
	c.read(p[2], 2)
	c.read(p[3], 5)
	c.deliver(p[1], 3)
	c.read(p[4], 1)
	c.remove(p[0], p[3])
	want := []messaging.Watermark{
		{ChatID: c.id, UserID: p[2], DeliveredSeq: 2, ReadSeq: 2, Version: 2},
		{ChatID: c.id, UserID: p[1], DeliveredSeq: 3, Version: 4},
		{ChatID: c.id, UserID: p[4], DeliveredSeq: 1, ReadSeq: 1, Version: 5},
	}
	for after := range int64(7) {
		var rest []messaging.Watermark
		for _, w := range want {
			if w.Version > after {
				rest = append(rest, w)
			}
		}
		for limit := 1; limit <= 4; limit++ {
			got, now, err := r.m().Watermarks(r.ctx, p[0], c.id, after, limit)
			r.ok(err)
			what := fmt.Sprintf("watermarks after %d, limit %d", after, limit)
			r.same(what, rest[:min(limit, len(rest))], got)
			r.same(what+": version now", int64(5), now)
		}
	}
}

func marksOfMany(r *R) {
	p := r.people(5)
	small, large, foreign, left := r.group(p[0], p[1]), r.group(p[0], p[1], p[2], p[3]), r.group(p[1], p[2]), r.group(p[1], p[0])
	direct := r.direct(p[0], p[4])
	ids := []string{large.id, r.id("chat"), direct.id, left.id, small.id, foreign.id}
	for _, c := range []room{small, large, foreign, left} {
		c.sendMany(p[1], 3)
	}
	small.deliver(p[0], 3)
	small.read(p[1], 2)
	small.add(p[0], p[2])
	small.remove(p[0], p[2])
	large.read(p[0], 2)
	left.remove(p[0], p[0])
	var want []messaging.Watermark
	for _, c := range []room{small, large, direct} {
		for _, m := range c.members(p[0]) {
			w := messaging.Watermark{ChatID: c.id, UserID: m.UserID, DeliveredSeq: m.DeliveredSeq, ReadSeq: m.ReadSeq}
			switch {
			case c.id == small.id && m.UserID == p[1]:
				w.Version = 2
			case c.id == small.id || c.id == large.id && m.UserID == p[0]:
				w.Version = 1
			}
			want = append(want, w)
		}
	}
	slices.SortStableFunc(want, func(a, b messaging.Watermark) int { return strings.Compare(a.ChatID, b.ChatID) })
	for most := 1; most <= 5; most++ {
		got, err := r.m().Marks(r.ctx, p[0], ids, most)
		r.ok(err)
		some := slices.DeleteFunc(slices.Clone(want), func(w messaging.Watermark) bool {
			return most < 2 || w.ChatID == large.id && most < 4
		})
		r.same(fmt.Sprintf("marks of chats of at most %d", most), some, got)
	}
	got, err := r.m().Marks(r.ctx, p[0], nil, 9)
	r.ok(err)
	r.same("marks of no chat", 0, len(got))
}

func marksRace(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1], p[2])
	c.sendMany(p[0], 12)
	const n = 12
	var marks [n]messaging.Mark
	for i := range marks {
		marks[i] = messaging.Mark{
			ChatID: c.id, UserID: p[1+i%2], Read: i%3 > 0, UpTo: int64(1 + r.rng.IntN(12)), At: r.now(),
		}
	}
	var out [n]messaging.Marked
	r.race(n, func(i int) { out[i] = r.marks(marks[i])[0] })
	var delivered, read [2]int64
	versions := map[int64]bool{}
	for i, o := range out {
		r.ok(o.Err)
		k := i % 2
		delivered[k] = max(delivered[k], marks[i].UpTo)
		if marks[i].Read {
			read[k] = max(read[k], marks[i].UpTo)
		}
		w := o.Watermark
		if w.DeliveredSeq < marks[i].UpTo || w.ReadSeq > w.DeliveredSeq || marks[i].Read && w.ReadSeq < marks[i].UpTo {
			r.Fatalf("after a mark up to %d (read %v) the watermark is %+v", marks[i].UpTo, marks[i].Read, w)
		}
		if o.Moved && versions[w.Version] {
			r.Fatalf("two moves have the receipt version %d", w.Version)
		}
		versions[w.Version] = versions[w.Version] || o.Moved
	}
	for k := range 2 {
		own := c.view(p[1+k]).Own
		r.same("marks in the end", []int64{delivered[k], read[k]}, []int64{own.DeliveredSeq, own.ReadSeq})
	}
}

func receiptRules() []rule {
	return []rule{
		{name: "receipts/times are those of the first moves", check: receiptTimes,
			says: "Receipts returns the recipients of a message with the times of the first moves that reached it."},
		{name: "receipts/recipients were members at that place", check: receiptCover,
			says: "Recipients of a message are those whose membership covered its place in the sequence, without its sender; the marks of members who left count."},
		{name: "receipts/tally counts the receipts", check: tallyCounts,
			says: "Tally counts the recipients of a message; its status is the least over all of them and never goes backwards."},
		{name: "receipts/tally of large and restless groups", check: tallyOfMany,
			says: "Tally counts the recipients of a message, however many members there are or were."},
		{name: "receipts/coming back reads nothing", check: rejoinReadsNothing,
			says: "Receipts have the times of moves: where a new membership begins is no move, and reads no earlier message."},
		{name: "receipts/pages drop and repeat nothing", check: receiptPages,
			says: "Receipts are by user id ascending, from after (exclusive)."},
	}
}

func receiptTimes(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	m := c.sendMany(p[0], 4)
	var at []time.Time
	for _, s := range []struct {
		read bool
		upTo int64
	}{{false, 2}, {true, 1}, {true, 3}, {false, 4}, {true, 4}, {true, 4}} {
		at = append(at, r.now())
		c.mark(messaging.Mark{ChatID: c.id, UserID: p[1], Read: s.read, UpTo: s.upTo, At: at[len(at)-1]})
	}
	for i, want := range []messaging.Receipt{
		{UserID: p[1], DeliveredAt: at[0], ReadAt: at[1]},
		{UserID: p[1], DeliveredAt: at[0], ReadAt: at[2]},
		{UserID: p[1], DeliveredAt: at[2], ReadAt: at[2]},
		{UserID: p[1], DeliveredAt: at[3], ReadAt: at[4]},
	} {
		r.same(fmt.Sprintf("receipts of message %d", i+1), []messaging.Receipt{want}, c.receipts(p[0], m[i].ID))
	}
	last := c.send(p[1])
	r.same("receipts of an unread message", []messaging.Receipt{{UserID: p[0]}}, c.receipts(p[1], last.ID))
	_, err := r.m().Receipts(r.ctx, p[0], c.id, r.id("msg"), "", 10)
	r.fails("receipts of an unknown message", err, messaging.ErrMessageNotFound)
}

func receiptCover(r *R) {
	p := r.people(5)
	c := r.group(p[0], p[1], p[2])
	early := c.send(p[0])
	at := r.now()
	c.mark(messaging.Mark{ChatID: c.id, UserID: p[1], Read: true, UpTo: early.Seq, At: at})
	c.remove(p[0], p[1])
	c.add(p[0], p[3])
	late := c.send(p[3])
	r.same("receipts of the early message", []messaging.Receipt{{UserID: p[1], DeliveredAt: at, ReadAt: at}, {UserID: p[2]}},
		c.receipts(p[0], early.ID))
	r.same("receipts of the late message", []messaging.Receipt{{UserID: p[0]}, {UserID: p[2]}}, c.receipts(p[0], late.ID))
	r.same("tally of the early message", messaging.Tally{Recipients: 2, Delivered: 1, Read: 1}, c.get(p[0], early.ID).Tally)
	c.read(p[3], late.Seq)
	r.same("receipts of the early message, read by one who came later", 2, len(c.receipts(p[0], early.ID)))
	r.same("tally of the early message, read by one who came later", messaging.Tally{Recipients: 2, Delivered: 1, Read: 1},
		c.get(p[0], early.ID).Tally)
}

func tallyCounts(r *R) {
	p := r.people(4)
	c := r.group(p[0], p[1], p[2], p[3])
	m := c.sendMany(p[0], 3)
	check := func() {
		history := c.history(p[0], newest())
		for i, sent := range m {
			want := c.tally(p[0], sent.ID)
			r.same("tally against receipts", want, c.get(p[1], sent.ID).Tally)
			r.same("tally in the history", want, history[i].Tally)
			r.same("tally in an event", want, c.events(p[0])[sent.Seq-1].Stored.Tally)
		}
	}
	status := func(what string, want ...messaging.Status) {
		check()
		for i, got := range c.history(p[0], messaging.Window{Limit: 3}) {
			r.same(what, want[i], got.Tally.Status())
		}
	}
	status("status when sent", messaging.Sent, messaging.Sent, messaging.Sent)
	c.deliver(p[1], 3)
	c.read(p[2], 2)
	status("status when delivered to two of three", messaging.Sent, messaging.Sent, messaging.Sent)
	c.deliver(p[3], 2)
	status("status when delivered to all", messaging.Delivered, messaging.Delivered, messaging.Sent)
	c.read(p[1], 1)
	c.read(p[3], 1)
	status("status when read by all", messaging.Read, messaging.Delivered, messaging.Sent)
	c.remove(p[0], p[2])
	c.remove(p[3], p[3])
	status("status after two left", messaging.Read, messaging.Delivered, messaging.Sent)
}

// tally counts the receipts of a message.
func (c room) tally(viewer, messageID string) (t messaging.Tally) {
	for _, receipt := range c.receipts(viewer, messageID) {
		t.Recipients++
		if !receipt.DeliveredAt.IsZero() {
			t.Delivered++
		}
		if !receipt.ReadAt.IsZero() {
			t.Read++
		}
	}
	return t
}

func tallyOfMany(r *R) {
	p := r.people(70)
	large, restless := r.group(p[0], p[1:]...), r.group(p[0], p[1:4]...)
	check := func(what string, c room) {
		for _, m := range c.history(p[0], newest()) {
			r.same(what, c.tally(p[0], m.ID), m.Tally)
		}
	}
	var sent []messaging.StoredMessage
	for i := range 4 {
		sent = append(sent, large.sendMany(p[i], 2)...)
	}
	var marks []messaging.Mark
	for i, user := range p[1:60] {
		marks = append(marks, messaging.Mark{ChatID: large.id, UserID: user, Read: i%2 == 0, UpTo: int64(1 + i%8), At: r.now()})
	}
	r.marks(marks...)
	large.remove(p[0], p[5])
	large.remove(p[0], p[6])
	large.add(p[0], p[5])
	large.sendMany(p[5], 2)
	large.hide(p[0], sent[3].ID)
	check("tally in a large group", large)
	for range 130 { // memberships, of few people
		restless.remove(p[0], p[2])
		restless.remove(p[0], p[3])
		restless.send(p[1])
		restless.add(p[0], p[2], p[3])
	}
	restless.read(p[2], 640)
	restless.deliver(p[1], 300)
	check("tally in a group of much coming and going", restless)
}

func rejoinReadsNothing(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	m := c.send(p[0])
	c.remove(p[0], p[1])
	c.add(p[0], p[1])
	unread := messaging.Tally{Recipients: 1}
	r.same("tally after coming back", unread, c.get(p[0], m.ID).Tally)
	r.same("receipts after coming back", []messaging.Receipt{{UserID: p[1]}}, c.receipts(p[0], m.ID))
	marks, _, err := r.m().Watermarks(r.ctx, p[0], c.id, 0, 10)
	r.ok(err)
	r.same("moved watermarks after coming back", 0, len(marks))
}

func receiptPages(r *R) {
	p := r.people(6)
	c := r.group(p[2], p[5], p[0], p[4], p[1], p[3])
	m := c.send(p[2])
	c.remove(p[2], p[4])
	want := []string{p[0], p[1], p[3], p[4], p[5]}
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []string
		for after := ""; ; {
			page, err := r.m().Receipts(r.ctx, p[0], c.id, m.ID, after, limit)
			r.ok(err)
			for _, receipt := range page {
				got = append(got, receipt.UserID)
				after = receipt.UserID
			}
			if len(page) < limit || len(got) > 100 {
				break
			}
		}
		r.same(fmt.Sprintf("receipts by pages of %d", limit), want, got)
	}
}
