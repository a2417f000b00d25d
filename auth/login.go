package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/wigwag-chat/wigwag/errs"
)

// Login signs in with an e-mail address, phone number or username, and a
// password. For all that is wrong the answer is ErrInvalidCredentials, after one
// comparison with some hash. Only who knows the password learns more:
// ErrAccountInactive, ErrEmailNotVerified. Wrong passwords back off for the
// account, or what would name one, and for the address (AUTH-4).
func (p *Provider) Login(ctx context.Context, identifier, password string, c Client) (Tokens, error) {
	ip := p.limits.byIP(c)
	if _, err := take(ctx, count{p.limits.logins, ip}); err != nil {
		return Tokens{}, err
	}
	if ip != "" {
		if err := p.limits.failuresByIP.Check(ip); err != nil {
			return Tokens{}, err
		}
	}
	a, who, err := p.identify(ctx, identifier)
	if err != nil {
		return Tokens{}, err
	}
	hash, err := p.prove(ctx, a, password, who)
	if err != nil {
		if ip != "" && errors.Is(err, ErrInvalidCredentials) {
			p.limits.failuresByIP.Fail(ip)
		}
		return Tokens{}, err
	}
	if p.cfg.RequireVerifiedEmail && !a.Verified() {
		key, _ := emailKey(a.Email)
		if err := p.queueMail(key, p.cfg.Templates.verify()); err != nil {
			return Tokens{}, err
		}
		return Tokens{}, ErrEmailNotVerified
	}
	t, err := p.signIn(ctx, a, false, c)
	if err != nil {
		return Tokens{}, err
	}
	// Who replaces a password then ends the sessions there are. One that began
	// meanwhile by the old password may have come too late to be among them.
	a, err = p.cfg.Store.Account(ctx, a.ID)
	if err != nil {
		return Tokens{}, fmt.Errorf("auth: log in: %w", err)
	}
	if a.PasswordHash != hash {
		if err := p.Revoke(ctx, a.ID, t.SessionID); err != nil && !errors.Is(err, ErrSessionNotFound) {
			return Tokens{}, err
		}
		return Tokens{}, ErrInvalidCredentials
	}
	return t, nil
}

// prove compares a password with that of an account, which may be the zero one:
// ErrInvalidCredentials, or what the back-off of who says. A hash of a lower cost
// than the present one is replaced; the hash that is stored afterwards is returned.
func (p *Provider) prove(ctx context.Context, a Account, password, who string) (hash string, err error) {
	if err := p.limits.failures.Check(who); err != nil {
		return "", err // without waiting for a place
	}
	release, err := p.passwords.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	if err := p.limits.try(who); err != nil {
		return "", err
	}
	ok, err := p.matches(ctx, password, a.PasswordHash)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", ErrInvalidCredentials
	}
	p.limits.failures.Success(who)
	if !p.passwords.outdated(a.PasswordHash) {
		return a.PasswordHash, nil
	}
	raised, err := p.hash(ctx, password)
	if err != nil {
		return "", err
	}
	set, err := p.cfg.Store.SetPassword(ctx, a.ID, a.PasswordHash, raised, p.now())
	if err != nil {
		return "", fmt.Errorf("auth: raise password cost: %w", err)
	}
	if set {
		return raised, nil
	}
	// Somebody replaced it meanwhile: by another, or by the same at the present cost.
	a, err = p.cfg.Store.Account(ctx, a.ID)
	if err != nil {
		return "", fmt.Errorf("auth: raise password cost: %w", err)
	}
	if ok, err = p.matches(ctx, password, a.PasswordHash); err == nil && !ok {
		err = ErrInvalidCredentials
	}
	return a.PasswordHash, err
}

// identify returns the account that an identifier names, the zero one for none,
// and what its wrong passwords are counted by: the account, however it was
// called, or the canonical name of what is none, so that one counts like the other.
func (p *Provider) identify(ctx context.Context, identifier string) (a Account, who string, err error) {
	if identifier = strings.TrimSpace(identifier); len(identifier) > MaxEmail {
		identifier = ""
	}
	a, name, err := p.find(ctx, identifier)
	switch {
	case err == nil:
		return a, accountKey(a.ID), nil
	case errors.Is(err, errs.NotFound), errors.Is(err, errs.Invalid):
		return Account{}, digest("name " + name), nil
	}
	return Account{}, "", fmt.Errorf("auth: log in: %w", err)
}

func (p *Provider) find(ctx context.Context, identifier string) (a Account, name string, err error) {
	name = strings.ToLower(norm.NFKC.String(identifier))
	if strings.Contains(identifier, "@") {
		key, err := emailKey(identifier)
		if err != nil {
			return Account{}, name, err
		}
		a, err = p.cfg.Store.AccountByEmail(ctx, key)
		return a, key, err
	}
	// Parsers take letters for digits, as on a dial: with a letter it is a username.
	if p.cfg.Phones != nil && !strings.ContainsFunc(identifier, unicode.IsLetter) {
		if e164, err := p.cfg.Phones.Parse(identifier, ""); err == nil {
			a, err := p.cfg.Store.AccountByPhone(ctx, e164)
			if !errors.Is(err, ErrAccountNotFound) {
				return a, e164, err
			}
			name = e164
		}
	}
	id, err := p.cfg.Profiles.IDByUsername(ctx, identifier)
	if err != nil {
		return Account{}, name, err
	}
	a, err = p.cfg.Store.Account(ctx, id)
	return a, name, err
}

// accountKey is what an account's wrong passwords are counted by.
func accountKey(id string) string { return digest("account " + id) }
