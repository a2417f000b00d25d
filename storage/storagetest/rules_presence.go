package storagetest

import (
	"slices"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/users"
)

func presenceRules() []rule {
	return []rule{
		{name: "presence/changes are told once", check: presenceChanges,
			says: "Announce returns those users who went online or offline by it, ascending: online while any node says so. Presences are stored at its time where a user goes offline."},
		{name: "presence/ends with the lease", check: leaseEnds,
			says: "The users of a node whose lease has ended are not online there; they were last seen when their node announced last. Sweep returns those who went offline, once, and forgets the node: it is Fresh when it announces again."},
		{name: "presence/is kept by a later announcement", check: leaseGoesOn,
			says: "Announce prolongs the lease: what was said of its users stands, though the lease had ended meanwhile, unless it was swept."},
		{name: "presence/sweep is bounded", check: sweepBounded,
			says: "Sweep forgets nodes whose lease has ended, up to limit users at once; more tells that there is more to forget."},
		{name: "presence/half a sweep is told", check: halfSwept,
			says: "A node of which anything was forgotten is Fresh when it announces again."},
		{name: "presence/views are of those who look", check: viewing,
			says: "Viewing returns those of the ids who have a chat on screen, on a node whose lease lives, ascending; each Station replaces what was said before."},
		{name: "presence/race tells each change once", check: presenceRace,
			says: "Announce returns those users who went online or offline by it: of what several nodes say at once, coming and going alternate."},
		{name: "presence/owners come by pages", check: ownerPages,
			says: "Owners returns who has a relation of one kind to a user, ascending, from after (exclusive)."},
	}
}

func (r *R) announce(node string, life time.Duration, stations ...users.Station) users.Announced {
	out, err := r.store.Users().Announce(r.ctx, users.Announcement{NodeID: node, At: r.now(), Life: life, Stations: stations})
	r.ok(err)
	return out
}

func on(user string, views ...string) users.Station {
	return users.Station{UserID: user, Online: true, Views: views}
}

func off(user string) users.Station { return users.Station{UserID: user} }

func (r *R) presences(ids ...string) []users.Presence {
	out, err := r.store.Users().Presences(r.ctx, ids)
	r.ok(err)
	return out
}

// sweep sweeps everything, and returns those of the rule's own users who went offline.
func (r *R) sweep(limit int) (own []string) {
	for {
		changed, more, err := r.store.Users().Sweep(r.ctx, limit)
		r.ok(err)
		if len(changed) > limit {
			r.Fatalf("%d users were swept at once, at most %d may be", len(changed), limit)
		}
		for _, id := range changed {
			if len(id) > len(r.prefix) && id[:len(r.prefix)] == r.prefix {
				own = append(own, id)
			}
		}
		if !more {
			return own
		}
	}
}

func presenceChanges(r *R) {
	p, a, b := r.people(4), r.id("node"), r.id("node")
	r.same("presences of nobody", 0, len(r.presences(p...)))
	r.same("first announcement", users.Announced{Fresh: true, Changed: []string{p[0], p[2]}}, r.announce(a, time.Hour, on(p[2]), on(p[0]), off(p[1])))
	r.same("the same again", users.Announced{}, r.announce(a, time.Hour, on(p[0])))
	r.same("another node", users.Announced{Fresh: true, Changed: []string{p[3]}}, r.announce(b, time.Hour, on(p[0]), on(p[3])))
	r.same("one of two nodes", users.Announced{}, r.announce(a, time.Hour, off(p[0])))
	r.same("presences", []users.Presence{{UserID: p[0], Online: true}, {UserID: p[2], Online: true}}, r.presences(p[:3]...))
	r.same("away with a chat on screen", users.Announced{Changed: []string{p[0]}}, r.announce(b, time.Hour, users.Station{UserID: p[0], Views: []string{"c"}}))
	last := r.presences(p[0])[0]
	if last.Online || last.LastSeen.IsZero() {
		r.Fatalf("who is away is %+v", last)
	}
	at := r.now()
	out, err := r.store.Users().Announce(r.ctx, users.Announcement{NodeID: a, At: at, Life: time.Hour, Stations: []users.Station{off(p[2])}})
	r.ok(err)
	r.same("one who goes", users.Announced{Changed: []string{p[2]}}, out)
	r.same("presences", []users.Presence{last, {UserID: p[2], LastSeen: at}, {UserID: p[3], Online: true}}, r.presences(p[3], p[2], p[0], p[1]))
	r.announce(a, time.Hour, on(p[2]))
	r.same("presence of one who came back", []users.Presence{{UserID: p[2], Online: true, LastSeen: at}}, r.presences(p[2]))
	r.same("swept", 0, len(r.sweep(10)))
}

func leaseEnds(r *R) {
	p, a, b := r.people(3), r.id("node"), r.id("node")
	r.announce(a, time.Hour, on(p[0]), on(p[1]))
	r.announce(b, time.Hour, on(p[1]), on(p[2]))
	at := r.now()
	_, err := r.store.Users().Announce(r.ctx, users.Announcement{NodeID: a, At: at, Life: -time.Second})
	r.ok(err)
	want := []users.Presence{{UserID: p[0], LastSeen: at}, {UserID: p[1], Online: true}, {UserID: p[2], Online: true}}
	r.same("presences when a lease has ended", want, r.presences(p...))
	r.same("swept", []string{p[0]}, r.sweep(10))
	r.same("presences when it was swept", want, r.presences(p...))
	r.same("swept again", 0, len(r.sweep(10)))
	r.same("announced afterwards", users.Announced{Fresh: true}, r.announce(a, time.Hour))
	r.same("presences", want, r.presences(p...))
	r.same("announced anew", users.Announced{Changed: []string{p[0]}}, r.announce(a, time.Hour, on(p[0])))
}

