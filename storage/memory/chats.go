package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/users"
)

// messagingStore is the messaging.Store of a Store.
type messagingStore struct{ *Store }

type messagingData struct {
	epoch string
	chats map[string]*chat
	pairs map[[2]string]*chat              // direct chats by their two people, sorted
	made  map[named]*chat                  // chats by the client ids of their creators
	sent  map[named]*message               // messages by the client ids of their senders
	feeds map[string][]messaging.UserEvent // of each user, dense from 1

	relations map[between]users.Relation
	invites   map[string]*messaging.Invite // by code
}

// named is a user's own name for something.
type named struct{ userID, clientID string }

func newMessagingData(epoch string) messagingData {
	return messagingData{
		epoch: epoch,
		chats: make(map[string]*chat),
		pairs: make(map[[2]string]*chat),
		made:  make(map[named]*chat),
		sent:  make(map[named]*message),
		feeds: make(map[string][]messaging.UserEvent),

		relations: make(map[between]users.Relation),
		invites:   make(map[string]*messaging.Invite),
	}
}

// chat is one chat with all that ever happened in it.
type chat struct {
	messaging.Chat
	key      messaging.WrappedKey
	digest   []byte // of the request that made it
	present  map[string]*stay
	stays    []*stay    // present and past, in the order of their beginning
	messages []*message // ascending by sequence
	byID     map[string]*message
	events   []messaging.Event // without Message; dense from 1
	moves    []messaging.Mark  // those that moved a watermark, in order
	reached  map[string]reach  // by user, over moves
	banned   map[string]messaging.Banned
	prefers  map[string]preference // by user
	pins     []*message            // the newest last
}

// stay is one membership, from its beginning to its end. Who comes back begins another.
type stay struct {
	messaging.Member
	version int64 // the chat's receipt version of its last move
	left    int64 // sequence of its end; 0 while present
}

// reach is the farthest that somebody's moves came, over all his memberships.
// Where a membership begins is no move: it delivers and reads nothing.
type reach struct{ delivered, read int64 }

// tell puts an event into its user's own sequence.
func (d *messagingData) tell(e messaging.UserEvent) messaging.UserEvent {
	e.Seq = int64(len(d.feeds[e.UserID])) + 1
	d.feeds[e.UserID] = append(d.feeds[e.UserID], e)
	return e
}

// add gives an event its place in the chat's sequence.
func (c *chat) add(e messaging.Event) messaging.StoredEvent {
	c.HeadSeq++
	e.ChatID, e.Seq = c.ID, c.HeadSeq
	c.events = append(c.events, e)
	return messaging.StoredEvent{Event: e}
}

// was reports whether a user ever was a member.
func (c *chat) was(userID string) bool {
	return slices.ContainsFunc(c.stays, func(s *stay) bool { return s.UserID == userID })
}

// reading returns a chat for a read of one of its members.
func (d *messagingData) reading(viewerID, chatID string) (*chat, *stay, error) {
	c, ok := d.chats[chatID]
	if !ok || c.present[viewerID] == nil {
		return nil, nil, messaging.ErrChatNotFound
	}
	return c, c.present[viewerID], nil
}

// acting returns a chat for an operation of one of its members. Who was a member
// is told so; for all others the chat does not exist.
func (d *messagingData) acting(actorID, chatID string) (*chat, *stay, error) {
	c, own, err := d.reading(actorID, chatID)
	if err != nil && d.chats[chatID] != nil && d.chats[chatID].was(actorID) {
		err = messaging.ErrNotAMember
	}
	return c, own, err
}

func (s messagingStore) Epoch(ctx context.Context) (string, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	return d.epoch, nil
}

func (s messagingStore) CreateChat(ctx context.Context, n messaging.NewChat) (messaging.CreatedChat, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return messaging.CreatedChat{}, err
	}
	defer unlock()

	var pair [2]string
	if n.Kind == messaging.Direct {
		pair = [2]string{n.Members[0].UserID, n.Members[1].UserID}
		slices.Sort(pair[:])
		if c := d.pairs[pair]; c != nil {
			return messaging.CreatedChat{Chat: c.Chat, Existed: true}, nil
		}
	}
	name := named{n.CreatedBy, n.ClientID}
	if c := d.made[name]; c != nil {
		if !bytes.Equal(c.digest, n.Digest) {
			return messaging.CreatedChat{}, messaging.ErrClientIDReused
		}
		return messaging.CreatedChat{Chat: c.Chat, Existed: true}, nil
	}

	ids := make([]string, len(n.Members))
	for i, m := range n.Members {
		ids[i] = m.UserID
	}
	if err := d.blocked(n.CreatedBy, ids); err != nil {
		return messaging.CreatedChat{}, err
	}

	c := &chat{
		Chat: messaging.Chat{
			ID: n.ID, Kind: n.Kind, Status: messaging.Active,
			Title: n.Title, Description: n.Description, PictureID: n.PictureID,
			CreatedBy: n.CreatedBy, CreatedAt: n.CreatedAt, UpdatedAt: n.CreatedAt,
			MemberCount: len(n.Members),
		},
		key:     messaging.WrappedKey{ID: n.Key.ID, Data: bytes.Clone(n.Key.Data)},
		digest:  bytes.Clone(n.Digest),
		present: make(map[string]*stay),
		byID:    make(map[string]*message),
		reached: make(map[string]reach),
		banned:  make(map[string]messaging.Banned),
		prefers: make(map[string]preference),
	}
	if n.Kind == messaging.Group {
		c.Settings = messaging.DefaultGroupSettings()
	}
	d.chats[c.ID] = c
	if n.Kind == messaging.Direct {
		d.pairs[pair] = c
	}
	if n.ClientID != "" {
		d.made[name] = c
	}
	out := messaging.CreatedChat{Chat: c.Chat}
	for _, m := range n.Members {
		c.begin(messaging.Member{UserID: m.UserID, Role: m.Role, JoinedAt: n.CreatedAt})
		out.UserEvents = append(out.UserEvents, d.tell(messaging.UserEvent{
			UserID: m.UserID, Type: messaging.ChatJoined, At: n.CreatedAt, ChatID: c.ID,
		}))
	}
	return out, nil
}

