package bunstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

// Settings implements users.Store.
func (p profiles) Settings(ctx context.Context, ids []string) ([]users.Setting, error) {
	if err := valid(ids); err != nil || len(ids) == 0 {
		return nil, err
	}
	var out []users.Setting
	err := p.s.readOne(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		out, err = list[users.Setting](ctx, db, "SELECT user_id, name, value FROM user_settings WHERE user_id IN (?) ORDER BY user_id, name", bun.List(ids))
		return err
	})
	return out, err
}

// SaveSettings implements users.Store.
func (p profiles) SaveSettings(ctx context.Context, userID string, changes []users.Setting, at time.Time) (seq int64, err error) {
	if err := valid(userID, changes); err != nil {
		return 0, err
	}
	if len(changes) == 0 {
		return 0, nil
	}
	rows := make(tuples, len(changes))
	for i, c := range changes {
		rows[i] = []any{userID, c.Name, c.Value}
	}
	slices.SortFunc(rows, func(a, b []any) int { return cmp.Compare(a[1].(string), b[1].(string)) }) // all lock in one order
	err = p.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		seq = 0
		n, err := exec(ctx, tx, `INSERT INTO user_settings AS s (user_id, name, value) VALUES ?
			ON CONFLICT (user_id, name) DO UPDATE SET value = excluded.value WHERE s.value <> excluded.value`, rows)
		if err != nil || n == 0 {
			return err
		}
		events := []messaging.UserEvent{{UserID: userID, Type: messaging.Settings, At: at}}
		err = addUserEvents(ctx, tx, events)
		seq = events[0].Seq
		return err
	})
	if err != nil {
		return 0, err
	}
	return seq, nil
}
