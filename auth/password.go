package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"
)

const passwordSecret = "auth/passwords"

// passwords hashes and compares, a bounded number at once.
type passwords struct {
	cost    int
	workers chan struct{} // one place for each that works
	queue   chan struct{} // one for each that works or waits
}

func newPasswords(cost, workers, queue int) passwords {
	return passwords{
		cost:    cost,
		workers: make(chan struct{}, workers),
		queue:   make(chan struct{}, workers+queue),
	}
}

// acquire waits for a place to hash or compare in. ErrBusy when too many wait;
// the context's error when it ends first.
func (p *passwords) acquire(ctx context.Context) (release func(), err error) {
	select {
	case p.queue <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case p.workers <- struct{}{}:
		return func() { <-p.workers; <-p.queue }, nil
	case <-ctx.Done():
		<-p.queue
		return nil, fmt.Errorf("auth: password: %w", context.Cause(ctx))
	}
}

// checkPassword applies the rules for new passwords; the fault names the field.
func (p *Provider) checkPassword(password, field string) error {
	if len(password) > MaxPassword || !utf8.ValidString(password) || utf8.RuneCountInString(password) < MinPassword {
		return ErrInvalidPassword.With("field", field)
	}
	if p.cfg.Breached(password) {
		return ErrBreachedPassword.With("field", field)
	}
	return nil
}

// prehash is what bcrypt gets for a password: base64 of its HMAC-SHA-384 under a
// secret of the vault. bcrypt reads 72 bytes and no NUL; these are 64, none of
// them NUL, and depend on all of the password. The key makes hashes worthless to
// who steals the database without the host's key, and hashes of the same
// password stolen elsewhere worthless here. NFC (RFC 8265) lets one password
// typed on two keyboards be one.
func (p *Provider) prehash(ctx context.Context, password string) ([]byte, error) {
	key, err := p.cfg.Vault.Secret(ctx, passwordSecret)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	h := hmac.New(sha512.New384, key)
	h.Write([]byte(norm.NFC.String(password)))
	return base64.RawStdEncoding.AppendEncode(nil, h.Sum(nil)), nil
}

// hash makes the stored form of a password. The caller has acquired a place.
func (p *Provider) hash(ctx context.Context, password string) (string, error) {
	pre, err := p.prehash(ctx, password)
	if err != nil {
		return "", err
	}
	hash, err := bcrypt.GenerateFromPassword(pre, p.passwords.cost)
	if err != nil {
		return "", fmt.Errorf("auth: password: %w", err)
	}
	return string(hash), nil
}

// dummy is compared where there is no hash, so that the time tells nothing. A
// salt and a hash of zeros: as much work as any other, and no password has it.
func dummy(cost int) []byte { return fmt.Appendf(nil, "$2a$%02d$%053d", cost, 0) }

// matches compares a password with a stored hash, "" for none. What does not
// match takes the same time in either case, also where the hash is of a lower
// cost than the present one. The caller has acquired a place.
func (p *Provider) matches(ctx context.Context, password, hash string) (bool, error) {
	pre, err := p.prehash(ctx, password)
	if err != nil {
		return false, err
	}
	present := p.passwords.cost
	if hash == "" {
		_ = bcrypt.CompareHashAndPassword(dummy(present), pre)
		return false, nil
	}
	if bcrypt.CompareHashAndPassword([]byte(hash), pre) == nil {
		return true, nil
	}
	cost, err := bcrypt.Cost([]byte(hash))
	for ; err == nil && cost < present; cost++ { // each doubles what was spent
		_ = bcrypt.CompareHashAndPassword(dummy(cost), pre)
	}
	return false, nil
}

// outdated reports whether a hash was made at a lower cost than the present one.
func (p *passwords) outdated(hash string) bool {
	cost, err := bcrypt.Cost([]byte(hash))
	return err == nil && cost < p.cost
}
