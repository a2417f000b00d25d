package messaging

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/wigwag-chat/wigwag/errs"
)

// Send implements Service.
func (m *Messenger) Send(ctx context.Context, r SendRequest) (Message, bool, error) {
	if err := checkChat(r.SenderID, r.ChatID); err != nil {
		return Message{}, false, err
	}
	if err := checkText(r.Text); err != nil {
		return Message{}, false, err
	}
	if err := checkClientID(r.ClientID); err != nil {
		return Message{}, false, err
	}
	missing, err := m.replyMissing(ctx, r)
	if err != nil {
		return Message{}, false, err
	}
	key, err := m.key(ctx, r.ChatID, "")
	if err != nil {
		return Message{}, false, err
	}
	item := NewMessage{
		ID: m.newID(), ChatID: r.ChatID, SenderID: r.SenderID, ClientID: r.ClientID,
		Kind: KindText, CreatedAt: m.time(), ReplyTo: r.ReplyTo, ReplyMissing: missing,
	}
	item.Body = key.seal(r.ChatID, item.ID, 1, r.Text)
	if r.ClientID != "" { // without one nothing can repeat it
		fields := []string{"send", r.SenderID, r.ChatID, string(KindText), r.Text}
		if r.ReplyTo != "" {
			fields = append(fields, r.ReplyTo)
		}
		item.Digest = m.digest(fields...)
	}
	results, err := m.store.Append(ctx, []NewMessage{item})
	if err != nil {
		return Message{}, false, m.failed(err, r.ChatID)
	}
	if len(results) != 1 {
		return Message{}, false, fmt.Errorf("messaging: the store answered %d results for one message", len(results))
	}
	got := &results[0]
	if got.Err != nil {
		return Message{}, false, m.failed(got.Err, r.ChatID)
	}
	if got.Repeated {
		msg, err := m.readable(ctx, r.SenderID, got.Message.ChatID, &got.Message)
		return msg, true, err
	}
	msg := got.Message.show(r.SenderID)
	msg.Text = r.Text
	told := msg // the caller may change his own
	m.publish(Committed{Events: []Event{{
		ChatID: msg.ChatID, Seq: msg.Seq, Type: MessageCreated, At: msg.CreatedAt,
		ActorID: msg.SenderID, MessageID: msg.ID, Message: &told,
	}}})
	return msg, false, nil
}

// replyMissing looks for the message that is answered. Whether it matters the store decides, since a
// repeated request has its answer. It may be deleted before the answer is stored, as it may be afterwards.
func (m *Messenger) replyMissing(ctx context.Context, r SendRequest) (bool, error) {
	switch {
	case r.ReplyTo == "":
		return false, nil
	case !wellFormed(r.ReplyTo):
		return false, ErrMessageNotFound
	}
	_, err := m.store.Message(ctx, r.SenderID, r.ChatID, r.ReplyTo)
	if errors.Is(err, errs.NotFound) {
		return true, nil
	}
	return false, err
}

// digest tells requests apart without keeping them: ciphertexts of one text
// differ, and a plain hash of a short text could be guessed.
func (m *Messenger) digest(fields ...string) []byte {
	mac := hmac.New(sha256.New, m.secret)
	mac.Write(appendFields(nil, fields...))
	return mac.Sum(nil)
}
