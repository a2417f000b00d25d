package ws_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

// bad is one frame, and what it must be answered with: an error reply, or a
// close code.
type bad struct {
	name, frame string
	binary      bool
	code, field string
	replyTo     string
	closes      websocket.StatusCode
}

// fields of every type of frame, each with a value that is right by its form.
var fields = map[string]map[string]string{
	"message.send":   {"chatId": `"$chat"`, "text": `"x"`, "clientId": `"new"`, "replyTo": `"$message"`},
	"message.edit":   {"chatId": `"$chat"`, "messageId": `"$message"`, "text": `"x"`},
	"message.delete": {"chatId": `"$chat"`, "messageId": `"$message"`, "forEveryone": `true`},
	"read":           {"chatId": `"$chat"`, "upTo": `1`},
	"delivered":      {"chatId": `"$chat"`, "upTo": `1`},
	"view":           {"chatId": `"$chat"`},
	"presence":       {"status": `"away"`},
	"typing":         {"chatId": `"$chat"`, "typing": `true`},
	"sync":           {"epoch": `"e"`, "userSeq": `0`, "chats": `{}`, "limit": `1`},
	"auth":           {"token": `"ann"`},
	"ping":           {},
}

var required = []string{"chatId", "messageId", "upTo", "token", "typing", "status"}

// with is a frame of a type with one field set to another value; "" leaves it out.
func with(kind, name, value string) string {
	f := maps.Clone(fields[kind])
	f["id"], f["type"] = `"1"`, `"`+kind+`"`
	f[name] = value
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(f)) {
		if f[k] != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", k, f[k]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func wrongKinds(value string) []string {
	all := map[byte][]string{
		'"': {`1`, `1.5`, `true`, `null`, `[]`, `{}`, `["x"]`},
		't': {`"true"`, `0`, `null`, `[]`, `{}`},
		'{': {`[]`, `"x"`, `1`, `null`, `false`, `{"c":"1"}`, `{"c":null}`, `{"c":1.5}`, `{"c":[1]}`, `{"c":1e30}`},
	}
	if w, ok := all[value[0]]; ok {
		return w
	}
	return []string{`"1"`, `true`, `null`, `[]`, `{}`, `1.5`, `1e30`, `99999999999999999999`}
}

