// Package wigwag puts a complete communication back end inside a Go program:
// accounts by phone or e-mail, direct and group messages that are durable before
// they are acknowledged, receipts, history and live delivery, over HTTP and
// WebSocket, on a store of your choice.
//
// Open composes it from an opened store and a key ring:
//
//	store, err := sqlite.Open(ctx, "chat.db", sqlite.Options{Migrate: true})
//	…
//	app, err := wigwag.Open(ctx, wigwag.Config{Store: store, Keys: ring})
//	…
//	app.Start()
//	http.Handle("/chat/", http.StripPrefix("/chat", app.Handler()))
//
// A program with users of its own gives an Authenticator and leaves accounts
// out; its own code calls the services, which are fields of the App.
package wigwag

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/groups"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/phone/e164"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/transport/bus"
	"github.com/wigwag-chat/wigwag/transport/httpapi"
	"github.com/wigwag-chat/wigwag/transport/live"
	"github.com/wigwag-chat/wigwag/transport/ws"
	"github.com/wigwag-chat/wigwag/users"
)

// Config says what an App is made of. Store and Keys are required; the zero
// value of everything else is a default that is fit for production.
type Config struct {
	// Store keeps everything; see the packages below storage. Stop closes it.
	Store storage.Store
	// Keys wraps every key that the store holds. Who loses it loses the texts.
	Keys keys.KMS

	// Authenticator identifies people by the host's own means (AUTH-14): the
	// accounts of package auth are left out, and App.Auth is nil.
	Authenticator auth.Authenticator
	// Lookup tells which of the host's user ids exist; nil: every well-formed one.
	Lookup users.Lookup
	// Settings are those of who has chosen nothing; nil: users.DefaultSettings.
	Settings *users.Settings

	// Auth tunes accounts. Open sets its Store, Vault, Profiles and OnRevoked, and
	// the Now, NewID, Rand and Logger of this Config; Phones defaults to all
	// countries' numbers in E.164 notation.
	Auth auth.Config

	// Bus lets several Apps on one store hear of each other's commits: package
	// transport/bus/pgbus needs nothing but PostgreSQL. Nil: this is the only one. Stop closes it.
	Bus bus.Bus

	// PresenceBeat is how often this node says that it lives; who is connected to a node that has died
	// is offline after three beats, and that is told after four at most. 0: live.BeatEvery, 5 s.
	PresenceBeat time.Duration

	Origins  []string                   // exact origins that may open WebSockets, besides the server's own
	Limits   ws.Limits                  // of WebSocket connections
	ClientIP func(*http.Request) string // behind a proxy: the client's address; nil: RemoteAddr
	Version  string                     // of the host, in the API's description

	Now    func() time.Time // nil: time.Now
	NewID  func() string    // unique and hard to guess; nil: UUIDv7
	Rand   io.Reader        // nil: crypto/rand
	Logger *slog.Logger     // nil: slog.Default(); no secret and no text reaches it
}

// App is a running back end. Its services may be called from any goroutine,
// before Start too.
type App struct {
	Auth      auth.Service // nil with a Config.Authenticator
	Users     users.Service
	Messaging messaging.Service
	Groups    groups.Service

	handler  http.Handler
	sockets  *ws.Handler
	feed     *live.Feed
	follow   func(context.Context)
	attend   func(context.Context)
	maintain func(context.Context) error
	store    storage.Store
	bus      bus.Bus
	log      *slog.Logger

	start, stop sync.Once
	cancel      context.CancelFunc
	running     sync.WaitGroup
	stopErr     error
}

