package client

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// Tokens are a client's credentials. Keep Refresh as secret as a password.
type Tokens struct {
	Access  string
	Refresh string
}

// tokens are shared by all calls of a client.
type tokens struct {
	mu     sync.Mutex
	now    Tokens
	flight *singleflight.Group
}

func (t *tokens) get() Tokens {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

func (t *tokens) access() string { return t.get().Access }

// keep replaces the tokens, and tells who wants to know.
func (c *Client) keep(t Tokens) {
	c.tokens.mu.Lock()
	c.tokens.now = t
	c.tokens.mu.Unlock()
	if c.opt.OnTokens != nil {
		c.opt.OnTokens(t)
	}
}

// Tokens returns the present credentials; zero before a sign-in.
func (c *Client) Tokens() Tokens { return c.tokens.get() }

const refreshTimeout = 30 * time.Second

// refresh gives another access token after stale was refused. Calls at the same
// time share one refresh, which outlives the call that began it.
func (c *Client) refresh(ctx context.Context, stale string) (string, error) {
	done := c.tokens.flight.DoChan(stale, func() (any, error) {
		now := c.tokens.get()
		if now.Access != stale {
			return now.Access, nil // somebody was faster
		}
		if now.Refresh == "" {
			return "", errs.New(errs.Unauthenticated, "unauthenticated", "There is no refresh token.")
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
		defer cancel()
		t, err := call[api.Tokens](ctx, c, request{
			method: http.MethodPost, path: path("v1", "auth", "refresh"), anonymous: true, repeatable: true,
			body: api.Refresh{RefreshToken: now.Refresh},
		})
		if errors.Is(err, errs.Unauthenticated) {
			c.keep(Tokens{})
		}
		if err != nil {
			return "", err
		}
		c.keep(Tokens{t.AccessToken, t.RefreshToken})
		return t.AccessToken, nil
	})
	select {
	case r := <-done:
		token, _ := r.Val.(string)
		return token, r.Err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// signedIn keeps the tokens of a sign-in.
func (c *Client) signedIn(t api.Tokens, err error) (api.Tokens, error) {
	if err == nil && t.AccessToken != "" {
		c.keep(Tokens{t.AccessToken, t.RefreshToken})
	}
	return t, err
}
