package users

import (
	"cmp"
	"errors"
	"time"

	"github.com/maypok86/otter/v2"
)

// Config is what Profiles is made of.
type Config struct {
	// Store keeps the profiles; required.
	Store Store
	// Directory knows accounts; nil: nobody has one to show, and nobody is found by phone.
	Directory Directory
	// Foreign tells that the host identifies people (AUTH-14): user ids are its
	// own, and without a Lookup every well-formed one exists.
	Foreign bool
	// Lookup tells which of the host's ids exist. It implies Foreign.
	Lookup Lookup
	// Reserved are usernames that nobody may take, in any case; nil: [Reserved].
	Reserved []string
	// Defaults are the settings of who has chosen nothing; nil: DefaultSettings.
	Defaults *Settings
	// Publisher is told what changes; nil: nobody is.
	Publisher Publisher
	// Known bounds how many user ids are remembered as having a profile;
	// default 100,000, some 100 bytes each.
	Known int
	// Now is the clock; default [time.Now].
	Now func() time.Time
}

// Profiles is the Service over a Store.
type Profiles struct {
	store     Store
	directory Directory
	foreign   bool
	lookup    Lookup
	reserved  map[string]bool // by username key
	defaults  Settings
	publisher Publisher
	known     *otter.Cache[string, struct{}]
	clock     func() time.Time
}

var _ Service = (*Profiles)(nil)

// New makes a Profiles. It starts nothing and needs no closing.
func New(cfg Config) (*Profiles, error) {
	if cfg.Store == nil {
		return nil, errors.New("users: Config.Store is required")
	}
	known, err := otter.New(&otter.Options[string, struct{}]{MaximumSize: cmp.Or(cfg.Known, 100_000)})
	if err != nil {
		return nil, err
	}
	p := &Profiles{
		store:     cfg.Store,
		directory: cfg.Directory,
		foreign:   cfg.Foreign || cfg.Lookup != nil,
		lookup:    cfg.Lookup,
		reserved:  make(map[string]bool),
		defaults:  DefaultSettings(),
		publisher: cfg.Publisher,
		known:     known,
		clock:     cfg.Now,
	}
	if p.clock == nil {
		p.clock = time.Now
	}
	if cfg.Defaults != nil {
		p.defaults = *cfg.Defaults
	}
	words := cfg.Reserved
	if words == nil {
		words = Reserved()
	}
	for _, w := range words {
		p.reserved[key(fold(w))] = true
	}
	return p, nil
}

// Reserved returns the usernames that nobody may take by default: those that
// could be mistaken for the host's own voice, or for everybody.
func Reserved() []string {
	return []string{
		"admin", "administrator", "all", "anonymous", "api", "bot", "channel", "everyone", "help", "here", "info",
		"mod", "moderator", "nobody", "null", "official", "postmaster", "root", "security", "staff", "support",
		"system", "team", "undefined", "webmaster", "wigwag",
	}
}

func (p *Profiles) now() time.Time { return p.clock().UTC().Truncate(time.Microsecond) }

func (p *Profiles) isKnown(id string) bool {
	_, ok := p.known.GetIfPresent(id)
	return ok
}

func (p *Profiles) remember(id string) { p.known.Set(id, struct{}{}) }