func leaseGoesOn(r *R) {
	p, a := r.people(1), r.id("node")
	r.announce(a, -time.Second, on(p[0]))
	r.same("announced after the end", users.Announced{}, r.announce(a, time.Hour))
	now := r.presences(p[0])
	if len(now) > 0 && !now[0].Online { // not told yet, since he never was online while the lease lived
		r.same("announced again", users.Announced{Changed: p}, r.announce(a, time.Hour, on(p[0])))
	}
	r.announce(a, time.Hour, on(p[0]))
	r.announce(a, -time.Second)
	r.same("presence", false, r.presences(p[0])[0].Online)
	r.same("announced in time", users.Announced{}, r.announce(a, time.Hour))
	r.same("presence", true, r.presences(p[0])[0].Online)
	r.same("swept", 0, len(r.sweep(10)))
}

func sweepBounded(r *R) {
	p := r.people(7)
	for i, some := range [][]string{p[:4], p[4:], nil} {
		node := r.id("node")
		var all []users.Station
		for _, id := range some {
			all = append(all, on(id))
		}
		r.announce(node, time.Hour, all...)
		r.announce(node, -time.Duration(i+1)*time.Second)
	}
	got := r.sweep(3)
	slices.Sort(got)
	r.same("swept", p, got)
	for _, now := range r.presences(p...) {
		r.same("online", false, now.Online)
	}
}

func halfSwept(r *R) {
	p, a := r.people(4), r.id("node")
	r.announce(a, time.Hour, on(p[0]), on(p[1]), on(p[2]), on(p[3]))
	r.announce(a, -time.Second)
	var gone []string
	for len(gone) == 0 { // others of the store's may come first
		changed, more, err := r.store.Users().Sweep(r.ctx, 2)
		r.ok(err)
		for _, id := range changed {
			if slices.Contains(p, id) {
				gone = append(gone, id)
			}
		}
		if !more && len(gone) == 0 {
			r.Fatalf("nobody was swept")
		}
	}
	r.same("announced after half a sweep", users.Announced{Fresh: true}, r.announce(a, time.Hour))
	r.same("announced again", users.Announced{Changed: gone}, r.announce(a, time.Hour, on(p[0]), on(p[1]), on(p[2]), on(p[3])))
	for _, now := range r.presences(p...) {
		r.same("online", true, now.Online)
	}
}

func viewing(r *R) {
	p, a, b := r.people(4), r.id("node"), r.id("node")
	views := func(chat string) []string {
		out, err := r.store.Users().Viewing(r.ctx, chat, []string{p[3], p[1], p[0], p[2]})
		r.ok(err)
		return out
	}
	r.announce(a, time.Hour, on(p[2], "one", "two"), on(p[1], "two"), on(p[0]))
	r.announce(b, time.Hour, users.Station{UserID: p[1], Views: []string{"one"}}, on(p[2], "one"))
	r.same("who views one", []string{p[1], p[2]}, views("one"))
	r.same("who views two", []string{p[1], p[2]}, views("two"))
	r.same("who views part of a name", 0, len(views("tw")))
	r.announce(a, time.Hour, on(p[1], "three"), off(p[2]))
	r.same("who views two", 0, len(views("two")))
	r.same("who views three", []string{p[1]}, views("three"))
	r.announce(b, -time.Second)
	r.same("who views one on a dead node", 0, len(views("one")))
	out, err := r.store.Users().Viewing(r.ctx, "three", nil)
	r.ok(err)
	r.same("who of nobody", 0, len(out))
}

func presenceRace(r *R) {
	p := r.people(3)
	const nodes, times = 4, 6
	var mu sync.Mutex
	changes := make(map[string]int)
	names := make([]string, nodes)
	for i := range names {
		names[i] = r.id("node")
	}
	r.race(nodes, func(i int) {
		for k := range times {
			for _, s := range [][]users.Station{{on(p[0]), on(p[1]), on(p[2])}, {off(p[2]), off(p[1]), off(p[0])}} {
				if i == 0 && k == times-1 && s[0].UserID == p[2] {
					return // the first node stays
				}
				out := r.announce(names[i], time.Hour, s...)
				mu.Lock()
				for _, id := range out.Changed {
					changes[id]++
				}
				mu.Unlock()
			}
		}
	})
	for i, now := range r.presences(p...) {
		r.same("presence", true, now.Online)
		if changes[p[i]]%2 == 0 {
			r.Fatalf("%s is online after %d changes: some were told twice, or not", p[i], changes[p[i]])
		}
	}
}

func ownerPages(r *R) {
	p := r.people(6)
	for _, i := range []int{5, 1, 4, 2} {
		r.relate(p[i], p[0], users.KindContact)
	}
	r.relate(p[3], p[0], users.KindBlock)
	r.relate(p[0], p[3], users.KindContact)
	want := []string{p[1], p[2], p[4], p[5]}
	for limit := 1; limit <= 5; limit++ {
		var got []string
		for after := ""; len(got) < 100; {
			page, err := r.store.Users().Owners(r.ctx, p[0], users.KindContact, after, limit)
			r.ok(err)
			got = append(got, page...)
			if len(page) < limit {
				break
			}
			after = page[len(page)-1]
		}
		r.same("owners by pages", want, got)
	}
}
