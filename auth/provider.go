package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
	"time"
)

// Provider is the identity provider: the Service over a Store.
type Provider struct {
	cfg       Config
	admins    map[string]bool // E.164 numbers and e-mail keys
	limits    limits
	passwords passwords
	keys      keyring
	seen      *seen
	jobs      chan job
	random    sync.Mutex // an injected reader need not be safe for concurrent use
}

var _ Service = (*Provider)(nil)

// New makes a Provider. It starts nothing; let Maintain run beside it. Signing
// keys are made, or read, at first use.
func New(cfg Config) (*Provider, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	p := &Provider{
		cfg:       cfg,
		admins:    make(map[string]bool, len(cfg.Admins)),
		limits:    newLimits(cfg.Limits, cfg.Now),
		passwords: newPasswords(cfg.BcryptCost, cfg.PasswordWorkers, cfg.PasswordQueue),
		jobs:      make(chan job, maxJobs),
	}
	p.keys.init(&p.cfg)
	var err error
	if p.seen, err = newSeen(); err != nil {
		return nil, fmt.Errorf("auth: caches: %w", err)
	}
	for _, who := range cfg.Admins {
		p.admins[p.contact(who)] = true
	}
	delete(p.admins, "") // it would be everybody without a number, or without an address
	return p, nil
}

// contact is the canonical form of a phone number or an e-mail address.
func (p *Provider) contact(who string) string {
	if key, err := emailKey(who); err == nil {
		return key
	}
	if p.cfg.Phones != nil {
		if e164, err := p.cfg.Phones.Parse(who, ""); err == nil {
			return e164
		}
	}
	return who
}

// now is the time as stores keep it: UTC, in whole microseconds.
func (p *Provider) now() time.Time { return p.cfg.Now().UTC().Truncate(time.Microsecond) }

// draw fills b with randomness.
func (p *Provider) draw(b []byte) error {
	p.random.Lock()
	defer p.random.Unlock()
	if _, err := io.ReadFull(p.cfg.Rand, b); err != nil {
		return fmt.Errorf("auth: randomness: %w", err)
	}
	return nil
}

// mac is HMAC-SHA-256 (RFC 2104) under the vault's secret of that name, over
// the parts, each followed by a zero byte.
func (p *Provider) mac(ctx context.Context, secret string, parts ...string) ([]byte, error) {
	key, err := p.cfg.Vault.Secret(ctx, secret)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(append([]byte(part), 0))
	}
	return h.Sum(nil), nil
}
