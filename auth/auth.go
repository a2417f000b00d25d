// Package auth is accounts and how people prove who they are: phone numbers
// with one-time codes, e-mail with passwords, sessions with short-lived signed
// access tokens and rotating refresh tokens (SPEC section 1). [New] makes the
// Service over a Store; its Maintain runs beside it.
//
// It can be left out: a host program with users of its own gives an
// [Authenticator] instead, and everything else works on the host's user ids.
package auth

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
)

// Limits and lifetimes that are part of the public interface.
const (
	CodeDigits       = 6
	MaxAttempts      = 5 // wrong codes of one challenge
	MaxSends         = 5 // codes sent for one challenge
	ChallengeTTL     = 10 * time.Minute
	AccessTTL        = 15 * time.Minute
	RefreshTTL       = 7 * 24 * time.Hour
	RefreshGrace     = 10 * time.Second // in which a token's immediate parent gives the same successor
	VerifyEmailTTL   = 24 * time.Hour
	ResetPasswordTTL = time.Hour
	MinPassword      = 8    // runes
	MaxPassword      = 1024 // bytes
	MaxEmail         = 254  // bytes, RFC 5321
)

// What can go wrong. The messages never tell whether an account exists (AUTH-4).
var (
	ErrUnauthenticated    = errs.New(errs.Unauthenticated, "unauthenticated", "Sign in first.")
	ErrTokenInvalid       = errs.New(errs.Unauthenticated, "invalid_token", "This token is not valid.")
	ErrTokenExpired       = errs.New(errs.Unauthenticated, "token_expired", "This token has expired.")
	ErrTokenRevoked       = errs.New(errs.Unauthenticated, "token_revoked", "This session was ended.")
	ErrInvalidCredentials = errs.New(errs.Unauthenticated, "invalid_credentials", "The name or the password is wrong.")
	ErrInvalidCode        = errs.Field("code", "invalid_code", "This code is wrong.")
	ErrSessionExpired     = errs.New(errs.Invalid, "session_expired", "This sign-in has expired. Start again.")
	ErrTooManyAttempts    = errs.New(errs.RateLimited, "too_many_attempts", "Too many wrong codes. Start again.").After(ChallengeTTL)
	ErrTooManySends       = errs.New(errs.RateLimited, "too_many_sends", "No more codes can be sent. Start again.").After(ChallengeTTL)
	ErrResendTooSoon      = errs.New(errs.RateLimited, "resend_too_soon", "Wait before asking for another code.")
	ErrLinkExpired        = errs.New(errs.Invalid, "invalid_token", "This link was used or has expired.").With("field", "token")
	ErrEmailTaken         = errs.New(errs.Conflict, "email_taken", "This e-mail address has an account.").With("field", "email")
	ErrInvalidEmail       = errs.Field("email", "invalid_email", "This is not an e-mail address.")
	ErrInvalidPassword    = errs.Field("password", "invalid_password", "A password has 8 to 1024 characters.")
	ErrBreachedPassword   = errs.Field("password", "breached_password", "This password is known to attackers. Choose another.")
	ErrMissingScope       = errs.New(errs.Forbidden, "missing_scope", "This credential may not do that.")
	ErrSessionNotFound    = errs.New(errs.NotFound, "session_not_found", "This session does not exist.")
	ErrAccountInactive    = errs.New(errs.Forbidden, "account_inactive", "This account is switched off.")
	ErrEmailNotVerified   = errs.New(errs.Forbidden, "email_not_verified", "Confirm your e-mail address first.")
	ErrBusy               = errs.New(errs.Unavailable, "busy", "Too much is going on right now. Try again in a moment.").After(time.Second)
	ErrNotSent            = errs.New(errs.Unavailable, "not_sent", "The message could not be sent. Try again later.")
	ErrAccountNotFound    = errs.New(errs.NotFound, "account_not_found", "This account does not exist.")
)

