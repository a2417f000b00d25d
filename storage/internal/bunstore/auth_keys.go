package bunstore

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/auth"
)

const signingKeyColumns = `id, algorithm, state, private_key, public_key, created_at, retired_at`

type signingKeyRow struct {
	ID         string
	Algorithm  string
	State      auth.KeyState
	PrivateKey []byte
	PublicKey  []byte
	CreatedAt  int64
	RetiredAt  int64
}

func signingKeys(ctx context.Context, db bun.IDB) ([]auth.SigningKey, error) {
	rows, err := list[signingKeyRow](ctx, db, "SELECT "+signingKeyColumns+" FROM signing_keys ORDER BY created_at, id")
	var out []auth.SigningKey
	for _, r := range rows {
		out = append(out, auth.SigningKey{
			ID: r.ID, Algorithm: r.Algorithm, State: r.State, Private: r.PrivateKey, Public: r.PublicKey,
			CreatedAt: moment(r.CreatedAt), RetiredAt: moment(r.RetiredAt),
		})
	}
	return out, err
}

// SigningKeys implements auth.Store.
func (s accounts) SigningKeys(ctx context.Context) (keys []auth.SigningKey, err error) {
	err = s.s.readOne(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		keys, err = signingKeys(ctx, db)
		return err
	})
	return keys, err
}

// SwapSigningKeys implements auth.Store.
func (s accounts) SwapSigningKeys(ctx context.Context, before, next []auth.SigningKey) (swapped bool, err error) {
	if err := valid(before, next); err != nil {
		return false, err
	}
	err = s.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		swapped = false
		// There may be no key to lock yet; the epoch's row stands for all of them.
		if _, err := find[string](ctx, tx, errNoEpoch, "SELECT value FROM meta WHERE name = ?"+s.s.dialect.Lock, metaEpoch); err != nil {
			return err
		}
		stored, err := signingKeys(ctx, tx)
		if err != nil {
			return err
		}
		if !slices.EqualFunc(stored, before, func(a, b auth.SigningKey) bool { return a.ID == b.ID && a.State == b.State }) {
			return nil
		}
		if _, err := exec(ctx, tx, "DELETE FROM signing_keys"); err != nil {
			return err
		}
		swapped = true
		if len(next) == 0 {
			return nil
		}
		rows := make(tuples, len(next))
		for i, k := range next {
			rows[i] = []any{k.ID, k.Algorithm, string(k.State), blob(k.Private), blob(k.Public), micros(k.CreatedAt), micros(k.RetiredAt)}
		}
		n, err := exec(ctx, tx, "INSERT INTO signing_keys ("+signingKeyColumns+") VALUES ?", rows)
		return must(len(rows), n, err)
	})
	return swapped && err == nil, err
}
