package api_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/transport/api"
)

func TestDecodeRefuses(t *testing.T) {
	errLimit := errs.New(errs.Invalid, "invalid_limit", "")
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, tc := range []struct {
		name, body string
		into       any
		want       *errs.Error
		field      any
	}{
		{"nothing", "", new(api.Sync), api.ErrInvalidJSON, nil},
		{"blank", "  ", new(api.Sync), api.ErrInvalidJSON, nil},
		{"no object", "[]", new(api.Sync), api.ErrInvalidJSON, nil},
		{"null", "null", new(api.Sync), api.ErrInvalidJSON, nil},
		{"cut off", `{"text":"a`, new(api.SendMessage), api.ErrInvalidJSON, nil},
		{"trailing", `{} {}`, new(api.Sync), api.ErrInvalidJSON, nil},
		{"invalid UTF-8", "{\"text\":\"\xff\"}", new(api.SendMessage), api.ErrInvalidJSON, nil},
		{"lone high half", `{"text":"\ud800"}`, new(api.SendMessage), api.ErrInvalidJSON, nil},
		{"lone low half", `{"text":"\uDC00x"}`, new(api.SendMessage), api.ErrInvalidJSON, nil},
		{"two high halves", `{"text":"\ud800\ud800"}`, new(api.SendMessage), api.ErrInvalidJSON, nil},
		{"high half, other escape", `{"text":"\ud800\n"}`, new(api.SendMessage), api.ErrInvalidJSON, nil},
		{"NUL", `{"text":"a\u0000"}`, new(api.SendMessage), api.ErrInvalidField, "text"},
		{"NUL in a list", `{"name":"x","memberIds":["a","\u0000"]}`, new(api.CreateGroup), api.ErrInvalidField, "memberIds"},
		{"NUL in a map", `{"chats":{"\u0000":1}}`, new(api.Sync), api.ErrInvalidField, "chats"},
		{"NUL in anything", `{"text":{"a":["\u0000"]}}`, new(struct {
			Text any `json:"text"`
		}), api.ErrInvalidField, "text"},
		{"NUL, and lone half", `{"text":"\u0000\ud800"}`, new(api.SendMessage), api.ErrInvalidJSON, nil},
		{"NUL and number for string", `{"text":1,"clientId":"\u0000"}`, new(api.SendMessage), api.ErrInvalidField, "text"},
		{"NUL in a name", `{"te\u0000xt":1}`, new(api.SendMessage), api.ErrUnknownField, "te\x00xt"},
		{"lone half in a name", `{"\ud800":1}`, new(api.Sync), api.ErrInvalidJSON, nil},
		{"twice", `{"text":"a","text":"b"}`, new(api.SendMessage), api.ErrInvalidJSON, nil},
		{"twice by escape", `{"text":"a","\u0074ext":"b"}`, new(api.SendMessage), api.ErrInvalidJSON, nil},
		{"twice in a map", `{"chats":{"a":1,"a":2}}`, new(api.Sync), api.ErrInvalidJSON, nil},
		{"deep", `{"text":` + deep + `}`, new(struct {
			Text any `json:"text"`
		}), api.ErrInvalidJSON, nil},
		{"unknown", `{"text":"a","nope":1}`, new(api.SendMessage), api.ErrUnknownField, "nope"},
		{"other case", `{"Text":"a"}`, new(api.SendMessage), api.ErrUnknownField, "Text"},
		{"empty name", `{"":1}`, new(api.Sync), api.ErrUnknownField, ""},
		{"missing", `{}`, new(api.EditMessage), api.ErrMissingField, "text"},
		{"first missing", `{}`, new(api.Register), api.ErrMissingField, "email"},
		{"null value", `{"text":null}`, new(api.EditMessage), api.ErrInvalidField, "text"},
		{"null for optional", `{"bio":null}`, new(api.UpdateProfile), api.ErrInvalidField, "bio"},
		{"number for string", `{"text":1}`, new(api.EditMessage), api.ErrInvalidField, "text"},
		{"string for number", `{"limit":"1"}`, new(api.Sync), api.ErrInvalidField, "limit"},
		{"object for string", `{"text":{}}`, new(api.EditMessage), api.ErrInvalidField, "text"},
		{"string for list", `{"memberIds":"a","name":"x"}`, new(api.CreateGroup), api.ErrInvalidField, "memberIds"},
		{"number in list", `{"memberIds":["a",2],"name":"x"}`, new(api.CreateGroup), api.ErrInvalidField, "memberIds"},
		{"string in map", `{"chats":{"a":"1"}}`, new(api.Sync), api.ErrInvalidField, "chats"},
		{"fraction", `{"limit":1.5}`, new(api.Sync), api.ErrInvalidField, "limit"},
		{"limit of 0", `{"limit":0}`, new(api.Sync), errLimit, "limit"},
		{"limit of 0 in a frame", `{"type":"sync","limit":0}`, new(api.SyncFrame), errLimit, "limit"},
		{"huge number", `{"userSeq":1e400}`, new(api.Sync), api.ErrInvalidField, "userSeq"},
		{"beyond int64", `{"upTo":9223372036854775808}`, new(api.MarkSeen), api.ErrInvalidField, "upTo"},
		{"bool for object", `{"chats":true}`, new(api.Sync), api.ErrInvalidField, "chats"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := api.Decode([]byte(tc.body), tc.into)
			e, ok := errors.AsType[*errs.Error](err)
			if !ok || e.Code() != tc.want.Code() || e.Details()["field"] != tc.field {
				t.Fatalf("Decode(%s) = %v %v, want %s of field %v", tc.body, err, e.Details(), tc.want.Code(), tc.field)
			}
		})
	}
}

