package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	adaPhone = "+12015550101"
	bobPhone = "+12015550102"
	zoePhone = "+12015550103"
	admPhone = "+12015550199"
)

// want compares one value of an answer, as fmt prints it.
func want(t *testing.T, a answer, value any, path ...any) {
	t.Helper()
	if got := a.at(path...); fmt.Sprint(got) != fmt.Sprint(value) {
		t.Errorf("%v = %v, want %v, in %s", path, got, value, a.raw)
	}
}

func TestSignInByPhone(t *testing.T) {
	a := newApp(t)
	nobody := person{}
	started := a.must(202, nobody, "POST", "/v1/auth/phone/start", `{"phoneNumber":"(201) 555-0101","region":"US"}`)
	want(t, started, adaPhone, "phoneNumber")
	session := started.at("sessionId").(string)

	early := a.must(429, nobody, "POST", "/v1/auth/phone/resend", `{"sessionId":"`+session+`"}`)
	want(t, early, "resend_too_soon", "error", "code")
	if early.header.Get("Retry-After") != "30" {
		t.Errorf("Retry-After %q, want 30", early.header.Get("Retry-After"))
	}
	a.clock.advance(31e9)
	a.must(202, nobody, "POST", "/v1/auth/phone/resend", `{"sessionId":"`+session+`"}`)

	wrong := "000000"
	if a.outbox.code(adaPhone) == wrong {
		wrong = "111111"
	}
	refused := a.must(400, nobody, "POST", "/v1/auth/phone/verify", `{"sessionId":"`+session+`","code":"`+wrong+`"}`)
	want(t, refused, "invalid_code", "error", "code")
	want(t, refused, "code", "error", "details", "field")
	in := a.must(200, nobody, "POST", "/v1/auth/phone/verify", `{"sessionId":"`+session+`","code":"`+a.outbox.code(adaPhone)+`","displayName":"Ada"}`)
	want(t, in, true, "created")
	want(t, in, "Bearer", "tokenType")
	want(t, in, 900, "expiresIn")
	want(t, in, adaPhone, "user", "phoneNumber")
	want(t, in, "Ada", "user", "displayName")

	again := a.must(200, nobody, "POST", "/v1/auth/refresh", `{"refreshToken":"`+in.at("refreshToken").(string)+`"}`)
	want(t, again, false, "created")
	me := person{access: again.at("accessToken").(string)}
	sessions := a.must(200, me, "GET", "/v1/auth/sessions", "", "User-Agent", "x")
	want(t, sessions, true, "items", 0, "current")
	a.must(204, me, "POST", "/v1/auth/logout", "")
	want(t, a.must(401, me, "GET", "/v1/me", ""), "token_revoked", "error", "code")
}

func TestSignInByPassword(t *testing.T) {
	a := newApp(t)
	nobody := person{}
	in := a.must(201, nobody, "POST", "/v1/auth/register", `{"email":"ada@example.org","username":"Ada","password":"correct horse","displayName":"Ada"}`)
	want(t, in, "Ada", "user", "username")
	taken := a.must(409, nobody, "POST", "/v1/auth/register", `{"email":"ADA@example.org","username":"other","password":"correct horse"}`)
	want(t, taken, "email_taken", "error", "code")
	want(t, a.must(401, nobody, "POST", "/v1/auth/login", `{"identifier":"ada","password":"wrong horse"}`), "invalid_credentials", "error", "code")
	login := a.must(200, nobody, "POST", "/v1/auth/login", `{"identifier":"ada@example.org","password":"correct horse"}`)
	me := person{access: login.at("accessToken").(string)}
	first := person{access: in.at("accessToken").(string)}
	a.must(204, me, "POST", "/v1/auth/password/change", `{"oldPassword":"correct horse","newPassword":"battery staple"}`)
	a.must(401, first, "GET", "/v1/me", "")
	a.must(202, nobody, "POST", "/v1/auth/password/forgot", `{"email":"nobody@example.org"}`)
	want(t, a.must(400, nobody, "POST", "/v1/auth/password/reset", `{"token":"nope","password":"battery staple"}`), "invalid_token", "error", "code")
	want(t, a.must(400, nobody, "POST", "/v1/auth/email/verify", `{"token":"nope"}`), "invalid_token", "error", "code")

	other := a.must(200, nobody, "POST", "/v1/auth/login", `{"identifier":"ada","password":"battery staple"}`)
	sessions := a.must(200, me, "GET", "/v1/auth/sessions", "")
	if n := len(sessions.at("items").([]any)); n != 2 {
		t.Fatalf("%d sessions, want 2", n)
	}
	a.must(204, me, "DELETE", "/v1/auth/sessions", "")
	a.must(401, person{access: other.at("accessToken").(string)}, "GET", "/v1/me", "")
	want(t, a.must(404, me, "DELETE", "/v1/auth/sessions/nope", ""), "session_not_found", "error", "code")
	mine := a.must(200, me, "GET", "/v1/auth/sessions", "").at("items", 0, "id").(string)
	a.must(204, me, "DELETE", "/v1/auth/sessions/"+mine, "")
}

