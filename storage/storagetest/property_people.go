package storagetest

import (
	"fmt"
	"math/rand"
	"strings"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/users"
)

// search is how somebody looks for somebody.
type search struct {
	byPhone, byPhoneOff, byNameOff bool
	blocked, wrong, itself         bool
	spelling                       int
}

// findingProperty is property 35 of the seed.
func findingProperty() property {
	return property{35, "The whole phone number or username, however it is written, finds its owner and nobody else, unless he does not wish to be found so or has blocked who looks.",
		func(w *world) gopter.Prop {
			w.gather(1)
			return prop.ForAll(func(s search) string { return w.try(func(w *world) { w.finds(s) }) },
				drawn(func(rng *rand.Rand) search {
					sometimes := func() bool { return rng.Intn(4) == 0 }
					return search{rng.Intn(2) == 0, sometimes(), sometimes(), sometimes(), sometimes(), sometimes(), rng.Intn(4)}
				}))
		}}
}

func (w *world) finds(s search) {
	p, viewer := w.signUp(), w.crowd[0]
	name := "Name_" + strings.TrimPrefix(p.number, "+") // unique as the number is
	_, err := w.app.Users.Update(w.ctx, p.id, users.Update{Username: &name})
	w.ok(err)
	_, err = w.app.Users.UpdateSettings(w.ctx, p.id, users.SettingsUpdate{
		Privacy: users.PrivacyUpdate{AddByPhone: new(!s.byPhoneOff), AddByUsername: new(!s.byNameOff)},
	})
	w.ok(err)
	if s.blocked {
		_, _, err := w.app.Users.Block(w.ctx, p.id, viewer.id)
		w.ok(err)
	}
	if s.itself {
		viewer = p
	}
	number := p.number
	if s.wrong {
		name, number = name+"1", number[:len(number)-8]+"99999999"
	}
	n := len(number)
	number = []string{number, number[:3] + " " + number[3:n-4] + " " + number[n-4:], number[:3] + "-" + number[3:], "00" + number[1:]}[s.spelling%3]
	name = []string{name, strings.ToUpper(name), strings.ToLower(name), wide(name)}[s.spelling]
	find, off := w.app.Users.FindByUsername, s.byNameOff
	what := name
	if s.byPhone {
		find, off, what = w.app.Users.FindByPhone, s.byPhoneOff, number
	}
	u, err := find(w.ctx, viewer.id, what)
	if s.wrong || !s.itself && (off || s.blocked) {
		w.fails(fmt.Sprintf("looking for %q", what), err, users.ErrUserNotFound)
		return
	}
	w.ok(err)
	w.same("who is found", p.id, u.UserID)
}

// wide writes ASCII letters and digits in full width.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r + 0xfee0
		}
		return r
	}, s)
}

// privacyProperty is property 38 of the seed.
func privacyProperty() property {
	return property{38, "After any contacts, blocks and settings, a person's number is seen by whom he has in contacts alone, his picture by whom he shows it, neither by whom he has blocked, and e-mail and account by himself.",
		func(w *world) gopter.Prop {
			w.gather(3)
			return prop.ForAll(func(acts []int) string { return w.try(func(w *world) { w.showsItself(acts) }) },
				sequence(3, drawn(func(rng *rand.Rand) int { return rng.Intn(3 * 7) })))
		}}
}

func (w *world) showsItself(acts []int) {
	p := w.signUp()
	picture := "picture of " + p.id
	_, err := w.app.Users.Update(w.ctx, p.id, users.Update{PictureID: &picture})
	w.ok(err)
	photo := users.Everyone
	contact, blocked := make([]bool, 3), make([]bool, 3)
	for _, a := range acts {
		i := a % 3
		other := w.crowd[i]
		switch a / 3 {
		case 0, 1:
			_, _, err := w.app.Users.AddContact(w.ctx, p.id, other.id, "")
			if contact[i] {
				w.fails("adding twice", err, users.ErrContact)
				break
			}
			w.ok(err)
			contact[i] = true
		case 2:
			w.ok(w.app.Users.RemoveContact(w.ctx, p.id, other.id))
			contact[i] = false
		case 3:
			_, created, err := w.app.Users.Block(w.ctx, p.id, other.id)
			w.ok(err)
			w.same("blocked anew", !blocked[i], created)
			blocked[i] = true
		case 4:
			w.ok(w.app.Users.Unblock(w.ctx, p.id, other.id))
			blocked[i] = false
		case 5:
			photo = []users.Audience{users.Everyone, users.Contacts, users.Nobody}[i]
			_, err := w.app.Users.UpdateSettings(w.ctx, p.id, users.SettingsUpdate{Privacy: users.PrivacyUpdate{ProfilePhoto: &photo}})
			w.ok(err)
		case 6: // what others think of him opens nothing
			_, _, err := w.app.Users.AddContact(w.ctx, other.id, p.id, p.id)
			if blocked[i] {
				w.fails("adding one who blocks", err, users.ErrBlocked)
				break
			}
			w.ok(err)
		}
		for i, viewer := range w.crowd {
			want := struct{ phone, picture string }{}
			if contact[i] && !blocked[i] {
				want.phone = p.number
			}
			if !blocked[i] && (photo == users.Everyone || photo == users.Contacts && contact[i]) {
				want.picture = picture
			}
			w.seesOf(viewer, p, want.phone, want.picture)
		}
		w.seesOf(p, p, p.number, picture)
	}
}

// seesOf checks each way in which a viewer reads a profile.
func (w *world) seesOf(viewer, p person, phone, picture string) {
	one, err := w.app.Users.User(w.ctx, viewer.id, p.id)
	w.ok(err)
	many, err := w.app.Users.Users(w.ctx, viewer.id, []string{viewer.id, p.id})
	w.ok(err)
	for _, u := range append(many, one) {
		if u.UserID != p.id {
			continue
		}
		w.same("number that is seen", phone, u.Phone)
		w.same("picture that is seen", picture, u.PictureID)
		w.same("account that is seen", viewer == p, u.Account != nil)
	}
}
