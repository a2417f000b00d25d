package memory

import (
	"bytes"
	"context"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
)

// authStore is the auth.Store of a Store.
type authStore struct{ *Store }

type authData struct {
	challenges  map[string]*auth.StoredChallenge // by session id
	accounts    map[string]*account              // by user id
	oneUse      map[string]auth.OneUse           // by hash
	sessions    map[string]*session              // by id
	signingKeys []auth.SigningKey                // the oldest first, then by id
}

type account struct {
	auth.Account
	emailKey string
}

func newAuthData() authData {
	return authData{
		challenges: make(map[string]*auth.StoredChallenge),
		accounts:   make(map[string]*account),
		oneUse:     make(map[string]auth.OneUse),
		sessions:   make(map[string]*session),
	}
}

// find returns the first account that fits, nil for none.
func (d *authData) find(fits func(*account) bool) *account {
	for _, a := range d.accounts {
		if fits(a) {
			return a
		}
	}
	return nil
}

func (s authStore) EnsurePhone(ctx context.Context, a auth.Account) (auth.Account, bool, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return auth.Account{}, false, err
	}
	defer unlock()
	if known := d.find(func(k *account) bool { return k.Phone == a.Phone }); known != nil {
		return known.Account, false, nil
	}
	d.accounts[a.ID] = &account{Account: a}
	return a, true, nil
}

func (s authStore) CreateAccount(ctx context.Context, a auth.Account, emailKey string) error {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if d.find(func(k *account) bool { return k.emailKey == emailKey }) != nil {
		return auth.ErrEmailTaken
	}
	d.accounts[a.ID] = &account{Account: a, emailKey: emailKey}
	return nil
}

func (s authStore) DeleteAccount(ctx context.Context, id string) error {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	delete(d.accounts, id)
	for hash, t := range d.oneUse {
		if t.UserID == id {
			delete(d.oneUse, hash)
		}
	}
	for sid, session := range d.sessions {
		if session.UserID == id {
			delete(d.sessions, sid)
		}
	}
	return nil
}

func (s authStore) Account(ctx context.Context, id string) (auth.Account, error) {
	return s.account(ctx, func(a *account) bool { return a.ID == id })
}

func (s authStore) AccountByPhone(ctx context.Context, e164 string) (auth.Account, error) {
	return s.account(ctx, func(a *account) bool { return e164 != "" && a.Phone == e164 })
}

func (s authStore) AccountByEmail(ctx context.Context, emailKey string) (auth.Account, error) {
	return s.account(ctx, func(a *account) bool { return emailKey != "" && a.emailKey == emailKey })
}

func (s authStore) account(ctx context.Context, fits func(*account) bool) (auth.Account, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return auth.Account{}, err
	}
	defer unlock()
	a := d.find(fits)
	if a == nil {
		return auth.Account{}, auth.ErrAccountNotFound
	}
	return a.Account, nil
}

func (s authStore) SetPassword(ctx context.Context, id, old, hash string, at time.Time) (set bool, err error) {
	err = s.change(ctx, id, func(a *account) {
		if a.PasswordHash == old {
			a.PasswordHash, a.UpdatedAt, set = hash, at, true
		}
	})
	return set, err
}

func (s authStore) SetRole(ctx context.Context, id string, role auth.Role, at time.Time) error {
	return s.change(ctx, id, func(a *account) { a.Role, a.UpdatedAt = role, at })
}

func (s authStore) MarkLogin(ctx context.Context, id string, at time.Time) error {
	return s.change(ctx, id, func(a *account) { a.LastLogin = at })
}

func (s authStore) MarkEmailVerified(ctx context.Context, id, email string, at time.Time) error {
	return s.change(ctx, id, func(a *account) {
		if a.Email == email {
			a.EmailVerified, a.UpdatedAt = true, at
		}
	})
}

func (s authStore) change(ctx context.Context, id string, do func(*account)) error {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	a, ok := d.accounts[id]
	if !ok {
		return auth.ErrAccountNotFound
	}
	do(a)
	return nil
}

func (s authStore) PutOneUse(ctx context.Context, t auth.OneUse) error {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for hash, other := range d.oneUse {
		if other.UserID == t.UserID && other.Purpose == t.Purpose {
			delete(d.oneUse, hash)
		}
	}
	t.Hash = bytes.Clone(t.Hash)
	d.oneUse[string(t.Hash)] = t
	return nil
}

func (s authStore) TakeOneUse(ctx context.Context, hash []byte, p auth.Purpose, now time.Time) (auth.OneUse, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return auth.OneUse{}, err
	}
	defer unlock()
	t, ok := d.oneUse[string(hash)]
	if !ok || t.Purpose != p || !now.Before(t.ExpiresAt) {
		return auth.OneUse{}, auth.ErrLinkExpired
	}
	delete(d.oneUse, string(hash))
	return t, nil
}