func TestKeys(t *testing.T) {
	a := newApp(t)
	ada, admin := a.signUp(adaPhone), a.signUp(admPhone)
	before := a.must(200, person{}, "GET", "/.well-known/jwks.json", "")
	want(t, a.must(403, ada, "POST", "/v1/admin/keys/rotate", ""), "not_an_admin", "error", "code")
	a.must(401, person{}, "POST", "/v1/admin/keys/rotate", "")
	a.must(204, admin, "POST", "/v1/admin/keys/rotate", "")
	after := a.must(200, person{}, "GET", "/.well-known/jwks.json", "")
	if before.raw == after.raw {
		t.Error("rotation changed no key")
	}
	a.must(200, ada, "GET", "/v1/me", "")
}

func TestPeople(t *testing.T) {
	a := newApp(t)
	ada, bob := a.signUp(adaPhone), a.signUp(bobPhone)
	me := a.must(200, ada, "PATCH", "/v1/me", `{"username":"Ada.L","displayName":"Ada","fullName":"Ada King","bio":"Engines","language":"en-GB"}`)
	want(t, me, "Ada.L", "username")
	want(t, me, "user", "role")
	want(t, me, true, "isActive")
	want(t, me, true, "isVerified")
	if me.at("lastLogin") == nil {
		t.Error("no lastLogin")
	}
	want(t, a.must(200, ada, "PATCH", "/v1/me", `{}`), "Engines", "bio")
	want(t, a.must(200, ada, "PATCH", "/v1/me", `{"bio":""}`), nil, "bio")

	settings := a.must(200, ada, "GET", "/v1/me/settings", "")
	want(t, settings, "dark", "theme")
	want(t, settings, "everyone", "privacy", "lastSeen")
	settings = a.must(200, ada, "PATCH", "/v1/me/settings", `{"theme":"light","privacy":{"addByUsername":false}}`)
	want(t, settings, "light", "theme")
	want(t, settings, true, "privacy", "addByPhone")
	want(t, a.must(200, ada, "GET", "/v1/me/settings", ""), false, "privacy", "addByUsername")
	if found := a.must(200, bob, "GET", "/v1/users?username=ada.l", ""); strings.Contains(found.raw, "ada") {
		t.Errorf("who does not wish to be found is found: %s", found.raw)
	}
	synced := a.must(200, ada, "POST", "/v1/sync", `{}`)
	if !strings.Contains(synced.raw, `"settings":{"theme":"light"`) {
		t.Errorf("a sync tells nothing of the settings: %s", synced.raw)
	}
	a.must(200, ada, "PATCH", "/v1/me/settings", `{"privacy":{"addByUsername":true}}`)
	want(t, a.must(200, ada, "GET", "/v1/me", ""), adaPhone, "phoneNumber")

	seen := a.must(200, bob, "GET", "/v1/users/"+ada.id, "")
	want(t, seen, "Ada", "displayName")
	for _, private := range []string{"phoneNumber", "email", "role", "isActive", "isVerified", "lastLogin", "language"} {
		want(t, seen, nil, private)
	}
	for query, id := range map[string]any{
		"username=ada.l": ada.id, "username=nobody": nil, "phone=%2B12015550101": ada.id, "phone=+12015550101": ada.id,
		"phone=%2B12015550177": nil, "username=12": nil,
	} {
		want(t, a.must(200, bob, "GET", "/v1/users?"+query, ""), id, "items", 0, "id")
	}
	want(t, a.must(400, bob, "GET", "/v1/users?phone=12", ""), "invalid_phone_number", "error", "code")
	want(t, a.must(400, bob, "GET", "/v1/users", ""), "missing_parameter", "error", "code")
	want(t, a.must(404, bob, "GET", "/v1/users/nobody", ""), "user_not_found", "error", "code")
	want(t, a.must(409, bob, "PATCH", "/v1/me", `{"username":"ADA.L"}`), "username_taken", "error", "code")
}

