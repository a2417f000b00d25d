package bunstore

import (
	"bytes"
	"context"

	"github.com/uptrace/bun"

	"github.com/wigwag-chat/wigwag/internal/batch"
	"github.com/wigwag-chat/wigwag/messaging"
)

// Append implements messaging.Store.
func (c chats) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	jobs, refused := make([]job, 0, len(items)), map[int]error{}
	for i := range items {
		if err := valid(items[i]); err != nil {
			refused[i] = err
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

// appendAll stores the messages of a batch under the locked heads of their chats.
func appendAll(ctx context.Context, tx bun.Tx, heads map[string]*chatRow, spans map[place]*spanRow, jobs []job, results []batch.Result[outcome]) error {
	known, err := knownNames(ctx, tx, jobs)
	if err != nil {
		return err
	}
	var rows tuples
	for i, j := range jobs {
		if j.append == nil {
			continue
		}
		n, out := j.append, &results[i].Value.appended
		if m, ok := known[name{n.SenderID, n.ClientID}]; ok && n.ClientID != "" {
			// A tombstone has no digest: whatever the request was, it is the first one's.
			if !m.Deleted && !bytes.Equal(m.Digest, n.Digest) {
				out.Err = messaging.ErrClientIDReused
			} else {
				out.Message, out.Repeated = *m, true
			}
			continue
		}
		head, span := heads[n.ChatID], spans[place{n.ChatID, n.SenderID}]
		switch {
		case head == nil || span == nil:
			out.Err = messaging.ErrChatNotFound
			continue
		case !span.present():
			out.Err = messaging.ErrNotAMember
			continue
		}
		head.changed = true
		head.HeadSeq++
		head.Ordinal++
		head.LastMessageAt = micros(n.CreatedAt)
		head.ActivityAt = head.LastMessageAt
		out.Message = messaging.StoredMessage{
			Message: messaging.Message{
				ID: n.ID, ChatID: n.ChatID, Seq: head.HeadSeq, SenderID: n.SenderID, ClientID: n.ClientID,
				Kind: n.Kind, CreatedAt: n.CreatedAt,
				Tally: messaging.Tally{Recipients: head.MemberCount - 1},
			},
			Body: n.Body, Revision: 1, Digest: n.Digest,
		}
		if n.ClientID != "" {
			known[name{n.SenderID, n.ClientID}] = &out.Message
		}
		rows = append(rows, []any{
			n.ID, n.ChatID, head.HeadSeq, head.Ordinal, n.SenderID, n.ClientID, string(n.Kind),
			n.Body.KeyID, n.Body.Data, 1, n.Digest, micros(n.CreatedAt), never, false,
		})
	}
	if len(rows) == 0 {
		return nil
	}
	n, err := exec(ctx, tx, `INSERT INTO messages (id, chat_id, seq, ordinal, sender_id, client_id, kind,
		key_id, body, revision, digest, created_at, edited_at, deleted) VALUES ?`, rows)
	return must(len(rows), n, err)
}

// knownNames returns the messages that the client ids of a batch name already.
func knownNames(ctx context.Context, tx bun.Tx, jobs []job) (map[name]*messaging.StoredMessage, error) {
	known := make(map[name]*messaging.StoredMessage)
	var names tuples
	for _, j := range jobs {
		if j.append != nil && j.append.ClientID != "" {
			names = append(names, []any{j.append.SenderID, j.append.ClientID})
		}
	}
	if len(names) == 0 {
		return known, nil
	}
	// The condition on client_id lets the partial index serve.
	rows, err := list[messageRow](ctx, tx, `WITH v (sender_id, client_id) AS (VALUES ?) SELECT `+messageColumns+`, EXISTS (`+hiddenBySender+`) AS hidden
		FROM v JOIN messages AS g ON g.sender_id = v.sender_id AND g.client_id = v.client_id AND g.client_id <> ''`, names)
	if err != nil || len(rows) == 0 {
		return known, err
	}
	messages := make([]messaging.StoredMessage, len(rows))
	refs := make([]*messaging.StoredMessage, len(rows))
	for i := range rows {
		messages[i] = rows[i].stored()
		refs[i] = &messages[i]
		known[name{rows[i].SenderID, rows[i].ClientID}] = refs[i]
	}
	return known, fillTallies(ctx, tx, refs)
}

const hiddenBySender = `SELECT 1 FROM hidden AS h WHERE h.user_id = g.sender_id AND h.chat_id = g.chat_id AND h.seq = g.seq`
