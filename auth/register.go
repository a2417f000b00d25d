package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/wigwag-chat/wigwag/errs"
)

// What users says of usernames, said here without importing it.
var (
	errUsername      = errs.Field("username", "invalid_username", "Choose a username.")
	errUsernameTaken = errs.New(errs.Conflict, "username_taken", "This username is taken.").With("field", "username")
)

// Register makes an account with e-mail, username and password. All fields are
// checked before anything is stored or counted.
//
// The account comes before the profile: should the process end between the two,
// somebody can sign in and has yet to choose a username, while the other order
// would leave a username reserved for nobody.
func (p *Provider) Register(ctx context.Context, r Registration, c Client) (t Tokens, signedIn bool, err error) {
	key, err := p.checkRegistration(ctx, r)
	if err != nil {
		return Tokens{}, false, err
	}
	if _, err := take(ctx, count{p.limits.requests, p.limits.byIP(c)}); err != nil {
		return Tokens{}, false, err
	}
	if p.cfg.RequireVerifiedEmail && len(p.jobs) == cap(p.jobs) {
		return Tokens{}, false, ErrBusy // now, and not after the account is there
	}
	hash, err := p.hashNew(ctx, r.Password) // a taken address takes as long
	if err != nil {
		return Tokens{}, false, err
	}
	now := p.now()
	a := Account{
		ID: p.cfg.NewID(), Email: r.Email, PasswordHash: hash, Role: RoleUser, Active: true, CreatedAt: now, UpdatedAt: now,
	}
	err = p.cfg.Store.CreateAccount(ctx, a, key)
	if errors.Is(err, ErrEmailTaken) && p.cfg.RequireVerifiedEmail {
		return Tokens{}, false, p.queueMail(key, p.cfg.Templates.taken())
	}
	if err != nil {
		return Tokens{}, false, fmt.Errorf("auth: register: %w", err)
	}
	if err := p.cfg.Profiles.Create(ctx, a.ID, r.Username, r.DisplayName); err != nil {
		return Tokens{}, false, fmt.Errorf("auth: register: %w", errors.Join(err, p.undo(ctx, a.ID)))
	}
	if p.cfg.RequireVerifiedEmail {
		return Tokens{}, false, p.queueMail(key, p.cfg.Templates.verify())
	}
	if p.cfg.Mailer != nil {
		if err := p.queueMail(key, p.cfg.Templates.verify()); err != nil {
			p.cfg.Logger.WarnContext(ctx, "mail not queued", "error", err) // one can do without
		}
	}
	t, err = p.signIn(ctx, a, true, c)
	return t, err == nil, err
}

func (p *Provider) checkRegistration(ctx context.Context, r Registration) (key string, err error) {
	if key, err = emailKey(r.Email); err != nil {
		return "", err
	}
	if r.Username == "" {
		return "", errUsername
	}
	if err := p.cfg.Profiles.Check(r.Username, r.DisplayName); err != nil {
		return "", err
	}
	if err := p.checkPassword(r.Password, "password"); err != nil {
		return "", err
	}
	if !p.cfg.RequireVerifiedEmail {
		return key, nil
	}
	// A taken address must not hide a taken username, or hiding it would tell.
	_, err = p.cfg.Profiles.IDByUsername(ctx, r.Username)
	switch {
	case err == nil:
		return "", errUsernameTaken
	case !errors.Is(err, errs.NotFound):
		return "", fmt.Errorf("auth: register: %w", err)
	}
	return key, nil
}

func (p *Provider) hashNew(ctx context.Context, password string) (string, error) {
	release, err := p.passwords.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return p.hash(ctx, password)
}

// undo removes a new account, also where the caller has gone.
func (p *Provider) undo(ctx context.Context, id string) error {
	ctx, cancel := finishing(ctx)
	defer cancel()
	return p.cfg.Store.DeleteAccount(ctx, id)
}

// queueMail has a link sent to the account with an e-mail address, if there is
// one. What the caller sees does not depend on that. Where the address got its
// daily number of mails, nothing more is sent.
func (p *Provider) queueMail(key string, l link) error {
	if allowed := p.limits.mails.Allow(digest(key)) == nil; !allowed {
		return nil
	}
	return p.queued(func(ctx context.Context) error {
		a, err := p.cfg.Store.AccountByEmail(ctx, key)
		if errors.Is(err, ErrAccountNotFound) || err == nil && !a.Active {
			return nil
		}
		if err != nil {
			return err
		}
		return p.mail(ctx, a, l)
	})
}
