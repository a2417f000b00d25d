package storagetest

import (
	"fmt"
	"math/rand"
	"slices"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/users"
)

// presenceOf is what somebody may see of somebody's presence.
func (w *world) presenceOf(p, viewer person) users.Presence {
	now, err := w.app.Users.Presence(w.ctx, viewer.id, p.id)
	w.ok(err)
	return now
}

// settled waits until somebody is online, or no longer, in his own eyes.
func (w *world) settled(p person, online bool) {
	w.until(fmt.Sprintf("that %s is online: %t", p.id, online), func() bool { return w.presenceOf(p, p).Online == online })
}

// arrivalProperty is property 16 of the seed.
func arrivalProperty() property {
	return property{16, "Whoever has an open connection is online for others, from the first one on.",
		func(w *world) gopter.Prop {
			w.gather(1)
			url := w.serve()
			return prop.ForAll(func(devices int) string {
				return w.try(func(w *world) {
					p, viewer := w.signUp(), w.crowd[0]
					w.same("presence before", users.Presence{UserID: p.id}, w.presenceOf(p, viewer))
					for range devices {
						defer w.open(url, p).close()
						w.settled(p, true)
						w.same("presence", users.Presence{UserID: p.id, Online: true}, w.presenceOf(p, viewer))
					}
				})
			}, gen.IntRange(1, 3))
		}}
}

// departureProperty is property 17 of the seed.
func departureProperty() property {
	return property{17, "When the last of somebody's connections ends, and not before, he is offline and was last seen then.",
		func(w *world) gopter.Prop {
			w.gather(1)
			url := w.serve()
			return prop.ForAll(func(order []int) string {
				return w.try(func(w *world) {
					p, viewer := w.signUp(), w.crowd[0]
					var open []*device
					for range 1 + len(order)%3 {
						open = append(open, w.open(url, p))
					}
					w.settled(p, true)
					for _, i := range append(order, 0, 0) {
						if len(open) == 1 {
							break
						}
						i %= len(open)
						open[i].close()
						open = slices.Delete(open, i, i+1)
						w.same("presence", users.Presence{UserID: p.id, Online: true}, w.presenceOf(p, viewer))
					}
					w.clock.pass(time.Minute)
					open[0].close()
					w.settled(p, false)
					w.same("presence", users.Presence{UserID: p.id, LastSeen: w.clock.Now()}, w.presenceOf(p, viewer))
				})
			}, sequence(1, gen.IntRange(0, 9)))
		}}
}

// retrievalProperty is property 18 of the seed.
func retrievalProperty() property {
	return property{18, "Whatever several people's devices do, coming, going, and being left, everybody reads of each whether he is online, and when he last was.",
		func(w *world) gopter.Prop {
			w.gather(1)
			url := w.serve()
			act := drawn(func(rng *rand.Rand) [2]int { return [2]int{rng.Intn(2), rng.Intn(4)} })
			return prop.ForAll(func(acts [][2]int) string {
				return w.try(func(w *world) { w.comesAndGoes(url, acts) })
			}, sequence(1, act))
		}}
}

func (w *world) comesAndGoes(url string, acts [][2]int) {
	people := w.signUpMany(2)
	type state struct {
		device *device
		away   bool
		users.Presence
	}
	states := make([]state, len(people))
	for i, p := range people {
		states[i].UserID = p.id
	}
	for _, a := range acts {
		w.clock.pass(time.Second)
		p, s := people[a[0]], &states[a[0]]
		switch {
		case a[1] == 0 && s.device == nil:
			s.device, s.away = w.open(url, p), false
		case a[1] == 1 && s.device != nil:
			s.device.close()
			s.device = nil
		case a[1] > 1 && s.device != nil:
			s.away = a[1] == 2
			s.device.ask(api.PresenceFrame{FrameHead: api.FrameHead{ID: "1", Type: api.FramePresence}, Status: []string{"away", "online"}[a[1]-2]})
		}
		was := s.Online
		if s.Online = s.device != nil && !s.away; was && !s.Online {
			s.LastSeen = w.clock.Now()
		}
		w.settled(p, s.Online)
		for i, other := range people {
			for _, viewer := range []person{w.crowd[0], people[1-i], other} {
				w.same("presence", states[i].Presence, w.presenceOf(other, viewer))
			}
		}
	}
	for _, s := range states {
		if s.device != nil {
			s.device.close()
		}
	}
}

// goes selects that somebody is told to be online, or no longer.
func goes(p person, online bool) func(api.Event) bool {
	return func(e api.Event) bool { return isPresence(p)(e) && *e.Online == online }
}

// isPresence selects what a device is told of somebody.
func isPresence(p person) func(api.Event) bool {
	return func(e api.Event) bool { return e.Type == api.EventPresence && e.UserID == p.id }
}

