package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	tokenType = "at+jwt" // RFC 9068: an access token and no other JWT
	maxToken  = 4096     // bytes
	// clockSkew is how far another node's clock may be ahead: a token counts
	// from so long before its nbf and iat. Its end is exact.
	clockSkew = 30 * time.Second
)

// claims of an access token (RFC 7519, RFC 9068, OpenID sid).
type claims struct {
	jwt.RegisteredClaims
	SessionID string `json:"sid"`
	Role      Role   `json:"role"`
}

// sign makes an access token under the current key.
func (p *Provider) sign(ctx context.Context, a Account, sessionID string) (string, error) {
	key, err := p.keys.signing(ctx)
	if err != nil {
		return "", err
	}
	now := p.now()
	t := jwt.NewWithClaims(key.method, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: p.cfg.Issuer, Subject: a.ID, Audience: jwt.ClaimStrings{p.cfg.Audience}, ID: p.cfg.NewID(),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(AccessTTL)),
		},
		SessionID: sessionID, Role: a.Role,
	})
	t.Header["typ"], t.Header["kid"] = tokenType, key.id
	signed, err := t.SignedString(key.signer)
	if err != nil {
		return "", fmt.Errorf("auth: sign: %w", err)
	}
	return signed, nil
}

// Request authenticates an HTTP request; see [TokenFunc.Request].
func (p *Provider) Request(r *http.Request) (Identity, error) { return TokenFunc(p.Token).Request(r) }

// Token authenticates an access token: ErrTokenInvalid, ErrTokenExpired, or
// ErrTokenRevoked. The session is read from the store each time, so what one
// node ends has ended on all, but for Config.SessionFresh; so is the account of
// whoever claims a higher role.
func (p *Provider) Token(ctx context.Context, token string) (Identity, error) {
	c, err := p.parse(ctx, token)
	if err != nil {
		return Identity{}, err
	}
	if err := p.Check(ctx, Identity{UserID: c.Subject, SessionID: c.SessionID}); err != nil {
		return Identity{}, err
	}
	if c.Role != RoleUser {
		a, err := p.cfg.Store.Account(ctx, c.Subject)
		if errors.Is(err, ErrAccountNotFound) {
			return Identity{}, ErrTokenRevoked
		}
		if err != nil {
			return Identity{}, fmt.Errorf("auth: token: %w", err)
		}
		c.Role = a.Role
	}
	return Identity{UserID: c.Subject, SessionID: c.SessionID, ExpiresAt: c.ExpiresAt.UTC(), Role: c.Role}, nil
}

// Check tells whether the session of an identity is still there: ErrTokenRevoked.
func (p *Provider) Check(ctx context.Context, id Identity) error {
	userID, err := p.sessionUser(ctx, id.SessionID)
	if errors.Is(err, ErrSessionNotFound) || err == nil && userID != id.UserID {
		return ErrTokenRevoked
	}
	if err != nil {
		return fmt.Errorf("auth: session: %w", err)
	}
	return nil
}

// parse accepts what sign makes and nothing else. The header must be exactly
// alg, typ and kid: keys that a token brings or points to (jwk, jku, x5c, x5u)
// and extensions (crit) are not even looked at. The algorithm must be that of
// the stored key, so none and HMAC under a public key have no way in (RFC 8725).
func (p *Provider) parse(ctx context.Context, token string) (*claims, error) {
	if len(token) > maxToken {
		return nil, ErrTokenInvalid
	}
	hash := sha256.Sum256([]byte(token))
	switch known, err := p.seenToken(ctx, hash); {
	case err != nil:
		return nil, err
	case known != nil && !p.now().Before(known.ExpiresAt.Time):
		return nil, ErrTokenExpired
	case known != nil:
		return known, nil
	}
	parser := jwt.NewParser(jwt.WithValidMethods(algorithms()), jwt.WithStrictDecoding(),
		jwt.WithIssuer(p.cfg.Issuer), jwt.WithAudience(p.cfg.Audience), jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired(),
		jwt.WithIssuedAt(), jwt.WithLeeway(clockSkew), jwt.WithTimeFunc(p.now))
	var c claims
	var fault error // of ours, not of the token
	var key *signingKey
	_, err := parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		if len(t.Header) != 3 || t.Header["typ"] != tokenType || kid == "" || len(kid) > maxID {
			return nil, ErrTokenInvalid
		}
		if key, fault = p.keys.verifying(ctx, kid); fault != nil {
			return nil, fault
		}
		if key == nil || key.method != t.Method {
			return nil, ErrTokenInvalid
		}
		return key.signer.Public(), nil
	})
	switch {
	case fault != nil:
		return nil, fault
	case errors.Is(err, jwt.ErrTokenExpired), err == nil && !p.now().Before(c.ExpiresAt.Time):
		return nil, ErrTokenExpired
	case err != nil || c.Subject == "" || c.SessionID == "":
		return nil, ErrTokenInvalid
	}
	p.seen.tokens.Set(hash, seenToken{c, key})
	return &c, nil
}
