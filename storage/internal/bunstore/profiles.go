package bunstore

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/users"
)

// profiles is the port of package users.
type profiles struct{ s *Store }

const profileColumns = `user_id, username, username_key, display_name, full_name, bio, picture_id, language, created_at, updated_at`

type profileRow struct {
	UserID      string
	Username    string
	UsernameKey string
	DisplayName string
	FullName    string
	Bio         string
	PictureID   string
	Language    string
	CreatedAt   int64
	UpdatedAt   int64
}

func (r *profileRow) profile() users.StoredProfile {
	return users.StoredProfile{
		Profile: users.Profile{
			UserID: r.UserID, Username: r.Username, DisplayName: r.DisplayName, FullName: r.FullName, Bio: r.Bio,
			PictureID: r.PictureID, Language: r.Language, CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
		},
		UsernameKey: r.UsernameKey,
	}
}

// Create implements users.Store.
func (p profiles) Create(ctx context.Context, in users.StoredProfile) (created bool, err error) {
	if err := valid(in); err != nil {
		return false, err
	}
	err = p.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		n, err := exec(ctx, tx, "INSERT INTO profiles ("+profileColumns+") VALUES ? ON CONFLICT DO NOTHING", tuples{{
			in.UserID, in.Username, orNull(in.UsernameKey), in.DisplayName, in.FullName, in.Bio,
			in.PictureID, in.Language, micros(in.CreatedAt), micros(in.UpdatedAt),
		}})
		created = n == 1
		if err != nil || created {
			return err
		}
		_, err = find[int](ctx, tx, users.ErrUsernameTaken, "SELECT 1 FROM profiles WHERE user_id = ?", in.UserID)
		return err
	})
	return created && err == nil, err
}

// Replace implements users.Store.
func (p profiles) Replace(ctx context.Context, in users.StoredProfile, readAt time.Time) error {
	if err := valid(in); err != nil {
		return err
	}
	return p.s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		updatedAt, err := find[int64](ctx, tx, users.ErrUserNotFound,
			"SELECT updated_at FROM profiles WHERE user_id = ?"+p.s.dialect.Lock, in.UserID)
		switch {
		case err != nil:
			return err
		case updatedAt != micros(readAt):
			return users.ErrChanged
		}
		if in.UsernameKey != "" {
			taken, err := list[int](ctx, tx, "SELECT 1 FROM profiles WHERE username_key = ? AND user_id <> ?", in.UsernameKey, in.UserID)
			if err != nil {
				return err
			}
			if len(taken) > 0 {
				return users.ErrUsernameTaken
			}
		}
		n, err := exec(ctx, tx, `UPDATE profiles SET username = ?, username_key = ?, display_name = ?, full_name = ?,
			bio = ?, picture_id = ?, language = ?, updated_at = ? WHERE user_id = ?`,
			in.Username, orNull(in.UsernameKey), in.DisplayName, in.FullName,
			in.Bio, in.PictureID, in.Language, micros(in.UpdatedAt), in.UserID)
		if p.s.dialect.Classify(err) == Unique { // claimed since we looked
			return users.ErrUsernameTaken
		}
		return must(1, n, err)
	})
}

// Profiles implements users.Store.
func (p profiles) Profiles(ctx context.Context, ids []string) ([]users.StoredProfile, error) {
	if err := valid(ids); err != nil || len(ids) == 0 {
		return nil, err
	}
	var out []users.StoredProfile
	err := p.s.readOne(ctx, func(ctx context.Context, db bun.IDB) error {
		rows, err := list[profileRow](ctx, db, "SELECT "+profileColumns+" FROM profiles WHERE user_id IN (?) ORDER BY user_id", bun.List(ids))
		out = nil
		for i := range rows {
			out = append(out, rows[i].profile())
		}
		return err
	})
	return out, err
}

// ByUsername implements users.Store.
func (p profiles) ByUsername(ctx context.Context, key string) (users.StoredProfile, error) {
	if err := valid(key); err != nil {
		return users.StoredProfile{}, err
	}
	var row profileRow
	err := p.s.readOne(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		row, err = find[profileRow](ctx, db, users.ErrUserNotFound,
			"SELECT "+profileColumns+" FROM profiles WHERE username_key = ?", orNull(key))
		return err
	})
	if err != nil {
		return users.StoredProfile{}, err
	}
	return row.profile(), nil
}