// blocked is ErrBlocked when any of the people have blocked a user.
func (d *messagingData) blocked(userID string, by []string) error {
	by = slices.DeleteFunc(slices.Sorted(slices.Values(by)), func(id string) bool {
		_, has := d.relations[between{id, userID, users.KindBlock}]
		return !has
	})
	if len(by) > 0 {
		return messaging.ErrBlocked.With("userIds", by)
	}
	return nil
}

// refuses is ErrBlocked when it is a direct chat whose other one has blocked the user.
func (d *messagingData) refuses(c *chat, userID string) error {
	if c.Kind != messaging.Direct {
		return nil
	}
	if d.blocked(userID, slices.Collect(maps.Keys(c.present))) != nil {
		return messaging.ErrBlocked
	}
	return nil
}

// begin starts a membership at the chat's head.
func (c *chat) begin(m messaging.Member) {
	m.ChatID = c.ID
	m.JoinedSeq, m.DeliveredSeq, m.ReadSeq = c.HeadSeq, c.HeadSeq, c.HeadSeq
	own := &stay{Member: m}
	c.stays = append(c.stays, own)
	c.present[m.UserID] = own
}

func (s messagingStore) Key(ctx context.Context, chatID, keyID string) (messaging.WrappedKey, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return messaging.WrappedKey{}, err
	}
	defer unlock()
	c, ok := d.chats[chatID]
	if !ok || keyID != "" && keyID != c.key.ID {
		return messaging.WrappedKey{}, messaging.ErrChatNotFound
	}
	return messaging.WrappedKey{ID: c.key.ID, Data: bytes.Clone(c.key.Data)}, nil
}

func (s messagingStore) Chat(ctx context.Context, viewerID, chatID string) (messaging.StoredView, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return messaging.StoredView{}, err
	}
	defer unlock()
	c, own, err := d.reading(viewerID, chatID)
	if err != nil {
		return messaging.StoredView{}, err
	}
	return c.view(own), nil
}

// view is the chat as one member sees it.
func (c *chat) view(own *stay) messaging.StoredView {
	v := messaging.StoredView{ChatView: messaging.ChatView{Chat: c.Chat, Own: own.Member, Unread: c.unread(own), Preferences: c.preferences(own)}}
	if c.Kind == messaging.Direct {
		for id := range c.present {
			if id != own.UserID {
				v.PeerID = id
			}
		}
	}
	for _, m := range slices.Backward(c.messages) {
		if m.counts(own.UserID) {
			last := c.show(m, own.UserID)
			v.Last = &last
			break
		}
	}
	return v
}

// unread counts the messages of others above the read mark. It walks back from the newest.
func (c *chat) unread(own *stay) (n int) {
	for _, m := range slices.Backward(c.messages) {
		if m.Seq <= own.ReadSeq {
			break
		}
		if m.SenderID != own.UserID && m.counts(own.UserID) {
			n++
		}
	}
	return n
}

// place is where the chat stands in lists by activity.
func place(c messaging.Chat) messaging.ChatCursor {
	if c.LastMessageAt.IsZero() {
		return messaging.ChatCursor{Activity: c.CreatedAt, ChatID: c.ID}
	}
	return messaging.ChatCursor{Activity: c.LastMessageAt, ChatID: c.ID}
}

// newestFirst orders places by activity, then by id, both descending.
func newestFirst(a, b messaging.ChatCursor) int {
	return cmp.Or(b.Activity.Compare(a.Activity), cmp.Compare(b.ChatID, a.ChatID))
}

func (s messagingStore) Chats(ctx context.Context, viewerID string, l messaging.ChatList) ([]messaging.StoredView, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var found []*chat
	for _, c := range d.chats {
		own := c.present[viewerID]
		switch {
		case own == nil, l.Archived != nil && *l.Archived != c.preferences(own).Archived:
		case l.After == messaging.ChatCursor{} || newestFirst(l.After, place(c.Chat)) < 0:
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b *chat) int { return newestFirst(place(a.Chat), place(b.Chat)) })
	var page []messaging.StoredView
	for _, c := range found[:min(l.Limit, len(found))] {
		page = append(page, c.view(c.present[viewerID]))
	}
	return page, nil
}

func (s messagingStore) Heads(ctx context.Context, userID string) (messaging.Heads, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return messaging.Heads{}, err
	}
	defer unlock()
	h := messaging.Heads{Epoch: d.epoch, UserSeq: int64(len(d.feeds[userID]))}
	for _, id := range slices.Sorted(maps.Keys(d.chats)) {
		if c := d.chats[id]; c.present[userID] != nil {
			h.Chats = append(h.Chats, messaging.Head{ChatID: id, Seq: c.HeadSeq, ReceiptVersion: c.ReceiptVersion})
		}
	}
	return h, nil
}

func (s messagingStore) Unread(ctx context.Context, chatID string, userIDs []string) ([]messaging.UnreadCount, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	counts := make([]messaging.UnreadCount, len(userIDs))
	for id, c := range d.chats {
		for i, user := range userIDs {
			if own := c.present[user]; own != nil {
				in := c.unread(own)
				counts[i].Total += in
				if id == chatID {
					counts[i].Chat = in
				}
			}
		}
	}
	return counts, nil
}
