package bunstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/messaging"
)

// News implements messaging.Store.
func (c chats) News(ctx context.Context, p messaging.Places, limit int) (messaging.StoredNews, error) {
	if err := valid(p); err != nil {
		return messaging.StoredNews{}, err
	}
	var out messaging.StoredNews
	err := c.s.read(ctx, func(ctx context.Context, db bun.IDB) (err error) {
		out = messaging.StoredNews{}
		if out.Chats, err = chatNews(ctx, db, p.Chats, limit); err != nil {
			return err
		}
		out.Users, err = userNews(ctx, db, p.Users, limit)
		return err
	})
	return out, err
}

func chatNews(ctx context.Context, db bun.IDB, places []messaging.Head, limit int) (out []messaging.StoredChatNews, err error) {
	if len(places) == 0 {
		return nil, nil
	}
	ids := make([]string, len(places))
	for i, p := range places {
		ids[i] = p.ChatID
	}
	type row struct {
		ID             string
		HeadSeq        int64
		ReceiptVersion int64
	}
	rows, err := list[row](ctx, db, "SELECT id, head_seq, receipt_version FROM chats WHERE id IN (?)", bun.List(ids))
	if err != nil {
		return nil, err
	}
	now := make(map[string]row, len(rows))
	for _, r := range rows {
		now[r.ID] = r
	}
	for _, p := range places {
		head := now[p.ChatID] // zero where there is no such chat
		news := messaging.StoredChatNews{Head: messaging.Head{ChatID: p.ChatID, Seq: head.HeadSeq, ReceiptVersion: head.ReceiptVersion}}
		if head.HeadSeq > p.Seq {
			if news.Events, err = publishedAfter(ctx, db, p.ChatID, p.Seq, limit); err != nil {
				return nil, err
			}
		}
		if head.ReceiptVersion > p.ReceiptVersion {
			if news.Marks, err = marksAfter(ctx, db, p.ChatID, p.ReceiptVersion, messaging.MaxMembers); err != nil {
				return nil, err
			}
		}
		if head.HeadSeq > p.Seq || head.ReceiptVersion > p.ReceiptVersion {
			out = append(out, news)
		}
	}
	return out, nil
}

// publishedAfter reads events with what is told of them when they are published.
func publishedAfter(ctx context.Context, db bun.IDB, chatID string, after int64, limit int) ([]messaging.StoredEvent, error) {
	events, err := eventsAfter(ctx, db, "", chatID, after, limit)
	if err != nil {
		return nil, err
	}
	var messages, members []int64
	for _, e := range events {
		switch {
		case e.Stored != nil:
			messages = append(messages, e.Stored.Seq)
		case e.Type == messaging.MemberAdded || e.Type == messaging.MemberRemoved:
			members = append(members, e.Seq)
		}
	}
	hidden := make(map[int64][]string)
	if len(messages) > 0 {
		rows, err := list[struct {
			Seq    int64
			UserID string
		}](ctx, db, "SELECT seq, user_id FROM hidden WHERE chat_id = ? AND seq IN (?) ORDER BY seq, user_id", chatID, bun.List(messages))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			hidden[r.Seq] = append(hidden[r.Seq], r.UserID)
		}
	}
	places := make(map[int64]int64)
	if len(members) > 0 {
		// The newest first: what is asked about has just happened.
		rows, err := list[struct{ Seq, UserSeq int64 }](ctx, db, `SELECT e.seq, COALESCE((SELECT u.seq FROM user_events AS u
				WHERE u.user_id = e.user_id AND u.chat_id = e.chat_id AND u.head_seq = e.seq AND u.type IN (?, ?)
				ORDER BY u.seq DESC LIMIT 1), 0) AS user_seq
			FROM chat_events AS e WHERE e.chat_id = ? AND e.seq IN (?)`,
			string(messaging.ChatJoined), string(messaging.ChatLeft), chatID, bun.List(members))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			places[r.Seq] = r.UserSeq
		}
	}
	for i := range events {
		e := &events[i]
		e.UserSeq = places[e.Seq]
		if e.Stored != nil {
			e.HiddenFrom = hidden[e.Stored.Seq]
		}
	}
	return events, nil
}

func userNews(ctx context.Context, db bun.IDB, places []messaging.UserHead, limit int) (out []messaging.UserNews, err error) {
	if len(places) == 0 {
		return nil, nil
	}
	ids := make([]string, len(places))
	for i, p := range places {
		ids[i] = p.UserID
	}
	heads, err := list[messaging.UserHead](ctx, db, "SELECT user_id, seq FROM user_heads WHERE user_id IN (?)", bun.List(ids))
	if err != nil {
		return nil, err
	}
	now := make(map[string]messaging.UserHead, len(heads))
	for _, h := range heads {
		now[h.UserID] = h
	}
	for _, p := range places {
		head := now[p.UserID]
		if head.Seq <= p.Seq {
			continue
		}
		events, err := userEventsAfter(ctx, db, p.UserID, p.Seq, limit)
		if err != nil {
			return nil, err
		}
		out = append(out, messaging.UserNews{UserHead: head, Events: events})
	}
	return out, nil
}
