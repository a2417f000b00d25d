package storagetest

import (
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

// witness is what one goroutine saw of one chat.
type witness struct {
	acks  []messaging.StoredMessage // in the order of the sender's calls
	marks []messaging.Watermark
	hid   []string
}

// manyWriters lets everybody do everything in two chats at once and then looks at what is left.
func manyWriters(r *R) {
	const writers, steps = 6, 20
	p := r.people(writers + 2)
	guest := p[writers+1]
	rooms := []room{r.group(p[0], p[1:writers]...), r.group(p[1], append(p[2:writers], p[0])...)}
	seeds := make([]uint64, writers)
	for i := range seeds {
		seeds[i] = r.rng.Uint64()
	}
	seen := make([][2]witness, writers)
	r.race(writers+1, func(i int) {
		if i == writers { // somebody comes and goes
			for range 6 {
				rooms[0].add(p[0], guest)
				rooms[0].send(guest)
				rooms[0].remove(p[0], guest)
			}
			return
		}
		rng := newRand(seeds[i])
		for range steps {
			k := rng.IntN(2)
			seen[i][k].step(rooms[k], p[i], rng.IntN(10), rng.IntN(100))
		}
	})
	for k, c := range rooms {
		events := r.allEvents(c, p[0])
		created := map[string]int64{}
		deleted := map[string]bool{}
		var order []messaging.StoredMessage
		for i, e := range events {
			r.same("place of an event", int64(i)+1, e.Seq)
			switch e.Type {
			case messaging.MessageCreated:
				if created[e.MessageID] != 0 {
					r.Fatalf("message %s was created at %d and at %d", e.MessageID, created[e.MessageID], e.Seq)
				}
				created[e.MessageID] = e.Seq
				order = append(order, *e.Stored)
			case messaging.MessageDeleted:
				deleted[e.MessageID] = true
			}
		}
		r.same("head", int64(len(events)), c.view(p[0]).HeadSeq)
		acknowledged := 0
		for i := range writers {
			w := seen[i][k]
			acknowledged += len(w.acks)
			before := int64(0)
			for _, m := range w.acks {
				r.same("place of an acknowledged message", m.Seq, created[m.ID])
				if m.Seq <= before {
					r.Fatalf("message %s was sent after place %d and stands at %d", m.ID, before, m.Seq)
				}
				before = m.Seq
			}
			c.checkMarks(p[i], w.marks)
			own := c.view(p[i]).Own
			want := 0
			for _, m := range order {
				if m.Seq > own.ReadSeq && m.SenderID != p[i] && !deleted[m.ID] && !slices.Contains(w.hid, m.ID) {
					want++
				}
			}
			r.same("unread in the end", want, r.unread(p[i], c.id).Chat)
		}
		guests := 0
		for _, m := range order {
			if m.SenderID == guest {
				guests++
			}
		}
		r.same("messages stored and acknowledged", len(order), acknowledged+guests)
	}
	for _, user := range append(p, guest) {
		numbers := map[int64]bool{}
		feed := r.feed(user)
		for _, e := range feed {
			numbers[e.Seq] = true
		}
		r.same("distinct numbers of own events", len(feed), len(numbers))
		if n := len(feed); n > 0 {
			r.same("head of the own events", feed[n-1].Seq, r.heads(user).UserSeq)
		}
	}
}

// step does one thing in a chat. What may fail for what others do at the same time may fail.
func (w *witness) step(c room, user string, what, pick int) {
	r := c.r
	var own *messaging.StoredMessage
	if len(w.acks) > 0 {
		own = &w.acks[pick%len(w.acks)]
	}
	switch {
	case what < 4 || own == nil:
		var items []messaging.NewMessage
		for range 1 + pick%3 {
			items = append(items, c.named(user, r.id("client")))
		}
		for _, out := range r.append(items...) {
			r.ok(out.Err)
			w.acks = append(w.acks, out.Message)
		}
	case what < 5: // the same request again
		n := c.named(user, own.ClientID)
		n.Digest = own.Digest
		out := r.append1(n)
		r.ok(out.Err)
		r.same("repeated place", []any{true, own.ID, own.Seq}, []any{out.Repeated, out.Message.ID, out.Message.Seq})
	case what < 6:
		_, err := r.m().Edit(r.ctx, c.rewrite(*own, 2+pick%2))
		if err != nil {
			r.fails("edit", err, messaging.ErrRevision, messaging.ErrMessageNotFound)
		}
	case what < 7:
		if _, err := c.tryDelete(user, own.ID); err != nil {
			r.fails("delete", err, messaging.ErrMessageNotFound)
		}
	case what < 8:
		for _, m := range c.history(user, messaging.Window{Limit: 3}) {
			if m.SenderID != user && !m.Deleted {
				if _, err := c.tryHide(user, m.ID); err == nil {
					w.hid = append(w.hid, m.ID)
				}
				break
			}
		}
	default:
		head := c.view(user).HeadSeq
		if head == 0 {
			return
		}
		out := c.mark(messaging.Mark{ChatID: c.id, UserID: user, Read: what == 9, UpTo: 1 + int64(pick)%head, At: r.now()})
		w.marks = append(w.marks, out.Watermark)
	}
}

// checkMarks demands that what one member was told of his marks went forward alone.
func (c room) checkMarks(user string, marks []messaging.Watermark) {
	var before messaging.Watermark
	for _, w := range append(marks, c.own(user)) {
		if w.ReadSeq < before.ReadSeq || w.DeliveredSeq < before.DeliveredSeq || w.ReadSeq > w.DeliveredSeq {
			c.r.Fatalf("a watermark went from %+v to %+v", before, w)
		}
		before = w
	}
}

func (c room) own(user string) messaging.Watermark {
	own := c.view(user).Own
	return messaging.Watermark{DeliveredSeq: own.DeliveredSeq, ReadSeq: own.ReadSeq}
}

// allEvents pages through a chat.
func (r *R) allEvents(c room, viewer string) (all []messaging.StoredEvent) {
	for {
		page, err := r.m().Events(r.ctx, viewer, c.id, int64(len(all)), 50)
		r.ok(err)
		all = append(all, page...)
		if len(page) < 50 {
			return all
		}
	}
}
