package auth

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"time"
)

// emailKey is what e-mail addresses are unique by: the address in lower case.
// Only plain addresses pass (RFC 5321): ASCII, one "@", no quotes, no display
// name, a domain of at least two labels, at most MaxEmail bytes; ErrInvalidEmail.
func emailKey(address string) (string, error) {
	if len(address) > MaxEmail || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", ErrInvalidEmail
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address {
		return "", ErrInvalidEmail
	}
	local, domain, _ := strings.Cut(address, "@")
	if len(local) > 64 || strings.ContainsAny(local, `"\`) || !isDomain(domain) {
		return "", ErrInvalidEmail
	}
	return strings.ToLower(address), nil
}

// isDomain reports whether s is a host name (RFC 1123) of at least two labels.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.ContainsFunc(l, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}) {
			return false
		}
	}
	return len(labels) > 1
}

// link is a mail with a one-use token.
type link struct {
	purpose            Purpose
	ttl                time.Duration
	url, subject, text string
}

func (t *Templates) verify() link {
	return link{VerifyEmail, VerifyEmailTTL, t.VerifyURL, t.VerifySubject, t.VerifyText}
}

func (t *Templates) reset() link {
	return link{ResetPassword, ResetPasswordTTL, t.ResetURL, t.ResetSubject, t.ResetText}
}

func (t *Templates) taken() link {
	return link{ResetPassword, ResetPasswordTTL, t.ResetURL, t.TakenSubject, t.TakenText}
}

// mail sends an account a link.
func (p *Provider) mail(ctx context.Context, a Account, l link) error {
	token, err := p.newToken()
	if err != nil {
		return err
	}
	if err := p.cfg.Store.PutOneUse(ctx, OneUse{
		Hash: tokenHash(token), Purpose: l.purpose, UserID: a.ID, Email: a.Email, ExpiresAt: p.now().Add(l.ttl),
	}); err != nil {
		return err
	}
	url := strings.ReplaceAll(l.url, "{token}", token)
	subject, text := p.cfg.Templates.fill(l.subject, "{link}", url), p.cfg.Templates.fill(l.text, "{link}", url)
	if err := p.cfg.Mailer.SendMail(ctx, a.Email, subject, text); err != nil {
		return ErrNotSent.Because(redacted{err, []string{text, url, token, a.Email}})
	}
	return nil
}

// VerifyEmail uses the token of a mail; ErrLinkExpired.
func (p *Provider) VerifyEmail(ctx context.Context, token string) error {
	t, err := p.take(ctx, token, VerifyEmail)
	if err != nil {
		return err
	}
	if err := p.cfg.Store.MarkEmailVerified(ctx, t.UserID, t.Email, p.now()); err != nil {
		return fmt.Errorf("auth: verify e-mail: %w", err)
	}
	return nil
}

// take uses up the token of a mail; ErrLinkExpired.
func (p *Provider) take(ctx context.Context, token string, purpose Purpose) (OneUse, error) {
	if len(token) > maxID || !isToken(token) {
		return OneUse{}, ErrLinkExpired
	}
	t, err := p.cfg.Store.TakeOneUse(ctx, tokenHash(token), purpose, p.now())
	if err != nil {
		return OneUse{}, fmt.Errorf("auth: link: %w", err)
	}
	return t, nil
}
