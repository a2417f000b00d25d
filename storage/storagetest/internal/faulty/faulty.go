// Package faulty holds stores that are wrong on purpose: the memory store with
// one defect each, of the kinds that real backends have had. The suite must
// catch every one, by the rule that the defect breaks: it is how the suite itself
// is tested.
package faulty

import (
	"slices"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/users"
)

// Defect is one way to be wrong.
type Defect struct {
	Name     string
	CaughtBy []string // rules that must fail

	chats    func(messaging.Store) messaging.Store
	sessions func(auth.Store) auth.Store
	people   func(users.Store) users.Store
	secrets  func(keys.Store) keys.Store
	whole    func(storage.Store) storage.Store
	forgets  bool // everything, when reopened
}

// All lists the defects.
func All() []Defect {
	return slices.Concat(pageDefects(), messageDefects(), memberDefects(), policyDefects(), preferenceDefects(), reactionDefects(), markDefects(), newsDefects(), peopleDefects(), settingDefects(), relationDefects(), presenceDefects(), storeDefects())
}

// store is the memory store with a defect.
type store struct {
	*memory.Store
	defect    Defect
	messaging messaging.Store
	auth      auth.Store
	users     users.Store
	keys      keys.Store
}

func (s *store) Messaging() messaging.Store { return s.messaging }
func (s *store) Auth() auth.Store           { return s.auth }
func (s *store) Users() users.Store         { return s.users }
func (s *store) Keys() keys.Store           { return s.keys }

// Open returns a fresh store with the defect.
func (d Defect) Open() storage.Store { return d.wrap(memory.New(memory.Options{})) }

// Reopen closes a store of Open and opens its data again, with the same defect.
func (d Defect) Reopen(s storage.Store) storage.Store {
	if u, ok := s.(interface{ unwrap() storage.Store }); ok {
		s = u.unwrap()
	}
	old := s.(*store)
	data := old.Reopen()
	if d.forgets {
		data = memory.New(memory.Options{})
	}
	again := d.wrap(data)
	if lossy, ok := old.messaging.(*losesLast); ok {
		again.(*store).messaging.(*losesLast).lost, _ = lossy.latest.get("")
	}
	return again
}

func (d Defect) wrap(m *memory.Store) storage.Store {
	s := &store{Store: m, defect: d, messaging: m.Messaging(), auth: m.Auth(), users: m.Users(), keys: m.Keys()}
	if d.chats != nil {
		s.messaging = d.chats(s.messaging)
	}
	if d.sessions != nil {
		s.auth = d.sessions(s.auth)
	}
	if d.people != nil {
		s.users = d.people(s.users)
	}
	if d.secrets != nil {
		s.keys = d.secrets(s.keys)
	}
	if d.whole != nil {
		return d.whole(s)
	}
	return s
}

// meet lets other calls come as far as this one: what is checked before and acted
// on after it is not atomic.
func meet() { time.Sleep(5 * time.Millisecond) }
