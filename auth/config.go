package auth

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"github.com/wigwag-chat/wigwag/keys"
)

// Config is what a Provider is made of. Store, Vault and Profiles are required.
type Config struct {
	Store    Store
	Vault    *keys.Vault // seals signing keys, and keeps the secrets under which codes and passwords are hashed
	Profiles Profiles

	// Phones and SMS serve the sign-in by phone, which answers ErrNotSent without
	// either. An SMSSender may log or count, but the text is a secret.
	Phones PhoneParser
	SMS    SMSSender
	// Mailer carries links. Without it ForgotPassword answers ErrNotSent, and
	// Register sends nothing. Mails leave through Maintain, which does not retry.
	Mailer Mailer
	// RequireVerifiedEmail lets nobody sign in by password before the e-mail
	// address, or a phone number, was proven. It needs a Mailer. Register then
	// answers alike for a taken address; note that who registers and then finds
	// the username still free has learnt that the address was taken.
	RequireVerifiedEmail bool

	// Issuer and Audience of access tokens; default "wigwag" both.
	Issuer, Audience string
	// Algorithm of new signing keys: RS256 (default, 2048 bits), ES256 or EdDSA.
	// Keys that exist stay in use: after a change the second RotateKeys brings it.
	Algorithm string
	// RotateEvery is the age at which Maintain rotates signing keys, at least an
	// hour; default 30 days, negative: never.
	RotateEvery time.Duration

	// SessionFresh is how long a session that was read counts as still there, at most
	// a minute: so much later another process on the same store may notice that it was
	// ended. What this process ends has ended for it before the call returns. Default
	// 0: every request reads its session.
	SessionFresh time.Duration

	// BcryptCost of new password hashes; default 12. Below 10 is for tests only; the least is 4.
	BcryptCost int
	// PasswordWorkers bounds how many passwords are hashed at once, so that
	// sign-ins leave room for the rest of the process; default half the CPUs, at
	// least 1. PasswordQueue bounds how many more wait, the next get ErrBusy;
	// default 64 a worker, some 16 s at cost 12.
	PasswordWorkers, PasswordQueue int
	// Breached tells whether attackers know a password; nil: none is known.
	Breached func(password string) bool

	Limits    Limits
	Templates Templates

	// Admins are phone numbers and e-mail addresses whose accounts get the admin
	// role when they sign up or in. Name an address only where
	// RequireVerifiedEmail is set or sign-up is not public: else whoever
	// registers it first is an admin.
	Admins []string
	// OnRevoked is told of sessions of one user that ended before their time, and
	// returns once their connections are closed: the call that ended them waits for it.
	OnRevoked func(sessionIDs []string, userID string)

	Now    func() time.Time // default time.Now
	NewID  func() string    // unique, hard to guess; default UUID version 7
	Rand   io.Reader        // of codes and tokens; default crypto/rand.Reader. Signing keys always come from there.
	Logger *slog.Logger     // default slog.Default(); nothing secret and no address or number reaches it
}

// algorithms are those of RFC 7518 and RFC 8037 that sign access tokens, the default first.
func algorithms() []string { return []string{"RS256", "ES256", "EdDSA"} }

// defaults fills in what was left out, and refuses what cannot work.
func (c *Config) defaults() error {
	if c.Store == nil || c.Vault == nil || c.Profiles == nil {
		return errors.New("auth: Config needs Store, Vault and Profiles")
	}
	if c.RequireVerifiedEmail && c.Mailer == nil {
		return errors.New("auth: RequireVerifiedEmail needs a Mailer")
	}
	c.Issuer = cmp.Or(c.Issuer, "wigwag")
	c.Audience = cmp.Or(c.Audience, "wigwag")
	c.Algorithm = cmp.Or(c.Algorithm, algorithms()[0])
	if !slices.Contains(algorithms(), c.Algorithm) {
		return fmt.Errorf("auth: no algorithm %q; there are %s", c.Algorithm, strings.Join(algorithms(), ", "))
	}
	c.RotateEvery = cmp.Or(c.RotateEvery, 30*24*time.Hour)
	if c.RotateEvery > 0 && c.RotateEvery < time.Hour {
		return errors.New("auth: RotateEvery is below an hour")
	}
	if c.SessionFresh < 0 || c.SessionFresh > time.Minute {
		return errors.New("auth: SessionFresh is 0 to a minute")
	}
	c.BcryptCost = cmp.Or(c.BcryptCost, 12)
	if c.BcryptCost < bcrypt.MinCost || c.BcryptCost > bcrypt.MaxCost {
		return fmt.Errorf("auth: BcryptCost is %d to %d", bcrypt.MinCost, bcrypt.MaxCost)
	}
	c.PasswordWorkers = cmp.Or(c.PasswordWorkers, max(1, runtime.NumCPU()/2))
	c.PasswordQueue = cmp.Or(c.PasswordQueue, 64*c.PasswordWorkers)
	if c.PasswordWorkers < 1 || c.PasswordQueue < 1 {
		return errors.New("auth: PasswordWorkers and PasswordQueue are positive")
	}
	if c.Breached == nil {
		c.Breached = func(string) bool { return false }
	}
	if c.OnRevoked == nil {
		c.OnRevoked = func([]string, string) {}
	}
	c.Now = orNow(c.Now)
	if c.NewID == nil {
		c.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	c.Logger = cmp.Or(c.Logger, slog.Default())
	c.Limits.defaults()
	c.Templates.defaults()
	return nil
}

func orNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}
