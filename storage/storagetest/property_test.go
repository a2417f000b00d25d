package storagetest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/memory"
)

// A property that cannot fail proves nothing. These are the ones that a store
// alone can break; what a service can break was tried by hand.
func TestBrokenStoresBreakProperties(t *testing.T) {
	for _, c := range []struct {
		number int
		breaks string
		store  broken
	}{
		{1, "lets a challenge live a microsecond longer", broken{lateBy: time.Microsecond}},
		{2, "makes an account each time a number is proven", broken{newAccounts: true}},
		{4, "counts no attempts", broken{endless: true}},
		{5, "loses the oldest message of a page", broken{page: func(p []messaging.StoredMessage) []messaging.StoredMessage { return p[min(1, len(p)):] }}},
		{6, "forgets who has read", broken{page: func(p []messaging.StoredMessage) []messaging.StoredMessage {
			for i := range p {
				p[i].Tally.Read = 0
			}
			return p
		}}},
		{11, "leaves out the last member of a group", broken{create: func(c *messaging.NewChat) {
			if c.Kind == messaging.Group && len(c.Members) > 1 {
				c.Members = c.Members[:len(c.Members)-1]
			}
		}}},
		{12, "removes nobody", broken{keepMembers: true}},
		{14, "removes nobody", broken{keepMembers: true}},
		{28, "keeps what is deleted, hidden from the one who deleted it", broken{hideForDelete: true}},
		{29, "never forgets a session", broken{sessions: new(sync.Map)}},
		{30, "edits the copy of one reader alone", broken{oneCopy: new(sync.Map)}},
		{31, "forgets that a message was edited", broken{page: nil, unedited: true}},
		{32, "shows no tombstones", broken{page: func(p []messaging.StoredMessage) []messaging.StoredMessage {
			var out []messaging.StoredMessage
			for _, m := range p {
				if !m.Deleted {
					out = append(out, m)
				}
			}
			return out
		}}},
		{33, "deletes for everyone what one hides", broken{deleteForHide: true}},
		{34, "allows edits at any age", broken{anyAge: true}},
	} {
		t.Run(fmt.Sprintf("%02d %s", c.number, c.breaks), func(t *testing.T) {
			t.Parallel()
			b := Backend{Name: "the store that " + c.breaks, Open: func(testing.TB) storage.Store {
				c.store.Store = memory.New(memory.Options{})
				return c.store
			}}
			for _, p := range properties() {
				if p.number != c.number {
					continue
				}
				report := open(t, b, 1).check(rule{name: p.name(), says: p.says, check: p.check})
				if report == "" || strings.Contains(report, "panic") {
					t.Errorf("%s is not caught: %s", b.Name, report)
				}
				t.Log(report)
			}
		})
	}
}

// broken is a store with defects; the zero value of each field is none.
type broken struct {
	storage.Store
	lateBy        time.Duration
	newAccounts   bool
	endless       bool
	sessions      *sync.Map
	page          func([]messaging.StoredMessage) []messaging.StoredMessage
	create        func(*messaging.NewChat)
	keepMembers   bool
	hideForDelete bool
	deleteForHide bool
	oneCopy       *sync.Map // messages that were edited, as they were
	unedited      bool
	anyAge        bool
}

func (b broken) Auth() auth.Store           { return brokenAuth{b.Store.Auth(), b} }
func (b broken) Messaging() messaging.Store { return brokenMessaging{b.Store.Messaging(), b} }

type brokenAuth struct {
	auth.Store
	b broken
}

func (s brokenAuth) TryChallenge(ctx context.Context, id string, hash []byte, now time.Time) (auth.StoredChallenge, error) {
	c, err := s.Store.TryChallenge(ctx, id, hash, now.Add(-s.b.lateBy))
	if s.b.endless && err == auth.ErrTooManyAttempts {
		err = auth.ErrInvalidCode
	}
	return c, err
}

func (s brokenAuth) EnsurePhone(ctx context.Context, a auth.Account) (auth.Account, bool, error) {
	found, created, err := s.Store.EnsurePhone(ctx, a)
	return found, created || s.b.newAccounts, err
}

func (s brokenAuth) Session(ctx context.Context, id string) (auth.Session, error) {
	found, err := s.Store.Session(ctx, id)
	if s.b.sessions == nil {
		return found, err
	}
	if err == nil {
		s.b.sessions.Store(id, found)
	} else if kept, ok := s.b.sessions.Load(id); ok {
		return kept.(auth.Session), nil
	}
	return found, err
}

func (s brokenAuth) CreateSession(ctx context.Context, n auth.StoredSession) error {
	if s.b.sessions != nil {
		s.b.sessions.Store(n.ID, n.Session)
	}
	return s.Store.CreateSession(ctx, n)
}

