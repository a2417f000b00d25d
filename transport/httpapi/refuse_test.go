package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// bad is one request that has to be refused.
type bad struct {
	name   string
	method string
	target string
	body   string
	header map[string]string // in addition; "" takes a header away
	anon   bool
	status int
	codes  []string // any of these
	field  string   // "" when none need be named
}

// routesWithBody are valid requests; every way to spoil their bodies is tried.
func routesWithBody(chat, message, group, bob string) [][3]string {
	return [][3]string{
		{"POST", "/v1/auth/phone/start", `{"phoneNumber":"+12015550101","region":"US"}`},
		{"POST", "/v1/auth/phone/resend", `{"sessionId":"x"}`},
		{"POST", "/v1/auth/phone/verify", `{"sessionId":"x","code":"123456","displayName":"x"}`},
		{"POST", "/v1/auth/register", `{"email":"a@example.org","username":"abc","password":"long enough","displayName":"x"}`},
		{"POST", "/v1/auth/login", `{"identifier":"abc","password":"long enough"}`},
		{"POST", "/v1/auth/refresh", `{"refreshToken":"x"}`},
		{"POST", "/v1/auth/email/verify", `{"token":"x"}`},
		{"POST", "/v1/auth/password/forgot", `{"email":"a@example.org"}`},
		{"POST", "/v1/auth/password/reset", `{"token":"x","password":"long enough"}`},
		{"POST", "/v1/auth/password/change", `{"oldPassword":"x","newPassword":"long enough"}`},
		{"PATCH", "/v1/me/settings", `{"theme":"auto","language":"en","privacy":{"lastSeen":"nobody"},"notifications":{"sound":false}}`},
		{"PATCH", "/v1/me", `{"username":"abc","displayName":"x","fullName":"x","bio":"x","pictureId":"x","language":"en"}`},
		{"POST", "/v1/contacts", `{"userId":"` + bob + `"}`},
		{"POST", "/v1/blocks", `{"userId":"` + bob + `"}`},
		{"POST", "/v1/chats/direct", `{"userId":"` + bob + `"}`},
		{"POST", "/v1/chats/" + chat + "/messages", `{"text":"x","clientId":"k","replyTo":"` + message + `"}`},
		{"PATCH", "/v1/chats/" + chat + "/messages/" + message, `{"text":"x"}`},
		{"POST", "/v1/chats/" + chat + "/read", `{"messageId":"` + message + `"}`},
		{"POST", "/v1/chats/" + chat + "/typing", `{"typing":true}`},
		{"PATCH", "/v1/chats/" + chat + "/preferences", `{"archived":true,"pinned":false,"markedUnread":true}`},
		{"POST", "/v1/chats/" + chat + "/delivered", `{"messageId":"` + message + `"}`},
		{"POST", "/v1/sync", `{"epoch":"first","chats":{"` + chat + `":0},"limit":10}`},
		{"POST", "/v1/groups", `{"name":"x","description":"x","memberIds":["` + bob + `"]}`},
		{"POST", "/v1/groups/" + group + "/members", `{"userIds":["` + bob + `"]}`},
		{"PATCH", "/v1/groups/" + group, `{"name":"x","description":"x","pictureId":"x","settings":{"whoMaySend":"all","slowModeSeconds":1}}`},
		{"PATCH", "/v1/groups/" + group + "/members/" + bob, `{"role":"member"}`},
		{"POST", "/v1/groups/" + group + "/bans", `{"userId":"` + bob + `"}`},
		{"POST", "/v1/groups/" + group + "/invites", `{"maxUses":1,"expiresIn":60}`},
	}
}

