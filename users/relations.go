package users

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/cases"
)

// Limits of the lists of people.
const (
	MaxContacts = 10_000
	MaxBlocks   = 10_000
	MaxPage     = 200 // items of a page

	defaultPage = 50
)

// RelationKind tells what somebody is to a person.
type RelationKind string

// The kinds of relations.
const (
	KindContact RelationKind = "contact"
	KindBlock   RelationKind = "block"
)

// Relation is what somebody is to a person, who alone makes and ends it.
type Relation struct {
	OwnerID string // whose it is
	UserID  string // whom it is about
	Kind    RelationKind
	Key     string // by which its maker knows a request again; "" when none
	At      time.Time
}

// Listed is somebody in one's contacts or blocks.
type Listed struct {
	User    User
	AddedAt time.Time
}

// List selects part of a list. The zero value is the first 50.
type List struct {
	Limit  int    // items of a page, up to MaxPage; 0: 50
	Cursor string // Page.Next of the page before; "" is the start
	// Name keeps, of contacts, those whose display name, username, full name, or a word of these,
	// begins with it, without regard to case or width; "" keeps all.
	Name string
}

// Page is part of a list and where the next part starts; empty at the end.
type Page struct {
	Items []Listed
	Next  string
}

// AddContact implements Service.
func (p *Profiles) AddContact(ctx context.Context, userID, contactID, key string) (Listed, bool, error) {
	if err := p.checkPair(ctx, userID, contactID); err != nil {
		return Listed{}, false, err
	}
	sights, err := p.sights(ctx, userID, []string{contactID})
	if err != nil {
		return Listed{}, false, err
	}
	if sights[contactID].Blocked {
		return Listed{}, false, ErrBlocked
	}
	l, r, created, err := p.relate(ctx, Relation{OwnerID: userID, UserID: contactID, Kind: KindContact, Key: key}, MaxContacts)
	if err == nil && !created && (key == "" || r.Key != key) {
		return Listed{}, false, ErrContact
	}
	return l, created, err
}

// Block implements Service.
func (p *Profiles) Block(ctx context.Context, userID, blockedID string) (Listed, bool, error) {
	if err := p.checkPair(ctx, userID, blockedID); err != nil {
		return Listed{}, false, err
	}
	l, _, created, err := p.relate(ctx, Relation{OwnerID: userID, UserID: blockedID, Kind: KindBlock}, MaxBlocks)
	return l, created, err
}

// RemoveContact implements Service.
func (p *Profiles) RemoveContact(ctx context.Context, userID, contactID string) error {
	return p.unrelate(ctx, Relation{OwnerID: userID, UserID: contactID, Kind: KindContact})
}

// Unblock implements Service.
func (p *Profiles) Unblock(ctx context.Context, userID, blockedID string) error {
	return p.unrelate(ctx, Relation{OwnerID: userID, UserID: blockedID, Kind: KindBlock})
}

// checkPair demands two different people who exist.
func (p *Profiles) checkPair(ctx context.Context, userID, otherID string) error {
	if err := p.Ensure(ctx, userID); err != nil {
		return err
	}
	if userID == otherID {
		return ErrOneself
	}
	missing, err := p.Missing(ctx, []string{otherID})
	if err == nil && len(missing) > 0 {
		err = ErrUserNotFound
	}
	return err
}

func (p *Profiles) relate(ctx context.Context, r Relation, most int) (l Listed, stands Relation, created bool, err error) {
	r.At = p.now()
	stands, seq, err := p.store.Relate(ctx, r, most)
	if err != nil {
		return l, stands, false, fmt.Errorf("users: relate: %w", err)
	}
	if seq > 0 && p.publisher != nil {
		p.publisher.RelationChanged(stands, true, seq)
	}
	u, err := p.User(ctx, r.OwnerID, r.UserID)
	return Listed{User: u, AddedAt: stands.At}, stands, seq > 0, err
}

