package storagetest

import (
	"sync/atomic"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

func preferenceRules() []rule {
	return []rule{
		{name: "preferences/are one's own", check: preferencesComeBack,
			says: "SetPreferences changes a member's own preferences of a chat, those that are not nil. ErrNotAMember."},
		{name: "preferences/change is an own event", check: preferencesAreTold,
			says: "It takes a place in his own sequence, by a ChatPreferred, with the preferences as they stand now; when nothing changes, none: Seq is 0."},
		{name: "preferences/reading ends a mark", check: markEnds,
			says: "MarkedUnread ends by itself when his read mark moves."},
		{name: "preferences/select the list", check: archivedLists,
			says: "Chats keeps those that are archived, or not; nil: all."},
		{name: "preferences/race loses none", check: preferenceRace,
			says: "Concurrent changes of different preferences all stand."},
	}
}

func (c room) prefer(user string, s messaging.SetPreferences) messaging.UserEvent {
	e, err := c.tryPrefer(user, s)
	c.r.ok(err)
	return e
}

func (c room) tryPrefer(user string, s messaging.SetPreferences) (messaging.UserEvent, error) {
	s.ChatID, s.UserID, s.At = c.id, user, c.r.now()
	return c.r.m().SetPreferences(c.r.ctx, s)
}

func (c room) preferences(user string) messaging.Preferences { return c.view(user).Preferences }

func preferencesComeBack(r *R) {
	p := r.people(4)
	c, other := r.group(p[0], p[1], p[2]), r.group(p[0], p[1])
	c.remove(p[0], p[2])
	until := r.now()
	c.prefer(p[0], messaging.SetPreferences{MutedUntil: &until, Pinned: new(true)})
	c.prefer(p[0], messaging.SetPreferences{Archived: new(true), MarkedUnread: new(true)})
	c.prefer(p[0], messaging.SetPreferences{Pinned: new(false)})
	r.same("preferences", messaging.Preferences{MutedUntil: until, Archived: true, MarkedUnread: true}, c.preferences(p[0]))
	r.same("another's", messaging.Preferences{}, c.preferences(p[1]))
	r.same("of another chat", messaging.Preferences{}, other.preferences(p[0]))
	c.prefer(p[0], messaging.SetPreferences{MutedUntil: new(time.Time{})})
	r.same("preferences", messaging.Preferences{Archived: true, MarkedUnread: true}, c.preferences(p[0]))
	for _, s := range []messaging.SetPreferences{{Pinned: new(true)}, {MarkedUnread: new(false)}} {
		_, err := c.tryPrefer(p[2], s)
		r.fails("a former member's", err, messaging.ErrNotAMember)
		_, err = c.tryPrefer(p[3], s)
		r.fails("a stranger's", err, messaging.ErrChatNotFound)
	}
}

func preferencesAreTold(r *R) {
	p := r.people(2)
	c := r.direct(p[0], p[1])
	e := c.prefer(p[0], messaging.SetPreferences{Pinned: new(true)})
	r.same("event", messaging.UserEvent{UserID: p[0], Seq: 2, Type: messaging.ChatPreferred, At: e.At, ChatID: c.id, Preferences: &messaging.Preferences{Pinned: true}}, e)
	for _, s := range []messaging.SetPreferences{{}, {Pinned: new(true)}, {MarkedUnread: new(false)}, {MutedUntil: new(time.Time{}), Archived: new(false)}} {
		again := c.prefer(p[0], s)
		r.same("place of no change", int64(0), again.Seq)
		r.same("preferences", e.Preferences, again.Preferences)
	}
	last := c.prefer(p[0], messaging.SetPreferences{Archived: new(true)})
	r.same("place", int64(3), last.Seq)
	want := []messaging.UserEvent{e, last}
	want[0].Preferences = last.Preferences
	r.same("own events", want, r.feed(p[0])[1:])
	news := r.news(10, messaging.Places{Users: []messaging.UserHead{{UserID: p[0], Seq: 1}}})
	r.same("news", want, news.Users[0].Events)
	r.same("another's own events", 1, len(r.feed(p[1])))
}

func markEnds(r *R) {
	p := r.people(2)
	c := r.direct(p[0], p[1])
	c.sendMany(p[1], 2)
	c.read(p[0], 2)
	c.prefer(p[0], messaging.SetPreferences{MarkedUnread: new(true), Pinned: new(true)})
	c.read(p[0], 2)
	r.same("when nothing was read", true, c.preferences(p[0]).MarkedUnread)
	c.sendMany(p[1], 2)
	c.deliver(p[0], 4)
	r.same("when it was delivered", true, c.preferences(p[0]).MarkedUnread)
	c.read(p[0], 3)
	r.same("when it was read", messaging.Preferences{Pinned: true}, c.preferences(p[0]))
	c.prefer(p[0], messaging.SetPreferences{MarkedUnread: new(true)})
	r.same("marked again", messaging.Preferences{Pinned: true, MarkedUnread: true}, c.preferences(p[0]))
	e := c.prefer(p[0], messaging.SetPreferences{MarkedUnread: new(false)})
	r.same("unmarked", messaging.Preferences{Pinned: true}, *e.Preferences)
	r.same("place of it", true, e.Seq > 0)
}

func archivedLists(r *R) {
	user := r.id("user")
	want := make(map[bool][]string)
	var all []string
	for i := range 7 {
		c := r.direct(user, r.id("user"))
		archived := i%3 == 1
		if i%2 == 0 || archived {
			c.prefer(user, messaging.SetPreferences{Pinned: new(true), Archived: &archived})
		}
		want[archived] = append([]string{c.id}, want[archived]...)
		all = append([]string{c.id}, all...)
	}
	list := func(archived *bool) (ids []string) {
		for l := (messaging.ChatList{Archived: archived, Limit: 2}); len(ids) < 20; {
			page, err := r.m().Chats(r.ctx, user, l)
			r.ok(err)
			for _, v := range page {
				ids = append(ids, v.ID)
				l.After = messaging.ChatCursor{Activity: v.CreatedAt, ChatID: v.ID}
			}
			if len(page) < l.Limit {
				break
			}
		}
		return ids
	}
	r.same("all", all, list(nil))
	r.same("archived", want[true], list(new(true)))
	r.same("others", want[false], list(new(false)))
}

func preferenceRace(r *R) {
	p := r.people(2)
	c := r.direct(p[0], p[1])
	until := r.now()
	var told atomic.Int64
	r.race(4, func(i int) {
		e := c.prefer(p[0], []messaging.SetPreferences{{MutedUntil: &until}, {Archived: new(true)}, {Pinned: new(true)}, {MarkedUnread: new(true)}}[i])
		told.Add(e.Seq)
	})
	r.same("preferences", messaging.Preferences{MutedUntil: until, Archived: true, Pinned: true, MarkedUnread: true}, c.preferences(p[0]))
	r.same("sum of the places", int64(2+3+4+5), told.Load())
}