// spoil returns every way in which a valid request with a body is made bad.
func spoil(method, target, body string) (out []bad) {
	add := func(name, body string, status int, code, field string) {
		out = append(out, bad{name: name, method: method, target: target, body: body, status: status, codes: []string{code}, field: field})
	}
	open := strings.TrimSuffix(body, "}")
	add("cut off", open, 400, "invalid_json", "")
	add("list", "["+body+"]", 400, "invalid_json", "")
	add("null", "null", 400, "invalid_json", "")
	add("trailing", body+"{}", 400, "invalid_json", "")
	add("single quotes", strings.ReplaceAll(body, `"`, `'`), 400, "invalid_json", "")
	add("comment", body+"// x", 400, "invalid_json", "")
	add("invalid UTF-8", open+",\"\xc3\x28\":1}", 400, "invalid_json", "")
	add("UTF-16", "\xff\xfe{\x00}\x00", 400, "invalid_json", "")
	add("unknown field", open+`,"isAdmin":true}`, 400, "unknown_field", "isAdmin")
	add("prototype", open+`,"__proto__":{}}`, 400, "unknown_field", "__proto__")
	add("huge", open+`,"x":"`+strings.Repeat("x", 1<<20)+`"}`, 413, "body_too_large", "")
	add("deep", open+`,"x":`+strings.Repeat("[", 50_000)+strings.Repeat("]", 50_000)+`}`, 400, "", "")

	var fields map[string]any
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		panic(err)
	}
	for name, value := range fields {
		with := func(v string) string {
			parts := []string{fmt.Sprintf("%q:%s", name, v)}
			for other, o := range fields {
				if other != name {
					b, _ := json.Marshal(o)
					parts = append(parts, fmt.Sprintf("%q:%s", other, b))
				}
			}
			return "{" + strings.Join(parts, ",") + "}"
		}
		add(name+" null", with("null"), 400, "invalid_field", name)
		add(name+" twice", strings.TrimSuffix(with(`"x"`), "}")+fmt.Sprintf(",%q:1}", name), 400, "", "")
		wrong := "true"
		if _, ok := value.(bool); ok {
			wrong = `"true"`
		}
		add(name+" of the wrong kind", with(wrong), 400, "invalid_field", name)
		add(name+" in capitals", strings.Replace(body, `"`+name+`"`, `"`+strings.ToUpper(name)+`"`, 1), 400, "unknown_field", strings.ToUpper(name))
		switch value.(type) {
		case string:
			add(name+" a number", with("1e999"), 400, "invalid_field", name)
			add(name+" an object", with(`{"$gt":""}`), 400, "invalid_field", name)
			add(name+" half a pair", with(`"\ud83d"`), 400, "invalid_json", "")
			add(name+" NUL", with(`"a\u0000b"`), 400, "invalid_field", name)
		case float64:
			add(name+" beyond int64", with("9223372036854775808"), 400, "invalid_field", name)
			add(name+" fraction", with("1.5"), 400, "invalid_field", name)
			add(name+" negative", with("-1"), 400, map[string]string{"limit": "invalid_limit"}[name], name)
		case []any:
			add(name+" of numbers", with("[1]"), 400, "invalid_field", name)
			add(name+" nested", with("[[]]"), 400, "invalid_field", name)
		case map[string]any:
			add(name+" a list", with("[]"), 400, "invalid_field", name)
			if name == "chats" { // names of any kind
				add(name+" of strings", with(`{"x":"1"}`), 400, "invalid_field", name)
			} else {
				add(name+" with an unknown field", with(`{"x":"1"}`), 400, "unknown_field", name+".x")
			}
		}
	}
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
		"application/json; charset=utf-16", "application/json;;", "application/jsonp", "application/problem+json"} {
		out = append(out, bad{name: "content type " + kind, method: method, target: target, body: body,
			header: map[string]string{"Content-Type": kind}, status: 415, codes: []string{"unsupported_media_type"}})
	}
	return append(out, bad{name: "gzip", method: method, target: target, body: body,
		header: map[string]string{"Content-Encoding": "gzip"}, status: 415, codes: []string{"unsupported_media_type"}})
}

var snake = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

