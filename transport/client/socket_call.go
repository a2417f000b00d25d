package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// failed turns a reply back into the error that it began as.
func failed(f api.ServerFrame) error {
	if f.Error == nil {
		return errUnexpected(errs.Internal, 0)
	}
	return f.Error.Err(kindOfCode(f.Error.Code))
}

// ask makes a request, again on the next connection when one is lost before the
// answer, until ctx ends. repeated: an earlier one may have had its effect.
func ask[T any](ctx context.Context, s *Socket, frame func(api.FrameHead) any) (out T, repeated bool, err error) {
	for ; ; repeated = true {
		l, err := s.connected(ctx)
		if err != nil {
			return out, repeated, err
		}
		f, err := l.call(ctx, s.opt.CallTimeout, frame)
		if errors.Is(err, errLost) {
			select {
			case <-l.gone:
				continue
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
		}
		if err != nil {
			return out, repeated, err
		}
		if !f.OK {
			return out, repeated, failed(f)
		}
		if err := json.Unmarshal(f.Data, &out); err != nil {
			return out, repeated, fmt.Errorf("client: answer: %w", err)
		}
		return out, repeated, nil
	}
}

// Send sends a message. While there is no connection it waits, until ctx ends;
// repeats never make a second message.
func (s *Socket) Send(ctx context.Context, chatID string, body api.SendMessage) (api.Message, error) {
	if body.ClientID == "" {
		body.ClientID = rand.Text()
	}
	m, _, err := ask[api.Message](ctx, s, func(h api.FrameHead) any {
		h.Type = api.FrameSend
		return api.SendFrame{FrameHead: h, ChatID: chatID, Text: body.Text, ClientID: body.ClientID, ReplyTo: body.ReplyTo}
	})
	return m, err
}

// Edit replaces the text of one's own message. It waits as Send does.
func (s *Socket) Edit(ctx context.Context, chatID, messageID, text string) (api.Message, error) {
	m, _, err := ask[api.Message](ctx, s, func(h api.FrameHead) any {
		h.Type = api.FrameEdit
		return api.EditFrame{FrameHead: h, ChatID: chatID, MessageID: messageID, Text: text}
	})
	return m, err
}

// Delete deletes a message for everyone. It waits as Send does.
func (s *Socket) Delete(ctx context.Context, chatID, messageID string) error {
	return s.remove(ctx, chatID, messageID, true)
}

// Hide hides a message from oneself alone. It waits as Send does.
func (s *Socket) Hide(ctx context.Context, chatID, messageID string) error {
	return s.remove(ctx, chatID, messageID, false)
}

func (s *Socket) remove(ctx context.Context, chatID, messageID string, forEveryone bool) error {
	_, repeated, err := ask[none](ctx, s, func(h api.FrameHead) any {
		h.Type = api.FrameDelete
		return api.DeleteFrame{FrameHead: h, ChatID: chatID, MessageID: messageID, ForEveryone: forEveryone}
	})
	if repeated && errors.Is(err, messaging.ErrMessageNotFound) {
		return nil // by the first try
	}
	return err
}

// MarkRead tells that everything up to a sequence was read. It waits as Send does.
func (s *Socket) MarkRead(ctx context.Context, chatID string, upTo int64) error {
	return s.mark(ctx, api.FrameRead, chatID, upTo)
}

// MarkDelivered tells that everything up to a sequence has reached this device.
// It waits as Send does.
func (s *Socket) MarkDelivered(ctx context.Context, chatID string, upTo int64) error {
	return s.mark(ctx, api.FrameDelivered, chatID, upTo)
}

func (s *Socket) mark(ctx context.Context, kind, chatID string, upTo int64) error {
	_, _, err := ask[none](ctx, s, func(h api.FrameHead) any {
		h.Type = kind
		return api.MarkFrame{FrameHead: h, ChatID: chatID, UpTo: upTo}
	})
	return err
}

// Typing tells the others of a chat that one is writing, or has stopped. Say it
// again every few seconds; it expires by itself.
func (s *Socket) Typing(ctx context.Context, chatID string, typing bool) error {
	_, _, err := ask[none](ctx, s, func(h api.FrameHead) any {
		h.Type = api.FrameTyping
		return api.TypingFrame{FrameHead: h, ChatID: chatID, Typing: typing}
	})
	return err
}

// View tells which chat is on screen, "" for none, so that no notification of it comes. It holds
// for the connection: say it again when another one has begun.
func (s *Socket) View(ctx context.Context, chatID string) error {
	screen := json.RawMessage("null")
	if chatID != "" {
		screen, _ = json.Marshal(chatID) // a string always encodes
	}
	_, _, err := ask[none](ctx, s, func(h api.FrameHead) any {
		h.Type = api.FrameView
		return api.ViewFrame{FrameHead: h, ChatID: screen}
	})
	return err
}

// Away tells whether one has left the device, which then does not make one online. It
// holds for the connection.
func (s *Socket) Away(ctx context.Context, away bool) error {
	status := "online"
	if away {
		status = "away"
	}
	_, _, err := ask[none](ctx, s, func(h api.FrameHead) any {
		h.Type = api.FramePresence
		return api.PresenceFrame{FrameHead: h, Status: status}
	})
	return err
}

// Sync returns what a cursor misses. The socket does this by itself for its own.
func (s *Socket) Sync(ctx context.Context, cursor api.Sync) (api.SyncAnswer, error) {
	a, _, err := ask[api.SyncAnswer](ctx, s, func(h api.FrameHead) any {
		h.Type = api.FrameSync
		return api.SyncFrame{FrameHead: h, Sync: cursor}
	})
	return a, err
}

// Ping returns once the server has answered.
func (s *Socket) Ping(ctx context.Context) error {
	_, _, err := ask[none](ctx, s, func(h api.FrameHead) any {
		h.Type = api.FramePing
		return h
	})
	return err
}