// Identity is who makes a request, and by what right.
type Identity struct {
	UserID    string
	SessionID string    // of the authentication session; the host's own where it authenticates
	ExpiresAt time.Time // when the credential ends; zero: never
	Role      Role
	Scopes    []string // nil: everything the role may do
}

// Require tells whether the credential reaches as far as a scope of the public
// interface ("messages:read"): ErrMissingScope.
func (id Identity) Require(scope string) error {
	if id.Scopes == nil || slices.Contains(id.Scopes, scope) || slices.Contains(id.Scopes, "*") {
		return nil
	}
	return ErrMissingScope.With("scope", scope)
}

// Authenticator tells who makes a request (AUTH-14). Both methods answer
// errs.Unauthenticated for nobody and for what no longer counts.
type Authenticator interface {
	// Request authenticates an HTTP request by its headers or cookies.
	Request(r *http.Request) (Identity, error)
	// Token authenticates a bare token, the first frame of a WebSocket.
	Token(ctx context.Context, token string) (Identity, error)
}

// Role is what an account may do beyond its own things (AUTH-11).
type Role string

// The roles.
const (
	RoleUser      Role = "user"
	RoleModerator Role = "moderator"
	RoleAdmin     Role = "admin"
)

// Account is somebody who can sign in.
type Account struct {
	ID            string
	Phone         string // E.164, proven; "" when none
	Email         string // as written; "" when none
	EmailVerified bool
	PasswordHash  string // "" when none was set
	Role          Role
	Active        bool
	CreatedAt     time.Time
	UpdatedAt     time.Time
	LastLogin     time.Time // zero before the first
}

// Verified reports whether the phone number or the e-mail address was proven.
func (a Account) Verified() bool { return a.Phone != "" || a.EmailVerified }

// Client is where a request comes from, for limits and the list of sessions.
type Client struct {
	IP        string
	UserAgent string // cut at 300 bytes
}

// Challenge is a code on its way to a phone number.
type Challenge struct {
	SessionID   string
	PhoneNumber string // E.164
	ExpiresAt   time.Time
	ResendAfter time.Time
}

// Tokens are what a sign-in gives.
type Tokens struct {
	AccessToken  string
	RefreshToken string
	ExpiresIn    time.Duration // of the access token
	UserID       string
	SessionID    string
	Created      bool // the account is new
}

// Session is one signed-in device.
type Session struct {
	ID        string
	UserID    string
	UserAgent string
	IP        string
	CreatedAt time.Time
	LastUsed  time.Time // sign-in, or last refresh
	ExpiresAt time.Time // of its refresh token
}

// Registration asks for an account with e-mail and password (AUTH-3).
type Registration struct {
	Email, Username, Password, DisplayName string
}

// PhoneParser makes numbers canonical by the rules of libphonenumber.
type PhoneParser interface {
	// Parse returns E.164, or an Invalid error with the code invalid_phone_number.
	Parse(number, region string) (e164 string, err error)
	// Prefix returns the part of a number that limits against SMS pumping count by.
	Prefix(e164 string) string
}

// SMSSender carries a text to a phone number. It returns once the text is on its way.
type SMSSender interface {
	SendSMS(ctx context.Context, to, text string) error
}

// Mailer carries a mail to an address. It returns once the mail is on its way.
type Mailer interface {
	SendMail(ctx context.Context, to, subject, text string) error
}

// Profiles is what this package asks of the one who keeps profiles.
type Profiles interface {
	// Check validates names and stores nothing: Invalid errors for bad ones, and a
	// Conflict for a reserved username. "" is none, and fine.
	Check(username, displayName string) error
	// Create makes the profile of a new account; the same call again succeeds.
	// A Conflict when the username is taken, Invalid errors for bad fields.
	Create(ctx context.Context, userID, username, displayName string) error
	// IDByUsername returns the user id for a username; errs.NotFound.
	IDByUsername(ctx context.Context, username string) (string, error)
}

