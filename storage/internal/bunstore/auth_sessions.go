package bunstore

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/auth"
)

const sessionColumns = `id, user_id, user_agent, ip, created_at, last_used, expires_at, refresh_hash, parent_hash, rotated_at`

type sessionRow struct {
	ID          string
	UserID      string
	UserAgent   string
	IP          string
	CreatedAt   int64
	LastUsed    int64
	ExpiresAt   int64
	RefreshHash []byte
	ParentHash  []byte
	RotatedAt   int64
}

func (r *sessionRow) session() auth.Session {
	return auth.Session{
		ID: r.ID, UserID: r.UserID, UserAgent: r.UserAgent, IP: r.IP,
		CreatedAt: moment(r.CreatedAt), LastUsed: moment(r.LastUsed), ExpiresAt: moment(r.ExpiresAt),
	}
}

// CreateSession implements auth.Store.
func (s accounts) CreateSession(ctx context.Context, in auth.StoredSession) error {
	if err := valid(in); err != nil {
		return err
	}
	return s.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := exec(ctx, tx, "INSERT INTO sessions ("+sessionColumns+") VALUES ?", tuples{{
			in.ID, in.UserID, in.UserAgent, in.IP, micros(in.CreatedAt), micros(in.LastUsed), micros(in.ExpiresAt), blob(in.RefreshHash), nil, never,
		}})
		return err
	})
}

// RotateSession implements auth.Store.
func (s accounts) RotateSession(ctx context.Context, r auth.Rotation) (out auth.Session, reused bool, err error) {
	if err := valid(r); err != nil {
		return auth.Session{}, false, err
	}
	err = s.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		reused = false
		id, err := find[string](ctx, tx, auth.ErrTokenInvalid, `SELECT id FROM sessions WHERE refresh_hash = ?
			UNION ALL SELECT session_id FROM former_tokens WHERE hash = ?`, blob(r.Presented), blob(r.Presented))
		if err != nil {
			return err
		}
		row, err := find[sessionRow](ctx, tx, auth.ErrTokenInvalid, "SELECT "+sessionColumns+" FROM sessions WHERE id = ?"+s.s.dialect.Lock, id)
		if err != nil {
			return err
		}
		switch {
		case bytes.Equal(row.RefreshHash, r.Presented):
			if !r.Now.Before(moment(row.ExpiresAt)) {
				return auth.ErrTokenExpired
			}
			err = rotate(ctx, tx, &row, r)
		case bytes.Equal(row.ParentHash, r.Presented) && r.Now.Sub(moment(row.RotatedAt)) <= r.Grace:
		default:
			reused = true
			_, err = dropSessions(ctx, tx, "id = ?", id)
		}
		out = row.session()
		return err
	})
	switch {
	case err != nil:
		return auth.Session{}, false, err
	case reused:
		err = auth.ErrTokenRevoked
	}
	return out, reused, err
}

// rotate puts the successor in the place of a session's current token.
func rotate(ctx context.Context, tx bun.Tx, row *sessionRow, r auth.Rotation) error {
	if _, err := exec(ctx, tx, "INSERT INTO former_tokens (hash, session_id) VALUES ?", tuples{{row.RefreshHash, row.ID}}); err != nil {
		return err
	}
	row.LastUsed, row.ExpiresAt, row.IP, row.UserAgent = micros(r.Now), micros(r.ExpiresAt), r.IP, r.UserAgent
	n, err := exec(ctx, tx, `UPDATE sessions SET refresh_hash = ?, parent_hash = ?, rotated_at = ?,
		last_used = ?, expires_at = ?, ip = ?, user_agent = ? WHERE id = ?`,
		blob(r.Successor), row.RefreshHash, micros(r.Now), row.LastUsed, row.ExpiresAt, row.IP, row.UserAgent, row.ID)
	return must(1, n, err)
}

// dropSessions deletes sessions with their former tokens, and returns their ids.
func dropSessions(ctx context.Context, tx bun.Tx, where string, args ...any) ([]string, error) {
	ids, err := list[string](ctx, tx, "DELETE FROM sessions WHERE "+where+" RETURNING id", args...)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	_, err = exec(ctx, tx, "DELETE FROM former_tokens WHERE session_id IN (?)", bun.List(ids))
	slices.Sort(ids)
	return ids, err
}

// Session implements auth.Store.
func (s accounts) Session(ctx context.Context, id string) (auth.Session, error) {
	if err := valid(id); err != nil {
		return auth.Session{}, err
	}
	var row sessionRow
	err := s.s.readOne(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		row, err = find[sessionRow](ctx, db, auth.ErrSessionNotFound, "SELECT "+sessionColumns+" FROM sessions WHERE id = ?", id)
		return err
	})
	if err != nil {
		return auth.Session{}, err
	}
	return row.session(), nil
}

// Owners implements auth.Store.
func (s accounts) Owners(ctx context.Context, ids []string) (map[string]string, error) {
	if err := valid(ids); err != nil {
		return nil, err
	}
	owners := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return owners, nil
	}
	err := s.s.readOne(ctx, func(ctx context.Context, db bun.IDB) error {
		rows, err := list[struct{ ID, UserID string }](ctx, db, "SELECT id, user_id FROM sessions WHERE id IN (?)", bun.List(ids))
		for _, r := range rows {
			owners[r.ID] = r.UserID
		}
		return err
	})
	return owners, err
}

// Sessions implements auth.Store.
func (s accounts) Sessions(ctx context.Context, userID string, now time.Time) ([]auth.Session, error) {
	if err := valid(userID); err != nil {
		return nil, err
	}
	var out []auth.Session
	err := s.s.readOne(ctx, func(ctx context.Context, db bun.IDB) error {
		rows, err := list[sessionRow](ctx, db, "SELECT "+sessionColumns+" FROM sessions WHERE user_id = ? AND expires_at > ? ORDER BY last_used DESC, id",
			userID, micros(now))
		out = nil
		for i := range rows {
			out = append(out, rows[i].session())
		}
		return err
	})
	return out, err
}

// DeleteSession implements auth.Store.
func (s accounts) DeleteSession(ctx context.Context, userID, id string) error {
	if err := valid(userID, id); err != nil {
		return err
	}
	return s.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		ids, err := dropSessions(ctx, tx, "id = ? AND user_id = ?", id, userID)
		if err == nil && len(ids) == 0 {
			err = auth.ErrSessionNotFound
		}
		return err
	})
}

// DeleteSessions implements auth.Store.
func (s accounts) DeleteSessions(ctx context.Context, userID, keepID string) (ids []string, err error) {
	if err := valid(userID, keepID); err != nil {
		return nil, err
	}
	err = s.s.write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		ids, err = dropSessions(ctx, tx, "user_id = ? AND id <> ?", userID, keepID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// Sweep implements auth.Store.
func (s accounts) Sweep(ctx context.Context, before time.Time) (total int, err error) {
	err = s.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		total = 0
		for _, statement := range []string{
			"DELETE FROM challenges WHERE expires_at < ?",
			"DELETE FROM one_use_tokens WHERE expires_at < ?",
			"DELETE FROM former_tokens WHERE session_id IN (SELECT id FROM sessions WHERE expires_at < ?)",
			"DELETE FROM sessions WHERE expires_at < ?",
		} {
			n, err := exec(ctx, tx, statement, micros(before))
			if err != nil {
				return err
			}
			total += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return total, nil
}
