package messaging

import (
	"context"

	"github.com/wigwag-chat/wigwag/errs"
)

// Members implements Service.
func (m *Messenger) Members(ctx context.Context, userID, chatID string, r List) (Page[Member], error) {
	if err := checkChat(userID, chatID); err != nil {
		return Page[Member]{}, err
	}
	limit, from, err := r.parse(memberList)
	if err != nil {
		return Page[Member]{}, err
	}
	members, err := m.store.Members(ctx, userID, chatID, from.id, limit+1)
	if err != nil {
		return Page[Member]{}, err
	}
	return cut(members, limit, memberList, func(m Member) cursor { return cursor{id: m.UserID} }), nil
}

// AddMembers implements Service.
func (m *Messenger) AddMembers(ctx context.Context, userID, chatID string, members []string) error {
	if err := checkChat(userID, chatID); err != nil {
		return err
	}
	if len(members) == 0 {
		return errs.Field("userIds", "no_members", "Name somebody to add.")
	}
	members, err := m.known(ctx, "userIds", members, "")
	if err != nil {
		return err
	}
	changed, err := m.store.AddMembers(ctx, AddMembers{
		ChatID: chatID, ActorID: userID, UserIDs: members, Limit: MaxMembers, At: m.time(),
	})
	if err != nil {
		return m.failed(err, chatID, members...)
	}
	m.publishChanged(changed)
	return nil
}

// RemoveMember implements Service.
func (m *Messenger) RemoveMember(ctx context.Context, userID, chatID, memberID string) error {
	if err := checkChat(userID, chatID); err != nil {
		return err
	}
	if !wellFormed(memberID) {
		return ErrMemberNotFound
	}
	changed, err := m.store.RemoveMember(ctx, RemoveMember{
		ChatID: chatID, ActorID: userID, UserID: memberID, At: m.time(),
	})
	if err != nil {
		return m.failed(err, chatID)
	}
	m.publishChanged(changed)
	return nil
}

// known returns the ids, each once and without the one to leave out, when all
// of them are users; else an error that names the field and the unknown ones.
func (m *Messenger) known(ctx context.Context, field string, ids []string, without string) ([]string, error) {
	if len(ids) > MaxMembersCall {
		return nil, errs.Field(field, "too_many_members", "At most 1,000 people can be named at once.").With("max", MaxMembersCall)
	}
	distinct := make([]string, 0, len(ids))
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if !wellFormed(id) {
			return nil, errs.Field(field, "invalid_user", "This is no user's id.")
		}
		if id != without && !seen[id] {
			seen[id] = true
			distinct = append(distinct, id)
		}
	}
	if m.people == nil || len(distinct) == 0 {
		return distinct, nil
	}
	missing, err := m.people.Missing(ctx, distinct)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, ErrUserNotFound.With("field", field).With("userIds", missing)
	}
	return distinct, nil
}
