package bunstore

import (
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/users"
)

// swept stands for the end of the lease of a node of which something was forgotten.
const swept = 0

// Announce implements users.Store. Nodes are locked before users, users in the order of their ids.
func (p profiles) Announce(ctx context.Context, a users.Announcement) (out users.Announced, err error) {
	if err := valid(a); err != nil {
		return users.Announced{}, err
	}
	clock := p.s.dialect.Clock
	err = p.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		out = users.Announced{}
		n, err := exec(ctx, tx, "UPDATE nodes SET said_at = ?, until_at = "+clock+" + ? WHERE id = ? AND until_at <> ?",
			micros(a.At), a.Life.Microseconds(), a.NodeID, swept)
		if err == nil && n == 0 {
			out.Fresh = true
			_, err = exec(ctx, tx, "INSERT INTO nodes (id, said_at, until_at) VALUES (?, ?, "+clock+` + ?)
				ON CONFLICT (id) DO UPDATE SET said_at = excluded.said_at, until_at = excluded.until_at`, a.NodeID, micros(a.At), a.Life.Microseconds())
		}
		if err != nil || len(a.Stations) == 0 {
			return err
		}
		var ids, gone []string
		var come, known tuples
		for _, s := range a.Stations {
			ids = append(ids, s.UserID)
			if s.Gone() {
				gone = append(gone, s.UserID)
				continue
			}
			come = append(come, []any{s.UserID, a.NodeID, s.Online, strings.Join(s.Views, "\n")})
			known = append(known, []any{s.UserID, false, never})
		}
		byUser := func(x, y []any) int { return strings.Compare(x[0].(string), y[0].(string)) }
		slices.SortFunc(come, byUser)
		slices.SortFunc(known, byUser)
		if len(known) > 0 {
			if _, err := exec(ctx, tx, "INSERT INTO presence (user_id, online, last_seen) VALUES ? ON CONFLICT DO NOTHING", known); err != nil {
				return err
			}
		}
		told, err := p.told(ctx, tx, ids)
		if err != nil {
			return err
		}
		if len(gone) > 0 {
			if _, err := exec(ctx, tx, "DELETE FROM stations WHERE node_id = ? AND user_id IN (?)", a.NodeID, bun.List(gone)); err != nil {
				return err
			}
		}
		if len(come) > 0 {
			if _, err := exec(ctx, tx, `INSERT INTO stations (user_id, node_id, online, views) VALUES ?
				ON CONFLICT (user_id, node_id) DO UPDATE SET online = excluded.online, views = excluded.views`, come); err != nil {
				return err
			}
		}
		out.Changed, err = p.settle(ctx, tx, told, micros(a.At))
		return err
	})
	if err != nil {
		return users.Announced{}, err
	}
	return out, nil
}

// told locks users and returns whether they were last told to be online.
func (p profiles) told(ctx context.Context, tx bun.Tx, ids []string) (map[string]bool, error) {
	type row struct {
		UserID string
		Online bool
	}
	rows, err := list[row](ctx, tx, "SELECT user_id, online FROM presence WHERE user_id IN (?) ORDER BY user_id"+p.s.dialect.Lock, bun.List(ids))
	told := make(map[string]bool, len(rows))
	for _, r := range rows {
		told[r.UserID] = r.Online
	}
	return told, err
}

