package faulty

import (
	"context"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

func markDefects() []Defect {
	return []Defect{
		{
			Name:     "moves a receipt backwards",
			CaughtBy: []string{"marks/merge by maximum"},
			chats:    func(s messaging.Store) messaging.Store { return &marksBackwards{Store: s} },
		},
		{
			Name:     "counts unread wrongly after a delete",
			CaughtBy: []string{"unread/counts messages of others above the mark", "race/history of many writers is whole"},
			chats:    func(s messaging.Store) messaging.Store { return &countsDeleted{Store: s} },
		},
		{
			Name:     "gives unread counts in the order of the ids",
			CaughtBy: []string{"unread/counts stand in the order of the users"},
			chats:    func(s messaging.Store) messaging.Store { return countsInOrderOfIDs{s} },
		},
		{
			Name:     "gives marks of chats of any size",
			CaughtBy: []string{"marks/of many chats"},
			chats:    func(s messaging.Store) messaging.Store { return marksOfAll{s} },
		},
		{
			Name:     "clamps marks beyond the head",
			CaughtBy: []string{"marks/beyond the head is refused"},
			chats:    func(s messaging.Store) messaging.Store { return clampsMarks{s} },
		},
		{
			Name:     "drops the receipts of who left",
			CaughtBy: []string{"receipts/recipients were members at that place"},
			chats:    func(s messaging.Store) messaging.Store { return dropsLeavers{s} },
		},
		{
			Name:     "takes the last time that a mark moved",
			CaughtBy: []string{"receipts/times are those of the first moves"},
			chats:    func(s messaging.Store) messaging.Store { return &lastTime{Store: s} },
		},
		{
			Name:     "says nothing of one's own read position",
			CaughtBy: []string{"marks/read position is an own event"},
			chats:    func(s messaging.Store) messaging.Store { return silentMarks{s} },
		},
	}
}

type marksOfAll struct{ messaging.Store }

func (s marksOfAll) Marks(ctx context.Context, viewerID string, chatIDs []string, _ int) ([]messaging.Watermark, error) {
	return s.Store.Marks(ctx, viewerID, chatIDs, messaging.MaxMembers)
}

// marksBackwards remembers each member's last mark instead of the greatest.
type marksBackwards struct {
	messaging.Store
	last memo[messaging.Mark]
}

func (s *marksBackwards) Mark(ctx context.Context, items []messaging.Mark) ([]messaging.Marked, error) {
	out, err := s.Store.Mark(ctx, items)
	for i := range out {
		if out[i].Err == nil && items[i].Read {
			s.last.set(items[i].ChatID+" "+items[i].UserID, items[i])
			out[i].Watermark.ReadSeq = items[i].UpTo
		}
	}
	return out, err
}

func (s *marksBackwards) Chat(ctx context.Context, viewer, chat string) (messaging.StoredView, error) {
	v, err := s.Store.Chat(ctx, viewer, chat)
	if last, ok := s.last.get(chat + " " + viewer); ok {
		v.Own.ReadSeq = last.UpTo
	}
	return v, err
}

type countsDeleted struct {
	messaging.Store
	deleted memo[int]
}

func (s *countsDeleted) Delete(ctx context.Context, d messaging.DeleteMessage) (messaging.Changed, error) {
	out, err := s.Store.Delete(ctx, d)
	if err == nil {
		n, _ := s.deleted.get(d.ChatID)
		s.deleted.set(d.ChatID, n+1)
	}
	return out, err
}

func (s *countsDeleted) Unread(ctx context.Context, chat string, users []string) ([]messaging.UnreadCount, error) {
	counts, err := s.Store.Unread(ctx, chat, users)
	for i := range counts {
		if more, _ := s.deleted.get(chat); counts[i].Chat > 0 {
			counts[i].Chat += more
			counts[i].Total += more
		}
	}
	return counts, err
}

type countsInOrderOfIDs struct{ messaging.Store }

func (s countsInOrderOfIDs) Unread(ctx context.Context, chat string, users []string) ([]messaging.UnreadCount, error) {
	return s.Store.Unread(ctx, chat, slices.Sorted(slices.Values(users)))
}

type clampsMarks struct{ messaging.Store }

func (s clampsMarks) Mark(ctx context.Context, items []messaging.Mark) ([]messaging.Marked, error) {
	clamped := slices.Clone(items)
	for i := range clamped {
		if v, err := s.Chat(ctx, clamped[i].UserID, clamped[i].ChatID); err == nil {
			clamped[i].UpTo = min(clamped[i].UpTo, v.HeadSeq)
		}
	}
	return s.Store.Mark(ctx, clamped)
}

type dropsLeavers struct{ messaging.Store }

func (s dropsLeavers) Receipts(ctx context.Context, viewer, chat, message, after string, limit int) ([]messaging.Receipt, error) {
	page, err := s.Store.Receipts(ctx, viewer, chat, message, after, limit)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(page, func(r messaging.Receipt) bool {
		_, err := s.Chat(ctx, r.UserID, chat)
		return err != nil
	}), nil
}

type lastTime struct {
	messaging.Store
	last memo[messaging.Mark]
}

func (s *lastTime) Mark(ctx context.Context, items []messaging.Mark) ([]messaging.Marked, error) {
	out, err := s.Store.Mark(ctx, items)
	for i := range out {
		if out[i].Moved && items[i].Read {
			s.last.set(items[i].ChatID+" "+items[i].UserID, items[i])
		}
	}
	return out, err
}

func (s *lastTime) Receipts(ctx context.Context, viewer, chat, message, after string, limit int) ([]messaging.Receipt, error) {
	page, err := s.Store.Receipts(ctx, viewer, chat, message, after, limit)
	for i := range page {
		if last, ok := s.last.get(chat + " " + page[i].UserID); ok && !page[i].ReadAt.IsZero() {
			page[i].ReadAt = last.At
		}
	}
	return page, err
}

type silentMarks struct{ messaging.Store }

func (s silentMarks) Mark(ctx context.Context, items []messaging.Mark) ([]messaging.Marked, error) {
	out, err := s.Store.Mark(ctx, items)
	for i := range out {
		out[i].UserEvent = nil
	}
	return out, err
}
