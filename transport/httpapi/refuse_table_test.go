package httpapi_test

import (
	"encoding/base64"
	"strings"
)

// badAddresses are paths, methods and queries that are not there, and things of others.
func badAddresses(chat, message, group, foreign, foreignMessage string) (out []bad) {
	add := func(method, target string, status int, code string) {
		out = append(out, bad{method: method, target: target, status: status, codes: []string{code}})
	}
	for _, path := range []string{
		"/", "/v1", "/v1/", "/v2/me", "/v1/me/", "/v1//me", "/v1/./me", "/v1/users/../me", "/v1/users/%2e%2e/me", "/v1/users/..%2fme",
		"/v1/users/%2e%2e", "/v1/users/.", "/V1/me", "/v1/me.json", "/v1/users/%00", "/v1/users/a%00b", "/v1/users/%ff", "/v1/users/%c0%ae",
		"/v1/me/nothing", "/v1/search/messages", "/v1/auth/totp", "/v1/auth/api-keys", "/v1/media",
		"/v1/notifications", "/v1/numbers", "/v1/chats/" + chat + "/draft", "/metrics", "/docs/../healthz",
		"/.env", "/openapi.yaml", "/schemas/User.json", "/openapi-3.0.json",
	} {
		add("GET", path, 404, "not_found")
	}
	for _, id := range []string{"nobody", "%2e%2e%2fme", "a%2fb", "%25", "%20", "..%5c..", "%3Cscript%3E", strings.Repeat("x", 4000), "'%20OR%201=1--", "%F0%9F%91%8B", "null", "-1"} {
		add("GET", "/v1/users/"+id, 404, "")
		add("GET", "/v1/chats/"+id, 404, "")
		add("GET", "/v1/groups/"+id, 404, "")
		add("DELETE", "/v1/auth/sessions/"+id, 404, "")
		add("GET", "/v1/chats/"+chat+"/messages/"+id, 404, "")
		add("DELETE", "/v1/chats/"+chat+"/messages/"+id+"?for=everyone", 404, "")
		add("DELETE", "/v1/groups/"+group+"/members/"+id, 404, "")
	}
	for _, r := range []string{"GET ", "GET /messages", "GET /messages/" + foreignMessage, "GET /messages/" + foreignMessage + "/receipts",
		"GET /messages/" + foreignMessage + "/history", "DELETE /messages/" + foreignMessage, "DELETE /messages/" + foreignMessage + "?for=everyone"} {
		method, rest, _ := strings.Cut(r, " ")
		add(method, "/v1/chats/"+foreign+rest, 404, "chat_not_found")
	}
	add("GET", "/v1/chats/"+chat+"/messages/"+foreignMessage, 404, "message_not_found")
	for _, r := range []string{"GET /members", "POST /leave", "DELETE /members/x"} {
		method, rest, _ := strings.Cut(r, " ")
		add(method, "/v1/groups/"+foreign+rest, 404, "chat_not_found")
		add(method, "/v1/groups/"+chat+rest, 404, "chat_not_found")
	}
	for path, methods := range map[string]string{
		"/v1/me": "POST PUT DELETE OPTIONS TRACE FOO", "/v1/auth/login": "GET PUT DELETE", "/v1/auth/sessions": "POST PATCH",
		"/v1/chats": "POST DELETE PATCH", "/v1/sync": "GET HEAD PUT", "/healthz": "POST DELETE", "/openapi.json": "POST", "/docs": "POST",
		"/v1/groups": "PUT DELETE", "/v1/ws/ticket": "GET", "/v1/ws": "POST PUT DELETE", "/v1/chats/" + chat + "/messages": "PUT DELETE PATCH",
		"/v1/chats/" + chat + "/messages/" + message: "POST PUT", "/.well-known/jwks.json": "POST", "/v1/admin/keys/rotate": "GET",
	} {
		for method := range strings.FieldsSeq(methods) {
			if method != "HEAD" {
				add(method, path, 405, "method_not_allowed")
			}
		}
	}
	history := "/v1/chats/" + chat + "/messages"
	query := func(target, code, field string) {
		out = append(out, bad{method: "GET", target: target, status: 400, codes: []string{code}, field: field})
	}
	for _, limit := range []string{"0", "-1", "201", "1e3", "1.5", "abc", "99999999999999999999", "0x10", "%31%00", "NaN", "true"} {
		for _, path := range []string{"/v1/chats", history, "/v1/groups/" + group + "/members", history + "/" + message + "/receipts",
			history + "/" + message + "/history", "/v1/auth/sessions", "/v1/users"} {
			code := "invalid_limit"
			if strings.Contains(limit, "%00") {
				code = "invalid_query"
			}
			query(path+"?limit="+limit, code, "limit")
		}
	}
	for _, name := range []string{"before", "after", "around", "offset"} {
		for _, value := range []string{"-1", "x", "9223372036854775808", "1.0"} {
			query(history+"?"+name+"="+value, "invalid_parameter", name)
		}
	}
	query(history+"?before=1&after=2", "invalid_window", "")
	query(history+"?offset=1&around=2", "invalid_window", "")
	for _, q := range []string{"limit=%zz", "a;b", "cursor=%", "x=%ff", "x=%00", "%ff=1"} {
		query("/v1/chats?"+q, "invalid_query", "")
	}
	for _, cursor := range []string{"x", "../..", "AAAA", strings.Repeat("A", 3000), "%7B%7D"} {
		query("/v1/chats?cursor="+cursor, "invalid_cursor", "cursor")
	}
	out = append(out, bad{method: "DELETE", target: history + "/" + message + "?for=all", status: 400, codes: []string{"invalid_parameter"}, field: "for"})
	query("/v1/users", "missing_parameter", "")
	query("/v1/users?phone=1&username=2", "missing_parameter", "")
	query("/v1/users?phone=abc", "invalid_phone_number", "")
	return out
}

