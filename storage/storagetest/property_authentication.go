package storagetest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

// knock is how somebody without a valid token tries to get in.
type knock struct {
	credential string
	at         int // where a token is changed
	char       byte
	age        time.Duration // beyond the end of a token
	junk       string
}

func (k knock) String() string {
	return fmt.Sprintf("%s (at %d, %q, %v late, %q)", k.credential, k.at, k.char, k.age, k.junk)
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func knocks() gopter.Gen {
	return drawn(func(rng *mathrand.Rand) knock {
		junk := make([]byte, 1+rng.Intn(60))
		for i := range junk {
			junk[i] = byte('!' + rng.Intn('~'-'!'+1))
		}
		return knock{
			credential: choose(rng, "nothing", "an empty token", "junk", "a changed token", "a cut token", "a longer token", "another scheme",
				"a refresh token", "an unsigned token", "a token of another key", "an expired token", "a revoked session",
				"a token in the query"),
			at: rng.Intn(1 << 20), char: base64url[rng.Intn(len(base64url))], junk: string(junk),
			age: choose(rng, 0, time.Second, time.Duration(rng.Int63n(int64(6*24*time.Hour)))),
		}
	})
}

// request is one way to reach messages; {chat} and {message} stand for ids.
type request struct{ method, path, body string }

func requests() []request {
	const chat, message = "/v1/chats/{chat}", "/v1/chats/{chat}/messages/{message}"
	return []request{
		{"GET", "/v1/chats", ""},
		{"GET", chat, ""},
		{"GET", chat + "/messages", ""},
		{"GET", chat + "/messages?around=1", ""},
		{"POST", chat + "/messages", `{"text":"let me in"}`},
		{"GET", message, ""},
		{"PATCH", message, `{"text":"changed"}`},
		{"DELETE", message + "?for=everyone", ""},
		{"DELETE", message + "?for=me", ""},
		{"GET", message + "/receipts", ""},
		{"GET", message + "/history", ""},
		{"POST", chat + "/read", `{"upTo":1}`},
		{"POST", chat + "/delivered", `{"messageId":"{message}"}`},
		{"POST", "/v1/sync", `{"chats":{"{chat}":0}}`},
		{"POST", "/v1/ws/ticket", ""},
		{"GET", "/v1/groups/{chat}", ""},
		{"GET", "/v1/groups/{chat}/members", ""},
		{"POST", "/v1/groups/{chat}/leave", ""},
		{"GET", "/v1/me", ""},
	}
}

// frames are what a WebSocket could be asked before anybody is known.
func frames() []string {
	return []string{
		`{"id":"1","type":"message.send","chatId":"{chat}","text":"let me in"}`,
		`{"id":"1","type":"message.edit","chatId":"{chat}","messageId":"{message}","text":"changed"}`,
		`{"id":"1","type":"message.delete","chatId":"{chat}","messageId":"{message}","forEveryone":true}`,
		`{"id":"1","type":"read","chatId":"{chat}","upTo":1}`,
		`{"id":"1","type":"sync","chats":{"{chat}":0}}`,
		`{"id":"1","type":"ping"}`,
	}
}

// authenticationProperty is property 29 of the seed.
func authenticationProperty() property {
	return property{29, "Without a valid access token no request and no WebSocket reaches a message or changes one; with one the same request does.",
		func(w *world) gopter.Prop {
			w.gather(2)
			server := httptest.NewServer(w.app.Handler())
			w.atEnd(server.Close)
			return prop.ForAll(func(k knock, which int, socket bool) string {
				return w.try(func(w *world) {
					if socket {
						w.shutsSocket(server.URL, k, frames()[which%len(frames())])
					} else {
						w.shutsRequest(k, requests()[which%len(requests())])
					}
				})
			}, knocks(), gen.IntRange(0, 1<<20), gen.Bool())
		}}
}

// home is a fresh group with a message in it, and its owner signed in anew.
func (w *world) home() (owner person, refresh string, m messaging.Message) {
	owner, refresh = w.enter(w.crowd[0].number)
	chat, _, err := w.app.Groups.Create(w.ctx, messaging.NewGroup{
		CreatorID: owner.id, Title: "Behind the door", MemberIDs: []string{w.crowd[1].id},
	})
	w.ok(err)
	return owner, refresh, w.send(chat.ID, owner, "a secret")
}

func (w *world) shutsRequest(k knock, r request) {
	owner, refresh, m := w.home()
	before := w.untouched(m)
	header, query := w.credential(k, owner, refresh)
	answer := w.request(r, m, header, query)
	if answer.Code != http.StatusUnauthorized || strings.Contains(answer.Body.String(), "secret") {
		w.Fatalf("%s %s with %s is answered %d %s", r.method, r.path, k, answer.Code, answer.Body)
	}
	var body struct{ Error struct{ Code string } }
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil || body.Error.Code == "" {
		w.Fatalf("the refusal is %s, want an error with a code", answer.Body)
	}
	w.same("the chat after a refused "+r.method+" "+r.path, before, w.untouched(m))

	owner = w.valid(owner)
	m = w.send(m.ChatID, owner, "young enough to be edited")
	if answer := w.request(r, m, "Bearer "+owner.token, nil); answer.Code/100 != 2 {
		w.Fatalf("%s %s with a valid token is answered %d %s", r.method, r.path, answer.Code, answer.Body)
	}
}

func fill(template string, m messaging.Message) string {
	return strings.NewReplacer("{chat}", m.ChatID, "{message}", m.ID).Replace(template)
}

func (w *world) request(r request, m messaging.Message, header string, query url.Values) *httptest.ResponseRecorder {
	target := fill(r.path, m)
	if len(query) > 0 {
		mark := "?"
		if strings.Contains(target, mark) {
			mark = "&"
		}
		target += mark + query.Encode()
	}
	in := httptest.NewRequestWithContext(w.ctx, r.method, target, strings.NewReader(fill(r.body, m)))
	if r.body != "" {
		in.Header.Set("Content-Type", "application/json")
	}
	if header != "" {
		in.Header.Set("Authorization", header)
	}
	answer := httptest.NewRecorder()
	w.app.Handler().ServeHTTP(answer, in)
	return answer
}

// untouched is what a chat looks like to its other member.
func (w *world) untouched(m messaging.Message) []any {
	other := w.crowd[1]
	view, err := w.app.Messaging.Chat(w.ctx, other.id, m.ChatID)
	w.ok(err)
	return []any{view, w.events(m.ChatID, other)}
}

// valid is somebody with a token that works, the one he has if it does.
func (w *world) valid(p person) person {
	if _, err := w.app.Auth.Token(w.ctx, p.token); err != nil {
		p, _ = w.enter(p.number)
	}
	return p
}

// enter signs somebody in and returns the refresh token too.
func (w *world) enter(number string) (p person, refresh string) {
	c, err := w.app.Auth.StartPhone(w.ctx, number, "", auth.Client{})
	w.ok(err)
	t, err := w.app.Auth.VerifyPhone(w.ctx, c.SessionID, w.outbox.code(number), "", auth.Client{})
	w.ok(err)
	return person{t.UserID, number, t.AccessToken, t.SessionID}, t.RefreshToken
}

// credential makes what is presented: a header, or a query.
func (w *world) credential(k knock, p person, refresh string) (header string, query url.Values) {
	header64, claims, signature := split(p.token)
	token := p.token
	switch k.credential {
	case "nothing":
		return "", nil
	case "a token in the query":
		return "", url.Values{"token": {token}, "access_token": {token}}
	case "another scheme":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(p.id+":"+token)), nil
	case "an empty token":
		token = ""
	case "junk":
		token = k.junk
	case "a changed token":
		changed := []byte(token)
		i := k.at % len(changed)
		if changed[i] == k.char {
			k.char = '!'
		}
		changed[i] = k.char
		token = string(changed)
	case "a cut token":
		token = token[:k.at%len(token)]
	case "a longer token":
		token += k.junk
	case "a refresh token":
		token = refresh
	case "an unsigned token":
		none := `{"alg":"` + []string{"none", "None", "HS256", ""}[k.at%4] + `","typ":"at+jwt"}`
		token = base64.RawURLEncoding.EncodeToString([]byte(none)) + "." + claims + "."
		if k.at%2 == 0 {
			token += signature
		}
	case "a token of another key":
		token = forge(header64, claims)
	case "an expired token":
		w.clock.pass(auth.AccessTTL + k.age)
	case "a revoked session":
		w.ok(w.app.Auth.Revoke(w.ctx, p.id, p.session))
	}
	return "Bearer " + token, nil
}

