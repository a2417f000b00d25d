package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/phone/e164"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/storage/postgres"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
	"github.com/wigwag-chat/wigwag/transport/bus/pgbus"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

// sessionFresh keeps well within the second after which a session that was ended
// on one node has to be dead on all.
const sessionFresh = 500 * time.Millisecond

// open opens the store and its key file and composes the app. The outbox is nil
// outside development mode, where nothing carries texts yet.
func open(ctx context.Context, o options, log *slog.Logger) (*wigwag.App, *outbox, error) {
	store, keyFile, err := openStore(ctx, o.db)
	if err != nil {
		return nil, nil, err
	}
	ring, made, err := openKeys(keyFile)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	config := wigwag.Config{
		Store: store, Keys: ring, Logger: log,
		Limits: ws.Limits{Off: o.unlimited},
		Auth:   auth.Config{Admins: o.admins, SessionFresh: sessionFresh},
	}
	if scheme, _, _ := strings.Cut(o.db, ":"); !o.alone && (scheme == "postgres" || scheme == "postgresql") {
		if config.Bus, err = pgbus.New(o.db, pgbus.Options{}); err != nil {
			return nil, nil, errors.Join(err, store.Close())
		}
	}
	var box *outbox
	if o.dev {
		box = &outbox{log: log, now: time.Now}
		config.Auth.SMS, config.Auth.Mailer = box, box
		config.Auth.Phones = e164.Parser{Fictional: true}
		config.Auth.Limits = auth.Limits{IPOff: true, PrefixOff: true}
		log.Warn("development mode: whoever reaches this server can read every code at /dev/outbox")
	}
	app, err := wigwag.Open(ctx, config)
	if made && errors.Is(err, keys.ErrWrongKey) {
		err = errors.Join(fmt.Errorf("the database has a key, and its file %s is missing", keyFile), os.Remove(keyFile))
	}
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	if made {
		log.Info("made the key of this database: keep a copy, without it no message can be read", "file", keyFile)
	}
	return app, box, nil
}

// openStore opens the store that a -db flag names, migrated, and says which file
// holds its keys; "" for a store that forgets.
func openStore(ctx context.Context, db string) (s storage.Store, keyFile string, err error) {
	switch scheme, rest, _ := strings.Cut(db, ":"); scheme {
	case "memory":
		return memory.New(memory.Options{}), "", nil
	case "sqlite":
		if rest == "" {
			return nil, "", errors.New("-db sqlite: needs a file, as in sqlite:wigwag.db")
		}
		s, err = sqlite.Open(ctx, rest, sqlite.Options{Migrate: true})
		return s, rest + ".key", err
	case "postgres", "postgresql":
		s, err = postgres.Open(ctx, db, postgres.Options{Migrate: true})
		return s, "wigwag.key", err
	default:
		return nil, "", fmt.Errorf("-db %q: use sqlite:FILE, memory: or postgres://…", db)
	}
}

// openKeys reads the key file, and makes it at the first start.
func openKeys(file string) (ring *keys.Ring, made bool, err error) {
	if file == "" {
		key, err := keys.Generate(nil)
		return keys.NewRing(key), false, err
	}
	ring, err = keys.ReadFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return ring, false, err
	}
	ring, err = keys.CreateFile(file, nil)
	if errors.Is(err, fs.ErrExist) { // another process was quicker
		ring, err = keys.ReadFile(file)
		return ring, false, err
	}
	return ring, true, err
}
