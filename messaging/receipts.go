package messaging

import (
	"context"
	"fmt"

	"github.com/wigwag-chat/wigwag/errs"
)

// Mark implements Service. UpTo 0 moves nothing.
func (m *Messenger) Mark(ctx context.Context, r MarkRequest) error {
	if err := checkChat(r.UserID, r.ChatID); err != nil {
		return err
	}
	if r.UpTo < 0 || r.UpTo > 0 && r.MessageID != "" {
		return errs.Field("upTo", "invalid_sequence", "Give a sequence that is not negative, or a message.")
	}
	if r.MessageID != "" {
		if !wellFormed(r.MessageID) {
			return ErrMessageNotFound
		}
		msg, err := m.store.Message(ctx, r.UserID, r.ChatID, r.MessageID)
		if err != nil {
			return err
		}
		r.UpTo = msg.Seq
	}
	results, err := m.store.Mark(ctx, []Mark{{
		ChatID: r.ChatID, UserID: r.UserID, Read: r.Read, UpTo: r.UpTo, At: m.time(),
	}})
	if err != nil {
		return m.failed(err, "", r.UserID) // the next mark tells the others
	}
	if len(results) != 1 {
		return fmt.Errorf("messaging: the store answered %d results for one mark", len(results))
	}
	got := results[0]
	if got.Err != nil {
		return m.failed(got.Err, "", r.UserID)
	}
	if !got.Moved {
		if !r.Read {
			return nil
		}
		return m.setPreferences(ctx, SetPreferences{ChatID: r.ChatID, UserID: r.UserID, MarkedUnread: new(false)})
	}
	told := Committed{Marks: []Watermark{got.Watermark}}
	if got.UserEvent != nil {
		told.UserEvents = []UserEvent{*got.UserEvent}
	}
	m.publish(told)
	return nil
}

// Receipts implements Service.
func (m *Messenger) Receipts(ctx context.Context, userID, chatID, messageID string, r List) (Page[Receipt], error) {
	if err := checkMessage(userID, chatID, messageID); err != nil {
		return Page[Receipt]{}, err
	}
	limit, from, err := r.parse(receiptList)
	if err != nil {
		return Page[Receipt]{}, err
	}
	receipts, err := m.store.Receipts(ctx, userID, chatID, messageID, from.id, limit+1)
	if err != nil {
		return Page[Receipt]{}, err
	}
	return cut(receipts, limit, receiptList, func(r Receipt) cursor { return cursor{id: r.UserID} }), nil
}

// Unread implements Service.
func (m *Messenger) Unread(ctx context.Context, chatID string, userIDs []string) ([]UnreadCount, error) {
	if len(userIDs) > MaxUnread {
		return nil, errs.Field("userIds", "too_many_users", "Unread messages of at most 1,000 users can be counted at once.").With("max", MaxUnread)
	}
	for _, id := range userIDs {
		if err := checkUser(id); err != nil {
			return nil, err
		}
	}
	if !wellFormed(chatID) {
		chatID = ""
	}
	return m.store.Unread(ctx, chatID, userIDs)
}
