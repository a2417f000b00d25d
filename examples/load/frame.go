package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strings"
)

// Messages of a run carry a mark at the start of their text and as their client
// id: "load-", the run, the sender and the number of the message, all of fixed
// width. So a frame is written by changing digits in a template, and a delivery
// is recognised by searching for a few strings, without decoding JSON.
const (
	runDigits    = 8
	senderDigits = 5
	numberDigits = 10
	maxSenders   = 10_000
)

// template is an encoded message.send, complete but for the number.
type template struct {
	frame   []byte
	numbers []int // where the number stands
}

func newTemplate(run, chat string, sender, size int) *template {
	number := strings.Repeat("#", numberDigits)
	mark := fmt.Sprintf("load-%s%0*d%s", run, senderDigits, sender, number)
	text := mark + strings.Repeat(" lorem ipsum", size/12+1)
	frame := fmt.Sprintf(`{"id":%q,"type":"message.send","chatId":%q,"text":%q,"clientId":%q}`, number, chat, text[:size], mark)
	t := &template{frame: []byte(frame)}
	for at := 0; ; at += numberDigits {
		next := strings.Index(frame[at:], number)
		if next < 0 {
			return t
		}
		at += next
		t.numbers = append(t.numbers, at)
	}
}

// set makes it the nth message and returns the frame, which the next set changes.
func (t *template) set(n int) []byte {
	for _, at := range t.numbers {
		v := n
		for i := at + numberDigits - 1; i >= at; i-- {
			t.frame[i] = byte('0' + v%10)
			v /= 10
		}
	}
	return t.frame
}

// delivery is a message of this run as the server tells of it.
type delivery struct {
	sender, n int
	seq       int64
	id        uint64 // hash of the message's id, never 0
}

// scanner finds what the run needs to know in the server's frames. It leans on
// the order of fields in one thing: an event begins with its type.
type scanner struct {
	mark []byte // how a text of this run begins
	seed maphash.Seed
}

func newScanner(run string) *scanner {
	return &scanner{[]byte(`"text":"load-` + run), maphash.MakeSeed()}
}

// events calls take for every new message of this run in a frame of events.
func (s *scanner) events(frame []byte, take func(delivery)) {
	for {
		_, rest, ok := bytes.Cut(frame, []byte(`"type":"message.created"`))
		if !ok {
			return
		}
		event := rest
		if end := bytes.Index(rest, []byte(`"type":"`)); end >= 0 {
			event = rest[:end]
		}
		frame = rest[len(event):]
		if d, ok := s.message(event); ok {
			take(d)
		}
	}
}

// message reads the encoding of one message.
func (s *scanner) message(data []byte) (d delivery, ok bool) {
	at := bytes.Index(data, s.mark)
	if at < 0 {
		return d, false
	}
	mark := data[at+len(s.mark):]
	if len(mark) < senderDigits+numberDigits {
		return d, false
	}
	d.sender = int(digits(mark[:senderDigits]))
	d.n = int(digits(mark[senderDigits : senderDigits+numberDigits]))
	if at = bytes.Index(data, []byte(`"seq":`)); at < 0 {
		return d, false
	}
	d.seq = digits(data[at+len(`"seq":`):])
	if at = bytes.Index(data, []byte(`"id":"`)); at < 0 {
		return d, false
	}
	id, _, ok := bytes.Cut(data[at+len(`"id":"`):], []byte{'"'})
	d.id = maphash.Bytes(s.seed, id) | 1
	return d, ok
}

// stored is a message of history as a delivery.
func (s *scanner) stored(id, text string, seq int64) (d delivery, ok bool) {
	rest, ok := strings.CutPrefix(text, string(s.mark[len(`"text":"`):]))
	if !ok || len(rest) < senderDigits+numberDigits {
		return d, false
	}
	d.sender, d.n = int(digits([]byte(rest[:senderDigits]))), int(digits([]byte(rest[senderDigits:senderDigits+numberDigits])))
	d.seq, d.id = seq, maphash.String(s.seed, id)|1
	return d, true
}

// digits reads the decimal number at the start of data.
func digits(data []byte) (v int64) {
	for _, c := range data {
		if c < '0' || c > '9' {
			break
		}
		v = v*10 + int64(c-'0')
	}
	return v
}

// replyTo returns the id that a frame answers, if it is an answer.
func replyTo(frame []byte) (id []byte, ok bool) {
	_, rest, ok := bytes.Cut(frame[:min(len(frame), 160)], []byte(`"replyTo":"`))
	if !ok || bytes.HasPrefix(frame, []byte(`{"type":"`)) {
		return nil, false
	}
	return rest[:max(0, bytes.IndexByte(rest, '"'))], true
}

// succeeded tells whether an answer is no error.
func succeeded(reply []byte) bool {
	return bytes.Contains(reply[:min(len(reply), 160)], []byte(`"ok":true`))
}

// failure returns the code of an answer that is an error.
func failure(reply []byte) string {
	var r struct{ Error struct{ Code string } }
	if err := json.Unmarshal(reply, &r); err != nil || r.Error.Code == "" {
		return "strange answer"
	}
	return r.Error.Code
}
