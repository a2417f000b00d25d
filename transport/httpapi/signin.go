package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// signInRoutes are the ways in (AUTH-1 to AUTH-4, AUTH-6, AUTH-7).
func (s *server) signInRoutes() {
	const tag = "Authentication"
	add(s, route{call: "POST /v1/auth/phone/start", id: "startPhone", tag: tag, public: true, status: http.StatusAccepted,
		summary: "Send a code to a phone number"}, s.startPhone)
	add(s, route{call: "POST /v1/auth/phone/resend", id: "resendPhone", tag: tag, public: true, status: http.StatusAccepted,
		summary: "Send a new code"}, s.resendPhone)
	add(s, route{call: "POST /v1/auth/phone/verify", id: "verifyPhone", tag: tag, public: true,
		summary: "Sign in with a code; makes the account on first use"}, s.verifyPhone)
	add(s, route{call: "POST /v1/auth/register", id: "register", tag: tag, public: true,
		status: http.StatusCreated, also: http.StatusAccepted, alsoIs: reflect.TypeFor[api.Empty](),
		summary: "Make an account with e-mail and password; 202 {} where the address must be verified first"}, s.register)
	add(s, route{call: "POST /v1/auth/login", id: "login", tag: tag, public: true,
		summary: "Sign in with a password"}, s.login)
	add(s, route{call: "POST /v1/auth/refresh", id: "refresh", tag: tag, public: true,
		summary: "Change a refresh token for new tokens"}, s.refresh)
	add(s, route{call: "POST /v1/auth/email/verify", id: "verifyEmail", tag: tag, public: true,
		summary: "Prove an e-mail address by the token of a mail"}, s.verifyEmail)
	add(s, route{call: "POST /v1/auth/password/forgot", id: "forgotPassword", tag: tag, public: true, status: http.StatusAccepted,
		summary: "Mail a reset link, if the address has an account"}, s.forgotPassword)
	add(s, route{call: "POST /v1/auth/password/reset", id: "resetPassword", tag: tag, public: true,
		summary: "Set a new password by the token of a mail; ends every session"}, s.resetPassword)
	add(s, route{call: "GET /.well-known/jwks.json", id: "jwks", tag: tag, public: true,
		summary: "The public keys that verify access tokens"}, s.jwks)
}

func (s *server) startPhone(ctx context.Context, c *call[struct{}, api.StartPhone]) (*reply[api.Challenge], error) {
	ch, err := s.Auth.StartPhone(ctx, c.Body.PhoneNumber, c.Body.Region, c.From)
	if err != nil {
		return nil, err
	}
	return &reply[api.Challenge]{http.StatusAccepted, api.FromChallenge(ch)}, nil
}

func (s *server) resendPhone(ctx context.Context, c *call[struct{}, api.ResendPhone]) (*reply[api.Challenge], error) {
	ch, err := s.Auth.ResendPhone(ctx, c.Body.SessionID, c.From)
	if err != nil {
		return nil, err
	}
	return &reply[api.Challenge]{http.StatusAccepted, api.FromChallenge(ch)}, nil
}

func (s *server) verifyPhone(ctx context.Context, c *call[struct{}, api.VerifyPhone]) (*reply[api.Tokens], error) {
	t, err := s.Auth.VerifyPhone(ctx, c.Body.SessionID, c.Body.Code, c.Body.DisplayName, c.From)
	return s.tokens(ctx, http.StatusOK, t, err)
}

// registered is {} where the address must be verified first.
type registered struct{ *api.Tokens }

func (s *server) register(ctx context.Context, c *call[struct{}, api.Register]) (*reply[registered], error) {
	b := c.Body
	t, signedIn, err := s.Auth.Register(ctx, auth.Registration{
		Email: b.Email, Username: b.Username, Password: b.Password, DisplayName: b.DisplayName,
	}, c.From)
	if err == nil && !signedIn {
		return &reply[registered]{Status: http.StatusAccepted}, nil
	}
	r, err := s.tokens(ctx, http.StatusCreated, t, err)
	if err != nil {
		return nil, err
	}
	return &reply[registered]{r.Status, registered{&r.Body}}, nil
}

func (s *server) login(ctx context.Context, c *call[struct{}, api.Login]) (*reply[api.Tokens], error) {
	t, err := s.Auth.Login(ctx, c.Body.Identifier, c.Body.Password, c.From)
	return s.tokens(ctx, http.StatusOK, t, err)
}

func (s *server) refresh(ctx context.Context, c *call[struct{}, api.Refresh]) (*reply[api.Tokens], error) {
	t, err := s.Auth.Refresh(ctx, c.Body.RefreshToken, c.From)
	return s.tokens(ctx, http.StatusOK, t, err)
}

// tokens answers with what a sign-in gave.
func (s *server) tokens(ctx context.Context, status int, t auth.Tokens, err error) (*reply[api.Tokens], error) {
	if err != nil {
		return nil, err
	}
	if err := s.Users.Ensure(ctx, t.UserID); err != nil {
		return nil, err
	}
	u, err := s.Users.User(ctx, t.UserID, t.UserID)
	if err != nil {
		return nil, err
	}
	return &reply[api.Tokens]{status, api.FromTokens(t, u)}, nil
}

func (s *server) verifyEmail(ctx context.Context, c *call[struct{}, api.VerifyEmail]) (*reply[none], error) {
	return done(s.Auth.VerifyEmail(ctx, c.Body.Token))
}

func (s *server) forgotPassword(ctx context.Context, c *call[struct{}, api.ForgotPassword]) (*reply[api.Empty], error) {
	if err := s.Auth.ForgotPassword(ctx, c.Body.Email, c.From); err != nil {
		return nil, err
	}
	return &reply[api.Empty]{Status: http.StatusAccepted}, nil
}

func (s *server) resetPassword(ctx context.Context, c *call[struct{}, api.ResetPassword]) (*reply[none], error) {
	return done(s.Auth.ResetPassword(ctx, c.Body.Token, c.Body.Password))
}

func (s *server) jwks(ctx context.Context, _ *call[struct{}, none]) (*reply[api.KeySet], error) {
	data, err := s.Auth.JWKS(ctx)
	if err != nil {
		return nil, err
	}
	var set api.KeySet
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, err
	}
	return ok(set)
}