// tellingProperty is property 19 of the seed.
func tellingProperty() property {
	return property{19, "When somebody goes online or offline, each of those connected who has him in contacts, or whom he has, is told, and nobody else.",
		func(w *world) gopter.Prop {
			w.gather(4)
			url := w.serve()
			var watching []*device
			for _, p := range w.crowd {
				watching = append(watching, w.open(url, p))
			}
			sentinel := w.crowd[0] // hears of everybody
			ties := gen.SliceOfN(3, gen.IntRange(0, 3))
			return prop.ForAll(func(ties []int) string {
				return w.try(func(w *world) {
					p, last := w.signUp(), w.signUp()
					w.befriend(sentinel, p)
					told := []bool{true}
					for i, tie := range ties { // neither, he has him, he is had, both
						if tie&1 != 0 {
							w.befriend(w.crowd[i+1], p)
						}
						if tie&2 != 0 {
							w.befriend(p, w.crowd[i+1])
						}
						told = append(told, tie != 0)
					}
					for _, viewer := range w.crowd {
						w.befriend(viewer, last)
					}
					d := w.open(url, p)
					for i, viewer := range watching {
						if told[i] {
							viewer.await("that he came", goes(p, true))
						}
					}
					d.close()
					for i, viewer := range watching {
						if told[i] {
							viewer.await("that he went", goes(p, false))
						}
					}
					// Who was told nothing hears only of the one who comes after him.
					d = w.open(url, last)
					defer d.close()
					for i, viewer := range watching {
						viewer.await("that the last one came", func(e api.Event) bool {
							if isPresence(p)(e) && !told[i] {
								w.Fatalf("a stranger is told of %s", p.id)
							}
							return goes(last, true)(e)
						})
					}
				})
			}, ties)
		}}
}

func (w *world) befriend(owner, other person) {
	_, _, err := w.app.Users.AddContact(w.ctx, owner.id, other.id, "")
	w.ok(err)
}

// hidingPresenceProperty is property 20 of the seed.
func hidingPresenceProperty() property {
	return property{20, "Nobody reads or is told that somebody is online, or when he was, to whom that one does not show it.",
		func(w *world) gopter.Prop {
			w.gather(3) // a contact, somebody else, and one who is blocked; all have him in theirs
			url := w.serve()
			var watching []*device
			for _, p := range w.crowd {
				watching = append(watching, w.open(url, p))
			}
			audience := drawn(func(rng *rand.Rand) users.Audience { return choose(rng, users.Everyone, users.Contacts, users.Nobody) })
			return prop.ForAll(func(online, seen users.Audience) string {
				return w.try(func(w *world) { w.hidesPresence(url, watching, online, seen) })
			}, audience, audience)
		}}
}

func (w *world) hidesPresence(url string, watching []*device, online, seen users.Audience) {
	p, last := w.signUp(), w.signUp()
	w.befriend(p, w.crowd[0])
	for _, viewer := range w.crowd {
		w.befriend(viewer, p)
		w.befriend(viewer, last)
	}
	_, _, err := w.app.Users.Block(w.ctx, p.id, w.crowd[2].id)
	w.ok(err)
	_, err = w.app.Users.UpdateSettings(w.ctx, p.id, users.SettingsUpdate{Privacy: users.PrivacyUpdate{OnlineStatus: &online, LastSeen: &seen}})
	w.ok(err)
	may := func(i int, a users.Audience) bool {
		return i < 2 && (a == users.Everyone || a == users.Contacts && i == 0)
	}
	check := func(now users.Presence) {
		for i, viewer := range w.crowd {
			want := now
			want.Online = now.Online && may(i, online)
			if !may(i, seen) {
				want.LastSeen = time.Time{}
			}
			w.same(fmt.Sprintf("presence for viewer %d", i), want, w.presenceOf(p, viewer))
			u, err := w.app.Users.User(w.ctx, viewer.id, p.id)
			w.ok(err)
			w.same("presence with the profile", want, *u.Presence)
		}
	}
	d := w.open(url, p)
	w.settled(p, true)
	check(users.Presence{UserID: p.id, Online: true})
	d.close()
	w.settled(p, false)
	check(users.Presence{UserID: p.id, LastSeen: w.clock.Now()})
	d = w.open(url, last)
	defer d.close()
	for i, viewer := range watching {
		viewer.await("that the last one came", func(e api.Event) bool {
			if isPresence(p)(e) && (*e.Online && !may(i, online) || !e.LastSeen.IsZero() && !may(i, seen)) {
				w.Fatalf("viewer %d is told %t, %v", i, *e.Online, e.LastSeen)
			}
			return goes(last, true)(e)
		})
	}
}
