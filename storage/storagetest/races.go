package storagetest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

func raceRules() []rule {
	return []rule{
		{name: "race/history of many writers is whole", check: manyWriters,
			says: "After any concurrent work each chat is dense, each acknowledged message stands in it once, in its sender's order, watermarks went forward alone, and unread is exact."},
		{name: "race/reads see one snapshot", check: oneSnapshot,
			says: "A read sees one snapshot, which holds all that was returned before it began; every method is atomic."},
		{name: "race/history is linearizable", check: linearizable,
			says: "Every method is atomic: concurrent answers are those of some order in which each took effect between its call and its return."},
		{name: "race/nothing slips past a removal", check: removalCuts,
			says: "No message of a removed member stands above his removal, and no later one is taken."},
		{name: "race/group is never too full", check: neverTooFull,
			says: "ErrGroupFull holds under concurrent adding: never more members than the limit."},
		{name: "race/group has one owner", check: oneOwner,
			says: "A group that has members has exactly one owner, whoever leaves at the same time; the last one closes it."},
		{name: "race/batches over chats do not block each other", check: crossedBatches,
			says: "Append is safe for concurrent use, also where batches name the same chats in different orders."},
		{name: "race/cancelled send tells the truth", check: cancelledSends,
			says: "When its context ends first a write either did not happen or is reported as done."},
		{name: "race/what was acknowledged is there after reopening", check: reopenAfterRace, reopens: true,
			says: "A write returns after it is durable."},
	}
}

func oneSnapshot(r *R) {
	p := r.people(3)
	c := r.group(p[0], p[1], p[2])
	const batches, size = 15, 4
	var written, looked atomic.Int64
	r.race(3, func(i int) {
		if i == 0 {
			for range batches {
				// Somebody looks between any two batches, and while they are written.
				for before := looked.Load(); looked.Load() < before+2 && !r.failed(); {
					runtime.Gosched()
				}
				c.sendMany(p[0], size)
				written.Add(size)
			}
			return
		}
		for ; written.Load() < batches*size && !r.failed(); looked.Add(1) {
			floor := written.Load()
			v := c.view(p[i])
			last := int64(0)
			if v.Last != nil {
				last = v.Last.Seq
			}
			r.same("head, unread and last message in one read", []int64{v.HeadSeq, v.HeadSeq, v.HeadSeq},
				[]int64{v.HeadSeq, int64(v.Unread), last})
			if v.HeadSeq < floor || v.HeadSeq%size != 0 {
				r.Fatalf("a chat at %d, while batches of %d are written and %d were acknowledged before", v.HeadSeq, size, floor)
			}
			h := r.heads(p[i])
			if h.Chats[0].Seq < v.HeadSeq {
				r.Fatalf("heads tell %d after the chat told %d", h.Chats[0].Seq, v.HeadSeq)
			}
			if n := int64(len(c.events(p[i]))); n < h.Chats[0].Seq || n%size != 0 {
				r.Fatalf("%d events after the heads told %d", n, h.Chats[0].Seq)
			}
		}
	})
}

func removalCuts(r *R) {
	p := r.people(2)
	for range 5 {
		c := r.group(p[0], p[1])
		var sent, removed atomic.Int64
		r.race(2, func(i int) {
			if i == 0 {
				for sent.Load() < 5 && !r.failed() { // the other one is in full flow
					runtime.Gosched()
				}
				removed.Store(c.remove(p[0], p[1]).Events[0].Seq)
				return
			}
			for {
				over := removed.Load()
				out := r.append1(c.message(p[1]))
				if out.Err != nil {
					r.fails("message of a removed member", out.Err, messaging.ErrNotAMember)
					return
				}
				sent.Add(1)
				if over != 0 || r.failed() {
					r.Fatalf("a message was taken to %d, its sender was removed at %d", out.Message.Seq, over)
				}
			}
		})
		for _, e := range r.allEvents(c, p[0])[removed.Load():] {
			if e.ActorID == p[1] {
				r.Fatalf("event %d is by one who was removed at %d", e.Seq, removed.Load())
			}
		}
	}
}

func neverTooFull(r *R) {
	p := r.people(10)
	c := r.group(p[0], p[1])
	var in atomic.Int32
	r.race(8, func(i int) {
		_, err := r.m().AddMembers(r.ctx, messaging.AddMembers{
			ChatID: c.id, ActorID: p[0], UserIDs: []string{p[2+i]}, Limit: 5, At: r.now(),
		})
		if err != nil {
			r.fails("adding", err, messaging.ErrGroupFull)
			return
		}
		in.Add(1)
	})
	r.same("members who found room", int32(3), in.Load())
	r.same("members", 5, len(c.members(p[0])))
	r.same("members counted", 5, c.view(p[0]).MemberCount)
}

