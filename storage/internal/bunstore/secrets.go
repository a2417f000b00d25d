package bunstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/keys"
)

// secrets is the port of package keys.
type secrets struct{ s *Store }

// Secret implements keys.Store.
func (k secrets) Secret(ctx context.Context, name string) (sealed []byte, err error) {
	if err := valid(name); err != nil {
		return nil, err
	}
	err = k.s.readOne(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		sealed, err = secret(ctx, db, name)
		return err
	})
	return sealed, err
}

// PutSecret implements keys.Store.
func (k secrets) PutSecret(ctx context.Context, name string, value []byte) (sealed []byte, err error) {
	if err := valid(name); err != nil {
		return nil, err
	}
	err = k.s.write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if _, err := exec(ctx, tx, "INSERT INTO secrets (name, value) VALUES ? ON CONFLICT DO NOTHING", tuples{{name, blob(value)}}); err != nil {
			return err
		}
		sealed, err = secret(ctx, tx, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return sealed, nil
}

func secret(ctx context.Context, db bun.IDB, name string) ([]byte, error) {
	type row struct{ Value []byte }
	r, err := find[row](ctx, db, keys.ErrNoSecret, "SELECT value FROM secrets WHERE name = ?", name)
	return r.Value, err
}
