package storagetest

import (
	"fmt"

	"github.com/wigwag-chat/wigwag/messaging"
)

func historyRules() []rule {
	return []rule{
		{name: "history/newest page and offset", check: windowOffset,
			says: "With no place given, Offset counts from the newest message; pages are ascending, tombstones included."},
		{name: "history/before is exclusive", check: windowBefore,
			says: "Before selects the newest messages below a sequence."},
		{name: "history/after is exclusive", check: windowAfter,
			says: "After selects the oldest messages above a sequence."},
		{name: "history/around is inclusive", check: windowAround,
			says: "Around selects half the page up to a sequence, and the rest after it."},
		{name: "history/pages drop and repeat nothing", check: historyPages,
			says: "Paging with Before or After from page to page meets every message once, at every limit."},
		{name: "history/largest pages come whole", check: largestPages,
			says: "Limits of lists go up to MaxPage+1, of events up to MaxSync; a backend does not clamp them."},
		{name: "history/chats are apart", check: historyApart,
			says: "Messages returns part of the history of one chat."},
	}
}

// spotty makes a chat whose messages stand at places with gaps between them: edits,
// a tombstone that is shown, and a message that the viewer hid. It returns the
// viewer and the places that he sees.
func (r *R) spotty() (c room, viewer string, places []int64) {
	p := r.people(2)
	c = r.group(p[0], p[1])
	m := c.sendMany(p[0], 2) // 1, 2
	c.edit(m[0], 2)          // 3
	c.send(p[1])             // 4
	c.delete(p[0], m[1].ID)  // 5
	h := c.sendMany(p[1], 2) // 6, 7
	c.hide(p[0], h[0].ID)
	c.edit(h[1], 2)     // 8
	c.sendMany(p[0], 3) // 9, 10, 11
	c.edit(h[1], 3)     // 12
	return c, p[0], []int64{1, 2, 4, 7, 9, 10, 11}
}

// last returns at most n of the places that are below a bound.
func last(places []int64, bound int64, n int) []int64 {
	var out []int64
	for _, p := range places {
		if p < bound {
			out = append(out, p)
		}
	}
	return out[max(0, len(out)-n):]
}

// first returns at most n of the places above a bound.
func first(places []int64, bound int64, n int) []int64 {
	var out []int64
	for _, p := range places {
		if p > bound && len(out) < n {
			out = append(out, p)
		}
	}
	return out
}

func windowOffset(r *R) {
	c, viewer, places := r.spotty()
	for limit := 1; limit <= len(places)+1; limit++ {
		for offset := 0; offset <= len(places)+1; offset++ {
			to := max(0, len(places)-offset)
			got := c.history(viewer, messaging.Window{Limit: limit, Offset: offset})
			r.same(fmt.Sprintf("page at offset %d, limit %d", offset, limit), places[max(0, to-limit):to], seqs(got))
		}
	}
	r.same("tombstone", true, c.history(viewer, newest())[1].Deleted)
}

func windowBefore(r *R) {
	c, viewer, places := r.spotty()
	for limit := 1; limit <= len(places)+1; limit++ {
		for before := int64(1); before <= 14; before++ {
			got := c.history(viewer, messaging.Window{Before: before, Limit: limit})
			r.same(fmt.Sprintf("page before %d, limit %d", before, limit), last(places, before, limit), seqs(got))
		}
	}
}

func windowAfter(r *R) {
	c, viewer, places := r.spotty()
	for limit := 1; limit <= len(places)+1; limit++ {
		for after := int64(1); after <= 14; after++ {
			got := c.history(viewer, messaging.Window{After: after, Limit: limit})
			r.same(fmt.Sprintf("page after %d, limit %d", after, limit), first(places, after, limit), seqs(got))
		}
	}
}

func windowAround(r *R) {
	c, viewer, places := r.spotty()
	for limit := 1; limit <= len(places)+3; limit++ {
		for around := int64(1); around <= 14; around++ {
			got := seqs(c.history(viewer, messaging.Window{Around: around, Limit: limit}))
			upTo := 0
			for upTo < len(got) && got[upTo] <= around {
				upTo++
			}
			what := fmt.Sprintf("page around %d, limit %d: %v", around, limit, got)
			// Which side the odd one belongs to, and whether what one side lacks goes
			// to the other, is not said.
			least := len(last(places, around+1, limit/2))
			most := len(last(places, around+1, (limit+1)/2))
			if upTo < least || upTo > most && len(first(places, around, limit)) >= limit-most {
				r.Fatalf("%s has %d up to the place, want %d to %d", what, upTo, least, most)
			}
			after := len(got) - upTo
			if after < len(first(places, around, limit/2)) || len(got) > limit {
				r.Fatalf("%s has %d after the place", what, after)
			}
			r.same(what+": part up to the place", last(places, around+1, upTo), got[:upTo])
			r.same(what+": part after it", first(places, around, after), got[upTo:])
		}
	}
}

func historyPages(r *R) {
	c, viewer, places := r.spotty()
	for limit := 1; limit <= len(places)+1; limit++ {
		var got []int64
		for w := (messaging.Window{Limit: limit}); ; {
			page := seqs(c.history(viewer, w))
			got = append(page, got...)
			if len(page) < limit || len(got) > 100 {
				break
			}
			w.Before = page[0]
		}
		r.same(fmt.Sprintf("history backwards by pages of %d", limit), places, got)
		got = nil
		for w := (messaging.Window{Limit: limit, After: 1}); ; {
			page := seqs(c.history(viewer, w))
			got = append(got, page...)
			if len(page) < limit || len(got) > 100 {
				break
			}
			w.After = page[limit-1]
		}
		r.same(fmt.Sprintf("history forwards by pages of %d", limit), places[1:], got)
	}
}

func largestPages(r *R) {
	p := r.people(messaging.MaxPage + 2)
	c := r.group(p[0], p[1:]...)
	for range 5 {
		c.sendMany(p[0], messaging.MaxPage)
	}
	const most = messaging.MaxPage + 1
	r.same("messages of the largest page", most, len(c.history(p[1], messaging.Window{Limit: most})))
	members, err := r.m().Members(r.ctx, p[1], c.id, "", most)
	r.ok(err)
	r.same("members of the largest page", most, len(members))
	receipts, err := r.m().Receipts(r.ctx, p[1], c.id, c.history(p[0], newest())[0].ID, "", most)
	r.ok(err)
	r.same("receipts of the largest page", most, len(receipts))
	r.same("events of the largest answer", messaging.MaxSync, len(c.events(p[1])))
}

func historyApart(r *R) {
	p := r.people(1)
	rooms := []room{r.group(p[0]), r.group(p[0])}
	var want [2][]string
	for i := range 8 {
		k := i % 2
		want[k] = append(want[k], rooms[k].send(p[0]).ID)
	}
	for k, c := range rooms {
		var got []string
		for _, m := range c.history(p[0], newest()) {
			got = append(got, m.ID)
			r.same("chat of a message", c.id, m.ChatID)
		}
		r.same("messages", want[k], got)
	}
}