// Open composes an App. It checks that the keys are those of the store
// (keys.ErrWrongKey) and starts nothing. On an error the store is left open.
func Open(ctx context.Context, c Config) (*App, error) {
	if c.Store == nil || c.Keys == nil {
		return nil, errors.New("wigwag: Config.Store and Config.Keys are required")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	vault := keys.NewVault(c.Keys, c.Store.Keys(), c.Rand)
	if err := vault.Check(ctx); err != nil {
		return nil, err
	}
	a := &App{
		feed:  live.New(live.Options{Logger: c.Logger, Now: c.Now, Bus: c.Bus, Beat: c.PresenceBeat}),
		store: c.Store, bus: c.Bus, log: c.Logger,
	}
	if err := a.services(ctx, c, vault); err != nil {
		return nil, err
	}
	if err := a.transports(c); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *App) services(ctx context.Context, c Config, vault *keys.Vault) error {
	phones := c.Auth.Phones
	if phones == nil {
		phones = e164.Parser{}
	}
	accounts := &directory{phones: phones}
	profiles := users.Config{
		Store: c.Store.Users(), Foreign: c.Authenticator != nil, Lookup: c.Lookup, Now: c.Now,
		Defaults: c.Settings, Publisher: a.feed,
	}
	if c.Authenticator == nil {
		profiles.Directory = accounts
	}
	people, err := users.New(profiles)
	if err != nil {
		return err
	}
	a.Users = people

	if c.Authenticator == nil {
		ac := c.Auth
		ac.Store, ac.Vault, ac.Profiles, ac.Phones = c.Store.Auth(), vault, people, phones
		ac.OnRevoked = func(ids []string, userID string) {
			a.feed.SessionsRevoked(userID, ids, auth.ErrTokenRevoked)
		}
		ac.Now, ac.NewID, ac.Rand, ac.Logger = c.Now, c.NewID, c.Rand, c.Logger
		provider, err := auth.New(ac)
		if err != nil {
			return err
		}
		a.Auth, a.maintain, accounts.auth = provider, provider.Maintain, provider
	}

	secret, err := vault.Secret(ctx, "messaging.digest")
	if err != nil {
		return err
	}
	messenger, err := messaging.New(messaging.Config{
		Store: c.Store.Messaging(), Keys: vault, Secret: secret, People: people, Publisher: a.feed,
		Now: c.Now, NewID: c.NewID, Rand: c.Rand, Logger: c.Logger,
	})
	if err != nil {
		return err
	}
	a.Messaging = messenger
	a.follow = func(ctx context.Context) {
		a.feed.Follow(ctx, live.Reads{News: messenger, Sessions: a.sessions(), Settings: people.Settings})
	}
	a.attend = func(ctx context.Context) {
		a.feed.Attend(ctx, people)
	}
	a.Groups, err = groups.New(groups.Config{Messaging: messenger})
	return err
}

func (a *App) transports(c Config) error {
	who := c.Authenticator
	if who == nil {
		who = a.Auth
	}
	wc := ws.Config{
		Authenticator: who, Messaging: a.Messaging, Users: a.Users, Feed: a.feed,
		Origins: c.Origins, Limits: c.Limits, Now: c.Now, Rand: c.Rand, Logger: c.Logger,
	}
	if a.Auth != nil {
		wc.Check = a.Auth.Check
	}
	sockets, err := ws.New(wc)
	if err != nil {
		return err
	}
	hc := httpapi.Config{
		Auth: a.Auth, Authenticator: who, Users: a.Users, Messaging: a.Messaging, Groups: a.Groups,
		Tickets: sockets, Typing: a.typing, Ping: c.Store.Ping, ClientIP: c.ClientIP, Now: c.Now, Logger: c.Logger, Version: c.Version,
	}
	api, err := httpapi.New(hc)
	if err != nil {
		return err
	}
	// No ServeMux, which would answer unclean paths with a redirect of its own.
	a.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/ws" && r.Method == http.MethodGet {
			sockets.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
	a.sockets = sockets
	return nil
}

func (a *App) typing(ctx context.Context, chatID, userID string, typing bool) error {
	return a.feed.Typing(ctx, a.Messaging, chatID, userID, typing)
}

// Handler serves everything under /v1, and /openapi.json, /docs, /healthz,
// /readyz and /.well-known/jwks.json. It mounts below any prefix by http.StripPrefix.
func (a *App) Handler() http.Handler { return a.handler }

// Disconnect closes a user's live connections of the given sessions before it
// returns: for a host that identifies people itself and ends a session of its
// own. Sessions of package auth need no such call.
func (a *App) Disconnect(userID string, sessionIDs ...string) {
	a.feed.SessionsRevoked(userID, sessionIDs, auth.ErrTokenRevoked)
}

// Start lets the upkeep run that happens between requests: signing keys, expired
// rows, unread counts for those online, what other nodes commit. Starting twice is fine.
func (a *App) Start() {
	a.start.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		a.cancel = cancel
		a.running.Go(func() { a.feed.Run(ctx, a.Messaging) })
		a.running.Go(func() { a.follow(ctx) })
		a.running.Go(func() { a.attend(ctx) })
		if a.maintain == nil {
			return
		}
		a.running.Go(func() {
			if err := a.maintain(ctx); err != nil && ctx.Err() == nil {
				a.log.Error("upkeep of accounts ended", "error", err)
			}
		})
	})
}

// sessions tells which sessions of a user live, where package auth knows them.
func (a *App) sessions() func(context.Context, []string) (map[string]string, error) {
	if a.Auth == nil {
		return nil
	}
	return a.Auth.Owners
}

// Stop closes live connections with a code that says to come back, ends the
// upkeep, finishes what is being written and closes the store. Let the HTTP
// server finish its requests before. When the context ends, Stop no longer waits
// for connections; running calls of the store end within its own time limits.
func (a *App) Stop(ctx context.Context) error {
	a.stop.Do(func() {
		err := a.sockets.Stop(ctx)
		a.start.Do(func() {}) // a later Start would outlive the store
		if a.cancel != nil {
			a.cancel()
		}
		a.running.Wait()
		if a.bus != nil {
			err = errors.Join(err, a.bus.Close())
		}
		a.stopErr = errors.Join(err, a.store.Close())
	})
	return a.stopErr
}

// directory shows users what auth knows.
type directory struct {
	auth   auth.Service
	phones auth.PhoneParser
}

func (d *directory) Account(ctx context.Context, userID string) (users.Account, error) {
	a, err := d.auth.Account(ctx, userID)
	if err != nil {
		return users.Account{}, err
	}
	return users.Account{
		Phone: a.Phone, Email: a.Email, Role: string(a.Role), Active: a.Active, Verified: a.Verified(), LastLogin: a.LastLogin,
	}, nil
}

func (d *directory) ByPhone(ctx context.Context, number string) (string, error) {
	e164, err := d.phones.Parse(number, "")
	if err != nil {
		return "", err
	}
	a, err := d.auth.AccountByPhone(ctx, e164)
	return a.ID, err
}

func (d *directory) Phones(ctx context.Context, ids []string) (map[string]string, error) {
	return d.auth.Phones(ctx, ids)
}