func TestContactsAndBlocks(t *testing.T) {
	a := newApp(t)
	ada, bob, zoe := a.signUp(adaPhone), a.signUp(bobPhone), a.signUp(zoePhone)
	a.must(200, bob, "PATCH", "/v1/me", `{"displayName":"Bob Builder","pictureId":"p"}`)
	body := fmt.Sprintf(`{"userId":%q}`, bob.id)
	added := a.must(201, ada, "POST", "/v1/contacts", body, "Idempotency-Key", "c")
	want(t, added, bob.id, "user", "id")
	want(t, added, nil, "user", "phoneNumber")
	want(t, added, "p", "user", "pictureId")
	want(t, a.must(200, ada, "POST", "/v1/contacts", body, "Idempotency-Key", "c"), added.at("addedAt"), "addedAt")
	want(t, a.must(409, ada, "POST", "/v1/contacts", body), "already_a_contact", "error", "code")
	want(t, a.must(409, ada, "POST", "/v1/contacts", body, "Idempotency-Key", "d"), "already_a_contact", "error", "code")
	want(t, a.must(400, ada, "POST", "/v1/contacts", fmt.Sprintf(`{"userId":%q}`, ada.id)), "invalid_user", "error", "code")
	want(t, a.must(404, ada, "POST", "/v1/contacts", `{"userId":"nobody"}`), "user_not_found", "error", "code")
	a.must(201, ada, "POST", "/v1/contacts", fmt.Sprintf(`{"userId":%q}`, zoe.id))

	// Whom ada has in contacts sees her number; she sees nobody's.
	want(t, a.must(200, bob, "GET", "/v1/users/"+ada.id, ""), adaPhone, "phoneNumber")
	want(t, a.must(200, ada, "GET", "/v1/users/"+bob.id, ""), nil, "phoneNumber")
	first := a.must(200, ada, "GET", "/v1/contacts?limit=1", "")
	second := a.must(200, ada, "GET", "/v1/contacts?limit=1&cursor="+first.at("next").(string), "")
	want(t, second, "", "next")
	if first.at("items", 0, "user", "id") == second.at("items", 0, "user", "id") {
		t.Error("two pages have the same contact")
	}
	for name, id := range map[string]any{"BUILD": bob.id, "bob%20b": bob.id, "builders": nil, "uilder": nil} {
		want(t, a.must(200, ada, "GET", "/v1/contacts?name="+name, ""), id, "items", 0, "user", "id")
	}
	want(t, a.must(400, ada, "GET", "/v1/blocks?cursor="+first.at("next").(string), ""), "invalid_cursor", "error", "code")

	want(t, a.must(200, ada, "GET", "/v1/users/"+bob.id+"/presence", ""), false, "online")
	want(t, a.must(200, ada, "GET", "/v1/contacts?name=bob", ""), false, "items", 0, "user", "presence", "online")
	want(t, a.must(404, ada, "GET", "/v1/users/nobody/presence", ""), "user_not_found", "error", "code")

	chat := a.must(201, ada, "POST", "/v1/chats/direct", body)
	path := "/v1/chats/" + chat.id() + "/messages"
	sent := a.must(201, bob, "POST", path, `{"text":"x"}`)
	block := fmt.Sprintf(`{"userId":%q}`, bob.id)
	want(t, a.must(201, ada, "POST", "/v1/blocks", block), bob.id, "user", "id")
	want(t, a.must(200, ada, "POST", "/v1/blocks", block), bob.id, "user", "id")
	want(t, a.must(200, ada, "GET", "/v1/blocks", ""), bob.id, "items", 0, "user", "id")
	want(t, a.must(403, bob, "POST", path, `{"text":"y"}`), "blocked", "error", "code")
	want(t, a.must(403, bob, "PATCH", path+"/"+sent.id(), `{"text":"y"}`), "blocked", "error", "code")
	want(t, a.must(403, bob, "POST", "/v1/contacts", fmt.Sprintf(`{"userId":%q}`, ada.id)), "blocked", "error", "code")
	group := a.must(403, bob, "POST", "/v1/groups", fmt.Sprintf(`{"name":"G","memberIds":[%q,%q]}`, ada.id, zoe.id))
	want(t, group, "blocked", "error", "code")
	want(t, group, ada.id, "error", "details", "userIds", 0)
	want(t, group, nil, "error", "details", "userIds", 1)
	want(t, a.must(200, bob, "GET", "/v1/users/"+ada.id, ""), nil, "phoneNumber")
	want(t, a.must(200, bob, "GET", "/v1/users?phone=%2B12015550101", ""), nil, "items", 0)
	synced := a.must(200, ada, "POST", "/v1/sync", `{}`)
	for _, event := range []string{`"type":"contact"`, `"type":"block"`, `"added":true`} {
		if !strings.Contains(synced.raw, event) {
			t.Errorf("a sync lacks %s: %s", event, synced.raw)
		}
	}

	a.must(204, ada, "DELETE", "/v1/blocks/"+bob.id, "")
	a.must(204, ada, "DELETE", "/v1/blocks/"+bob.id, "")
	a.must(201, bob, "POST", path, `{"text":"y"}`)
	a.must(204, ada, "DELETE", "/v1/contacts/"+bob.id, "")
	want(t, a.must(200, ada, "GET", "/v1/contacts?name=bob", ""), nil, "items", 0)
	want(t, a.must(200, bob, "GET", "/v1/users/"+ada.id, ""), nil, "phoneNumber")
	a.must(200, bob, "PATCH", "/v1/me/settings", `{"privacy":{"profilePhoto":"contacts"}}`)
	want(t, a.must(200, ada, "GET", "/v1/users/"+bob.id, ""), nil, "pictureId")
}

