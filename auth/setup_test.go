package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/phone/e164"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/users"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	number   = "+12025550123"
	address  = "ada@example.org"
	password = "correct horse"
)

var here = auth.Client{IP: "192.0.2.1", UserAgent: "test"}

// rig is a Provider with all that it touches. What leaves by SMS or mail, and
// every token, is looked for in the log when the test ends.
type rig struct {
	*auth.Provider
	t        testing.TB
	store    *memory.Store
	vault    *keys.Vault
	profiles *users.Profiles
	cfg      auth.Config

	mu      sync.Mutex
	now     time.Time
	texts   []sent
	mails   chan sent
	refuse  error // what the SMSSender answers
	revoked []string
	log     bytes.Buffer
	secrets []string
}

type sent struct{ to, text string }

func newRig(t testing.TB, change func(*auth.Config)) *rig {
	t.Helper()
	key, err := keys.Generate(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: memory.New(memory.Options{}), mails: make(chan sent, 1000), now: time.Now().UTC().Truncate(time.Second)}
	r.vault = keys.NewVault(keys.NewRing(key), r.store.Keys(), nil)
	if r.profiles, err = users.New(users.Config{Store: r.store.Users(), Now: r.clock}); err != nil {
		t.Fatal(err)
	}
	r.cfg = auth.Config{
		Store: r.store.Auth(), Vault: r.vault, Phones: e164.Parser{}, SMS: r, Mailer: r, Profiles: r.profiles,
		Algorithm: "EdDSA", BcryptCost: 4, Now: r.clock,
		OnRevoked: func(ids []string, _ string) { r.mu.Lock(); defer r.mu.Unlock(); r.revoked = append(r.revoked, ids...) },
		Logger:    slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&r.cfg)
	}
	r.Provider = r.another()
	t.Cleanup(r.checkLog)
	return r
}

// another is one more node on the same store.
func (r *rig) another() *auth.Provider {
	r.t.Helper()
	p, err := auth.New(r.cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// maintain runs Maintain until the test ends.
func (r *rig) maintain() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := r.Maintain(ctx); err != nil {
			r.t.Error(err)
		}
	})
	r.t.Cleanup(func() { cancel(); wg.Wait() })
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func (r *rig) SendSMS(_ context.Context, to, text string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = append(r.secrets, to, sixDigits.FindString(text))
	if r.refuse != nil {
		return fmt.Errorf("cannot send %q to %s: %w", text, to, r.refuse)
	}
	r.texts = append(r.texts, sent{to, text})
	return nil
}

func (r *rig) SendMail(_ context.Context, to, subject, text string) error {
	r.mu.Lock()
	r.secrets = append(r.secrets, to, token43.FindString(text))
	refuse := r.refuse
	r.mu.Unlock()
	r.mails <- sent{to, subject + "\n" + text}
	if refuse != nil {
		return fmt.Errorf("cannot send %q to %s: %w", text, to, refuse)
	}
	return nil
}

func (r *rig) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(line)
}

func (r *rig) checkLog() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range append(r.secrets, password, number, address) {
		if secret == "" || !strings.Contains(r.log.String(), secret) {
			continue
		}
		whole := regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(secret) + `(\W|$)`) // digits of an id are no code
		if whole.Match(r.log.Bytes()) {
			r.t.Errorf("%q stands in the log:\n%s", secret, r.log.String())
		}
	}
}

var (
	sixDigits = regexp.MustCompile(`\b\d{6}\b`)
	token43   = regexp.MustCompile(`[\w-]{43}`)
)

// code is the last one that was sent.
func (r *rig) code() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return sixDigits.FindString(r.texts[len(r.texts)-1].text)
}

// mailed waits for a mail and returns its token.
func (r *rig) mailed(to, about string) string {
	r.t.Helper()
	m := <-r.mails
	token := token43.FindString(m.text)
	if m.to != to || !strings.Contains(m.text, about) || token == "" {
		r.t.Fatalf("mail to %s: %s", m.to, m.text)
	}
	return token
}

// byPhone signs a number in.
func (r *rig) byPhone(number string) auth.Tokens {
	r.t.Helper()
	ch, err := r.StartPhone(r.t.Context(), number, "", here)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.keep(r.VerifyPhone(r.t.Context(), ch.SessionID, r.code(), "", here))
}

func (r *rig) register(email, username string) auth.Tokens {
	r.t.Helper()
	t, signedIn, err := r.Register(r.t.Context(), auth.Registration{Email: email, Username: username, Password: password}, here)
	if !signedIn {
		r.t.Fatalf("not signed in: %v", err)
	}
	return r.keep(t, err)
}

// keep wants tokens, and remembers them as secrets.
func (r *rig) keep(t auth.Tokens, err error) auth.Tokens {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = append(r.secrets, t.AccessToken, t.RefreshToken)
	return t
}

func (r *rig) ended(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.revoked, id)
}

// is fails the test unless err is want; nil wants success.
func is(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || (want == nil) != (err == nil) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}
