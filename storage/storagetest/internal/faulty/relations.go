package faulty

import (
	"context"

	"github.com/wigwag-chat/wigwag/users"
)

func relationDefects() []Defect {
	return []Defect{
		{
			Name:     "stores a relation over the one that stands",
			CaughtBy: []string{"relations/come back by pages", "relations/change is an own event", "relations/race makes one"},
			people:   func(s users.Store) users.Store { return relatesAgain{s} },
		},
		{
			Name:     "looks at the relations of one side",
			CaughtBy: []string{"relations/between goes both ways"},
			people:   func(s users.Store) users.Store { return oneSide{s} },
		},
		{
			Name:     "counts relations, then stores one",
			CaughtBy: []string{"relations/are not more than most"},
			people:   func(s users.Store) users.Store { return countsBefore{s} },
		},
		{
			Name:     "keeps blocks away from chats",
			CaughtBy: []string{"blocks/silence the direct chat", "blocks/keep from making chats", "blocks/stand before the chat"},
			people:   func(s users.Store) users.Store { return blocksInVain{s} },
		},
		{
			Name:     "answers before a block counts",
			CaughtBy: []string{"blocks/nothing comes after"},
			people:   func(s users.Store) users.Store { return blocksLater{s} },
		},
	}
}

type relatesAgain struct{ users.Store }

func (s relatesAgain) Relate(ctx context.Context, r users.Relation, most int) (users.Relation, int64, error) {
	if _, err := s.Unrelate(ctx, r); err != nil {
		return users.Relation{}, 0, err
	}
	return s.Store.Relate(ctx, r, most)
}

type oneSide struct{ users.Store }

func (s oneSide) Between(ctx context.Context, userID string, others []string) (own []users.Relation, err error) {
	all, err := s.Store.Between(ctx, userID, others)
	for _, r := range all {
		if r.OwnerID == userID {
			own = append(own, r)
		}
	}
	return own, err
}

type countsBefore struct{ users.Store }

func (s countsBefore) Relate(ctx context.Context, r users.Relation, most int) (users.Relation, int64, error) {
	have, err := s.Relations(ctx, r.OwnerID, r.Kind, "", most)
	if err != nil {
		return users.Relation{}, 0, err
	}
	if len(have) == most {
		return users.Relation{}, 0, users.ErrTooMany
	}
	meet()
	return s.Store.Relate(ctx, r, 1000)
}

// blocksInVain names the kind so that nobody else knows it.
type blocksInVain struct{ users.Store }

func (s blocksInVain) Relate(ctx context.Context, r users.Relation, most int) (users.Relation, int64, error) {
	kind := r.Kind
	r.Kind += "."
	stands, seq, err := s.Store.Relate(ctx, r, most)
	stands.Kind = kind
	return stands, seq, err
}

type blocksLater struct{ users.Store }

func (s blocksLater) Relate(ctx context.Context, r users.Relation, most int) (users.Relation, int64, error) {
	if r.Kind != users.KindBlock {
		return s.Store.Relate(ctx, r, most)
	}
	go func() {
		meet()
		_, _, _ = s.Store.Relate(context.WithoutCancel(ctx), r, most)
	}()
	return r, 1, nil
}
