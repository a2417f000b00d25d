package bunstore

import (
	"bytes"
	"context"

	"github.com/wigwag-chat/wigwag/messaging"
)

// Append implements messaging.Store.
func (c chats) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	jobs, refused := make([]job, 0, len(items)), map[int]error(nil)
	for i := range items {
		if err := validMessage(&items[i]); err != nil {
			refused = refuse(refused, i, err)
			continue
		}
		jobs = append(jobs, job{append: &items[i]})
	}
	return answers(ctx, c.s, jobs,
		func(o outcome) messaging.Appended { return o.appended },
		func(err error) messaging.Appended { return messaging.Appended{Err: err} }, refused)
}

// name is a sender's own name for a message.
type name struct{ senderID, clientID string }

// named is a message that has its sender's name already.
type named struct {
	id      string
	deleted bool
	digest  []byte
	fresh   *messaging.StoredMessage // of this batch; nil: of an earlier one
}

// appendAll gives messages their places.
func (r *round) appendAll() *Call {
	c := r.messages.call(len(r.jobs), nil)
	for i, j := range r.jobs {
		if j.append == nil {
			continue
		}
		n, out := j.append, &r.results[i].Value
		if known := r.names[name{n.SenderID, n.ClientID}]; known != nil && n.ClientID != "" {
			out.repeat(n, known)
			continue
		}
		head, span, err := r.stands(n.ChatID, n.SenderID)
		if err == nil {
			err = head.permits(span, micros(n.CreatedAt))
		}
		if err == nil && n.ReplyMissing {
			err = messaging.ErrMessageNotFound
		}
		if err != nil {
			r.doubt = r.doubt || r.trusting && n.ClientID != "" // a repeat is told again all the same
			out.appended.Err = err
			continue
		}
		head.changed = true
		span.LastSent = micros(n.CreatedAt)
		head.seq++
		head.ordinal++
		head.lastMessageAt = micros(n.CreatedAt)
		head.activityAt = head.lastMessageAt
		out.appended.Message = messaging.StoredMessage{
			Message: messaging.Message{
				ID: n.ID, ChatID: n.ChatID, Seq: head.seq, SenderID: n.SenderID, ClientID: n.ClientID,
				Kind: n.Kind, CreatedAt: n.CreatedAt, ReplyTo: n.ReplyTo,
				Tally: messaging.Tally{Recipients: head.members - 1},
			},
			Body: n.Body, Revision: 1, Digest: n.Digest,
		}
		if n.ClientID != "" {
			r.names[name{n.SenderID, n.ClientID}] = &named{digest: n.Digest, fresh: &out.appended.Message}
		}
		c.text(n.ID, n.ChatID, n.SenderID, n.ClientID, string(n.Kind), n.Body.KeyID, n.ReplyTo).blob(n.Body.Data, n.Digest).
			int(head.seq, head.ordinal, micros(n.CreatedAt), never)
	}
	return c
}

// repeat answers a request whose name was used. A tombstone has no digest:
// whatever the request was, it is the first one's.
func (o *outcome) repeat(n *messaging.NewMessage, known *named) {
	switch {
	case !known.deleted && !bytes.Equal(known.digest, n.Digest):
		o.appended.Err = messaging.ErrClientIDReused
	case known.fresh != nil:
		o.appended.Message, o.appended.Repeated = *known.fresh, true
	default:
		o.repeats, o.appended.Repeated = known.id, true
	}
}