// Service signs people in and out. All methods are safe for concurrent use. It is
// an Authenticator for its own access tokens.
type Service interface {
	Authenticator

	// StartPhone sends a code to a number and opens a challenge (AUTH-1).
	StartPhone(ctx context.Context, number, region string, c Client) (Challenge, error)
	// ResendPhone sends a new code for an open challenge: ErrResendTooSoon,
	// ErrTooManySends, ErrSessionExpired.
	ResendPhone(ctx context.Context, sessionID string, c Client) (Challenge, error)
	// VerifyPhone confirms a code, makes the account on first use, and signs in
	// (AUTH-2): ErrInvalidCode, ErrTooManyAttempts, ErrSessionExpired.
	VerifyPhone(ctx context.Context, sessionID, code, displayName string, c Client) (Tokens, error)

	// Register makes an account with e-mail, username and password. signedIn is
	// false where the host requires the address to be verified first; then a
	// taken address answers alike, and its owner gets a mail.
	Register(ctx context.Context, r Registration, c Client) (t Tokens, signedIn bool, err error)
	// Login signs in with an e-mail address, phone number or username, and a
	// password: ErrInvalidCredentials, after the same time, for all that is wrong.
	Login(ctx context.Context, identifier, password string, c Client) (Tokens, error)
	// VerifyEmail uses the token of a mail: ErrLinkExpired.
	VerifyEmail(ctx context.Context, token string) error
	// ForgotPassword mails a reset link if the address has an account; it succeeds either way.
	ForgotPassword(ctx context.Context, email string, c Client) error
	// ResetPassword uses the token of a mail and ends every session: ErrLinkExpired.
	ResetPassword(ctx context.Context, token, password string) error
	// ChangePassword needs the old password where there is one, and ends every other session.
	ChangePassword(ctx context.Context, by Identity, oldPassword, newPassword string) error

	// Refresh rotates a refresh token (AUTH-7). Reuse of an old one ends the
	// session, but its successor's immediate parent, within RefreshGrace, gets the
	// same successor: ErrTokenInvalid, ErrTokenExpired, ErrTokenRevoked.
	Refresh(ctx context.Context, refreshToken string, c Client) (Tokens, error)
	// Check tells whether an identity still counts: ErrTokenRevoked when its
	// session has ended.
	Check(ctx context.Context, id Identity) error
	// Owners returns the users of those of the sessions that have not ended, by
	// session id: Check for many. At most 1,000 ids.
	Owners(ctx context.Context, sessionIDs []string) (map[string]string, error)
	// Sessions lists a user's live sessions, the most recently used first (AUTH-8).
	Sessions(ctx context.Context, userID string) ([]Session, error)
	// Revoke ends one session of a user; ErrSessionNotFound. When it returns, its
	// access tokens no longer count, and OnRevoked has been told.
	Revoke(ctx context.Context, userID, sessionID string) error
	// RevokeOthers ends all sessions of a user but one; "" keeps none.
	RevokeOthers(ctx context.Context, userID, keepSessionID string) error

	// Account returns an account; ErrAccountNotFound.
	Account(ctx context.Context, userID string) (Account, error)
	// Phones returns the numbers, in E.164, of those of the accounts that have one, by
	// account id. At most 1,000 ids.
	Phones(ctx context.Context, ids []string) (map[string]string, error)
	// AccountByPhone returns the account with a number, in E.164; ErrAccountNotFound.
	AccountByPhone(ctx context.Context, e164 string) (Account, error)
	// SetRole gives an account a role (AUTH-11).
	SetRole(ctx context.Context, userID string, role Role) error

	// JWKS returns the public keys as an RFC 7517 key set, the announced one included (AUTH-6).
	JWKS(ctx context.Context) ([]byte, error)
	// RotateKeys makes the announced signing key the current one and announces the next.
	RotateKeys(ctx context.Context) error
}
