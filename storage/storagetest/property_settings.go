package storagetest

import (
	"errors"
	"math/rand"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

// settingsProperty is property 37 of the seed.
func settingsProperty() property {
	return property{37, "A change of settings changes those that it names, for every later reading, and no others; one that names a value which does not exist changes nothing. Whatever changes is told in the person's own sequence.",
		func(w *world) gopter.Prop {
			w.gather(2)
			return prop.ForAll(func(changes []settingsChange) string {
				return w.try(func(w *world) { w.changesSettings(changes) })
			}, sequence(1, drawn(drawSettings)))
		}}
}

// settingsChange is a change and what it does to settings; nil: it is refused.
type settingsChange struct {
	update users.SettingsUpdate
	apply  func(*users.Settings)
}

// drawSettings draws a change of up to three settings.
func drawSettings(rng *rand.Rand) (c settingsChange) {
	var does []func(*users.Settings)
	for range 1 + rng.Intn(3) {
		yes := rng.Intn(2) == 0
		audience := []users.Audience{users.Everyone, users.Contacts, users.Nobody, "friends"}[rng.Intn(7)%4]
		theme := []users.Theme{users.Light, users.Dark, users.Auto, "Dark"}[rng.Intn(7)%4]
		switch rng.Intn(6) {
		case 0:
			c.update.Theme = &theme
			does = append(does, func(s *users.Settings) { s.Theme = theme })
		case 1:
			language := []string{"en", "de-CH", "no tag"}[rng.Intn(3)]
			c.update.Language = &language
			does = append(does, func(s *users.Settings) { s.Language = language })
		case 2:
			c.update.Privacy.LastSeen = &audience
			does = append(does, func(s *users.Settings) { s.Privacy.LastSeen = audience })
		case 3:
			c.update.Privacy.AddByPhone = &yes
			does = append(does, func(s *users.Settings) { s.Privacy.AddByPhone = yes })
		case 4:
			c.update.Notifications.Mentions = &yes
			does = append(does, func(s *users.Settings) { s.Notifications.Mentions = yes })
		case 5:
			c.update.Notifications.Preview = &yes
			does = append(does, func(s *users.Settings) { s.Notifications.Preview = yes })
		}
	}
	if !wrong(c.update) {
		c.apply = func(s *users.Settings) {
			for _, do := range does {
				do(s)
			}
		}
	}
	return c
}

// wrong reports whether a change names a value that does not exist.
func wrong(u users.SettingsUpdate) bool {
	return u.Theme != nil && *u.Theme == "Dark" || u.Language != nil && *u.Language == "no tag" ||
		u.Privacy.LastSeen != nil && *u.Privacy.LastSeen == "friends"
}

func (w *world) changesSettings(changes []settingsChange) {
	p, other := w.signUp(), w.crowd[0]
	before := w.settingsOf(other)
	want := users.DefaultSettings()
	w.same("settings at first", want, w.settingsOf(p))
	places := w.places(p)
	for _, c := range changes {
		last := want
		if c.apply != nil {
			c.apply(&want)
		}
		got, err := w.app.Users.UpdateSettings(w.ctx, p.id, c.update)
		switch {
		case c.apply == nil && !errors.Is(err, errs.Invalid):
			w.Fatalf("a value that does not exist is answered with %v", err)
		case c.apply != nil:
			w.ok(err)
			w.same("settings answered", want, got)
		}
		w.same("settings read", want, w.settingsOf(p))
		if last != want {
			places++
		}
		// What is chosen expressly and was the default before is told too.
		if got := w.places(p); got < places {
			w.Fatalf("%d changes of settings are told, want %d", got, places)
		}
	}
	w.same("another's settings", before, w.settingsOf(other))
}

func (w *world) settingsOf(p person) users.Settings {
	s, err := w.app.Users.Settings(w.ctx, p.id)
	w.ok(err)
	return s
}

// places counts the changes of settings in somebody's own sequence.
func (w *world) places(p person) (n int) {
	a, err := w.app.Messaging.Sync(w.ctx, messaging.SyncRequest{UserID: p.id})
	w.ok(err)
	for _, e := range a.User.Events {
		if e.Type == messaging.Settings {
			n++
		}
	}
	return n
}