func (p *Profiles) unrelate(ctx context.Context, r Relation) error {
	if !wellFormed(r.OwnerID) || !wellFormed(r.UserID) {
		return nil // nobody has such a relation
	}
	r.At = p.now()
	seq, err := p.store.Unrelate(ctx, r)
	if err != nil {
		return fmt.Errorf("users: unrelate: %w", err)
	}
	if seq > 0 && p.publisher != nil {
		p.publisher.RelationChanged(r, false, seq)
	}
	return nil
}

// Contacts implements Service.
func (p *Profiles) Contacts(ctx context.Context, userID string, r List) (Page, error) {
	return p.list(ctx, userID, KindContact, r)
}

// Blocks implements Service.
func (p *Profiles) Blocks(ctx context.Context, userID string, r List) (Page, error) {
	r.Name = ""
	return p.list(ctx, userID, KindBlock, r)
}

// list pages through the relations of a kind until a page is full of those whose name fits.
func (p *Profiles) list(ctx context.Context, userID string, kind RelationKind, r List) (Page, error) {
	limit, after, err := r.parse(kind)
	if err != nil {
		return Page{}, err
	}
	var out Page
	for {
		relations, err := p.store.Relations(ctx, userID, kind, after, MaxPage+1)
		if err != nil {
			return Page{}, fmt.Errorf("users: relations: %w", err)
		}
		some := relations[:min(len(relations), MaxPage)]
		people, err := p.byID(ctx, userID, some)
		if err != nil {
			return Page{}, err
		}
		for i, relation := range some {
			after = relation.UserID
			u, exists := people[after]
			if !exists || !named(u, r.Name) {
				continue
			}
			out.Items = append(out.Items, Listed{User: u, AddedAt: relation.At})
			if len(out.Items) == limit {
				if i+1 < len(relations) {
					out.Next = cursor(kind, after)
				}
				return out, nil
			}
		}
		if len(relations) <= MaxPage {
			return out, nil
		}
	}
}

func (p *Profiles) byID(ctx context.Context, viewerID string, relations []Relation) (map[string]User, error) {
	ids := make([]string, len(relations))
	for i, r := range relations {
		ids[i] = r.UserID
	}
	found, err := p.load(ctx, ids)
	if err != nil {
		return nil, err
	}
	users, err := p.seenNow(ctx, viewerID, found)
	byID := make(map[string]User, len(users))
	for _, u := range users {
		byID[u.UserID] = u
	}
	return byID, err
}

// named reports whether a name of somebody, or a word of one, begins with a prefix.
func named(u User, prefix string) bool {
	if prefix == "" {
		return true
	}
	plain := cases.Fold()
	prefix = plain.String(fold(prefix))
	for _, name := range []string{u.DisplayName, u.Username, u.FullName} {
		name = plain.String(fold(name))
		if strings.HasPrefix(name, prefix) {
			return true
		}
		for i, r := range name {
			if r == ' ' && strings.HasPrefix(name[i+1:], prefix) {
				return true
			}
		}
	}
	return false
}

// cursor is what follows somebody in a list: opaque to clients.
func cursor(kind RelationKind, userID string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(kind[0]) + userID))
}

func (r List) parse(kind RelationKind) (limit int, after string, err error) {
	switch {
	case r.Limit == 0:
		limit = defaultPage
	case r.Limit < 1 || r.Limit > MaxPage:
		return 0, "", ErrLimit
	default:
		limit = r.Limit
	}
	if len(r.Name) > MaxDisplayName*4 {
		return 0, "", errName
	}
	if r.Cursor == "" {
		return limit, "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(r.Cursor)
	if err != nil || len(b) < 2 || b[0] != kind[0] || !wellFormed(string(b[1:])) || cursor(kind, string(b[1:])) != r.Cursor {
		return 0, "", ErrCursor
	}
	return limit, string(b[1:]), nil
}
