package messaging

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/wigwag-chat/wigwag/errs"
)

const (
	maxSyncChats  = 1000   // chats of a request
	maxSyncEvents = 10_000 // events of an answer, over all chats
	snapshotCost  = defaultPage + MaxPage
)

// Sync implements Service: at most 1,000 chats a request. An answer ends at
// about 10,000 events; the chats that do not fit are left out, with More set.
func (m *Messenger) Sync(ctx context.Context, r SyncRequest) (SyncAnswer, error) {
	limit, err := checkSync(r)
	if err != nil {
		return SyncAnswer{}, err
	}
	// What is committed after the heads were read may be in the answer or not:
	// the cursors in it say so, and what it misses comes live or with the next one.
	heads, err := m.store.Heads(ctx, r.UserID)
	if err != nil {
		return SyncAnswer{}, err
	}
	if void(r, heads) {
		return SyncAnswer{Epoch: heads.Epoch, Reset: true}, nil
	}
	marks, err := m.marks(ctx, r, heads)
	if err != nil {
		return SyncAnswer{}, err
	}
	answer := SyncAnswer{Epoch: heads.Epoch}
	if answer.User, answer.More, err = m.syncUser(ctx, r, heads.UserSeq, limit); err != nil {
		return SyncAnswer{}, err
	}
	room := maxSyncEvents
	for _, head := range heads.Chats { // by chat id
		cursor, asked := r.Chats[head.ChatID]
		if !asked {
			continue
		}
		if room <= 0 && cursor < head.Seq {
			answer.More = true
			continue
		}
		chat, err := m.syncChat(ctx, r.UserID, head, cursor, limit, marks[head.ChatID])
		if errors.Is(err, ErrChatNotFound) { // left since the heads were read; a user event tells
			continue
		}
		if err != nil {
			return SyncAnswer{}, err
		}
		room -= len(chat.Events)
		if chat.TooLong {
			room -= snapshotCost
		}
		answer.More = answer.More || chat.Head < head.Seq
		answer.Chats = append(answer.Chats, chat)
	}
	return answer, nil
}

func checkSync(r SyncRequest) (limit int, err error) {
	if err := checkUser(r.UserID); err != nil {
		return 0, err
	}
	if len(r.Chats) > maxSyncChats {
		return 0, errs.Field("chats", "too_many_chats", "At most 1,000 chats can be named at once.").With("max", maxSyncChats)
	}
	if r.UserSeq < 0 {
		return 0, errs.Field("userSeq", "invalid_sequence", "A sequence is not negative.")
	}
	if len(r.Chats) > 0 && slices.Min(slices.Collect(maps.Values(r.Chats))) < 0 {
		return 0, errs.Field("chats", "invalid_sequence", "A sequence is not negative.")
	}
	return checkLimit(r.Limit, defaultEvents, MaxSync)
}

// void tells whether the cursor belongs to another history than the store's.
func void(r SyncRequest, heads Heads) bool {
	if r.Epoch != "" && r.Epoch != heads.Epoch || r.UserSeq > heads.UserSeq {
		return true
	}
	return slices.ContainsFunc(heads.Chats, func(h Head) bool { return r.Chats[h.ChatID] > h.Seq })
}

func (m *Messenger) syncUser(ctx context.Context, r SyncRequest, head int64, limit int) (UserSync, bool, error) {
	switch behind := head - r.UserSeq; {
	case behind == 0:
		return UserSync{Head: head}, false, nil
	case behind > MaxSync:
		return UserSync{Head: head, TooLong: true}, false, nil
	}
	events, err := m.store.UserEvents(ctx, r.UserID, r.UserSeq, limit)
	if err != nil {
		return UserSync{}, false, err
	}
	user := UserSync{Events: events, Head: head}
	if n := len(events); n > 0 {
		if last := events[n-1].Seq; n == limit || last > head {
			user.Head = last // cut here, or newer than the heads
		}
	}
	return user, user.Head < head, nil
}

// syncChat reads what a chat's cursor misses. marks are those of all members, nil
// where there are too many, or none since the user has left.
func (m *Messenger) syncChat(ctx context.Context, userID string, head Head, cursor int64, limit int, marks []Watermark) (ChatSync, error) {
	chat := ChatSync{ChatID: head.ChatID, Head: cursor, ReceiptVersion: head.ReceiptVersion, Receipts: marks}
	switch behind := head.Seq - cursor; {
	case behind > MaxSync:
		snapshot, err := m.snapshot(ctx, userID, head.ChatID)
		if err != nil {
			return ChatSync{}, err
		}
		chat.TooLong, chat.Snapshot, chat.Head = true, &snapshot, snapshot.Chat.HeadSeq
	case behind > 0:
		events, err := m.Events(ctx, userID, head.ChatID, cursor, limit)
		if err != nil {
			return ChatSync{}, err
		}
		if n := len(events); n > 0 {
			chat.Events, chat.Head = events, events[n-1].Seq
		}
	}
	if marks != nil {
		return chat, nil
	}
	var err error
	chat.Receipts, err = m.greatestReceipts(ctx, userID, head)
	return chat, err
}