func split(token string) (header, claims, signature string) {
	parts := strings.Split(token, ".")
	return parts[0], parts[1], parts[2]
}

// forge signs the same words with a key that nobody knows.
func forge(header, claims string) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256([]byte(header + "." + claims))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		panic(err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return header + "." + claims + "." + base64.RawURLEncoding.EncodeToString(signature[:])
}

func (w *world) shutsSocket(server string, k knock, frame string) {
	owner, refresh, m := w.home()
	before := w.untouched(m)
	header, query := w.credential(k, owner, refresh)

	// In the header or the query, or, one time in two, in the first frame.
	token, bearer := strings.CutPrefix(header, "Bearer ")
	if bearer && k.at%2 == 0 {
		first, err := json.Marshal(map[string]string{"id": "0", "type": "auth", "token": token})
		w.ok(err)
		w.shut(server, "", query, string(first), fill(frame, m))
	} else {
		w.shut(server, header, query, fill(frame, m))
	}
	w.same("the chat after a refused connection", before, w.untouched(m))

	owner = w.valid(owner)
	m = w.send(m.ChatID, owner, "young enough to be edited")
	conn := w.dial(server, "Bearer "+owner.token, nil)
	defer conn.CloseNow()
	if first := w.frame(conn); !strings.Contains(first, `"hello"`) {
		w.Fatalf("the first frame for a valid token is %s, want hello", first)
	}
	w.ok(conn.Write(w.ctx, websocket.MessageText, []byte(fill(frame, m))))
	for {
		if reply := w.frame(conn); strings.Contains(reply, `"replyTo":"1"`) {
			if !strings.Contains(reply, `"ok":true`) {
				w.Fatalf("%s with a valid token is answered %s", frame, reply)
			}
			return
		}
	}
}

