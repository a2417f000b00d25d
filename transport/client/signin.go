package client

import (
	"context"
	"net/http"

	"github.com/wigwag-chat/wigwag/transport/api"
)

// StartPhone has a code sent to a phone number.
func (c *Client) StartPhone(ctx context.Context, body api.StartPhone) (api.Challenge, error) {
	return call[api.Challenge](ctx, c, request{method: http.MethodPost, path: path("v1", "auth", "phone", "start"), body: body, anonymous: true})
}

// ResendPhone has a new code sent.
func (c *Client) ResendPhone(ctx context.Context, sessionID string) (api.Challenge, error) {
	return call[api.Challenge](ctx, c, request{method: http.MethodPost, path: path("v1", "auth", "phone", "resend"),
		body: api.ResendPhone{SessionID: sessionID}, anonymous: true})
}

// VerifyPhone signs in with a code; the client uses the tokens from then on.
func (c *Client) VerifyPhone(ctx context.Context, body api.VerifyPhone) (api.Tokens, error) {
	return c.signedIn(call[api.Tokens](ctx, c, request{method: http.MethodPost, path: path("v1", "auth", "phone", "verify"), body: body, anonymous: true}))
}

// Register makes an account; the client uses the tokens from then on. They are
// zero where the e-mail address must be verified first.
func (c *Client) Register(ctx context.Context, body api.Register) (api.Tokens, error) {
	return c.signedIn(call[api.Tokens](ctx, c, request{method: http.MethodPost, path: path("v1", "auth", "register"), body: body, anonymous: true}))
}

// Login signs in with an e-mail address, phone number or username, and a
// password; the client uses the tokens from then on.
func (c *Client) Login(ctx context.Context, identifier, password string) (api.Tokens, error) {
	return c.signedIn(call[api.Tokens](ctx, c, request{method: http.MethodPost, path: path("v1", "auth", "login"),
		body: api.Login{Identifier: identifier, Password: password}, anonymous: true}))
}

// Logout ends the session, and forgets its tokens.
func (c *Client) Logout(ctx context.Context) error {
	_, err := call[none](ctx, c, request{method: http.MethodPost, path: path("v1", "auth", "logout")})
	if err == nil {
		c.keep(Tokens{})
	}
	return err
}

// VerifyEmail proves an e-mail address by the token of a mail.
func (c *Client) VerifyEmail(ctx context.Context, token string) error {
	_, err := call[none](ctx, c, request{method: http.MethodPost, path: path("v1", "auth", "email", "verify"),
		body: api.VerifyEmail{Token: token}, anonymous: true})
	return err
}

// ForgotPassword has a reset link mailed, if the address has an account.
func (c *Client) ForgotPassword(ctx context.Context, email string) error {
	_, err := call[none](ctx, c, request{method: http.MethodPost, path: path("v1", "auth", "password", "forgot"),
		body: api.ForgotPassword{Email: email}, anonymous: true})
	return err
}

// ResetPassword sets a new password by the token of a mail.
func (c *Client) ResetPassword(ctx context.Context, token, password string) error {
	_, err := call[none](ctx, c, request{method: http.MethodPost, path: path("v1", "auth", "password", "reset"),
		body: api.ResetPassword{Token: token, Password: password}, anonymous: true})
	return err
}

// ChangePassword changes the password; the old one is "" to set the first one.
func (c *Client) ChangePassword(ctx context.Context, oldPassword, newPassword string) error {
	_, err := call[none](ctx, c, request{method: http.MethodPost, path: path("v1", "auth", "password", "change"),
		body: api.ChangePassword{OldPassword: oldPassword, NewPassword: newPassword}})
	return err
}

// Sessions lists one's signed-in devices, the most recently used first.
func (c *Client) Sessions(ctx context.Context, l List) (api.Page[api.Session], error) {
	return call[api.Page[api.Session]](ctx, c, request{method: http.MethodGet, path: path("v1", "auth", "sessions"), query: l.query()})
}

// RevokeSession ends one of one's sessions.
func (c *Client) RevokeSession(ctx context.Context, id string) error {
	_, err := call[none](ctx, c, request{method: http.MethodDelete, path: path("v1", "auth", "sessions", id)})
	return err
}

// RevokeOtherSessions ends all of one's sessions but this.
func (c *Client) RevokeOtherSessions(ctx context.Context) error {
	_, err := call[none](ctx, c, request{method: http.MethodDelete, path: path("v1", "auth", "sessions"), repeatable: true})
	return err
}

// KeySet returns the public keys that verify access tokens.
func (c *Client) KeySet(ctx context.Context) (api.KeySet, error) {
	return call[api.KeySet](ctx, c, request{method: http.MethodGet, path: path(".well-known", "jwks.json"), anonymous: true})
}

// RotateKeys rotates the signing keys; for administrators.
func (c *Client) RotateKeys(ctx context.Context) error {
	_, err := call[none](ctx, c, request{method: http.MethodPost, path: path("v1", "admin", "keys", "rotate")})
	return err
}

// Ticket gives a ticket that opens one WebSocket.
func (c *Client) Ticket(ctx context.Context) (api.Ticket, error) {
	return call[api.Ticket](ctx, c, request{method: http.MethodPost, path: path("v1", "ws", "ticket"), repeatable: true})
}
