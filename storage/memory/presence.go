package memory

import (
	"context"
	"slices"
	"time"

	"github.com/wigwag-chat/wigwag/users"
)

// presenceData is who is connected where.
type presenceData struct {
	nodes    map[string]*node
	presence map[string]users.Presence // as last told, by user
}

// node is one process that users are connected to.
type node struct {
	said     time.Time // its last announcement
	until    time.Time // the end of its lease, in this process's time
	swept    bool      // in part
	stations map[string]users.Station
}

func newPresenceData() presenceData {
	return presenceData{nodes: make(map[string]*node), presence: make(map[string]users.Presence)}
}

// online reports whether a user is on a node whose lease lives.
func (d *presenceData) online(userID string) bool {
	for _, n := range d.nodes {
		if n.until.After(time.Now()) && n.stations[userID].Online {
			return true
		}
	}
	return false
}

// settle compares users with what was last told of them.
func (d *presenceData) settle(ids []string, at time.Time) (changed []string) {
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		was, now := d.presence[id], d.online(id)
		if was.Online == now {
			continue
		}
		if was.UserID, was.Online = id, now; !now {
			was.LastSeen = at
		}
		d.presence[id] = was
		changed = append(changed, id)
	}
	return changed
}

func (s userStore) Announce(ctx context.Context, a users.Announcement) (users.Announced, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return users.Announced{}, err
	}
	defer unlock()
	n := d.nodes[a.NodeID]
	out := users.Announced{Fresh: n == nil || n.swept}
	if n == nil {
		n = &node{stations: make(map[string]users.Station)}
		d.nodes[a.NodeID] = n
	}
	n.said, n.until, n.swept = a.At, time.Now().Add(a.Life), false
	ids := make([]string, len(a.Stations))
	for i, st := range a.Stations {
		ids[i] = st.UserID
		if st.Gone() {
			delete(n.stations, st.UserID)
			continue
		}
		st.Views = slices.Clone(st.Views)
		n.stations[st.UserID] = st
	}
	out.Changed = d.settle(ids, a.At)
	return out, nil
}

func (s userStore) Sweep(ctx context.Context, limit int) (changed []string, more bool, err error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	for id, n := range d.nodes {
		if n.until.After(time.Now()) {
			continue
		}
		if limit == 0 {
			return changed, true, nil
		}
		var gone []string
		for user := range n.stations {
			if limit == 0 {
				break
			}
			gone, limit, n.swept = append(gone, user), limit-1, true
			delete(n.stations, user)
		}
		changed = append(changed, d.settle(gone, n.said)...)
		if len(n.stations) > 0 {
			more = true
			continue
		}
		delete(d.nodes, id)
	}
	slices.Sort(changed)
	return changed, more, nil
}

func (s userStore) Presences(ctx context.Context, ids []string) (all []users.Presence, err error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		p, known := d.presence[id]
		if !known {
			continue
		}
		if was := p.Online; was {
			p.Online = d.online(id)
			if !p.Online { // his nodes have died, and were not swept yet
				p.LastSeen = d.said(id, p.LastSeen)
			}
		}
		all = append(all, p)
	}
	return all, nil
}

// said is when a node of a user last announced anything.
func (d *presenceData) said(userID string, last time.Time) time.Time {
	for _, n := range d.nodes {
		if _, here := n.stations[userID]; here && n.said.After(last) {
			last = n.said
		}
	}
	return last
}

func (s userStore) Viewing(ctx context.Context, chatID string, ids []string) (viewing []string, err error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		for _, n := range d.nodes {
			if n.until.After(time.Now()) && slices.Contains(n.stations[id].Views, chatID) {
				viewing = append(viewing, id)
				break
			}
		}
	}
	return viewing, nil
}

func (s userStore) Owners(ctx context.Context, userID string, kind users.RelationKind, after string, limit int) (owners []string, err error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, r := range d.related(func(at between) bool { return at.userID == userID && at.kind == kind && at.ownerID > after }) {
		if len(owners) < limit {
			owners = append(owners, r.OwnerID)
		}
	}
	return owners, nil
}
