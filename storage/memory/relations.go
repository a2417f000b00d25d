package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

func (s userStore) Relate(ctx context.Context, r users.Relation, most int) (users.Relation, int64, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return users.Relation{}, 0, err
	}
	defer unlock()
	key := between{r.OwnerID, r.UserID, r.Kind}
	if stands, ok := d.relations[key]; ok {
		return stands, 0, nil
	}
	n := 0
	for other := range d.relations {
		if other.ownerID == r.OwnerID && other.kind == r.Kind {
			n++
		}
	}
	if n >= most {
		return users.Relation{}, 0, users.ErrTooMany
	}
	d.relations[key] = r
	return r, d.tellRelation(r, true), nil
}

func (s userStore) Unrelate(ctx context.Context, r users.Relation) (int64, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	key := between{r.OwnerID, r.UserID, r.Kind}
	if _, ok := d.relations[key]; !ok {
		return 0, nil
	}
	delete(d.relations, key)
	return d.tellRelation(r, false), nil
}

// tellRelation puts a change into the owner's own sequence.
func (d *messagingData) tellRelation(r users.Relation, stands bool) int64 {
	return d.tell(messaging.UserEvent{UserID: r.OwnerID, Type: messaging.RelationEvent(string(r.Kind), stands), At: r.At, AboutID: r.UserID}).Seq
}

func (s userStore) Relations(ctx context.Context, ownerID string, kind users.RelationKind, after string, limit int) ([]users.Relation, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	found := d.related(func(at between) bool { return at.ownerID == ownerID && at.kind == kind && at.userID > after })
	return found[:min(limit, len(found))], nil
}

func (s userStore) Between(ctx context.Context, userID string, others []string) ([]users.Relation, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return d.related(func(at between) bool {
		return at.ownerID == userID && slices.Contains(others, at.userID) || at.userID == userID && slices.Contains(others, at.ownerID)
	}), nil
}

// related returns relations by owner, user and kind.
func (d *messagingData) related(which func(between) bool) (found []users.Relation) {
	for at, r := range d.relations {
		if which(at) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b users.Relation) int {
		return cmp.Or(cmp.Compare(a.OwnerID, b.OwnerID), cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Kind, b.Kind))
	})
	return found
}