// dial connects: who is not known is told so on the connection.
func (w *world) dial(server, header string, query url.Values) *websocket.Conn {
	h := make(http.Header)
	if header != "" {
		h.Set("Authorization", header)
	}
	conn, answer, err := websocket.Dial(w.ctx, server+"/v1/ws?"+query.Encode(), &websocket.DialOptions{
		HTTPHeader: h, Subprotocols: []string{ws.Subprotocol},
	})
	w.ok(err)
	if answer.Body != nil {
		answer.Body.Close()
	}
	return conn
}

// shut demands that a connection ends as unauthenticated, whatever is asked on
// it, and tells nothing before.
func (w *world) shut(server, header string, query url.Values, frames ...string) {
	conn := w.dial(server, header, query)
	defer conn.CloseNow()
	for _, f := range frames {
		if conn.Write(w.ctx, websocket.MessageText, []byte(f)) != nil {
			break // closed meanwhile
		}
	}
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	defer cancel()
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			if got := websocket.CloseStatus(err); got != ws.CloseUnauthenticated {
				w.Fatalf("the connection ends by %v (%v), want %d", got, err, ws.CloseUnauthenticated)
			}
			return
		}
		if !strings.Contains(string(data), `"ok":false`) || strings.Contains(string(data), "secret") {
			w.Fatalf("nobody is told %s", data)
		}
	}
}

func (w *world) frame(conn *websocket.Conn) string {
	kind, r, err := conn.Reader(w.ctx)
	w.ok(err)
	data, err := io.ReadAll(r)
	w.ok(err)
	w.same("the kind of frame", websocket.MessageText, kind)
	return string(data)
}