func TestBadInput(t *testing.T) {
	a := newApp(t)
	ada, bob, zoe := a.signUp(adaPhone), a.signUp(bobPhone), a.signUp(zoePhone)
	chat := a.must(201, ada, "POST", "/v1/chats/direct", `{"userId":"`+bob.id+`"}`).id()
	message := a.must(201, ada, "POST", "/v1/chats/"+chat+"/messages", `{"text":"Hello"}`).id()
	group := a.must(201, ada, "POST", "/v1/groups", `{"name":"Club","memberIds":["`+bob.id+`"]}`).id()
	foreign := a.must(201, bob, "POST", "/v1/chats/direct", `{"userId":"`+zoe.id+`"}`).id()
	foreignMessage := a.must(201, bob, "POST", "/v1/chats/"+foreign+"/messages", `{"text":"secret"}`).id()
	state := func() string {
		var b strings.Builder
		for _, p := range []person{ada, bob, zoe} {
			for _, r := range []string{"/v1/me", "/v1/chats", "/v1/auth/sessions"} {
				b.WriteString(a.must(200, p, "GET", r, "").raw)
			}
			b.WriteString(a.must(200, p, "POST", "/v1/sync",
				fmt.Sprintf(`{"epoch":"first","chats":{%q:0,%q:0,%q:0}}`, chat, group, foreign)).raw)
		}
		return b.String()
	}
	before := state()

	var table []bad
	for _, r := range routesWithBody(chat, message, group, bob.id) {
		table = append(table, spoil(r[0], r[1], r[2])...)
	}
	table = append(table, badAddresses(chat, message, group, foreign, foreignMessage)...)
	table = append(table, badCredentials(ada, zoe)...)
	table = append(table, badValues(chat, message, group)...)
	for _, tc := range table {
		name := fmt.Sprintf("%s %s %s", tc.method, tc.target, tc.name)
		if len(name) > 120 {
			name = name[:120]
		}
		t.Run(name, func(t *testing.T) { a.refuses(t, ada, tc) })
	}
	t.Logf("%d bad requests", len(table))
	if len(table) < 200 {
		t.Errorf("only %d bad requests", len(table))
	}
	if after := state(); after != before {
		t.Errorf("something was stored:\n%s\n%s", before, after)
	}
	if log := a.log.String(); strings.Contains(log, "panic") || strings.Contains(log, "request failed") {
		t.Errorf("the log has faults: %s", log)
	}
}

// refuses makes a bad request and looks at all of the answer.
func (a *app) refuses(t *testing.T, who person, tc bad) {
	r := httptest.NewRequest(tc.method, tc.target, strings.NewReader(tc.body))
	r.Header.Set("Content-Type", "application/json")
	if !tc.anon {
		r.Header.Set("Authorization", "Bearer "+who.access)
	}
	for k, v := range tc.header {
		r.Header.Set(k, v)
		if v == "" {
			r.Header.Del(k)
		}
	}
	got := a.send(r)
	if got.status != tc.status || len(tc.codes) > 0 && tc.codes[0] != "" && !slices.Contains(tc.codes, got.code()) {
		t.Fatalf("%d %s, want %d %v", got.status, got.raw, tc.status, tc.codes)
	}
	if tc.field != "" {
		want(t, got, tc.field, "error", "details", "field")
	}
	if !snake.MatchString(got.code()) || got.at("error", "message") == "" || got.at("timestamp") == nil {
		t.Errorf("not the shape of an error: %s", got.raw)
	}
	if id := got.header.Get("X-Request-Id"); id == "" || id != got.at("requestId") {
		t.Errorf("request id %q in the header, %v in the body", id, got.at("requestId"))
	}
	if got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", got.header)
	}
	if got.status == http.StatusMethodNotAllowed && got.header.Get("Allow") == "" {
		t.Error("405 without Allow")
	}
	if got.status == http.StatusUnauthorized && got.header.Get("WWW-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
}
