package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

func (s messagingStore) Mark(ctx context.Context, items []messaging.Mark) ([]messaging.Marked, error) {
	d, unlock, err := s.write(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	out := make([]messaging.Marked, len(items))
	for i, item := range items {
		out[i] = d.mark(item)
	}
	return out, nil
}

func (d *messagingData) mark(m messaging.Mark) messaging.Marked {
	c, own, err := d.acting(m.UserID, m.ChatID)
	if err != nil {
		return messaging.Marked{Err: err}
	}
	if m.UpTo > c.HeadSeq {
		return messaging.Marked{Err: messaging.ErrBeyondHead}
	}
	read := m.Read && m.UpTo > own.ReadSeq
	delivered := m.UpTo > own.DeliveredSeq
	if read {
		own.ReadSeq = m.UpTo
	}
	if delivered {
		own.DeliveredSeq = m.UpTo
	}
	var out messaging.Marked
	if read || delivered {
		out.Moved = true
		c.ReceiptVersion++
		own.version = c.ReceiptVersion
		c.moves = append(c.moves, m)
		reached := c.reached[m.UserID]
		reached.delivered = max(reached.delivered, m.UpTo)
		if m.Read {
			reached.read = max(reached.read, m.UpTo)
		}
		c.reached[m.UserID] = reached
	}
	if read {
		e := d.tell(messaging.UserEvent{
			UserID: m.UserID, Type: messaging.OwnPosition, At: m.At, ChatID: m.ChatID,
			DeliveredSeq: own.DeliveredSeq, ReadSeq: own.ReadSeq, Version: own.version,
		})
		out.UserEvent = &e
	}
	out.Watermark = own.watermark()
	return out
}

func (s *stay) watermark() messaging.Watermark {
	return messaging.Watermark{
		ChatID: s.ChatID, UserID: s.UserID,
		DeliveredSeq: s.DeliveredSeq, ReadSeq: s.ReadSeq, Version: s.version,
	}
}

func (s messagingStore) Watermarks(ctx context.Context, viewerID, chatID string, after int64, limit int) ([]messaging.Watermark, int64, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer unlock()
	c, _, err := d.reading(viewerID, chatID)
	if err != nil {
		return nil, 0, err
	}
	moved := c.marksAfter(after)
	return moved[:min(limit, len(moved))], c.ReceiptVersion, nil
}

// marksAfter returns the marks of present members above a receipt version.
func (c *chat) marksAfter(version int64) (moved []messaging.Watermark) {
	for _, member := range c.present {
		if member.version > version {
			moved = append(moved, member.watermark())
		}
	}
	slices.SortFunc(moved, func(a, b messaging.Watermark) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.UserID, b.UserID))
	})
	return moved
}

func (s messagingStore) Marks(ctx context.Context, viewerID string, chatIDs []string, most int) ([]messaging.Watermark, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var marks []messaging.Watermark
	for _, id := range slices.Sorted(slices.Values(chatIDs)) {
		c, _, err := d.reading(viewerID, id)
		if err != nil || len(c.present) > most {
			continue
		}
		for _, user := range slices.Sorted(maps.Keys(c.present)) {
			marks = append(marks, c.present[user].watermark())
		}
	}
	return marks, nil
}

// recipients returns those whose membership covered the place of a message, its
// sender apart. Memberships of one person do not overlap, so each stands once.
func (c *chat) recipients(m *message) []string {
	var ids []string
	for _, s := range c.stays {
		if s.JoinedSeq < m.Seq && (s.left == 0 || m.Seq < s.left) && s.UserID != m.SenderID {
			ids = append(ids, s.UserID)
		}
	}
	return ids
}

// tally counts what receipt would tell of each recipient.
func (c *chat) tally(m *message) (t messaging.Tally) {
	for _, id := range c.recipients(m) {
		t.Recipients++
		if c.reached[id].delivered >= m.Seq {
			t.Delivered++
		}
		if c.reached[id].read >= m.Seq {
			t.Read++
		}
	}
	return t
}

// receipt finds the first moves of a recipient that reached a message.
func (c *chat) receipt(m *message, userID string) messaging.Receipt {
	r := messaging.Receipt{UserID: userID}
	for _, v := range c.moves {
		if v.UserID != userID || v.UpTo < m.Seq {
			continue
		}
		if r.DeliveredAt.IsZero() {
			r.DeliveredAt = v.At
		}
		if v.Read {
			r.ReadAt = v.At
			break
		}
	}
	return r
}

func (s messagingStore) Receipts(ctx context.Context, viewerID, chatID, messageID, after string, limit int) ([]messaging.Receipt, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, _, err := d.reading(viewerID, chatID)
	if err != nil {
		return nil, err
	}
	m, err := c.visible(viewerID, messageID)
	if err != nil {
		return nil, err
	}
	ids := c.recipients(m)
	slices.Sort(ids)
	var page []messaging.Receipt
	for _, id := range ids {
		if id > after && len(page) < limit {
			page = append(page, c.receipt(m, id))
		}
	}
	return page, nil
}
