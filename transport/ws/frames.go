package ws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/users"
)

// maxFrameID bounds the id of a frame, which its reply repeats.
const maxFrameID = 128

var (
	errUnknownType = errs.Field("type", "unknown_type", "There is no frame of this type.")
	errFrameID     = errs.Field("id", "invalid_id", "The id of a frame has at most 128 bytes.")
)

// readHead reads what every frame has, and leaves the rest to be judged by its
// type. errBadFrame: it is not one JSON object in UTF-8.
func readHead(data []byte) (head api.FrameHead, err error) {
	var fields map[string]json.RawMessage
	if !utf8.Valid(data) || json.Unmarshal(data, &fields) != nil || fields == nil {
		return head, errBadFrame
	}
	for name, to := range map[string]*string{"id": &head.ID, "type": &head.Type} {
		if raw, ok := fields[name]; ok && (json.Unmarshal(raw, to) != nil || string(raw) == "null") {
			err = api.ErrInvalidField.With("field", name)
		}
	}
	if len(head.ID) > maxFrameID {
		head.ID, err = "", errFrameID
	}
	return head, err
}

// frame answers one frame. An error ends the connection: what is not one JSON
// object. Everything else is told in the reply.
func (s *session) frame(ctx context.Context, data []byte) error {
	if f, ok := api.DecodeHot(data); ok && len(f.ID) <= maxFrameID {
		answer, err := s.try(ctx, f.Type, func() (any, error) { return s.hot(ctx, f) })
		s.reply(f.ID, answer, err)
		return nil
	}
	head, err := readHead(data)
	if errors.Is(err, errBadFrame) {
		return err
	}
	var answer any
	if err == nil {
		err = api.Check(data)
	}
	if err == nil {
		answer, err = s.try(ctx, head.Type, func() (any, error) { return s.answer(ctx, head.Type, data) })
	}
	s.reply(head.ID, answer, err)
	return nil
}

// try answers, and survives what a bug makes of it.
func (s *session) try(ctx context.Context, kind string, do func() (any, error)) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		if err != nil && ctx.Err() == nil && errs.KindOf(err) == errs.Internal {
			s.h.Logger.Error("frame failed", "type", kind, "error", err)
		}
	}()
	return do()
}

// The scopes of frames, those of the same calls over HTTP.
const (
	scopeRead  = "messages:read"
	scopeWrite = "messages:write"
)

func (s *session) answer(ctx context.Context, kind string, data []byte) (any, error) {
	switch kind {
	case api.FrameSend, api.FrameEdit, api.FrameDelete, api.FrameRead, api.FrameDelivered, api.FrameTyping:
		if err := s.id.Require(scopeWrite); err != nil {
			return nil, err
		}
	}
	switch kind {
	case api.FrameSend:
		return decoded(data, func(f api.SendFrame) (any, error) {
			return s.hot(ctx, api.HotFrame{FrameHead: f.FrameHead, ChatID: f.ChatID, Text: f.Text, ClientID: f.ClientID, ReplyTo: f.ReplyTo})
		})
	case api.FrameEdit:
		return decoded(data, func(f api.EditFrame) (any, error) {
			m, err := s.h.Messaging.Edit(ctx, messaging.EditRequest{
				UserID: s.id.UserID, ChatID: f.ChatID, MessageID: f.MessageID, Text: f.Text,
			})
			return shown(m, s.id.UserID), err
		})
	case api.FrameDelete:
		return decoded(data, func(f api.DeleteFrame) (any, error) {
			return api.Empty{}, s.h.Messaging.Delete(ctx, messaging.DeleteRequest{
				UserID: s.id.UserID, ChatID: f.ChatID, MessageID: f.MessageID, ForEveryone: f.ForEveryone,
			})
		})
	case api.FrameRead, api.FrameDelivered:
		return decoded(data, func(f api.MarkFrame) (any, error) {
			return s.hot(ctx, api.HotFrame{FrameHead: f.FrameHead, ChatID: f.ChatID, UpTo: f.UpTo})
		})
	case api.FrameTyping:
		return decoded(data, func(f api.TypingFrame) (any, error) {
			return api.Empty{}, s.h.Feed.Typing(ctx, s.h.Messaging, f.ChatID, s.id.UserID, f.Typing)
		})
	case api.FrameView:
		return decoded(data, func(f api.ViewFrame) (any, error) {
			chatID, err := f.Chat()
			if err != nil {
				return nil, err
			}
			return api.Empty{}, s.h.Feed.View(ctx, s.h.Messaging, s.queue, s.id.UserID, chatID)
		})
	case api.FramePresence:
		return decoded(data, func(f api.PresenceFrame) (any, error) {
			away, err := f.Away()
			if err != nil {
				return nil, err
			}
			return api.Empty{}, s.h.Feed.Away(ctx, s.queue, s.id.UserID, away)
		})
	case api.FrameSync:
		return decoded(data, func(f api.SyncFrame) (any, error) { return s.sync(ctx, f.Sync) })
	case api.FrameAuth:
		return decoded(data, func(f api.AuthFrame) (any, error) { return api.Empty{}, s.renew(ctx, f.Token) })
	case api.FramePing:
		return decoded(data, func(api.FrameHead) (any, error) { return api.Empty{}, nil })
	}
	return nil, errUnknownType
}

