package memory

import (
	"context"
	"maps"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

func (s messagingStore) News(ctx context.Context, p messaging.Places, limit int) (messaging.StoredNews, error) {
	d, unlock, err := s.read(ctx)
	if err != nil {
		return messaging.StoredNews{}, err
	}
	defer unlock()
	var out messaging.StoredNews
	for _, from := range p.Chats {
		c := d.chats[from.ChatID]
		if c == nil || c.HeadSeq <= from.Seq && c.ReceiptVersion <= from.ReceiptVersion {
			continue
		}
		news := messaging.StoredChatNews{
			Head:  messaging.Head{ChatID: c.ID, Seq: c.HeadSeq, ReceiptVersion: c.ReceiptVersion},
			Marks: c.marksAfter(from.ReceiptVersion),
		}
		for _, e := range c.eventsAfter("", from.Seq, limit) {
			if e.Stored != nil {
				e.HiddenFrom = slices.Sorted(maps.Keys(c.byID[e.MessageID].hidden))
			}
			if e.Type == messaging.MemberAdded || e.Type == messaging.MemberRemoved {
				e.UserSeq = d.placeOf(e.Event)
			}
			news.Events = append(news.Events, e)
		}
		out.Chats = append(out.Chats, news)
	}
	for _, from := range p.Users {
		if feed := d.feeds[from.UserID]; int64(len(feed)) > from.Seq {
			some := feed[from.Seq:min(int(from.Seq)+limit, len(feed))]
			out.Users = append(out.Users, messaging.UserNews{
				UserHead: messaging.UserHead{UserID: from.UserID, Seq: int64(len(feed))},
				Events:   d.joined(some),
			})
		}
	}
	return out, nil
}

// placeOf finds the event of the user's own that was made with one of the chat.
func (d *messagingData) placeOf(e messaging.Event) int64 {
	for _, own := range slices.Backward(d.feeds[e.UserID]) {
		if own.ChatID == e.ChatID && own.HeadSeq == e.Seq && (own.Type == messaging.ChatJoined || own.Type == messaging.ChatLeft) {
			return own.Seq
		}
	}
	return 0
}
