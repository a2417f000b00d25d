package auth

import (
	"context"
	"net/http"
	"strings"
)

// TokenFunc is an Authenticator made of one function, which tells whose a token
// is; a host with tokens of its own needs no more.
type TokenFunc func(ctx context.Context, token string) (Identity, error)

var _ Authenticator = TokenFunc(nil)

// Token calls f.
func (f TokenFunc) Token(ctx context.Context, token string) (Identity, error) { return f(ctx, token) }

// Request authenticates an HTTP request by its Authorization header of the
// scheme Bearer (RFC 6750, section 2.1), and by nothing else of it.
func (f TokenFunc) Request(r *http.Request) (Identity, error) {
	header := r.Header.Values("Authorization")
	if len(header) != 1 {
		return Identity{}, ErrUnauthenticated
	}
	scheme, token, _ := strings.Cut(header[0], " ")
	if token = strings.TrimLeft(token, " "); token == "" || !strings.EqualFold(scheme, "Bearer") {
		return Identity{}, ErrUnauthenticated
	}
	return f(r.Context(), token)
}
