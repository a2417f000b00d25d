package messaging

import (
	"context"
	"time"
)

// Preferences are how one member keeps a chat in his own list (MSG-12). They outlast his
// membership, for the case that he comes back.
type Preferences struct {
	MutedUntil   time.Time // zero: not muted
	Archived     bool
	Pinned       bool
	MarkedUnread bool // by hand; his next read mark that moves ends it
}

// SetPreferences changes what is not nil.
type SetPreferences struct {
	ChatID, UserID                 string
	MutedUntil                     *time.Time // the zero time ends it
	Archived, Pinned, MarkedUnread *bool
	At                             time.Time
}

// Apply returns the preferences as they stand after the change.
func (s *SetPreferences) Apply(p Preferences) Preferences {
	set(&p.Archived, s.Archived, "", nil)
	set(&p.Pinned, s.Pinned, "", nil)
	set(&p.MarkedUnread, s.MarkedUnread, "", nil)
	if s.MutedUntil != nil {
		p.MutedUntil = *s.MutedUntil
	}
	return p
}

// SetPreferences implements Service.
func (m *Messenger) SetPreferences(ctx context.Context, s SetPreferences) (ChatView, error) {
	if err := checkChat(s.UserID, s.ChatID); err != nil {
		return ChatView{}, err
	}
	if err := m.setPreferences(ctx, s); err != nil {
		return ChatView{}, err
	}
	return m.Chat(ctx, s.UserID, s.ChatID)
}

func (m *Messenger) setPreferences(ctx context.Context, s SetPreferences) error {
	s.At = m.time()
	if s.MutedUntil != nil && !s.MutedUntil.IsZero() {
		until := s.MutedUntil.UTC().Truncate(time.Microsecond)
		if !until.After(s.At) {
			until = time.Time{} // is over
		}
		s.MutedUntil = &until
	}
	e, err := m.store.SetPreferences(ctx, s)
	if err != nil {
		return m.failed(err, "", s.UserID)
	}
	if e.Seq > 0 {
		m.publish(Committed{UserEvents: []UserEvent{e}})
	}
	return nil
}
