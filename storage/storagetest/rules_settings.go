package storagetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

func settingRules() []rule {
	return []rule{
		{name: "settings/come back", check: settingsComeBack,
			says: "Settings returns what people have chosen, by user id, then by name ascending; SaveSettings stores settings of one person, others of his stay."},
		{name: "settings/change is an own event", check: settingsAreTold,
			says: "SaveSettings takes a place in the person's own sequence; when nothing changes it takes none."},
		{name: "settings/race loses none", check: settingsRace,
			says: "Settings that concurrent calls store stay; each call that changes something takes a place of its own."},
	}
}

func (r *R) saveSettings(user string, changes ...users.Setting) int64 {
	seq, err := r.store.Users().SaveSettings(r.ctx, user, changes, r.now())
	r.ok(err)
	return seq
}

func (r *R) settings(ids ...string) []users.Setting {
	all, err := r.store.Users().Settings(r.ctx, ids)
	r.ok(err)
	return all
}

func settingsComeBack(r *R) {
	p := r.people(3)
	r.saveSettings(p[1], users.Setting{Name: "b", Value: "2"}, users.Setting{Name: "a.b", Value: "'\\\"é\n"})
	r.saveSettings(p[0], users.Setting{Name: "b", Value: "x"})
	r.saveSettings(p[1], users.Setting{Name: "a", Value: ""}, users.Setting{Name: "b", Value: "3"})
	own := []users.Setting{{UserID: p[1], Name: "a", Value: ""}, {UserID: p[1], Name: "a.b", Value: "'\\\"é\n"}, {UserID: p[1], Name: "b", Value: "3"}}
	r.same("settings", own, r.settings(p[1]))
	all := append([]users.Setting{{UserID: p[0], Name: "b", Value: "x"}}, own...)
	slices.SortStableFunc(all, func(a, b users.Setting) int { return strings.Compare(a.UserID, b.UserID) })
	r.same("settings of several", all, r.settings(p[2], p[1], p[0]))
	r.same("settings of nobody", 0, len(r.settings()))
}

func settingsAreTold(r *R) {
	p := r.people(2)
	r.group(p[0], p[1]) // takes the first place
	at := r.now()
	seq, err := r.store.Users().SaveSettings(r.ctx, p[0], []users.Setting{{Name: "theme", Value: "light"}, {Name: "x", Value: "1"}}, at)
	r.ok(err)
	r.same("place", int64(2), seq)
	r.same("own event", messaging.UserEvent{UserID: p[0], Seq: 2, Type: messaging.Settings, At: at}, r.feed(p[0])[1])
	r.same("place when nothing changes", int64(0), r.saveSettings(p[0], users.Setting{Name: "theme", Value: "light"}))
	r.same("place of no settings", int64(0), r.saveSettings(p[0]))
	r.same("place of one of two that changes", int64(3), r.saveSettings(p[0], users.Setting{Name: "theme", Value: "light"}, users.Setting{Name: "x", Value: "2"}))
	r.same("head of the own events", int64(3), r.heads(p[0]).UserSeq)
	r.same("head of another's", int64(1), r.heads(p[1]).UserSeq)
}

func settingsRace(r *R) {
	user := r.people(1)[0]
	const n, times = 8, 5
	var places [n][times]int64
	r.race(n, func(i int) {
		for k := range times {
			places[i][k] = r.saveSettings(user, users.Setting{Name: fmt.Sprint("s", i), Value: fmt.Sprint(k)}, users.Setting{Name: "all", Value: fmt.Sprint(i, k)})
		}
	})
	var all []int64
	for _, some := range places {
		all = append(all, some[:]...)
	}
	slices.Sort(all)
	for i, at := range all {
		r.same("places", int64(i+1), at)
	}
	last := r.settings(user)
	r.same("settings", n+1, len(last))
	for _, s := range last[1:] {
		r.same("the last of "+s.Name, fmt.Sprint(times-1), s.Value)
	}
	r.same("head of the own events", int64(n*times), r.heads(user).UserSeq)
}