func TestConversation(t *testing.T) {
	a := newApp(t)
	ada, bob, zoe := a.signUp(adaPhone), a.signUp(bobPhone), a.signUp(zoePhone)
	chat := a.must(201, ada, "POST", "/v1/chats/direct", `{"userId":"`+bob.id+`"}`)
	want(t, chat, bob.id, "peer", "id")
	want(t, chat, "direct", "kind")
	want(t, chat, 2, "memberCount")
	want(t, a.must(200, bob, "POST", "/v1/chats/direct", `{"userId":"`+ada.id+`"}`), chat.id(), "id")
	path := "/v1/chats/" + chat.id()

	hello := a.must(201, ada, "POST", path+"/messages", `{"text":"Hello \ud83d\udc4b","clientId":"k1"}`)
	want(t, hello, "Hello 👋", "text")
	want(t, hello, "k1", "clientId")
	want(t, hello, "sent", "status")
	want(t, hello, "2026-05-06T07:08:09.123456Z", "createdAt")
	want(t, a.must(200, ada, "POST", path+"/messages", `{"text":"Hello \ud83d\udc4b","clientId":"k1"}`), hello.id(), "id")
	want(t, a.must(409, ada, "POST", path+"/messages", `{"text":"other","clientId":"k1"}`), "client_id_reused", "error", "code")
	keyed := a.must(201, ada, "POST", path+"/messages", `{"text":"two"}`, "Idempotency-Key", "abc")
	want(t, keyed, nil, "clientId")
	want(t, a.must(200, ada, "POST", path+"/messages", `{"text":"two"}`, "Idempotency-Key", "abc"), keyed.id(), "id")
	both := a.must(201, ada, "POST", path+"/messages", `{"text":"three","clientId":"k3"}`, "Idempotency-Key", "abc")
	want(t, both, "k3", "clientId")
	want(t, a.must(200, ada, "POST", path+"/messages", `{"text":"three","clientId":"k3"}`, "Idempotency-Key", "other"), both.id(), "id")
	a.must(204, ada, "DELETE", path+"/messages/"+both.id()+"?for=everyone", "")
	message := path + "/messages/" + hello.id()

	a.must(204, bob, "POST", path+"/delivered", fmt.Sprintf(`{"messageId":%q}`, keyed.id()))
	a.must(204, bob, "POST", path+"/read", fmt.Sprintf(`{"upTo":%v}`, hello.at("seq")))
	a.must(204, bob, "POST", path+"/typing", `{"typing":true}`)
	want(t, a.must(200, ada, "GET", message, ""), "read", "status")
	want(t, a.must(200, bob, "GET", message, ""), nil, "clientId")
	want(t, a.must(200, ada, "GET", path+"/messages/"+keyed.id(), ""), "delivered", "status")
	receipts := a.must(200, ada, "GET", path+"/messages/"+keyed.id()+"/receipts", "")
	want(t, receipts, bob.id, "items", 0, "userId")
	if !strings.Contains(receipts.raw, `"readAt":null`) {
		t.Errorf("no null in %s", receipts.raw)
	}
	list := a.must(200, bob, "GET", "/v1/chats", "")
	want(t, list, 1, "items", 0, "unreadCount")
	want(t, list, 0, "items", 0, "mentionCount")
	want(t, list, false, "items", 0, "archived")
	want(t, list, false, "items", 0, "pinned")
	want(t, list, "two", "items", 0, "lastMessage", "text")
	want(t, list, ada.id, "items", 0, "peer", "id")

	want(t, a.must(200, ada, "PATCH", message, `{"text":"Hello, you"}`), true, "isEdited")
	past := a.must(200, bob, "GET", message+"/history", "")
	want(t, past, "Hello 👋", "items", 0, "text")
	want(t, a.must(403, bob, "PATCH", message, `{"text":"mine"}`), "not_the_sender", "error", "code")
	a.must(204, bob, "DELETE", path+"/messages/"+keyed.id(), "")
	want(t, a.must(404, bob, "GET", path+"/messages/"+keyed.id(), ""), "message_not_found", "error", "code")
	a.must(200, ada, "GET", path+"/messages/"+keyed.id(), "")
	a.must(204, ada, "DELETE", message+"?for=everyone", "")
	history := a.must(200, bob, "GET", path+"/messages", "")
	want(t, history, true, "items", 0, "isDeleted")
	want(t, history, nil, "items", 0, "text")

	for _, r := range []string{"GET " + path, "GET " + path + "/messages", "GET " + message + "/receipts", "DELETE " + message, "GET " + message + "/history"} {
		method, target, _ := strings.Cut(r, " ")
		want(t, a.must(404, zoe, method, target, ""), "chat_not_found", "error", "code")
	}
}

