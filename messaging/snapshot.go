package messaging

import (
	"context"
	"fmt"
)

// allReceipts is up to how many members a sync answer tells each one's marks.
const allReceipts = 64

// snapshot reads a chat from scratch. The view comes first: its HeadSeq is the
// client's cursor, and events above it that the later reads know already apply
// a second time without harm.
func (m *Messenger) snapshot(ctx context.Context, userID, chatID string) (Snapshot, error) {
	var s Snapshot
	var err error
	if s.Chat, err = m.Chat(ctx, userID, chatID); err != nil {
		return Snapshot{}, err
	}
	if s.Members, err = m.store.Members(ctx, userID, chatID, "", MaxPage); err != nil {
		return Snapshot{}, err
	}
	s.Messages, err = m.Messages(ctx, userID, chatID, Window{})
	return s, err
}

// marks reads the watermarks of the small ones of the chats that are asked for. They
// carry the version of the head: they are at least as new.
func (m *Messenger) marks(ctx context.Context, r SyncRequest, heads Heads) (map[string][]Watermark, error) {
	var ids []string
	version := make(map[string]int64)
	for _, h := range heads.Chats {
		if _, asked := r.Chats[h.ChatID]; asked {
			ids = append(ids, h.ChatID)
			version[h.ChatID] = h.ReceiptVersion
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := m.store.Marks(ctx, r.UserID, ids, allReceipts)
	if err != nil {
		return nil, err
	}
	byChat := make(map[string][]Watermark, len(ids))
	for from, i := 0, 0; i < len(all); i++ {
		id := all[i].ChatID
		all[i].Version = version[id]
		if all[from].ChatID != id {
			from = i
		}
		byChat[id] = all[from : i+1 : i+1]
	}
	return byChat, nil
}

// greatestReceipts is what a large group's client needs to tell that somebody
// has a message: whoever of the others read furthest, whoever received
// furthest, and the viewer's own marks.
func (m *Messenger) greatestReceipts(ctx context.Context, userID string, head Head) ([]Watermark, error) {
	moved, _, err := m.store.Watermarks(ctx, userID, head.ChatID, 0, MaxMembers)
	if err != nil {
		return nil, err
	}
	var read, delivered, own *Watermark
	for i := range moved {
		w := &moved[i]
		switch {
		case w.UserID == userID:
			own = w
			continue
		case read == nil || w.ReadSeq > read.ReadSeq:
			read = w
		}
		if delivered == nil || w.DeliveredSeq > delivered.DeliveredSeq {
			delivered = w
		}
	}
	if own == nil { // never moved
		view, err := m.store.Chat(ctx, userID, head.ChatID)
		if err != nil {
			return nil, fmt.Errorf("messaging: own marks: %w", err)
		}
		w := view.Own.watermark(head.ReceiptVersion)
		own = &w
	}
	marks := []Watermark{*own}
	if read != nil {
		marks = append(marks, *read)
	}
	if delivered != nil && delivered != read {
		marks = append(marks, *delivered)
	}
	return marks, nil
}

func (m Member) watermark(version int64) Watermark {
	return Watermark{
		ChatID: m.ChatID, UserID: m.UserID,
		DeliveredSeq: m.DeliveredSeq, ReadSeq: m.ReadSeq, Version: version,
	}
}
