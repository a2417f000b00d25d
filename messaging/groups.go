package messaging

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
)

// NewInvite asks for an invite.
type NewInvite struct {
	UserID, ChatID string
	MaxUses        int           // 0: any number
	ExpiresIn      time.Duration // 0: never expires
	Key            string        // optional: makes a retry return the first result
}

// ChangeGroup implements Service.
func (m *Messenger) ChangeGroup(ctx context.Context, g ChangeGroup) (ChatView, error) {
	if err := checkChat(g.ActorID, g.ChatID); err != nil {
		return ChatView{}, err
	}
	if err := g.check(); err != nil {
		return ChatView{}, err
	}
	g.At = m.time()
	changed, err := m.store.ChangeGroup(ctx, g)
	if err != nil {
		return ChatView{}, m.failed(err, g.ChatID)
	}
	m.publishChanged(changed)
	return m.Chat(ctx, g.ActorID, g.ChatID)
}

func (g *ChangeGroup) check() error {
	if g.Title != nil {
		if err := checkTitle(*g.Title); err != nil {
			return err
		}
	}
	if g.Description != nil {
		if err := checkDescription(*g.Description); err != nil {
			return err
		}
	}
	if p := g.PictureID; p != nil && *p != "" && !wellFormed(*p) {
		return errs.Field("pictureId", "invalid_picture", "This is not the id of a picture.")
	}
	s := &g.Settings
	for name, who := range map[string]*Who{
		"whoMaySend": s.WhoMaySend, "whoMayAdd": s.WhoMayAdd, "whoMayPin": s.WhoMayPin, "whoMayEditInfo": s.WhoMayEditInfo,
	} {
		if who != nil && *who != All && *who != Admins {
			return errs.Field("settings."+name, "invalid_setting", "This setting has no such value.")
		}
	}
	if d := s.SlowMode; d != nil && (*d < 0 || *d > MaxSlowMode || *d%time.Second != 0) {
		return errs.Field("settings.slowModeSeconds", "invalid_setting", "This setting has no such value.")
	}
	return nil
}

// SetRole implements Service.
func (m *Messenger) SetRole(ctx context.Context, userID, chatID, memberID string, role Role) error {
	if err := checkChat(userID, chatID); err != nil {
		return err
	}
	switch role {
	case RoleOwner, RoleAdmin, RoleMember:
	default:
		return errs.Field("role", "invalid_role", "A role is owner, admin or member.")
	}
	if !wellFormed(memberID) {
		return ErrMemberNotFound
	}
	changed, err := m.store.SetRole(ctx, SetRole{ChatID: chatID, ActorID: userID, UserID: memberID, Role: role, At: m.time()})
	if err != nil {
		return m.failed(err, chatID)
	}
	m.publishChanged(changed)
	return nil
}

// Ban implements Service.
func (m *Messenger) Ban(ctx context.Context, userID, chatID, memberID string) error {
	if err := checkChat(userID, chatID); err != nil {
		return err
	}
	if _, err := m.known(ctx, "userId", []string{memberID}, ""); err != nil {
		return err
	}
	return m.ban(ctx, BanMember{ChatID: chatID, ActorID: userID, UserID: memberID})
}

// Unban implements Service.
func (m *Messenger) Unban(ctx context.Context, userID, chatID, memberID string) error {
	if err := checkChat(userID, chatID); err != nil {
		return err
	}
	if !wellFormed(memberID) {
		return ErrMemberNotFound
	}
	return m.ban(ctx, BanMember{ChatID: chatID, ActorID: userID, UserID: memberID, Lift: true})
}

func (m *Messenger) ban(ctx context.Context, b BanMember) error {
	b.At = m.time()
	changed, err := m.store.Ban(ctx, b)
	if err != nil {
		return m.failed(err, b.ChatID)
	}
	m.publishChanged(changed)
	return nil
}

// Bans implements Service.
func (m *Messenger) Bans(ctx context.Context, userID, chatID string, r List) (Page[Banned], error) {
	if err := checkChat(userID, chatID); err != nil {
		return Page[Banned]{}, err
	}
	limit, from, err := r.parse(banList)
	if err != nil {
		return Page[Banned]{}, err
	}
	bans, err := m.store.Bans(ctx, userID, chatID, from.id, limit+1)
	if err != nil {
		return Page[Banned]{}, err
	}
	return cut(bans, limit, banList, func(b Banned) cursor { return cursor{id: b.UserID} }), nil
}

// CreateInvite implements Service.
func (m *Messenger) CreateInvite(ctx context.Context, r NewInvite) (Invite, error) {
	if err := checkChat(r.UserID, r.ChatID); err != nil {
		return Invite{}, err
	}
	if r.MaxUses < 0 || r.MaxUses > MaxMembers {
		return Invite{}, errs.Field("maxUses", "invalid_uses", "An invitation is for 1 to 10,000 people, or for any number.")
	}
	const year = 366 * 24 * time.Hour
	if r.ExpiresIn < 0 || r.ExpiresIn > year {
		return Invite{}, errs.Field("expiresIn", "invalid_expiry", "An invitation holds for up to a year, or for ever.")
	}
	code, err := m.inviteCode(r)
	if err != nil {
		return Invite{}, err
	}
	i := Invite{Code: code, ChatID: r.ChatID, CreatedBy: r.UserID, CreatedAt: m.time(), MaxUses: r.MaxUses}
	if r.ExpiresIn > 0 {
		i.ExpiresAt = i.CreatedAt.Add(r.ExpiresIn)
	}
	return m.store.CreateInvite(ctx, i, MaxInvites)
}

// inviteCode is 128 bits that nobody can guess: drawn, or for a request that may be
// repeated, made of its key.
func (m *Messenger) inviteCode(r NewInvite) (string, error) {
	b := make([]byte, 16)
	if r.Key != "" {
		copy(b, m.digest("invite", r.UserID, r.ChatID, r.Key))
	} else if err := m.draw(b); err != nil {
		return "", fmt.Errorf("messaging: draw an invite: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// Invites implements Service.
func (m *Messenger) Invites(ctx context.Context, userID, chatID string) ([]Invite, error) {
	if err := checkChat(userID, chatID); err != nil {
		return nil, err
	}
	return m.store.Invites(ctx, userID, chatID, m.time())
}

// RevokeInvite implements Service.
func (m *Messenger) RevokeInvite(ctx context.Context, userID, chatID, code string) error {
	if err := checkChat(userID, chatID); err != nil {
		return err
	}
	if !wellFormed(code) {
		return ErrInviteNotFound
	}
	return m.store.RevokeInvite(ctx, userID, chatID, code)
}

// Join implements Service.
func (m *Messenger) Join(ctx context.Context, userID, code string) (ChatView, error) {
	if err := checkUser(userID); err != nil {
		return ChatView{}, err
	}
	if !wellFormed(code) {
		return ChatView{}, ErrInviteNotFound
	}
	joined, err := m.store.Join(ctx, Join{Code: code, UserID: userID, Limit: MaxMembers, At: m.time()})
	if err != nil {
		return ChatView{}, m.failed(err, "", userID)
	}
	m.publishChanged(joined.Changed)
	return m.Chat(ctx, userID, joined.ChatID)
}
