package bunstore

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

type relationRow struct {
	OwnerID string
	Kind    users.RelationKind
	UserID  string
	Request string
	At      int64
}

const relationColumns = `r.owner_id, r.kind, r.user_id, r.request, r.at`

func (r *relationRow) relation() users.Relation {
	return users.Relation{OwnerID: r.OwnerID, UserID: r.UserID, Kind: r.Kind, Key: r.Request, At: moment(r.At)}
}

// Relate implements users.Store.
func (p profiles) Relate(ctx context.Context, r users.Relation, most int) (stands users.Relation, seq int64, err error) {
	if err := valid(r); err != nil {
		return users.Relation{}, 0, err
	}
	err = p.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		stands, seq = r, 0
		if err := p.lockDirect(ctx, tx, r); err != nil {
			return err
		}
		n, err := exec(ctx, tx, "INSERT INTO relations (owner_id, kind, user_id, request, at) VALUES ? ON CONFLICT DO NOTHING",
			tuples{{r.OwnerID, string(r.Kind), r.UserID, r.Key, micros(r.At)}})
		if err != nil {
			return err
		}
		if n == 0 {
			row, err := find[relationRow](ctx, tx, errAgain, "SELECT "+relationColumns+` FROM relations AS r
				WHERE r.owner_id = ? AND r.kind = ? AND r.user_id = ?`, r.OwnerID, string(r.Kind), r.UserID)
			stands = row.relation()
			return err
		}
		if seq, err = tellRelation(ctx, tx, r, true); err != nil {
			return err
		}
		// From here on the owner's relations are this transaction's alone.
		have, err := find[int](ctx, tx, errAgain, "SELECT COUNT(*) FROM relations WHERE owner_id = ? AND kind = ?", r.OwnerID, string(r.Kind))
		if err == nil && have > most {
			err = users.ErrTooMany
		}
		if err != nil {
			return err
		}
		return silence(ctx, tx, r, true)
	})
	if err != nil {
		return users.Relation{}, 0, err
	}
	return stands, seq, nil
}

// Unrelate implements users.Store.
func (p profiles) Unrelate(ctx context.Context, r users.Relation) (seq int64, err error) {
	if err := valid(r); err != nil {
		return 0, err
	}
	err = p.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		seq = 0
		if err := p.lockDirect(ctx, tx, r); err != nil {
			return err
		}
		n, err := exec(ctx, tx, "DELETE FROM relations WHERE owner_id = ? AND kind = ? AND user_id = ?", r.OwnerID, string(r.Kind), r.UserID)
		if err != nil || n == 0 {
			return err
		}
		if seq, err = tellRelation(ctx, tx, r, false); err != nil {
			return err
		}
		return silence(ctx, tx, r, false)
	})
	if err != nil {
		return 0, err
	}
	return seq, nil
}

// tellRelation puts a change into the owner's own sequence, whose lock it takes.
func tellRelation(ctx context.Context, tx bun.Tx, r users.Relation, stands bool) (int64, error) {
	events := []messaging.UserEvent{{UserID: r.OwnerID, Type: messaging.RelationEvent(string(r.Kind), stands), At: r.At, AboutID: r.UserID}}
	err := addUserEvents(ctx, tx, events)
	return events[0].Seq, err
}

// lockDirect locks the direct chat of two people, if there is one, for a change of a
// block: what the blocked one sends comes before it or after it.
func (p profiles) lockDirect(ctx context.Context, tx bun.Tx, r users.Relation) error {
	if r.Kind != users.KindBlock {
		return nil
	}
	low, high := pair(r.OwnerID, r.UserID)
	_, err := list[string](ctx, tx, "SELECT c.id FROM chats AS c WHERE c.low_user = ? AND c.high_user = ?"+p.s.dialect.Lock, low, high)
	return err
}

// silence sets whether the one whom a block is about may write in the direct chat of
// the two. A chat that was made since lockDirect is found as well: its making took
// its place in the owner's sequence before.
func silence(ctx context.Context, tx bun.Tx, r users.Relation, blocked bool) error {
	if r.Kind != users.KindBlock {
		return nil
	}
	low, high := pair(r.OwnerID, r.UserID)
	_, err := exec(ctx, tx, `UPDATE memberships SET blocked = ?
		WHERE user_id = ? AND chat_id IN (SELECT c.id FROM chats AS c WHERE c.low_user = ? AND c.high_user = ?)`, blocked, r.UserID, low, high)
	return err
}

// blockedBy is ErrBlocked when any of the people have blocked a user.
func blockedBy(ctx context.Context, tx bun.Tx, userID string, people []string) error {
	by, err := list[string](ctx, tx, `SELECT owner_id FROM relations WHERE user_id = ? AND kind = ? AND owner_id IN (?) ORDER BY owner_id`,
		userID, string(users.KindBlock), bun.List(people))
	if err == nil && len(by) > 0 {
		err = messaging.ErrBlocked.With("userIds", by)
	}
	return err
}

// pair is two people in the order of their bytes.
func pair(a, b string) (low, high string) { return min(a, b), max(a, b) }

// Relations implements users.Store.
func (p profiles) Relations(ctx context.Context, ownerID string, kind users.RelationKind, after string, limit int) ([]users.Relation, error) {
	return p.relations(ctx, []any{ownerID, after}, "SELECT "+relationColumns+` FROM relations AS r
		WHERE r.owner_id = ? AND r.kind = ? AND r.user_id > ? ORDER BY r.user_id LIMIT ?`, ownerID, string(kind), after, limit)
}

// Between implements users.Store.
func (p profiles) Between(ctx context.Context, userID string, others []string) ([]users.Relation, error) {
	if len(others) == 0 {
		return nil, nil
	}
	kinds := bun.List([]string{string(users.KindBlock), string(users.KindContact)}) // named, so that the indexes serve
	return p.relations(ctx, []any{userID, others}, "SELECT "+relationColumns+` FROM relations AS r WHERE r.owner_id = ? AND r.kind IN (?) AND r.user_id IN (?)
		UNION ALL SELECT `+relationColumns+` FROM relations AS r WHERE r.user_id = ? AND r.kind IN (?) AND r.owner_id IN (?) AND r.owner_id <> ?
		ORDER BY 1, 3, 2`, userID, kinds, bun.List(others), userID, kinds, bun.List(others), userID)
}

func (p profiles) relations(ctx context.Context, input []any, query string, args ...any) (out []users.Relation, err error) {
	if err := valid(input...); err != nil {
		return nil, err
	}
	err = p.s.readOne(ctx, func(ctx context.Context, db bun.IDB) error {
		rows, err := list[relationRow](ctx, db, query, args...)
		out = slices.Grow([]users.Relation(nil), len(rows))
		for i := range rows {
			out = append(out, rows[i].relation())
		}
		return err
	})
	return out, err
}
