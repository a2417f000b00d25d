package api

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// HotFrame is one of the frames that a busy client sends most: message.send,
// read or delivered. Type tells which of the other fields it has.
type HotFrame struct {
	FrameHead
	ChatID   string
	Text     string // message.send
	ClientID string // message.send
	ReplyTo  string // message.send; DecodeHot leaves frames that have it to Decode
	UpTo     int64  // read, delivered
}

// DecodeHot reads such a frame in one pass without reflection. It answers only
// for what Decode takes too, with the same values, and leaves everything else, each
// refusal too, to Decode: ok is false.
func DecodeHot(data []byte) (f HotFrame, ok bool) {
	r := hotReader{data: data}
	var seen hotFields
	if !r.skip('{') {
		return f, false
	}
	for {
		name, ok := r.raw()
		if !ok || !r.skip(':') {
			return f, false
		}
		var field hotFields
		switch string(name) {
		case "id":
			field, ok = hotID, r.text(&f.ID)
		case "type":
			field, ok = hotType, r.kind(&f.Type)
		case "chatId":
			field, ok = hotChat, r.text(&f.ChatID)
		case "text":
			field, ok = hotText, r.text(&f.Text)
		case "clientId":
			field, ok = hotClient, r.text(&f.ClientID)
		case "upTo":
			field, ok = hotUpTo, r.integer(&f.UpTo)
		default:
			return f, false
		}
		if !ok || seen&field != 0 {
			return f, false
		}
		seen |= field
		if r.skip('}') {
			break
		}
		if !r.skip(',') {
			return f, false
		}
	}
	if r.space(); r.pos != len(data) {
		return f, false
	}
	switch f.Type {
	case FrameSend:
		return f, seen&hotChat != 0 && seen&hotUpTo == 0
	case FrameRead, FrameDelivered:
		return f, seen&(hotChat|hotUpTo) == hotChat|hotUpTo && seen&(hotText|hotClient) == 0
	}
	return f, false
}

// hotFields is a set of fields.
type hotFields uint8

const (
	hotID hotFields = 1 << iota
	hotType
	hotChat
	hotText
	hotClient
	hotUpTo
)

type hotReader struct {
	data []byte
	pos  int
}

func (r *hotReader) space() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\r', '\n':
			r.pos++
		default:
			return
		}
	}
}

// skip reads one byte, after white space.
func (r *hotReader) skip(c byte) bool {
	r.space()
	if r.pos == len(r.data) || r.data[r.pos] != c {
		return false
	}
	r.pos++
	return true
}

// raw reads a string and returns what is between the quotes.
func (r *hotReader) raw() ([]byte, bool) {
	if !r.skip('"') {
		return nil, false
	}
	start := r.pos
	for ; r.pos < len(r.data); r.pos++ {
		switch c := r.data[r.pos]; {
		case c == '"':
			r.pos++
			return r.data[start : r.pos-1], true
		case c == '\\':
			r.pos++
		case c < ' ':
			return nil, false
		}
	}
	return nil, false
}

// text reads a string with at most the short escapes.
func (r *hotReader) text(to *string) bool {
	raw, ok := r.raw()
	if !ok || !utf8.Valid(raw) {
		return false
	}
	at := bytes.IndexByte(raw, '\\')
	if at < 0 {
		*to = string(raw)
		return true
	}
	out := make([]byte, 0, len(raw))
	for ; at >= 0; at = bytes.IndexByte(raw, '\\') {
		out = append(out, raw[:at]...)
		switch raw[at+1] {
		case '"', '\\', '/':
			out = append(out, raw[at+1])
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		default:
			return false
		}
		raw = raw[at+2:]
	}
	*to = string(append(out, raw...))
	return true
}

// kind reads one of the types.
func (r *hotReader) kind(to *string) bool {
	raw, ok := r.raw()
	switch string(raw) {
	case FrameSend:
		*to = FrameSend
	case FrameRead:
		*to = FrameRead
	case FrameDelivered:
		*to = FrameDelivered
	default:
		return false
	}
	return ok
}

// integer reads a number of digits alone, as JSON has it.
func (r *hotReader) integer(to *int64) bool {
	r.space()
	start := r.pos
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	digits := r.data[start:r.pos]
	if len(digits) == 0 || len(digits) > 1 && digits[0] == '0' || len(digits) > 18 {
		return false
	}
	var err error
	*to, err = strconv.ParseInt(string(digits), 10, 64)
	return err == nil
}
