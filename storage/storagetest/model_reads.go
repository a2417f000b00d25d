package storagetest

import (
	"cmp"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

// chat is what all members see alike.
func (c *chatModel) chat() messaging.Chat {
	out := messaging.Chat{
		ID: c.new.ID, Kind: c.new.Kind, Status: messaging.Active, Title: c.new.Title, Description: c.new.Description,
		PictureID: c.new.PictureID, CreatedBy: c.new.CreatedBy, CreatedAt: c.new.CreatedAt, UpdatedAt: c.new.CreatedAt,
		HeadSeq: c.head(), MemberCount: len(c.members()), ReceiptVersion: int64(len(c.moves)),
	}
	if out.Kind == messaging.Group {
		out.Settings = messaging.DefaultGroupSettings()
	}
	if out.MemberCount == 0 {
		out.Status = messaging.Closed
	}
	for _, e := range c.events {
		switch e.Type {
		case messaging.MessageCreated:
			out.LastMessageAt = e.At
		case messaging.MemberAdded, messaging.MemberRemoved, messaging.MemberRole:
			out.UpdatedAt = e.At
		}
	}
	return out
}

// show is a message as a viewer sees it.
func (c *chatModel) show(p *post, viewer string) messaging.StoredMessage {
	out := messaging.StoredMessage{
		Message: messaging.Message{
			ID: p.ID, ChatID: p.ChatID, Seq: p.seq, SenderID: p.SenderID, ClientID: p.ClientID, Kind: p.Kind,
			CreatedAt: p.CreatedAt, EditedAt: p.editedAt, Deleted: p.deleted,
		},
		Revision: p.revision, Hidden: slices.Contains(p.hiddenBy, viewer),
	}
	if !p.deleted {
		out.Body, out.Digest = p.Body, p.Digest
	}
	for _, r := range c.receipts(p) {
		out.Tally.Recipients++
		if !r.DeliveredAt.IsZero() {
			out.Tally.Delivered++
		}
		if !r.ReadAt.IsZero() {
			out.Tally.Read++
		}
	}
	return out
}

func (c *chatModel) receipts(p *post) (all []messaging.Receipt) {
	for _, s := range c.spans {
		if s.UserID == p.SenderID || p.seq <= s.JoinedSeq || s.to != 0 && p.seq >= s.to {
			continue
		}
		r := messaging.Receipt{UserID: s.UserID}
		for _, v := range c.moves {
			if v.UserID != s.UserID || v.UpTo < p.seq {
				continue
			}
			if r.DeliveredAt.IsZero() {
				r.DeliveredAt = v.At
			}
			if v.Read && r.ReadAt.IsZero() {
				r.ReadAt = v.At
			}
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b messaging.Receipt) int { return cmp.Compare(a.UserID, b.UserID) })
	return all
}

func (c *chatModel) unread(own *span) (n int) {
	for i := range c.posts {
		p := &c.posts[i]
		if p.seq > own.ReadSeq && p.SenderID != own.UserID && !p.deleted && !slices.Contains(p.hiddenBy, own.UserID) {
			n++
		}
	}
	return n
}

func (c *chatModel) view(own *span) messaging.StoredView {
	v := messaging.StoredView{ChatView: messaging.ChatView{Chat: c.chat(), Own: own.Member, Unread: c.unread(own)}}
	for _, s := range c.members() {
		if c.new.Kind == messaging.Direct && s.UserID != own.UserID {
			v.PeerID = s.UserID
		}
	}
	for i := range c.posts {
		if s := c.show(&c.posts[i], own.UserID); !s.Deleted && !s.Hidden {
			v.Last = &s
		}
	}
	return v
}

func (c *chatModel) history(viewer string, w messaging.Window) (page []messaging.StoredMessage) {
	for i := range c.posts {
		s := c.show(&c.posts[i], viewer)
		if !s.Hidden && (w.Before == 0 || s.Seq < w.Before) && s.Seq > w.After {
			page = append(page, s)
		}
	}
	if w.After > 0 {
		return page[:min(w.Limit, len(page))]
	}
	page = page[:max(0, len(page)-w.Offset)]
	return page[max(0, len(page)-w.Limit):]
}

func (c *chatModel) eventsAbove(viewer string, after int64, limit int) (page []messaging.StoredEvent) {
	for _, e := range c.events {
		if e.Seq <= after || len(page) == limit {
			continue
		}
		out := messaging.StoredEvent{Event: e}
		if e.Type == messaging.MessageCreated || e.Type == messaging.MessageEdited {
			s := c.show(c.post(e.MessageID), viewer)
			out.Stored = &s
		}
		page = append(page, out)
	}
	return page
}

func (c *chatModel) watermarksSince(after int64) (all []messaging.Watermark) {
	for _, s := range c.members() {
		if s.version > after {
			all = append(all, s.watermark())
		}
	}
	slices.SortFunc(all, func(a, b messaging.Watermark) int { return cmp.Compare(a.Version, b.Version) })
	return all
}

func (m *model) unread(user, chatID string) (n messaging.UnreadCount) {
	for _, c := range m.chats {
		if own := c.present(user); own != nil {
			n.Total += c.unread(own)
			if c.new.ID == chatID {
				n.Chat = c.unread(own)
			}
		}
	}
	return n
}

func (m *model) heads(user string) messaging.Heads {
	h := messaging.Heads{UserSeq: m.ownHead(user)}
	for _, c := range m.chats {
		if c.present(user) != nil {
			h.Chats = append(h.Chats, messaging.Head{ChatID: c.new.ID, Seq: c.head(), ReceiptVersion: int64(len(c.moves))})
		}
	}
	slices.SortFunc(h.Chats, func(a, b messaging.Head) int { return cmp.Compare(a.ChatID, b.ChatID) })
	return h
}

// list is the viewer's chats in order.
func (m *model) list(user string) (all []messaging.StoredView) {
	for _, c := range m.chats {
		if own := c.present(user); own != nil {
			all = append(all, c.view(own))
		}
	}
	active := func(v messaging.StoredView) int64 {
		if v.LastMessageAt.IsZero() {
			return v.CreatedAt.UnixMicro()
		}
		return v.LastMessageAt.UnixMicro()
	}
	slices.SortFunc(all, func(a, b messaging.StoredView) int {
		return cmp.Or(cmp.Compare(active(b), active(a)), cmp.Compare(b.ID, a.ID))
	})
	return all
}

func (m *model) feed(user string) (all []messaging.UserEvent) {
	for _, e := range m.own {
		if e.UserID == user {
			all = append(all, e)
		}
	}
	return all
}