type brokenMessaging struct {
	messaging.Store
	b broken
}

func (s brokenMessaging) CreateChat(ctx context.Context, c messaging.NewChat) (messaging.CreatedChat, error) {
	if s.b.create != nil {
		s.b.create(&c)
	}
	return s.Store.CreateChat(ctx, c)
}

func (s brokenMessaging) Messages(ctx context.Context, viewer, chat string, w messaging.Window) ([]messaging.StoredMessage, error) {
	page, err := s.Store.Messages(ctx, viewer, chat, w)
	if s.b.page != nil {
		page = s.b.page(page)
	}
	return page, err
}

func (s brokenMessaging) Message(ctx context.Context, viewer, chat, id string) (messaging.StoredMessage, error) {
	m, err := s.Store.Message(ctx, viewer, chat, id)
	if s.b.unedited {
		m.EditedAt = time.Time{}
	}
	if s.b.oneCopy != nil && err == nil && viewer != m.SenderID {
		first, _ := s.b.oneCopy.LoadOrStore(id, m)
		m = first.(messaging.StoredMessage)
	}
	return m, err
}

func (s brokenMessaging) Edit(ctx context.Context, e messaging.EditMessage) (messaging.Changed, error) {
	if s.b.anyAge {
		e.SentAfter = time.Time{}
	}
	return s.Store.Edit(ctx, e)
}

func (s brokenMessaging) RemoveMember(ctx context.Context, r messaging.RemoveMember) (messaging.Changed, error) {
	if s.b.keepMembers {
		return messaging.Changed{}, nil
	}
	return s.Store.RemoveMember(ctx, r)
}

func (s brokenMessaging) Delete(ctx context.Context, d messaging.DeleteMessage) (messaging.Changed, error) {
	if s.b.hideForDelete {
		return s.Store.Hide(ctx, messaging.HideMessage{ChatID: d.ChatID, MessageID: d.MessageID, UserID: d.ActorID, At: d.At})
	}
	return s.Store.Delete(ctx, d)
}

func (s brokenMessaging) Hide(ctx context.Context, h messaging.HideMessage) (messaging.Changed, error) {
	if s.b.deleteForHide {
		m, err := s.Store.Message(ctx, h.UserID, h.ChatID, h.MessageID)
		if err != nil {
			return messaging.Changed{}, err
		}
		return s.Store.Delete(ctx, messaging.DeleteMessage{ChatID: h.ChatID, MessageID: h.MessageID, ActorID: m.SenderID, At: h.At})
	}
	return s.Store.Hide(ctx, h)
}

// Property 27 finds a text however it is written down.
func TestReadable(t *testing.T) {
	const text = "שלום, a text that nobody should read 🙂"
	utf16 := func(s string, low, high int) (out []byte) {
		for _, r := range s { // of the basic plane
			unit := []byte{byte(r), byte(r >> 8)}
			out = append(out, unit[low], unit[high])
		}
		return out
	}
	for name, hidden := range map[string][]byte{
		"itself":             []byte(text),
		"a part":             []byte("x that nobody should y"),
		"hexadecimal":        []byte(strings.ToUpper(hex.EncodeToString([]byte(text)))),
		"base64":             []byte(base64.StdEncoding.EncodeToString([]byte(text))),
		"base64, moved by 1": []byte(base64.URLEncoding.EncodeToString([]byte("." + text))),
		"base64, moved by 2": []byte(base64.RawStdEncoding.EncodeToString([]byte(".." + text))),
		"UTF-16":             utf16(text[:len(text)-4], 0, 1),
		"UTF-16, big":        utf16(text[:len(text)-4], 1, 0),
	} {
		if readable(append([]byte("before\x00"), append(hidden, "\x00after"...)...), text) == "" {
			t.Errorf("%s is not found", name)
		}
	}
	if found := readable([]byte("nothing that anybody could not read, in much too many words"), text); found != "" {
		t.Errorf("found as %s where it is not", found)
	}
}

// The list is the one of SPEC section 13 for this version.
func TestProperties(t *testing.T) {
	var numbers []string
	for _, p := range properties() {
		numbers = append(numbers, fmt.Sprint(p.number))
		if !regexp.MustCompile(`^[A-Z].*\.$`).MatchString(p.says) {
			t.Errorf("%s says %q, want one sentence", p.name(), p.says)
		}
	}
	const want = "1 2 3 4 5 6 7 11 12 14 16 17 18 19 20 27 28 29 30 31 32 33 34 35 37 38"
	if got := strings.Join(numbers, " "); got != want {
		t.Errorf("properties are %s, want %s", got, want)
	}
}