func oneOwner(r *R) {
	for range 4 {
		p := r.people(6)
		n := r.newChat(messaging.Group, p[0], p[1:]...)
		n.Members[1].Role = messaging.RoleAdmin
		n.ClientID, n.Digest = r.id("client"), []byte("digest")
		c := r.create(n)
		r.race(5, func(i int) { c.remove(p[i], p[i]) })
		left := c.members(p[5])
		r.same("who is left", 1, len(left))
		r.same("role of who is left", messaging.RoleOwner, left[0].Role)
		// Played back, the events never leave the group with two owners or none.
		owner := p[0]
		for _, e := range c.events(p[5]) {
			switch {
			case e.Type == messaging.MemberRemoved && e.UserID == owner:
				r.same("role of the owner who left", messaging.RoleOwner, e.Role)
				owner = ""
			case e.Type == messaging.MemberRole:
				r.same("owner before a new one", "", owner)
				owner = e.UserID
			}
		}
		r.same("owner by the events", p[5], owner)
		c.remove(p[5], p[5])
		again, err := r.m().CreateChat(r.ctx, n)
		r.ok(err)
		r.same("status in the end", messaging.Closed, again.Chat.Status)
	}
}

func crossedBatches(r *R) {
	p := r.people(2)
	var rooms []room
	for range 4 {
		rooms = append(rooms, r.group(p[0], p[1]))
	}
	const n, rounds = 4, 6
	r.race(n, func(i int) {
		for range rounds {
			var items []messaging.NewMessage
			var marks []messaging.Mark
			for k := range rooms {
				c := rooms[(k*(1+2*(i%2))+i)%len(rooms)] // each chat once, in different orders
				items = append(items, c.message(p[i%2]))
				marks = append(marks, messaging.Mark{ChatID: c.id, UserID: p[i%2], Read: true, At: r.now()})
			}
			for k, out := range r.append(items...) {
				r.ok(out.Err)
				marks[k].UpTo = out.Message.Seq
			}
			for _, out := range r.marks(marks...) {
				r.ok(out.Err)
			}
		}
	})
	for _, c := range rooms {
		r.same("head", int64(n*rounds), c.view(p[0]).HeadSeq)
	}
}

func cancelledSends(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	var mu sync.Mutex
	done := map[string]bool{}
	const n = 40
	calls := make([]messaging.NewMessage, n)
	for i := range calls {
		calls[i] = c.named(p[i%2], r.id("client"))
	}
	waits := make([]time.Duration, n)
	for i := range waits {
		waits[i] = time.Duration(r.rng.IntN(2000)) * time.Microsecond
	}
	r.race(n, func(i int) {
		ctx, cancel := context.WithTimeout(r.ctx, waits[i])
		defer cancel()
		out, err := r.m().Append(ctx, calls[i:i+1])
		if err == nil {
			err = out[0].Err
		}
		if err != nil {
			r.fails("send whose context ended", err, context.DeadlineExceeded)
		}
		mu.Lock()
		done[calls[i].ID] = err == nil
		mu.Unlock()
	})
	stored := map[string]bool{}
	for _, m := range c.history(p[0], newest()) {
		stored[m.ID] = true
	}
	for _, call := range calls {
		what := fmt.Sprintf("message %s is stored, as its sender was told", call.ID)
		r.same(what, done[call.ID], stored[call.ID])
		out := r.append1(c.retry(call))
		r.ok(out.Err)
		r.same("retry is repeated", done[call.ID], out.Repeated)
	}
	r.same("head", int64(n), c.view(p[0]).HeadSeq)
}

func reopenAfterRace(r *R) {
	p := r.people(4)
	c := r.group(p[0], p[1:]...)
	acks := make([][]messaging.StoredMessage, len(p))
	for range 3 {
		r.race(len(p), func(i int) {
			for range 5 {
				acks[i] = append(acks[i], c.send(p[i]))
			}
		})
		r.reopen()
		var want, got []string
		for _, mine := range acks {
			for _, m := range mine {
				want = append(want, fmt.Sprintf("%s at %d", m.ID, m.Seq))
			}
		}
		for _, m := range c.history(p[0], newest()) {
			got = append(got, fmt.Sprintf("%s at %d", m.ID, m.Seq))
		}
		slices.Sort(want)
		slices.Sort(got)
		r.same("messages after reopening", want, got)
	}
}