// badCredentials are requests by nobody, and with credentials that do not count.
func badCredentials(ada, zoe person) (out []bad) {
	parts := strings.Split(ada.access, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	swapped := parts[0] + "." + strings.Split(zoe.access, ".")[1] + "." + parts[2]
	for _, route := range []string{"GET /v1/me", "PATCH /v1/me", "GET /v1/chats", "POST /v1/chats/direct", "GET /v1/users/x", "GET /v1/users?username=abc",
		"POST /v1/sync", "POST /v1/groups", "GET /v1/groups/x", "POST /v1/ws/ticket", "GET /v1/auth/sessions", "DELETE /v1/auth/sessions",
		"POST /v1/auth/logout", "POST /v1/auth/password/change", "POST /v1/admin/keys/rotate", "GET /v1/chats/x/messages", "POST /v1/chats/x/messages"} {
		method, target, _ := strings.Cut(route, " ")
		out = append(out, bad{name: "nobody", method: method, target: target, anon: true, body: "{nonsense", status: 401, codes: []string{"unauthenticated"}})
	}
	for name, value := range map[string]string{
		"empty": "Bearer ", "no scheme": ada.access, "basic": "Basic YTpi", "garbage": "Bearer x.y.z", "not base64": "Bearer ..", "none": "Bearer " + none,
		"swapped": "Bearer " + swapped, "cut": "Bearer " + ada.access[:len(ada.access)-4], "refresh token": "Bearer " + ada.refresh,
		"longer": "Bearer " + ada.access + "AAAA", "long": "Bearer " + strings.Repeat("a", 100_000), "space": "Bearer  " + ada.access + " x",
	} {
		out = append(out, bad{name: name, method: "GET", target: "/v1/me", header: map[string]string{"Authorization": value},
			status: 401, codes: []string{"unauthenticated", "invalid_token"}})
	}
	return out
}

// badValues are well-formed requests whose values break a rule of a service.
func badValues(chat, message, group string) (out []bad) {
	add := func(method, target, body, code, field string) {
		out = append(out, bad{name: body, method: method, target: target, body: body, status: 400, codes: []string{code}, field: field})
	}
	send := "/v1/chats/" + chat + "/messages"
	add("POST", send, `{}`, "empty_message", "text")
	add("POST", send, `{"text":""}`, "empty_message", "text")
	add("POST", send, `{"text":" \n\t\u00a0\u200b\u2003"}`, "empty_message", "text")
	add("POST", send, `{"text":"`+strings.Repeat("é", 4097)+`"}`, "message_too_long", "text")
	add("POST", send, `{"text":"x","clientId":"`+strings.Repeat("k", 129)+`"}`, "", "clientId")
	add("POST", send, `{"text":"x","mediaIds":["m"]}`, "unknown_field", "mediaIds")
	add("PATCH", send+"/"+message, `{"text":" "}`, "empty_message", "text")
	add("POST", "/v1/chats/"+chat+"/typing", `{}`, "missing_field", "typing")
	add("POST", "/v1/chats/"+chat+"/typing", `{"typing":"yes"}`, "invalid_field", "typing")
	add("POST", "/v1/chats/"+chat+"/read", `{}`, "missing_field", "upTo")
	add("POST", "/v1/chats/"+chat+"/read", `{"upTo":1,"messageId":"`+message+`"}`, "missing_field", "upTo")
	add("POST", "/v1/chats/"+chat+"/read", `{"upTo":-1}`, "", "upTo")
	add("POST", "/v1/chats/"+chat+"/read", `{"upTo":9223372036854775807}`, "invalid_sequence", "upTo")
	for _, limit := range []string{"0", "-0", "-1", "1001"} {
		add("POST", "/v1/sync", `{"limit":`+limit+`}`, "invalid_limit", "limit")
	}
	add("POST", "/v1/sync", `{"userSeq":-1}`, "", "userSeq")
	add("POST", "/v1/sync", `{"epoch":"first","chats":{"`+chat+`":-1}}`, "", "")
	add("POST", "/v1/groups", `{"name":""}`, "", "name")
	add("POST", "/v1/groups", `{"name":"  "}`, "", "name")
	add("POST", "/v1/groups", `{"name":"`+strings.Repeat("x", 101)+`"}`, "", "name")
	add("POST", "/v1/groups", `{"name":"x","description":"`+strings.Repeat("x", 501)+`"}`, "", "description")
	add("POST", "/v1/groups", `{"name":"x","memberIds":["`+strings.Repeat(`x","`, 1001)+`x"]}`, "", "memberIds")
	add("POST", "/v1/groups/"+group+"/members", `{"userIds":[]}`, "", "userIds")
	for _, body := range []string{`{"name":""}`, `{"name":"  "}`} {
		add("PATCH", "/v1/groups/"+group, body, "empty_name", "name")
	}
	add("PATCH", "/v1/groups/"+group, `{"settings":{"whoMaySend":"friends"}}`, "invalid_setting", "settings.whoMaySend")
	add("PATCH", "/v1/groups/"+group, `{"settings":{"slowModeSeconds":-1}}`, "invalid_setting", "settings.slowModeSeconds")
	add("PATCH", "/v1/groups/"+group, `{"settings":{"slowModeSeconds":86401}}`, "invalid_setting", "settings.slowModeSeconds")
	add("PATCH", "/v1/groups/"+group, `{"settings":{"slowModeSeconds":9223372036854775807}}`, "invalid_setting", "settings.slowModeSeconds")
	add("PATCH", "/v1/groups/"+group+"/members/x", `{"role":"king"}`, "invalid_role", "role")
	add("POST", "/v1/groups/"+group+"/invites", `{"maxUses":-1}`, "invalid_uses", "maxUses")
	add("POST", "/v1/groups/"+group+"/invites", `{"expiresIn":-1}`, "invalid_expiry", "expiresIn")
	add("POST", "/v1/groups/"+group+"/invites", `{"expiresIn":1,"expiresAt":"2030-01-01T00:00:00Z"}`, "invalid_expiry", "expiresAt")
	add("POST", "/v1/groups/"+group+"/invites", `{"expiresAt":"2020-01-01T00:00:00Z"}`, "invalid_expiry", "expiresAt")
	for _, until := range []string{`"soon"`, `1`, `true`, `{}`, `"2026-13-01T00:00:00Z"`} {
		add("PATCH", "/v1/chats/"+chat+"/preferences", `{"mutedUntil":`+until+`}`, "invalid_field", "mutedUntil")
	}
	add("PATCH", "/v1/me/settings", `{"theme":"blue"}`, "invalid_setting", "theme")
	add("PATCH", "/v1/me/settings", `{"language":""}`, "invalid_setting", "language")
	add("PATCH", "/v1/me/settings", `{"language":"no tag"}`, "", "language")
	add("PATCH", "/v1/me/settings", `{"theme":"light","privacy":{"lastSeen":"friends"}}`, "invalid_setting", "privacy.lastSeen")
	add("PATCH", "/v1/me/settings", `{"notifications":{"smell":true}}`, "unknown_field", "")
	add("PATCH", "/v1/me", `{"displayName":""}`, "", "displayName")
	add("PATCH", "/v1/me", `{"displayName":"`+strings.Repeat("x", 101)+`"}`, "", "displayName")
	add("PATCH", "/v1/me", `{"bio":"`+strings.Repeat("x", 501)+`"}`, "", "bio")
	for _, name := range []string{"", "ab", "123456", "a b c", "abc!", "ädä", strings.Repeat("x", 51), "a\\u202eb"} {
		add("PATCH", "/v1/me", `{"username":"`+name+`"}`, "invalid_username", "username")
	}
	for _, number := range []string{"", "1", "abc", "+1", "+999999999999", "+1201555010", "+12015550101;ext=1", strings.Repeat("1", 500)} {
		add("POST", "/v1/auth/phone/start", `{"phoneNumber":"`+number+`"}`, "invalid_phone_number", "phoneNumber")
	}
	register := func(email, username, password, code, field string) {
		add("POST", "/v1/auth/register", `{"email":"`+email+`","username":"`+username+`","password":"`+password+`"}`, code, field)
	}
	register("nope", "abc", "long enough", "invalid_email", "email")
	register("a@b@c", "abc", "long enough", "invalid_email", "email")
	register(strings.Repeat("a", 250)+"@example.org", "abc", "long enough", "invalid_email", "email")
	register("a@example.org", "a", "long enough", "invalid_username", "username")
	register("a@example.org", "abc", "short", "invalid_password", "password")
	register("a@example.org", "abc", strings.Repeat("x", 1025), "invalid_password", "password")
	out = append(out,
		bad{name: "key", method: "POST", target: send, body: `{"text":"x"}`, header: map[string]string{"Idempotency-Key": strings.Repeat("k", 256)}, status: 400, codes: []string{"invalid_idempotency_key"}},
		bad{name: "key", method: "POST", target: send, body: `{"text":"x"}`, header: map[string]string{"Idempotency-Key": "a\tb"}, status: 400, codes: []string{"invalid_idempotency_key"}},
		bad{method: "POST", target: "/v1/groups", body: `{"name":"x","memberIds":["nobody"]}`, status: 404, codes: []string{"user_not_found"}},
		bad{method: "POST", target: "/v1/chats/direct", body: `{"userId":"nobody"}`, status: 404, codes: []string{"user_not_found"}},
	)
	return out
}
