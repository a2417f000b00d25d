package api

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the message as encoding/json writes it, byte for byte, and
// returns the extended slice. It neither reflects nor allocates.
func (m *Message) AppendJSON(dst []byte) []byte {
	dst = appendText(append(dst, `{"id":`...), m.ID)
	dst = appendText(append(dst, `,"chatId":`...), m.ChatID)
	dst = strconv.AppendInt(append(dst, `,"seq":`...), m.Seq, 10)
	dst = appendText(append(dst, `,"senderId":`...), m.SenderID)
	dst = appendGiven(dst, `,"clientId":`, m.ClientID)
	dst = appendText(append(dst, `,"kind":`...), m.Kind)
	dst = appendGiven(dst, `,"text":`, m.Text)
	dst = appendList(append(dst, `,"media":`...), m.Media)
	dst = appendList(append(dst, `,"entities":`...), m.Entities)
	dst = appendGiven(dst, `,"replyTo":`, m.ReplyTo)
	dst = appendReactions(append(dst, `,"reactions":`...), m.Reactions)
	dst = strconv.AppendBool(append(dst, `,"isEdited":`...), m.IsEdited)
	if !m.EditedAt.IsZero() {
		dst = appendTime(append(dst, `,"editedAt":`...), m.EditedAt)
	}
	dst = strconv.AppendBool(append(dst, `,"isDeleted":`...), m.IsDeleted)
	dst = appendTime(append(dst, `,"createdAt":`...), m.CreatedAt)
	dst = appendGiven(dst, `,"status":`, m.Status)
	dst = appendCount(dst, `,"deliveredCount":`, m.DeliveredCount)
	dst = appendCount(dst, `,"readCount":`, m.ReadCount)
	return append(dst, '}')
}

func appendReactions(dst []byte, list []Reaction) []byte {
	if list == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, r := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(append(dst, `{"emoji":`...), r.Emoji)
		dst = strconv.AppendInt(append(dst, `,"count":`...), int64(r.Count), 10)
		dst = append(appendFlag(dst, `,"mine":`, r.Mine), '}')
	}
	return append(dst, ']')
}

// AppendMessages appends a page of messages as encoding/json writes it, byte for
// byte, and returns the extended slice.
func AppendMessages(dst []byte, p Page[Message]) []byte {
	dst = append(dst, `{"items":`...)
	if p.Items == nil {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, '[')
		for i := range p.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = p.Items[i].AppendJSON(dst)
		}
		dst = append(dst, ']')
	}
	return append(appendText(append(dst, `,"next":`...), p.Next), '}')
}

// AppendJSON appends the event as encoding/json writes it, byte for byte, and
// returns the extended slice. Only an event with a Chat or Settings is reflected on.
func (e *Event) AppendJSON(dst []byte) []byte {
	dst = appendText(append(dst, `{"type":`...), e.Type)
	dst = appendGiven(dst, `,"chatId":`, e.ChatID)
	dst = appendNumber(dst, `,"seq":`, e.Seq)
	dst = appendNumber(dst, `,"userSeq":`, e.UserSeq)
	dst = appendTime(append(dst, `,"at":`...), e.At)
	if e.Message != nil {
		dst = e.Message.AppendJSON(append(dst, `,"message":`...))
	}
	dst = appendGiven(dst, `,"messageId":`, e.MessageID)
	dst = appendFlag(dst, `,"forEveryone":`, e.ForEveryone)
	dst = appendGiven(dst, `,"userId":`, e.UserID)
	dst = appendGiven(dst, `,"byUserId":`, e.ByUserID)
	dst = appendGiven(dst, `,"role":`, e.Role)
	dst = appendGiven(dst, `,"reason":`, e.Reason)
	if e.Chat != nil {
		dst = appendReflected(append(dst, `,"chat":`...), e.Chat)
	}
	dst = appendGiven(dst, `,"emoji":`, e.Emoji)
	if e.Changed != nil {
		dst = appendReflected(append(dst, `,"changed":`...), e.Changed)
	}
	dst = appendCount(dst, `,"deliveredSeq":`, e.DeliveredSeq)
	dst = appendCount(dst, `,"readSeq":`, e.ReadSeq)
	dst = appendNumber(dst, `,"version":`, e.Version)
	dst = appendCount(dst, `,"unreadCount":`, e.UnreadCount)
	dst = appendCount(dst, `,"mentionCount":`, e.Mentions)
	dst = appendCount(dst, `,"total":`, e.Total)
	dst = appendGiven(dst, `,"sessionId":`, e.SessionID)
	if e.Settings != nil {
		dst = appendReflected(append(dst, `,"settings":`...), e.Settings)
	}
	dst = appendFlag(dst, `,"typing":`, e.Typing)
	dst = appendNumber(dst, `,"expiresInMs":`, e.ExpiresInMs)
	if e.MutedUntil != nil {
		dst = appendTime(append(dst, `,"mutedUntil":`...), *e.MutedUntil)
	}
	dst = appendFlag(dst, `,"archived":`, e.Archived)
	dst = appendFlag(dst, `,"pinned":`, e.Pinned)
	dst = appendFlag(dst, `,"markedUnread":`, e.MarkedUnread)
	dst = appendFlag(dst, `,"added":`, e.Added)
	dst = appendFlag(dst, `,"online":`, e.Online)
	if !e.LastSeen.IsZero() {
		dst = appendTime(append(dst, `,"lastSeen":`...), e.LastSeen)
	}
	return append(dst, '}')
}