func badInputs() (all []bad) {
	add := func(b bad) {
		if b.closes == 0 && b.replyTo == "" {
			b.replyTo = "1"
		}
		all = append(all, b)
	}
	long := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	for _, kind := range slices.Sorted(maps.Keys(fields)) {
		add(bad{name: kind + " with an unknown field", frame: with(kind, "zzz", `1`), code: "unknown_field", field: "zzz"})
		add(bad{name: kind + " with a field in capitals", frame: with(kind, "TYPE", `"ping"`), code: "unknown_field", field: "TYPE"})
		add(bad{name: kind + " nested too deep", frame: with(kind, "zzz", strings.Repeat("[", 40)+strings.Repeat("]", 40)), code: "invalid_json"})
		add(bad{name: kind + " with a long id", frame: with(kind, "id", long(129)), code: "invalid_id", field: "id", replyTo: "-"})
		for _, v := range []string{`1`, `null`, `[]`, `{}`} {
			add(bad{name: kind + " with the id " + v, frame: with(kind, "id", v), code: "invalid_field", field: "id", replyTo: "-"})
		}
		good := with(kind, "", "")
		for _, n := range []int{1, len(good) / 2, len(good) - 1} {
			add(bad{name: fmt.Sprintf("%s cut after %d", kind, n), frame: good[:n], closes: ws.CloseBadFrame})
		}
		for name, value := range fields[kind] {
			what := kind + "." + name
			for _, v := range wrongKinds(value) {
				if what == "view.chatId" && v == "null" {
					continue // no chat is on screen
				}
				add(bad{name: what + " = " + v, frame: with(kind, name, v), code: "invalid_field", field: name})
			}
			twice := strings.TrimSuffix(good, "}") + fmt.Sprintf(",%q:%s}", name, value)
			add(bad{name: what + " twice", frame: twice, code: "invalid_json"})
			if slices.Contains(required, name) {
				add(bad{name: what + " missing", frame: with(kind, name, ""), code: "missing_field", field: name})
			}
			if value[0] == '"' {
				add(bad{name: what + " with NUL", frame: with(kind, name, `"a\u0000b"`), code: "invalid_field", field: name})
				for _, esc := range []string{`\ud800`, `\udc00x`, `\ud800\u0041`} {
					add(bad{name: what + " with " + esc, frame: with(kind, name, `"a`+esc+`"`), code: "invalid_json"})
				}
				add(bad{name: what + " not in UTF-8", frame: with(kind, name, "\"\xff\xfe\""), closes: ws.CloseBadFrame})
			}
			switch name {
			case "status":
				for _, v := range []string{`""`, `"offline"`, `"Away"`} {
					add(bad{name: what + " = " + v, frame: with(kind, name, v), code: "invalid_field", field: "status"})
				}
			case "chatId":
				for _, v := range []string{`""`, `"no-such-chat"`, `"$foreign"`, `"\u0001"`, long(60 << 10)} {
					add(bad{name: what + " = " + v[:min(len(v), 20)], frame: with(kind, name, v), code: "chat_not_found"})
				}
			case "messageId":
				for _, v := range []string{`""`, `"no-such-message"`, `"$foreignMessage"`, `"\u0001"`, long(60 << 10)} {
					add(bad{name: what + " = " + v[:min(len(v), 20)], frame: with(kind, name, v), code: "message_not_found"})
				}
				add(bad{name: what + " of another sender", frame: with(kind, name, `"$theirs"`), code: "not_the_sender"})
			case "text":
				for _, v := range []string{`""`, `" "`, `"\t\r\n"`, `"\u200b\u2060"`, `"\u00a0\u3000"`} {
					add(bad{name: what + " = " + v, frame: with(kind, name, v), code: "empty_message", field: "text"})
				}
				for _, n := range []int{4097, 60 << 10} {
					add(bad{name: fmt.Sprintf("%s of %d", what, n), frame: with(kind, name, long(n)), code: "message_too_long", field: "text"})
				}
			case "replyTo":
				for _, v := range []string{`"no-such-message"`, `"$foreignMessage"`, `"\u0001"`, long(60 << 10)} {
					add(bad{name: what + " = " + v[:min(len(v), 20)], frame: with(kind, name, v), code: "message_not_found"})
				}
			case "clientId":
				for _, v := range []string{long(129), long(60 << 10), `"\u0001"`} {
					add(bad{name: what + " = " + v[:min(len(v), 20)], frame: with(kind, name, v), code: "invalid_client_id", field: "clientId"})
				}
			case "upTo":
				for _, v := range []string{`-1`, `-9223372036854775808`, `1000`, `9223372036854775807`} {
					add(bad{name: what + " = " + v, frame: with(kind, name, v), code: "invalid_sequence", field: "upTo"})
				}
			case "token":
				for _, v := range []string{`""`, `"forged"`, `"bob"`, `"ann/2"`, long(60 << 10)} {
					add(bad{name: what + " = " + v[:min(len(v), 20)], frame: with(kind, name, v), code: "invalid_token"})
				}
				add(bad{name: what + " revoked", frame: with(kind, name, `"revoked"`), code: "token_revoked"})
				add(bad{name: what + " expired", frame: with(kind, name, `"expired"`), code: "token_expired"})
			}
		}
	}
	tooMany := make([]string, 1001)
	for i := range tooMany {
		tooMany[i] = fmt.Sprintf(`"c%d":0`, i)
	}
	for _, b := range []bad{
		{frame: with("sync", "userSeq", `-1`), code: "invalid_sequence", field: "userSeq"},
		{frame: with("sync", "chats", `{"$chat":-1}`), code: "invalid_sequence", field: "chats"},
		{frame: with("sync", "chats", `{"$chat":-9223372036854775808,"x":1}`), code: "invalid_sequence", field: "chats"},
		{frame: with("sync", "chats", `{`+strings.Join(tooMany, ",")+`}`), code: "too_many_chats", field: "chats"},
		{frame: with("sync", "chats", `{"x":1,"x":2}`), code: "invalid_json"},
		{frame: with("sync", "limit", `-1`), code: "invalid_limit", field: "limit"},
		{frame: with("sync", "limit", `1001`), code: "invalid_limit", field: "limit"},
		{frame: `{"id":"1"}`, code: "unknown_type", field: "type"},
		{frame: `{"id":"1","type":""}`, code: "unknown_type", field: "type"},
		{frame: `{"id":"1","type":"nope"}`, code: "unknown_type", field: "type"},
		{frame: `{"id":"1","type":"Message.Send"}`, code: "unknown_type", field: "type"},
		{frame: `{"id":"1","type":"hello"}`, code: "unknown_type", field: "type"},
		{frame: `{"id":"1","type":` + long(60<<10) + `}`, code: "unknown_type", field: "type"},
		{frame: `{"id":"1","type":7}`, code: "invalid_field", field: "type"},
		{frame: `{"id":"1","type":null}`, code: "invalid_field", field: "type"},
		{frame: `{"id":"1","type":["ping"]}`, code: "invalid_field", field: "type"},
		{frame: `{"id":"1","type":"ping","type":"ping"}`, code: "invalid_json"},
		{frame: `{}`, code: "unknown_type", field: "type", replyTo: "-"},
		{frame: ``, closes: ws.CloseBadFrame},
		{frame: ` `, closes: ws.CloseBadFrame},
		{frame: `null`, closes: ws.CloseBadFrame},
		{frame: `true`, closes: ws.CloseBadFrame},
		{frame: `7`, closes: ws.CloseBadFrame},
		{frame: `"ping"`, closes: ws.CloseBadFrame},
		{frame: `[]`, closes: ws.CloseBadFrame},
		{frame: `[{"id":"1","type":"ping"}]`, closes: ws.CloseBadFrame},
		{frame: `{"type":"ping"}{"type":"ping"}`, closes: ws.CloseBadFrame},
		{frame: `{"type":"ping"} x`, closes: ws.CloseBadFrame},
		{frame: `{'type':'ping'}`, closes: ws.CloseBadFrame},
		{frame: `{"type":"ping",}`, closes: ws.CloseBadFrame},
		{frame: `{"type":"pi` + "\x00" + `ng"}`, closes: ws.CloseBadFrame},
		{frame: "\xef\xbb\xbf" + `{"type":"ping"}`, closes: ws.CloseBadFrame},
		{frame: strings.Repeat(`{"a":`, 12000) + "1" + strings.Repeat("}", 12000)[:1000], closes: ws.CloseBadFrame},
		{frame: strings.Repeat("[", 60<<10), closes: ws.CloseBadFrame},
		{frame: `{"type":"ping"}`, binary: true, closes: ws.CloseBadFrame},
		{frame: "\x00\x01\x02", binary: true, closes: ws.CloseBadFrame},
		{frame: `{"type":` + long(70<<10) + `}`, closes: websocket.StatusMessageTooBig},
	} {
		b.name = b.frame[:min(len(b.frame), 60)]
		add(b)
	}
	return all
}

