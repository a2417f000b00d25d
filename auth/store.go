package auth

import (
	"context"
	"time"
)

// StoredChallenge is a challenge as the store holds it.
type StoredChallenge struct {
	Challenge
	CodeHash  []byte // keyed; the code itself is nowhere
	Sends     int    // codes sent so far, the first included
	Attempts  int    // codes tried so far
	Done      bool   // a right code was given
	CreatedAt time.Time
}

// Resend replaces the code of a challenge.
type Resend struct {
	SessionID string
	CodeHash  []byte
	Now       time.Time
	Wait      time.Duration // between the first send and the second; each later wait is twice the one before
	MaxSends  int
}

// Purpose tells what a one-use token is for.
type Purpose string

// The purposes.
const (
	VerifyEmail   Purpose = "verify_email"
	ResetPassword Purpose = "reset_password"
)

// OneUse is a token that works once, stored as a hash.
type OneUse struct {
	Hash      []byte
	Purpose   Purpose
	UserID    string
	Email     string // the address it was sent to
	ExpiresAt time.Time
}

// StoredSession is a session with its refresh token's hash.
type StoredSession struct {
	Session
	RefreshHash []byte // of the current token
}

// Rotation exchanges a refresh token for its successor.
type Rotation struct {
	Presented, Successor []byte // hashes
	Now                  time.Time
	Grace                time.Duration
	ExpiresAt            time.Time // of the successor
	IP, UserAgent        string
}

// KeyState tells what a signing key is good for.
type KeyState string

// The states, in the order of a key's life (AUTH-6).
const (
	KeyAnnounced KeyState = "announced" // in the key set, not yet signing
	KeyCurrent   KeyState = "current"   // signing
	KeyRetired   KeyState = "retired"   // in the key set until its last token has ended
)

// SigningKey is a key pair that signs access tokens.
type SigningKey struct {
	ID        string // the kid
	Algorithm string // RS256, ES256 or EdDSA
	State     KeyState
	Private   []byte // PKCS #8, sealed under the host's key ring
	Public    []byte // PKIX
	CreatedAt time.Time
	RetiredAt time.Time // zero while not retired
}

// Store keeps accounts, challenges, sessions and keys. Every method is atomic and
// safe for concurrent use; a write returns after it is durable. Ids and hashes
// are compared byte by byte, e-mail addresses by their key, times are UTC in whole microseconds.
type Store interface {
	// PutChallenge stores a new challenge.
	PutChallenge(ctx context.Context, c StoredChallenge) error
	// ResendChallenge counts a send, replaces the code's hash, and sets ResendAfter
	// to Now + Wait·2^(Sends-1), Sends being the new count. In this order:
	// ErrSessionExpired when unknown, expired or done; ErrTooManyAttempts when
	// MaxAttempts are used; ErrTooManySends; ErrResendTooSoon (with RetryAfter) before ResendAfter.
	ResendChallenge(ctx context.Context, r Resend) (StoredChallenge, error)
	// TryChallenge counts an attempt, then compares: of any number of concurrent
	// calls at most MaxAttempts compare, and at most one succeeds. In this order:
	// ErrSessionExpired when unknown, expired or done; ErrTooManyAttempts; ErrInvalidCode.
	TryChallenge(ctx context.Context, sessionID string, codeHash []byte, now time.Time) (StoredChallenge, error)

	// EnsurePhone returns the account with a's phone number, made from a if there is none.
	EnsurePhone(ctx context.Context, a Account) (account Account, created bool, err error)
	// CreateAccount stores an account whose e-mail address is unique under emailKey: ErrEmailTaken.
	CreateAccount(ctx context.Context, a Account, emailKey string) error
	// DeleteAccount removes an account, its sessions and tokens; an unknown one is no error.
	DeleteAccount(ctx context.Context, id string) error
	// Account, AccountByPhone and AccountByEmail return an account; ErrAccountNotFound.
	Account(ctx context.Context, id string) (Account, error)
	AccountByPhone(ctx context.Context, e164 string) (Account, error)
	AccountByEmail(ctx context.Context, emailKey string) (Account, error)
	// Phones returns the phone numbers of those of the accounts that have one, by account id. At most 1,000 ids.
	Phones(ctx context.Context, ids []string) (map[string]string, error)
	// SetPassword replaces a password hash if it is still old; false otherwise.
	SetPassword(ctx context.Context, id, old, hash string, at time.Time) (bool, error)
	// SetRole replaces the role; ErrAccountNotFound.
	SetRole(ctx context.Context, id string, role Role, at time.Time) error
	// MarkLogin records a sign-in; MarkEmailVerified that the address was proven,
	// if it is still the account's.
	MarkLogin(ctx context.Context, id string, at time.Time) error
	MarkEmailVerified(ctx context.Context, id, email string, at time.Time) error

	// PutOneUse stores a token, and drops others of the same user and purpose.
	PutOneUse(ctx context.Context, t OneUse) error
	// TakeOneUse uses a token up: of concurrent calls exactly one gets it. ErrLinkExpired.
	TakeOneUse(ctx context.Context, hash []byte, p Purpose, now time.Time) (OneUse, error)

	// CreateSession stores a session with its first refresh token.
	CreateSession(ctx context.Context, s StoredSession) error
	// RotateSession exchanges a refresh token. The current one gives way to the
	// successor, and LastUsed, ExpiresAt, IP and UserAgent are set. The current
	// one's immediate parent, within the grace after it was exchanged, changes
	// nothing and is a success. Any other token that the session ever had deletes the
	// session: reused is true, s is what it was, with ErrTokenRevoked. ErrTokenInvalid for what no
	// live session ever had, ErrTokenExpired after ExpiresAt.
	RotateSession(ctx context.Context, r Rotation) (s Session, reused bool, err error)
	// Session returns a live session; ErrSessionNotFound.
	Session(ctx context.Context, id string) (Session, error)
	// Owners returns the users of those of the sessions that have not ended, by session id. At most 1,000 ids.
	Owners(ctx context.Context, ids []string) (map[string]string, error)
	// Sessions returns a user's sessions that end after now, the most recently used first, then by id.
	Sessions(ctx context.Context, userID string, now time.Time) ([]Session, error)
	// DeleteSession ends a user's session; ErrSessionNotFound, also for another user's.
	DeleteSession(ctx context.Context, userID, id string) error
	// DeleteSessions ends all sessions of a user but one, and returns the ids of those ended, ascending.
	DeleteSessions(ctx context.Context, userID, keepID string) ([]string, error)

	// SigningKeys returns all keys, the oldest first, then by id.
	SigningKeys(ctx context.Context) ([]SigningKey, error)
	// SwapSigningKeys puts next in the place of all keys if those there are still the ones
	// with the ids and states of before, in that order; false otherwise. First start swaps nothing for two keys.
	SwapSigningKeys(ctx context.Context, before, next []SigningKey) (bool, error)

	// Sweep drops what ended before a time: challenges, one-use tokens, sessions
	// with the hashes of their former tokens. It returns how many rows went.
	Sweep(ctx context.Context, before time.Time) (int, error)
}
