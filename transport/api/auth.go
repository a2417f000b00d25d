package api

import (
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/users"
)

// StartPhone is the body of POST /v1/auth/phone/start.
type StartPhone struct {
	PhoneNumber string `json:"phoneNumber" example:"+15550100"`
	Region      string `json:"region,omitempty" example:"US" doc:"Where a national number belongs, ISO 3166."`
}

// ResendPhone is the body of POST /v1/auth/phone/resend.
type ResendPhone struct {
	SessionID string `json:"sessionId"`
}

// VerifyPhone is the body of POST /v1/auth/phone/verify.
type VerifyPhone struct {
	SessionID   string `json:"sessionId"`
	Code        string `json:"code" example:"123456"`
	DisplayName string `json:"displayName,omitempty" doc:"Of a new account."`
}

// Challenge is a code on its way to a phone.
type Challenge struct {
	SessionID   string    `json:"sessionId"`
	PhoneNumber string    `json:"phoneNumber" doc:"In E.164."`
	ExpiresAt   time.Time `json:"expiresAt"`
	ResendAfter time.Time `json:"resendAfter"`
}

// FromChallenge converts.
func FromChallenge(c auth.Challenge) Challenge {
	return Challenge{c.SessionID, c.PhoneNumber, stamp(c.ExpiresAt), stamp(c.ResendAfter)}
}

// Register is the body of POST /v1/auth/register.
type Register struct {
	Email       string `json:"email" example:"ada@example.org"`
	Username    string `json:"username" example:"ada"`
	Password    string `json:"password" doc:"8 to 1024 characters."`
	DisplayName string `json:"displayName,omitempty"`
}

// Login is the body of POST /v1/auth/login.
type Login struct {
	Identifier string `json:"identifier" doc:"E-mail address, phone number or username."`
	Password   string `json:"password"`
}

// Refresh is the body of POST /v1/auth/refresh.
type Refresh struct {
	RefreshToken string `json:"refreshToken"`
}

// VerifyEmail is the body of POST /v1/auth/email/verify.
type VerifyEmail struct {
	Token string `json:"token"`
}

// ForgotPassword is the body of POST /v1/auth/password/forgot.
type ForgotPassword struct {
	Email string `json:"email"`
}

// ResetPassword is the body of POST /v1/auth/password/reset.
type ResetPassword struct {
	Token    string `json:"token"`
	Password string `json:"password"`
}

// ChangePassword is the body of POST /v1/auth/password/change.
type ChangePassword struct {
	OldPassword string `json:"oldPassword,omitempty" doc:"Left out to set the first one."`
	NewPassword string `json:"newPassword"`
}

// Tokens are what a sign-in gives.
type Tokens struct {
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken"`
	TokenType    string `json:"tokenType" enum:"Bearer"`
	ExpiresIn    int    `json:"expiresIn" example:"900" doc:"Seconds that the access token lives."`
	Created      bool   `json:"created" doc:"Whether the account is new."`
	User         User   `json:"user"`
}

// FromTokens converts; u is the one who signed in, as he sees himself.
func FromTokens(t auth.Tokens, u users.User) Tokens {
	return Tokens{
		AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, TokenType: "Bearer",
		ExpiresIn: int(t.ExpiresIn / time.Second), Created: t.Created, User: FromUser(u, t.UserID),
	}
}

// Session is one signed-in device.
type Session struct {
	ID        string    `json:"id"`
	UserAgent string    `json:"userAgent,omitempty"`
	IP        string    `json:"ip,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	LastUsed  time.Time `json:"lastUsed"`
	ExpiresAt time.Time `json:"expiresAt"`
	Current   bool      `json:"current" doc:"Whether it makes this request."`
}

// FromSession converts; currentID is the session that asks.
func FromSession(s auth.Session, currentID string) Session {
	return Session{
		ID: s.ID, UserAgent: s.UserAgent, IP: s.IP, CreatedAt: stamp(s.CreatedAt),
		LastUsed: stamp(s.LastUsed), ExpiresAt: stamp(s.ExpiresAt), Current: s.ID == currentID,
	}
}

// KeySet is an RFC 7517 set of public keys.
type KeySet struct {
	Keys []map[string]any `json:"keys"`
}