// settle compares locked users with what was last told of them.
func (p profiles) settle(ctx context.Context, tx bun.Tx, told map[string]bool, at int64) (changed []string, err error) {
	if len(told) == 0 {
		return nil, nil
	}
	ids := make([]string, 0, len(told))
	for id := range told {
		ids = append(ids, id)
	}
	online, err := list[string](ctx, tx, `SELECT DISTINCT s.user_id FROM stations AS s JOIN nodes AS n ON n.id = s.node_id
		WHERE s.user_id IN (?) AND s.online AND n.until_at > `+p.s.dialect.Clock, bun.List(ids))
	if err != nil {
		return nil, err
	}
	now := make(map[string]bool, len(online))
	for _, id := range online {
		now[id] = true
	}
	var came, went []string
	for _, id := range ids {
		switch {
		case now[id] && !told[id]:
			came = append(came, id)
		case !now[id] && told[id]:
			went = append(went, id)
		}
	}
	if len(came) > 0 {
		if _, err := exec(ctx, tx, "UPDATE presence SET online = TRUE WHERE user_id IN (?)", bun.List(came)); err != nil {
			return nil, err
		}
	}
	if len(went) > 0 {
		if _, err := exec(ctx, tx, "UPDATE presence SET online = FALSE, last_seen = ? WHERE user_id IN (?)", at, bun.List(went)); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(slices.Values(append(came, went...))), nil
}

// Sweep implements users.Store: one node at a time.
func (p profiles) Sweep(ctx context.Context, limit int) (changed []string, more bool, err error) {
	type dead struct {
		ID     string
		SaidAt int64
	}
	err = p.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		changed, more = nil, false
		nodes, err := list[dead](ctx, tx, "SELECT id, said_at FROM nodes WHERE until_at <= "+p.s.dialect.Clock+" ORDER BY until_at LIMIT 1"+p.s.dialect.Lock)
		if err != nil || len(nodes) == 0 {
			return err
		}
		more = true // perhaps: who asks again learns it
		ids, err := list[string](ctx, tx, "SELECT user_id FROM stations WHERE node_id = ? ORDER BY user_id LIMIT ?", nodes[0].ID, limit)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			_, err := exec(ctx, tx, "DELETE FROM nodes WHERE id = ?", nodes[0].ID)
			return err
		}
		if _, err := exec(ctx, tx, "UPDATE nodes SET until_at = ? WHERE id = ?", swept, nodes[0].ID); err != nil {
			return err
		}
		told, err := p.told(ctx, tx, ids)
		if err != nil {
			return err
		}
		if _, err := exec(ctx, tx, "DELETE FROM stations WHERE node_id = ? AND user_id IN (?)", nodes[0].ID, bun.List(ids)); err != nil {
			return err
		}
		changed, err = p.settle(ctx, tx, told, nodes[0].SaidAt)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return changed, more, nil
}

// Presences implements users.Store.
func (p profiles) Presences(ctx context.Context, ids []string) (out []users.Presence, err error) {
	if err := valid(ids); err != nil || len(ids) == 0 {
		return nil, err
	}
	type row struct {
		UserID   string
		Online   bool // as was last told
		LastSeen int64
		Live     bool
		SaidAt   int64
	}
	err = p.s.readOne(ctx, func(ctx context.Context, db bun.IDB) error {
		rows, err := list[row](ctx, db, `SELECT p.user_id, p.online, p.last_seen,
				EXISTS (SELECT 1 FROM stations AS s JOIN nodes AS n ON n.id = s.node_id
					WHERE s.user_id = p.user_id AND s.online AND n.until_at > `+p.s.dialect.Clock+`) AS live,
				COALESCE((SELECT MAX(n.said_at) FROM stations AS s JOIN nodes AS n ON n.id = s.node_id WHERE s.user_id = p.user_id), p.last_seen) AS said_at
			FROM presence AS p WHERE p.user_id IN (?) AND (p.online OR p.last_seen <> ?) ORDER BY p.user_id`, bun.List(ids), never)
		out = nil
		for _, r := range rows {
			now := users.Presence{UserID: r.UserID, Online: r.Online && r.Live, LastSeen: moment(r.LastSeen)}
			if r.Online && !r.Live { // his nodes have died, and were not swept yet
				now.LastSeen = moment(max(r.LastSeen, r.SaidAt))
			}
			out = append(out, now)
		}
		return err
	})
	return out, err
}

// Viewing implements users.Store.
func (p profiles) Viewing(ctx context.Context, chatID string, ids []string) (out []string, err error) {
	if err := valid(chatID, ids); err != nil || len(ids) == 0 {
		return nil, err
	}
	err = p.s.readOne(ctx, func(ctx context.Context, db bun.IDB) error {
		rows, err := list[struct{ UserID, Views string }](ctx, db, `SELECT s.user_id, s.views FROM stations AS s JOIN nodes AS n ON n.id = s.node_id
			WHERE s.user_id IN (?) AND s.views <> '' AND n.until_at > `+p.s.dialect.Clock+` ORDER BY s.user_id`, bun.List(ids))
		out = nil
		for _, r := range rows {
			if slices.Contains(strings.Split(r.Views, "\n"), chatID) {
				out = append(out, r.UserID)
			}
		}
		out = slices.Compact(out)
		return err
	})
	return out, err
}

// Owners implements users.Store.
func (p profiles) Owners(ctx context.Context, userID string, kind users.RelationKind, after string, limit int) (out []string, err error) {
	if err := valid(userID, after); err != nil {
		return nil, err
	}
	err = p.s.readOne(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		out, err = list[string](ctx, db, "SELECT owner_id FROM relations WHERE user_id = ? AND kind = ? AND owner_id > ? ORDER BY owner_id LIMIT ?",
			userID, string(kind), after, limit)
		return err
	})
	return out, err
}