// hot answers a message, or a moved watermark.
func (s *session) hot(ctx context.Context, f api.HotFrame) (any, error) {
	if err := s.id.Require(scopeWrite); err != nil {
		return nil, err
	}
	if f.Type == api.FrameSend {
		m, _, err := s.h.Messaging.Send(ctx, messaging.SendRequest{
			SenderID: s.id.UserID, ChatID: f.ChatID, Text: f.Text, ClientID: f.ClientID, ReplyTo: f.ReplyTo,
		})
		if err != nil {
			return nil, err
		}
		return shown(m, s.id.UserID), nil
	}
	return api.Empty{}, s.h.Messaging.Mark(ctx, messaging.MarkRequest{
		UserID: s.id.UserID, ChatID: f.ChatID, Read: f.Type == api.FrameRead, UpTo: f.UpTo,
	})
}

// shown is a message for its reply.
func shown(m messaging.Message, viewerID string) *api.Message {
	out := api.FromMessage(m, viewerID)
	return &out
}

// decoded reads a frame strictly and answers it.
func decoded[F any](data []byte, answer func(F) (any, error)) (any, error) {
	var f F
	err := api.Decode(data, &f)
	if e, ok := errors.AsType[*errs.Error](err); ok {
		if field, _ := e.Details()["field"].(string); strings.HasPrefix(field, "Sync.") {
			return nil, e.With("field", strings.TrimPrefix(field, "Sync.")) // encoding/json names embedded structs too
		}
	}
	if err != nil {
		return nil, err
	}
	return answer(f)
}

func (s *session) sync(ctx context.Context, r api.Sync) (any, error) {
	a, err := s.h.Messaging.Sync(ctx, r.Request(s.id.UserID))
	if err != nil {
		return nil, err
	}
	people := make(map[string]users.User)
	for ids := range slices.Chunk(api.PeopleOf(a), api.MaxPage) {
		found, err := s.h.Users.Users(ctx, s.id.UserID, ids)
		if err != nil {
			return nil, err
		}
		for _, u := range found {
			people[u.UserID] = u
		}
	}
	answer := api.FromSync(a, s.id.UserID, people)
	if api.ChangesSettings(a) {
		now, err := s.h.Users.Settings(ctx, s.id.UserID)
		if err != nil {
			return nil, err
		}
		answer.FillSettings(now)
	}
	return answer, nil
}

// renew replaces the credential by a newer one of the same session.
func (s *session) renew(ctx context.Context, token string) error {
	id, err := s.h.Authenticator.Token(ctx, token)
	if err != nil {
		return err
	}
	if id.UserID != s.id.UserID || id.SessionID != s.id.SessionID {
		return auth.ErrTokenInvalid
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expires = id.ExpiresAt
	s.timer.Reset(s.untilTick(s.h.Now()))
	return nil
}

func (s *session) reply(to string, data any, err error) { s.queue.Answer(replyBody(to, data, err)) }

func replyBody(to string, data any, err error) []byte {
	r := api.Reply{ReplyTo: to, OK: err == nil, Data: data}
	if err != nil {
		f := api.FromError(err)
		r.Data, r.Error = nil, &f
	}
	return r.AppendJSON(make([]byte, 0, replySize))
}

// replySize is about the length of a reply with a message.
const replySize = 512