// AppendJSON appends the reply as encoding/json writes it, byte for byte, and
// returns the extended slice. Data that is a *Message or Empty is not reflected on.
func (r *Reply) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	if r.ReplyTo != "" {
		dst = append(appendText(append(dst, `"replyTo":`...), r.ReplyTo), ',')
	}
	dst = strconv.AppendBool(append(dst, `"ok":`...), r.OK)
	switch data := r.Data.(type) {
	case nil:
	case *Message:
		dst = data.AppendJSON(append(dst, `,"data":`...))
	case Empty:
		dst = append(dst, `,"data":{}`...)
	default:
		dst = appendReflected(append(dst, `,"data":`...), data)
	}
	if r.Error != nil {
		dst = appendReflected(append(dst, `,"error":`...), r.Error)
	}
	return append(dst, '}')
}

// AppendJSON appends the hello as encoding/json writes it, byte for byte, and
// returns the extended slice. It does not reflect.
func (h *Hello) AppendJSON(dst []byte) []byte {
	dst = appendText(append(dst, `{"type":`...), h.Type)
	dst = appendText(append(dst, `,"sessionId":`...), h.SessionID)
	dst = appendText(append(dst, `,"userId":`...), h.UserID)
	dst = appendText(append(dst, `,"epoch":`...), h.Epoch)
	dst = strconv.AppendInt(append(dst, `,"userSeq":`...), h.UserSeq, 10)
	dst = appendNumbers(append(dst, `,"heads":`...), h.Heads)
	dst = appendNumbers(append(dst, `,"receiptVersions":`...), h.ReceiptVersions)
	dst = appendTime(append(dst, `,"serverTime":`...), h.ServerTime)
	return append(dst, '}')
}

// appendNumbers appends an object of numbers by name, in the order of the names.
func appendNumbers(dst []byte, numbers map[string]int64) []byte {
	if numbers == nil {
		return append(dst, "null"...)
	}
	names := make([]string, 0, len(numbers))
	for name := range numbers {
		names = append(names, name)
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(appendText(dst, name), ':'), numbers[name], 10)
	}
	return append(dst, '}')
}

// appendReflected is for what is rare. No value of this package fails to encode
// but by a detail of an error that is no JSON: null stands for it.
func appendReflected(dst []byte, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return append(dst, "null"...)
	}
	return append(dst, data...)
}

// appendGiven appends a name and a text, unless that is empty.
func appendGiven(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	return appendText(append(dst, name...), text)
}

func appendNumber(dst []byte, name string, n int64) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, name...), n, 10)
}

func appendCount[N int | int64](dst []byte, name string, n *N) []byte {
	if n == nil {
		return dst
	}
	return strconv.AppendInt(append(dst, name...), int64(*n), 10)
}

func appendFlag(dst []byte, name string, b *bool) []byte {
	if b == nil {
		return dst
	}
	return strconv.AppendBool(append(dst, name...), *b)
}

func appendList(dst []byte, list []any) []byte {
	if list != nil && len(list) == 0 {
		return append(dst, "[]"...)
	}
	return appendReflected(dst, list)
}

// appendTime appends a time of the years 0 to 9999.
func appendTime(dst []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
}

// appendText appends a string with what encoding/json escapes: quotes, control
// characters, what HTML and JavaScript stumble over, and bytes that are no UTF-8.
func appendText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\b':
				dst = append(dst, `\b`...)
			case '\f':
				dst = append(dst, `\f`...)
			case '\n':
				dst = append(dst, `\n`...)
			case '\r':
				dst = append(dst, `\r`...)
			case '\t':
				dst = append(dst, `\t`...)
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[start:i]...), `\u202`...)
			dst = append(dst, hex[r&0xF])
			start = i + size
		}
		i += size
	}
	return append(append(dst, s[start:]...), '"')
}
