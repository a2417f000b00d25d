package bunstore

import (
	"context"
	"maps"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

// The kinds of moves in the log.
const (
	moveDelivered = "delivered"
	moveRead      = "read"
)

// Mark implements messaging.Store.
func (c chats) Mark(ctx context.Context, items []messaging.Mark) ([]messaging.Marked, error) {
	jobs, refused := make([]job, 0, len(items)), map[int]error(nil)
	for i := range items {
		if err := valid(items[i]); err != nil {
			refused = refuse(refused, i, err)
			continue
		}
		jobs = append(jobs, job{mark: &items[i]})
	}
	return answers(ctx, c.s, jobs,
		func(o outcome) messaging.Marked { return o.marked },
		func(err error) messaging.Marked { return messaging.Marked{Err: err} }, refused)
}

// markAll moves watermarks, and returns what saves them.
func (r *round) markAll() []*Call {
	log := r.moves.call(len(r.jobs), nil)
	moved := make(map[*spanRow]struct{})
	var events []*messaging.UserEvent
	for i, j := range r.jobs {
		if j.mark == nil {
			continue
		}
		m, out := j.mark, &r.results[i].Value.marked
		head, span, err := r.stands(m.ChatID, m.UserID)
		if err == nil && m.UpTo > head.seq {
			err = messaging.ErrBeyondHead
		}
		if err != nil {
			out.Err = err
			continue
		}
		delivered, read := m.UpTo > span.DeliveredSeq, m.Read && m.UpTo > span.ReadSeq
		if delivered {
			span.DeliveredSeq, span.ReachedDelivered = m.UpTo, m.UpTo
			log.text(m.ChatID, m.UserID, moveDelivered).int(m.UpTo, micros(m.At))
		}
		if delivered || read {
			head.changed = true
			head.receiptVersion++
			span.MarkVersion = head.receiptVersion
			moved[span] = struct{}{}
			out.Moved = true
		}
		if read {
			span.ReadSeq, span.ReachedRead = m.UpTo, m.UpTo
			span.ReadOrdinal = r.ordinal(head, m.UpTo)
			log.text(m.ChatID, m.UserID, moveRead).int(m.UpTo, micros(m.At))
			out.UserEvent = &messaging.UserEvent{
				UserID: m.UserID, Type: messaging.OwnPosition, At: m.At, ChatID: m.ChatID,
				DeliveredSeq: span.DeliveredSeq, ReadSeq: span.ReadSeq, Version: head.receiptVersion,
			}
			events = append(events, out.UserEvent)
		}
		out.Watermark = span.watermark()
	}
	if len(moved) == 0 {
		return nil
	}
	spans := r.saveSpans.call(len(moved), nil)
	for s := range moved {
		spans.text(s.ChatID, s.UserID).int(s.DeliveredSeq, s.ReadSeq, s.ReadOrdinal, s.MarkVersion, s.ReachedDelivered, s.ReachedRead)
	}
	return append([]*Call{spans, log}, r.number(events)...)
}

// number gives events their places in their users' sequences, those of one user
// in the order given.
func (r *round) number(events []*messaging.UserEvent) []*Call {
	later := make(map[string]int64)
	r.numbered = make(map[point]*messaging.UserEvent, len(events))
	rows := r.userEvents.call(len(events), func(row Row) {
		r.numbered[point{row.Text(0), row.Int(1)}].Seq = row.Int(2)
	})
	for _, e := range slices.Backward(events) {
		rows.text(e.UserID, string(e.Type), e.ChatID).int(later[e.UserID], micros(e.At), e.DeliveredSeq, e.ReadSeq, e.Version)
		later[e.UserID]++
		r.numbered[point{e.ChatID, e.Version}] = e
	}
	heads := r.userHeads.call(len(later), nil)
	for _, id := range slices.Sorted(maps.Keys(later)) {
		heads.text(id).int(later[id])
	}
	return []*Call{heads, rows}
}
