package users

import (
	"context"
	"fmt"
	"slices"
)

// page is how many ids the store is asked for at once.
const page = 1000

// Missing returns those of the ids that no user has, each once, in the order
// given. What is not well-formed no user has. Ids that a Lookup knows get their
// profile on the way; those that merely may exist do not, since nothing bounds them.
func (p *Profiles) Missing(ctx context.Context, ids []string) ([]string, error) {
	ids = distinct(ids)
	open := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return p.isKnown(id) || !wellFormed(id) })
	_, absent, err := p.split(ctx, open)
	if err != nil {
		return nil, err
	}
	admitted, err := p.admit(ctx, absent)
	if err != nil {
		return nil, err
	}
	missing := set(absent)
	for _, s := range admitted {
		delete(missing, s.UserID)
	}
	return slices.DeleteFunc(ids, func(id string) bool { return wellFormed(id) && !missing[id] }), nil
}

// load returns the profiles of those of the distinct ids that exist.
func (p *Profiles) load(ctx context.Context, ids []string) ([]Profile, error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !wellFormed(id) })
	stored, absent, err := p.split(ctx, ids)
	if err != nil {
		return nil, err
	}
	admitted, err := p.admit(ctx, absent)
	return append(stored, admitted...), err
}

// split returns the stored profiles of the distinct ids, and the ids that have none.
func (p *Profiles) split(ctx context.Context, ids []string) (stored []Profile, absent []string, err error) {
	for some := range slices.Chunk(ids, page) {
		found, err := p.store.Profiles(ctx, some)
		if err != nil {
			return nil, nil, fmt.Errorf("users: profiles: %w", err)
		}
		for _, s := range found {
			p.remember(s.UserID)
			stored = append(stored, s.Profile)
		}
	}
	has := make(map[string]bool, len(stored))
	for _, s := range stored {
		has[s.UserID] = true
	}
	return stored, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return has[id] }), nil
}

// admit returns empty profiles for those of the ids, none of them stored, that
// the host nevertheless has (AUTH-14).
func (p *Profiles) admit(ctx context.Context, ids []string) ([]Profile, error) {
	if !p.foreign || len(ids) == 0 {
		return nil, nil
	}
	profiles := make([]Profile, 0, len(ids))
	if p.lookup == nil {
		for _, id := range ids {
			profiles = append(profiles, Profile{UserID: id})
		}
		return profiles, nil
	}
	answer, err := p.lookup(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("users: lookup: %w", err)
	}
	exists := set(answer)
	for _, id := range ids {
		if !exists[id] {
			continue
		}
		s := p.blank(id)
		if _, err := p.store.Create(ctx, s); err != nil {
			return nil, fmt.Errorf("users: first sight: %w", err)
		}
		p.remember(id)
		profiles = append(profiles, s.Profile)
	}
	return profiles, nil
}

func set(ids []string) map[string]bool {
	s := make(map[string]bool, len(ids))
	for _, id := range ids {
		s[id] = true
	}
	return s
}

// distinct returns the ids, each once, in their order.
func distinct(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		was := seen[id]
		seen[id] = true
		return was
	})
}