func TestDecodeTakes(t *testing.T) {
	var m api.SendFrame
	err := api.Decode([]byte("\n{\"id\":\"7\",\"type\":\"message.send\",\"chatId\":\"c\" , \"text\":\"\\ud83d\\ude00 \\\"\\\\ \xc3\xa9\"} "), &m)
	if err != nil || m.ID != "7" || m.Text != "😀 \"\\ é" {
		t.Fatalf("Decode = %+v, %v", m, err)
	}
	var s api.Sync
	err = api.Decode([]byte(`{"chats":{"a":1,"b":-2},"epoch":"e","limit":7}`), &s)
	if err != nil || s.Chats["b"] != -2 || *s.Limit != 7 {
		t.Fatalf("Decode = %+v, %v", s, err)
	}
}

// Check judges no field: a NUL is well-formed JSON.
func TestCheck(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"a":"\u0000"}`: true, `{"\u0000":1}`: true, `{"a":"\ud800"}`: false, `{"a":1,"a":2}`: false, `{"a":"\u0000","a":1}`: false,
		"{\"a\":\"\xff\"}": false, "{\"a\":\"\x00\"}": false,
	} {
		if err := api.Check([]byte(text)); (err == nil) != ok || err != nil && !errors.Is(err, api.ErrInvalidJSON) {
			t.Errorf("Check(%q) = %v", text, err)
		}
	}
}

// FuzzDecode: whatever is taken is JSON that encoding/json reads alike, with
// nothing replaced and nothing merged.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"chats":{"a":1},"limit":3}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud800"}`, `{"a":1,"a":2}`,
		`[[[1,2,{}]]]`, `{"a":[true,null,-1e5,"x"]}`, "{\"a\":\"\xff\"}", `"\u0000"`, ` { } `, `1`, `{"\u0061":1,"a":2}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if api.Check(data) == nil {
			var v any
			if err := json.Unmarshal(data, &v); err != nil {
				t.Fatalf("took what is no JSON: %q: %v", data, err)
			}
			again, err := json.Marshal(v)
			if err != nil || strings.Contains(string(again), `�`) || countNames(data) != countNames(again) {
				if !strings.Contains(string(data), "\uFFFD") && !strings.Contains(strings.ToLower(string(data)), `\ufffd`) {
					t.Fatalf("took %q, read as %q", data, again)
				}
			}
		}
		var s api.Sync
		if err := api.Decode(data, &s); err != nil && errs.KindOf(err) != errs.Invalid {
			t.Fatalf("Decode(%q) = %v", data, err)
		}
		if !utf8.ValidString(s.Epoch) || strings.Contains(s.Epoch, "\x00") {
			t.Fatalf("invalid text from %q", data)
		}
	})
}

// countNames counts the names of all objects in a text.
func countNames(data []byte) (n int) {
	d := json.NewDecoder(strings.NewReader(string(data)))
	var stack []bool // in an object?
	name := false
	for {
		tok, err := d.Token()
		if err != nil {
			return n
		}
		in := len(stack) > 0 && stack[len(stack)-1]
		switch tok {
		case json.Delim('{'), json.Delim('['):
			stack = append(stack, tok == json.Delim('{'))
			name = true
			continue
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
			name = true
			continue
		}
		if in && name {
			n++
		}
		name = !in || !name
	}
}
