package bunstore

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/auth"
)

// accounts is the port of package auth.
type accounts struct{ s *Store }

const accountColumns = `id, phone, email, email_key, email_verified, password_hash, role, active, created_at, updated_at, last_login`

type accountRow struct {
	ID            string
	Phone         string
	Email         string
	EmailKey      string
	EmailVerified bool
	PasswordHash  string
	Role          auth.Role
	Active        bool
	CreatedAt     int64
	UpdatedAt     int64
	LastLogin     int64
}

func (r *accountRow) account() auth.Account {
	return auth.Account{
		ID: r.ID, Phone: r.Phone, Email: r.Email, EmailVerified: r.EmailVerified, PasswordHash: r.PasswordHash,
		Role: r.Role, Active: r.Active, CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt), LastLogin: moment(r.LastLogin),
	}
}

// insertAccount stores an account unless a unique value of it is taken.
func insertAccount(ctx context.Context, tx bun.Tx, a auth.Account, emailKey string) (bool, error) {
	n, err := exec(ctx, tx, "INSERT INTO accounts ("+accountColumns+") VALUES ? ON CONFLICT DO NOTHING", tuples{{
		a.ID, orNull(a.Phone), a.Email, orNull(emailKey), a.EmailVerified, a.PasswordHash,
		string(a.Role), a.Active, micros(a.CreatedAt), micros(a.UpdatedAt), micros(a.LastLogin),
	}})
	return n == 1, err
}

// EnsurePhone implements auth.Store.
func (s accounts) EnsurePhone(ctx context.Context, a auth.Account) (account auth.Account, created bool, err error) {
	if err := valid(a); err != nil {
		return auth.Account{}, false, err
	}
	err = s.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		account = a
		if created, err = insertAccount(ctx, tx, a, ""); err != nil || created {
			return err
		}
		row, err := find[accountRow](ctx, tx, errAccountID, "SELECT "+accountColumns+" FROM accounts WHERE phone = ?", orNull(a.Phone))
		account = row.account()
		return err
	})
	if err != nil {
		return auth.Account{}, false, err
	}
	return account, created, nil
}

// CreateAccount implements auth.Store.
func (s accounts) CreateAccount(ctx context.Context, a auth.Account, emailKey string) error {
	if err := valid(a, emailKey); err != nil {
		return err
	}
	return s.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		created, err := insertAccount(ctx, tx, a, emailKey)
		if err != nil || created {
			return err
		}
		if _, err := find[int](ctx, tx, errAccountID, "SELECT 1 FROM accounts WHERE email_key = ?", orNull(emailKey)); err != nil {
			return err
		}
		return auth.ErrEmailTaken
	})
}

// DeleteAccount implements auth.Store.
func (s accounts) DeleteAccount(ctx context.Context, id string) error {
	if err := valid(id); err != nil {
		return err
	}
	return s.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range []string{
			"DELETE FROM accounts WHERE id = ?",
			"DELETE FROM one_use_tokens WHERE user_id = ?",
			"DELETE FROM former_tokens WHERE session_id IN (SELECT id FROM sessions WHERE user_id = ?)",
			"DELETE FROM sessions WHERE user_id = ?",
		} {
			if _, err := exec(ctx, tx, statement, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Account implements auth.Store.
func (s accounts) Account(ctx context.Context, id string) (auth.Account, error) {
	return s.account(ctx, "id", id)
}

// AccountByPhone implements auth.Store.
func (s accounts) AccountByPhone(ctx context.Context, e164 string) (auth.Account, error) {
	return s.account(ctx, "phone", e164)
}

// AccountByEmail implements auth.Store.
func (s accounts) AccountByEmail(ctx context.Context, emailKey string) (auth.Account, error) {
	return s.account(ctx, "email_key", emailKey)
}

func (s accounts) account(ctx context.Context, column, value string) (auth.Account, error) {
	if err := valid(value); err != nil {
		return auth.Account{}, err
	}
	var row accountRow
	err := s.s.readOne(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		row, err = find[accountRow](ctx, db, auth.ErrAccountNotFound,
			"SELECT "+accountColumns+" FROM accounts WHERE ? = ?", bun.Ident(column), orNull(value))
		return err
	})
	if err != nil {
		return auth.Account{}, err
	}
	return row.account(), nil
}

// Phones implements auth.Store.
func (s accounts) Phones(ctx context.Context, ids []string) (map[string]string, error) {
	phones := make(map[string]string)
	if err := valid(ids); err != nil || len(ids) == 0 {
		return phones, err
	}
	err := s.s.readOne(ctx, func(ctx context.Context, db bun.IDB) error {
		rows, err := list[struct{ ID, Phone string }](ctx, db, "SELECT id, phone FROM accounts WHERE id IN (?) AND phone IS NOT NULL", bun.List(ids))
		for _, r := range rows {
			phones[r.ID] = r.Phone
		}
		return err
	})
	return phones, err
}

// SetPassword implements auth.Store.
func (s accounts) SetPassword(ctx context.Context, id, old, hash string, at time.Time) (set bool, err error) {
	err = s.change(ctx, id, func(ctx context.Context, tx bun.Tx) error {
		n, err := exec(ctx, tx, "UPDATE accounts SET password_hash = ?, updated_at = ? WHERE id = ? AND password_hash = ?", hash, micros(at), id, old)
		set = n == 1
		return err
	}, old, hash)
	return set && err == nil, err
}

// SetRole implements auth.Store.
func (s accounts) SetRole(ctx context.Context, id string, role auth.Role, at time.Time) error {
	return s.change(ctx, id, func(ctx context.Context, tx bun.Tx) error {
		_, err := exec(ctx, tx, "UPDATE accounts SET role = ?, updated_at = ? WHERE id = ?", string(role), micros(at), id)
		return err
	}, role)
}

// MarkLogin implements auth.Store.
func (s accounts) MarkLogin(ctx context.Context, id string, at time.Time) error {
	return s.change(ctx, id, func(ctx context.Context, tx bun.Tx) error {
		_, err := exec(ctx, tx, "UPDATE accounts SET last_login = ? WHERE id = ?", micros(at), id)
		return err
	})
}

// MarkEmailVerified implements auth.Store.
func (s accounts) MarkEmailVerified(ctx context.Context, id, email string, at time.Time) error {
	return s.change(ctx, id, func(ctx context.Context, tx bun.Tx) error {
		_, err := exec(ctx, tx, "UPDATE accounts SET email_verified = TRUE, updated_at = ? WHERE id = ? AND email = ?", micros(at), id, email)
		return err
	}, email)
}

// change runs fn on an account that exists, locked: ErrAccountNotFound.
func (s accounts) change(ctx context.Context, id string, fn func(context.Context, bun.Tx) error, input ...any) error {
	if err := valid(append(input, id)...); err != nil {
		return err
	}
	return s.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := find[int](ctx, tx, auth.ErrAccountNotFound, "SELECT 1 FROM accounts WHERE id = ?"+s.s.dialect.Lock, id); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
}