// state is everything that is stored of the three people of the test.
func (w *world) state() (all []any) {
	w.t.Helper()
	for _, user := range []string{"ann", "bob", "eve"} {
		heads, err := w.chats.Heads(w.t.Context(), user)
		must(w.t, err)
		all = append(all, heads)
		for _, h := range heads.Chats {
			history, err := w.chats.Messages(w.t.Context(), user, h.ChatID, messaging.Window{})
			must(w.t, err)
			unread, err := w.chats.Unread(w.t.Context(), h.ChatID, []string{user})
			must(w.t, err)
			all = append(all, history, unread)
		}
	}
	return all
}

func TestBadInputs(t *testing.T) {
	w := newWorld(t, func(c *ws.Config) { c.Limits.Off = true })
	w.who.revoked["session-of-revoked"] = true
	chat, foreign := w.direct("ann", "bob"), w.direct("bob", "eve")
	send := func(user, chat string) string {
		m, _, err := w.chats.Send(t.Context(), messaging.SendRequest{SenderID: user, ChatID: chat, Text: "kept"})
		must(t, err)
		return m.ID
	}
	fill := strings.NewReplacer("$chat", chat, "$message", send("ann", chat), "$theirs", send("bob", chat),
		"$foreignMessage", send("bob", foreign), "$foreign", foreign)
	before := w.state()

	inputs := badInputs()
	if len(inputs) < 200 {
		t.Errorf("%d bad inputs, want 200 or more", len(inputs))
	}
	c, _ := w.open("ann")
	for _, b := range inputs {
		t.Run(b.name, func(t *testing.T) {
			c := c
			if b.closes != 0 {
				c, _ = w.open("ann")
			}
			c.t = t
			kind := websocket.MessageText
			if b.binary {
				kind = websocket.MessageBinary
			}
			c.write(kind, []byte(fill.Replace(b.frame)))
			if b.closes != 0 {
				c.wantClose(b.closes)
				return
			}
			r := c.reply()
			if r.OK || r.Error == nil || r.Error.Message == "" || len(r.Data) > 0 || r.ReplyTo != strings.TrimPrefix(b.replyTo, "-") {
				t.Fatalf("reply %+v", r)
			}
			field, _ := r.Error.Details["field"].(string)
			if r.Error.Code != b.code || field != b.field {
				t.Errorf("refused by %s of field %q, want %s of %q", r.Error.Code, field, b.code, b.field)
			}
		})
	}
	huge, _ := w.open("ann") // is cut while it still writes, and so may not see the code
	if err := huge.conn.Write(t.Context(), websocket.MessageText, bytes.Repeat([]byte("x"), 1<<20)); err == nil {
		if _, _, err := huge.conn.Read(t.Context()); err == nil {
			t.Error("a frame of 1 MiB is taken")
		}
	}
	c.t = t
	if r := c.ask(`{"id":"p","type":"ping"}`); !r.OK {
		t.Errorf("the connection no longer works: %+v", r)
	}
	for _, frame := range []string{ // no errors, but nothing to be had by them either
		`{"id":"s","type":"sync","epoch":"another"}`, `{"id":"s","type":"sync","userSeq":9223372036854775807}`, `{"id":"s","type":"sync","chats":{"$chat":1000}}`,
	} {
		r := c.ask(fill.Replace(frame))
		var answer struct{ Reset bool }
		must(t, json.Unmarshal(r.Data, &answer))
		if !r.OK || !answer.Reset {
			t.Errorf("%s: %+v", frame, r)
		}
	}
	r := c.ask(fill.Replace(`{"id":"s","type":"sync","chats":{"$foreign":0,"no-such-chat":5}}`))
	if !r.OK || !strings.Contains(string(r.Data), `"chats":[]`) {
		t.Errorf("sync of foreign chats: %s", r.Data)
	}
	if diff := cmp.Diff(before, w.state()); diff != "" {
		t.Errorf("something was stored (-before +after):\n%s", diff)
	}
	if logs := w.logs.String(); strings.Contains(logs, "level=ERROR") || strings.Contains(logs, "panic") {
		t.Errorf("logged:\n%s", logs)
	}
	t.Logf("%d bad inputs", len(inputs))
}
