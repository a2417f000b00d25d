package auth

import (
	"context"
	"fmt"

	"github.com/wigwag-chat/wigwag/errs"
)

// Account returns an account; ErrAccountNotFound.
func (p *Provider) Account(ctx context.Context, userID string) (Account, error) {
	if len(userID) > maxID {
		return Account{}, ErrAccountNotFound
	}
	a, err := p.cfg.Store.Account(ctx, userID)
	if err != nil {
		return Account{}, fmt.Errorf("auth: account: %w", err)
	}
	return a, nil
}

// AccountByPhone returns the account with a number, in E.164; ErrAccountNotFound.
func (p *Provider) AccountByPhone(ctx context.Context, e164 string) (Account, error) {
	a, err := p.cfg.Store.AccountByPhone(ctx, e164)
	if err != nil {
		return Account{}, fmt.Errorf("auth: account by phone: %w", err)
	}
	return a, nil
}

// Phones returns the numbers of those of the accounts that have one, by account id.
func (p *Provider) Phones(ctx context.Context, ids []string) (map[string]string, error) {
	phones, err := p.cfg.Store.Phones(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("auth: phones: %w", err)
	}
	return phones, nil
}

// SetRole gives an account a role. Less than before counts at once; more, from
// the next sign-in or refresh on.
func (p *Provider) SetRole(ctx context.Context, userID string, role Role) error {
	switch role {
	case RoleUser, RoleModerator, RoleAdmin:
	default:
		return errs.Field("role", "invalid_role", "A role is user, moderator or admin.")
	}
	if err := p.cfg.Store.SetRole(ctx, userID, role, p.now()); err != nil {
		return fmt.Errorf("auth: set role: %w", err)
	}
	return nil
}