func TestGroups(t *testing.T) {
	a := newApp(t)
	ada, bob, zoe := a.signUp(adaPhone), a.signUp(bobPhone), a.signUp(zoePhone)
	body := fmt.Sprintf(`{"name":"Club","description":"Of engines","memberIds":[%q]}`, bob.id)
	group := a.must(201, ada, "POST", "/v1/groups", body, "Idempotency-Key", "g")
	want(t, a.must(200, ada, "POST", "/v1/groups", body, "Idempotency-Key", "g"), group.id(), "id")
	want(t, group, "Club", "title")
	path := "/v1/groups/" + group.id()
	want(t, a.must(200, bob, "GET", path, ""), 2, "memberCount")
	want(t, a.must(404, zoe, "GET", path, ""), "chat_not_found", "error", "code")
	want(t, a.must(403, bob, "POST", path+"/members", fmt.Sprintf(`{"userIds":[%q]}`, zoe.id)), "not_an_admin", "error", "code")
	a.must(204, ada, "POST", path+"/members", fmt.Sprintf(`{"userIds":[%q]}`, zoe.id))
	unknown := a.must(404, ada, "POST", path+"/members", `{"userIds":["nobody"]}`)
	want(t, unknown, "user_not_found", "error", "code")
	members := a.must(200, bob, "GET", path+"/members?limit=2", "")
	next := members.at("next").(string)
	if next == "" {
		t.Fatalf("no next in %s", members.raw)
	}
	rest := a.must(200, bob, "GET", path+"/members?limit=2&cursor="+next, "")
	want(t, rest, "", "next")
	want(t, rest, "member", "items", 0, "role")
	a.must(204, ada, "DELETE", path+"/members/"+zoe.id, "")
	a.must(204, bob, "POST", path+"/leave", "")
	want(t, a.must(403, bob, "POST", "/v1/chats/"+group.id()+"/messages", `{"text":"x"}`), "not_a_member", "error", "code")
	direct := a.must(201, ada, "POST", "/v1/chats/direct", `{"userId":"`+bob.id+`"}`)
	want(t, a.must(404, ada, "GET", "/v1/groups/"+direct.id(), ""), "chat_not_found", "error", "code")
}

func TestSync(t *testing.T) {
	a := newApp(t)
	ada, bob := a.signUp(adaPhone), a.signUp(bobPhone)
	chat := a.must(201, ada, "POST", "/v1/chats/direct", `{"userId":"`+bob.id+`"}`).id()
	a.must(201, ada, "POST", "/v1/chats/"+chat+"/messages", `{"text":"one","clientId":"k"}`)
	a.must(204, bob, "POST", "/v1/chats/"+chat+"/read", `{"upTo":1}`)
	got := a.must(200, bob, "POST", "/v1/sync", `{"epoch":"first","chats":{"`+chat+`":0}}`)
	want(t, got, "first", "epoch")
	want(t, got, "message.created", "chats", 0, "events", 0, "type")
	want(t, got, "one", "chats", 0, "events", 0, "message", "text")
	want(t, got, nil, "chats", 0, "events", 0, "message", "clientId")
	want(t, got, "chat.joined", "user", "events", 0, "type")
	want(t, a.must(200, bob, "POST", "/v1/sync", `{"epoch":"other"}`), true, "reset")
	a.must(200, bob, "POST", "/v1/sync", `{}`)
	want(t, a.must(400, bob, "POST", "/v1/sync", `{"limit":1001}`), "limit", "error", "details", "field")
}

func TestOperations(t *testing.T) {
	a := newApp(t)
	ada := a.signUp(adaPhone)
	want(t, a.must(200, person{}, "GET", "/healthz", ""), "ok", "status")
	want(t, a.must(200, person{}, "GET", "/readyz", ""), "ok", "status")
	want(t, a.must(201, ada, "POST", "/v1/ws/ticket", ""), "ticket-of-"+ada.id, "ticket")
	for _, who := range []person{{}, ada} {
		plain := a.must(400, who, "GET", "/v1/ws?ticket=x", "", "Connection", "upgrade", "Upgrade", "h2c")
		want(t, plain, "upgrade_required", "error", "code")
		want(t, plain, plain.header.Get("X-Request-Id"), "requestId")
	}
	document := a.must(200, person{}, "GET", "/openapi.json", "")
	if d, _ := document.at("paths", "/v1/ws", "get", "description").(string); !strings.Contains(d, "wigwag.v1") {
		t.Errorf("the document says %q of the WebSocket", d)
	}
	page := a.must(200, person{}, "GET", "/docs", "")
	if !strings.Contains(page.header.Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(page.raw, "//cdn") {
		t.Error("the page of docs is not on its own")
	}
	for _, f := range []string{"docs.js", "docs.css"} {
		a.must(200, person{}, "GET", "/docs/"+f, "")
	}
	a.must(200, ada, http.MethodHead, "/v1/me", "")
}

func TestGroupPolicy(t *testing.T) {
	a := newApp(t)
	ada, bob, zoe := a.signUp(adaPhone), a.signUp(bobPhone), a.signUp(zoePhone)
	group := a.must(201, ada, "POST", "/v1/groups", fmt.Sprintf(`{"name":"Club","memberIds":[%q]}`, bob.id))
	want(t, group, "all", "settings", "whoMaySend")
	want(t, group, 0, "settings", "slowModeSeconds")
	path, chat := "/v1/groups/"+group.id(), "/v1/chats/"+group.id()

	want(t, a.must(403, bob, "PATCH", path, `{"name":"Mine"}`), "not_an_admin", "error", "code")
	changed := a.must(200, ada, "PATCH", path, `{"name":"Engines","settings":{"whoMayEditInfo":"all","slowModeSeconds":60}}`)
	want(t, changed, "Engines", "title")
	want(t, changed, 60, "settings", "slowModeSeconds")
	want(t, changed, "admins", "settings", "whoMayAdd")
	want(t, a.must(200, bob, "PATCH", path, `{"description":"Of engines"}`), "Of engines", "description")
	want(t, a.must(403, bob, "PATCH", path, `{"settings":{"whoMaySend":"admins"}}`), "not_an_admin", "error", "code")
	synced := a.must(200, bob, "POST", "/v1/sync", fmt.Sprintf(`{"chats":{%q:0}}`, group.id()))
	if !strings.Contains(synced.raw, `"changed":{"title":"Engines","settings":{`) || !strings.Contains(synced.raw, `"changed":{"description":"Of engines"}`) {
		t.Errorf("a sync tells nothing of the changes: %s", synced.raw)
	}

	a.must(201, bob, "POST", chat+"/messages", `{"text":"one"}`)
	slow := a.must(429, bob, "POST", chat+"/messages", `{"text":"two"}`)
	want(t, slow, "slow_mode", "error", "code")
	want(t, slow, nil, "error", "details")
	a.must(201, ada, "POST", chat+"/messages", `{"text":"admins are not slow"}`)
	a.must(201, ada, "POST", chat+"/messages", `{"text":"at all"}`)
	a.must(200, ada, "PATCH", path, `{"settings":{"whoMaySend":"admins","slowModeSeconds":0}}`)
	want(t, a.must(403, bob, "POST", chat+"/messages", `{"text":"two"}`), "sending_restricted", "error", "code")
	a.must(204, ada, "PATCH", path+"/members/"+bob.id, `{"role":"admin"}`)
	a.must(201, bob, "POST", chat+"/messages", `{"text":"two"}`)

	invite := a.must(201, bob, "POST", path+"/invites", `{"maxUses":1,"expiresIn":3600}`, "Idempotency-Key", "i")
	want(t, a.must(201, bob, "POST", path+"/invites", `{"maxUses":1,"expiresIn":3600}`, "Idempotency-Key", "i"), invite.at("code"), "code")
	want(t, invite, 1, "maxUses")
	want(t, invite, 0, "uses")
	want(t, invite, "2026-05-06T08:08:09.123456Z", "expiresAt")
	want(t, a.must(200, ada, "GET", path+"/invites", ""), invite.at("code"), "items", 0, "code")
	join := "/v1/invites/" + invite.at("code").(string)
	want(t, a.must(200, zoe, "POST", join, ""), group.id(), "id")
	want(t, a.must(200, zoe, "POST", join, ""), group.id(), "id")
	want(t, a.must(403, zoe, "GET", path+"/invites", ""), "not_an_admin", "error", "code")
	want(t, a.must(200, ada, "GET", path+"/invites", ""), nil, "items", 0)
	want(t, a.must(404, zoe, "POST", "/v1/invites/nothing", ""), "invite_not_found", "error", "code")
	other := a.must(201, ada, "POST", path+"/invites", `{}`)
	want(t, other, nil, "expiresAt")
	a.must(204, ada, "DELETE", path+"/invites/"+other.at("code").(string), "")
	want(t, a.must(404, ada, "DELETE", path+"/invites/"+other.at("code").(string), ""), "invite_not_found", "error", "code")

	want(t, a.must(403, zoe, "POST", path+"/bans", fmt.Sprintf(`{"userId":%q}`, bob.id)), "not_an_admin", "error", "code")
	a.must(204, bob, "POST", path+"/bans", fmt.Sprintf(`{"userId":%q}`, zoe.id))
	want(t, a.must(404, zoe, "GET", path, ""), "chat_not_found", "error", "code")
	want(t, a.must(403, ada, "POST", path+"/members", fmt.Sprintf(`{"userIds":[%q]}`, zoe.id)), "banned", "error", "code")
	bans := a.must(200, ada, "GET", path+"/bans", "")
	want(t, bans, zoe.id, "items", 0, "user", "id")
	want(t, bans, bob.id, "items", 0, "byUserId")
	a.must(204, ada, "DELETE", path+"/bans/"+zoe.id, "")
	a.must(204, ada, "POST", path+"/members", fmt.Sprintf(`{"userIds":[%q]}`, zoe.id))

	want(t, a.must(409, ada, "PATCH", path+"/members/"+ada.id, `{"role":"member"}`), "owner_must_hand_over", "error", "code")
	a.must(204, ada, "PATCH", path+"/members/"+bob.id, `{"role":"owner"}`)
	roles := a.must(200, zoe, "GET", path+"/members", "")
	found := map[any]any{}
	for i := range 3 {
		found[roles.at("items", i, "user", "id")] = roles.at("items", i, "role")
	}
	if found[ada.id] != "admin" || found[bob.id] != "owner" || found[zoe.id] != "member" {
		t.Errorf("roles are %v", found)
	}
	direct := a.must(201, ada, "POST", "/v1/chats/direct", fmt.Sprintf(`{"userId":%q}`, bob.id))
	for _, r := range []string{"PATCH ", "GET /invites", "GET /bans"} {
		method, rest, _ := strings.Cut(r, " ")
		body := ""
		if method == "PATCH" {
			body = `{"name":"x"}`
		}
		want(t, a.must(404, ada, method, "/v1/groups/"+direct.id()+rest, body), "chat_not_found", "error", "code")
	}
}

func TestPreferences(t *testing.T) {
	a := newApp(t)
	ada, bob, zoe := a.signUp(adaPhone), a.signUp(bobPhone), a.signUp(zoePhone)
	chat := a.must(201, ada, "POST", "/v1/chats/direct", fmt.Sprintf(`{"userId":%q}`, bob.id))
	path := "/v1/chats/" + chat.id()
	want(t, chat, nil, "mutedUntil")
	muted := a.must(200, ada, "PATCH", path+"/preferences", `{"mutedUntil":"2027-01-02T03:04:05Z","pinned":true}`)
	want(t, muted, "2027-01-02T03:04:05Z", "mutedUntil")
	want(t, muted, true, "pinned")
	want(t, a.must(200, bob, "GET", path, ""), false, "pinned")
	want(t, a.must(200, ada, "PATCH", path+"/preferences", `{"mutedUntil":null,"markedUnread":true}`), nil, "mutedUntil")
	marked := a.must(200, ada, "PATCH", path+"/preferences", `{"mutedUntil":"2020-01-01T00:00:00Z"}`)
	want(t, marked, nil, "mutedUntil")
	want(t, marked, true, "markedUnread")
	synced := a.must(200, ada, "POST", "/v1/sync", `{}`)
	if !strings.Contains(synced.raw, `"type":"chat.preferences","chatId":"`+chat.id()+`"`) || !strings.Contains(synced.raw, `"pinned":true,"markedUnread":true`) {
		t.Errorf("a sync tells nothing of preferences: %s", synced.raw)
	}
	a.must(204, ada, "POST", path+"/read", `{"upTo":0}`) // nothing is to be read, and he has looked
	want(t, a.must(200, ada, "GET", path, ""), false, "markedUnread")

	want(t, a.must(200, ada, "GET", "/v1/chats?archived=true", ""), nil, "items", 0)
	a.must(200, ada, "PATCH", path+"/preferences", `{"archived":true}`)
	want(t, a.must(200, ada, "GET", "/v1/chats?archived=true", ""), chat.id(), "items", 0, "id")
	want(t, a.must(200, ada, "GET", "/v1/chats?archived=false", ""), nil, "items", 0)
	want(t, a.must(200, ada, "GET", "/v1/chats", ""), chat.id(), "items", 0, "id")
	want(t, a.must(404, zoe, "PATCH", path+"/preferences", `{"pinned":true}`), "chat_not_found", "error", "code")
}

func TestReactionsAndReplies(t *testing.T) {
	a := newApp(t)
	ada, bob, zoe := a.signUp(adaPhone), a.signUp(bobPhone), a.signUp(zoePhone)
	chat := a.must(201, ada, "POST", "/v1/chats/direct", fmt.Sprintf(`{"userId":%q}`, bob.id))
	path := "/v1/chats/" + chat.id() + "/messages"
	first := a.must(201, ada, "POST", path, `{"text":"first"}`)
	want(t, first, nil, "replyTo")
	thumb := path + "/" + first.id() + "/reactions/%F0%9F%91%8D"
	a.must(204, bob, "PUT", thumb, "")
	a.clock.advance(time.Second)
	a.must(204, bob, "PUT", thumb, "")
	a.must(204, ada, "PUT", path+"/"+first.id()+"/reactions/%E2%9D%A4%EF%B8%8F", "")
	got := a.must(200, bob, "GET", path+"/"+first.id(), "")
	want(t, got, "👍", "reactions", 0, "emoji")
	want(t, got, 1, "reactions", 0, "count")
	want(t, got, true, "reactions", 0, "mine")
	want(t, got, false, "reactions", 1, "mine")
	history := a.must(200, ada, "GET", path, "")
	want(t, history, false, "items", 0, "reactions", 0, "mine")
	synced := a.must(200, ada, "POST", "/v1/sync", fmt.Sprintf(`{"chats":{%q:0}}`, chat.id()))
	for _, part := range []string{`"type":"reaction"`, `"messageId":"` + first.id() + `"`, `"emoji":"👍"`, `"added":true`} {
		if !strings.Contains(synced.raw, part) {
			t.Errorf("a sync lacks %s: %s", part, synced.raw)
		}
	}
	a.must(204, bob, "DELETE", thumb, "")
	a.must(204, bob, "DELETE", thumb, "")
	want(t, a.must(200, bob, "GET", path+"/"+first.id(), ""), "❤️", "reactions", 0, "emoji")
	want(t, a.must(400, bob, "PUT", path+"/"+first.id()+"/reactions/x", ""), "invalid_emoji", "error", "code")
	want(t, a.must(404, zoe, "PUT", thumb, ""), "chat_not_found", "error", "code")

	pin := path + "/" + first.id() + "/pin"
	a.must(204, bob, "PUT", pin, "")
	a.must(204, bob, "PUT", pin, "")
	want(t, a.must(200, ada, "GET", "/v1/chats/"+chat.id()+"/pins", ""), first.id(), "items", 0, "id")
	a.must(204, ada, "DELETE", pin, "")
	want(t, a.must(200, ada, "GET", "/v1/chats/"+chat.id()+"/pins", ""), nil, "items", 0)
	want(t, a.must(404, zoe, "PUT", pin, ""), "chat_not_found", "error", "code")

	reply := a.must(201, bob, "POST", path, fmt.Sprintf(`{"text":"second","replyTo":%q}`, first.id()))
	want(t, reply, first.id(), "replyTo")
	want(t, a.must(200, ada, "GET", path, ""), first.id(), "items", 1, "replyTo")
	want(t, a.must(404, bob, "POST", path, `{"text":"third","replyTo":"nothing"}`), "message_not_found", "error", "code")
}
