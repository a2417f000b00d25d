package apicheck_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wigwag-chat/wigwag/internal/apicheck"
)

const document = `{"openapi":"3.1.0","info":{"title":"t","version":"1"},
"paths":{
 "/things/{id}":{"get":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}},{"name":"limit","in":"query","schema":{"type":"integer","maximum":5}}],
  "responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Thing"}}}},"default":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},
 "/things/all":{"delete":{"responses":{"204":{},"default":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},
 "/things":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Thing"}}}},
  "responses":{"204":{},"default":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}}
},
"components":{"schemas":{
 "Thing":{"type":"object","additionalProperties":false,"required":["at"],"properties":{"at":{"type":"string","format":"date-time"},"n":{"type":"integer"}}},
 "Error":{"type":"object","additionalProperties":false,"required":["code"],"properties":{"code":{"type":"string"}}}
}}}`

// faults is a testing.TB that keeps what it is told.
type faults struct {
	testing.TB
	told []string
}

func (f *faults) Helper()                  {}
func (f *faults) Context() context.Context { return context.Background() }

func (f *faults) Errorf(format string, args ...any) {
	f.told = append(f.told, fmt.Sprintf(format, args...))
}

func TestWrapFindsPlantedFaults(t *testing.T) {
	const good = `{"at":"2026-01-02T03:04:05Z"}`
	for name, tc := range map[string]struct {
		method, target, sent string
		status               int
		kind, got            string
		fault                string // "" for none
	}{
		"as described":         {"GET", "/things/7", "", 200, "application/json", good, ""},
		"described failure":    {"GET", "/things/7", "", 418, "application/json", `{"code":"x"}`, ""},
		"unknown field":        {"GET", "/things/7", "", 200, "application/json", `{"at":"2026-01-02T03:04:05Z","x":1}`, "'x'"},
		"missing field":        {"GET", "/things/7", "", 200, "application/json", `{}`, "at"},
		"wrong type":           {"GET", "/things/7", "", 200, "application/json", `{"at":"2026-01-02T03:04:05Z","n":"1"}`, "integer"},
		"no time":              {"GET", "/things/7", "", 200, "application/json", `{"at":"yesterday"}`, "date-time"},
		"no JSON":              {"GET", "/things/7", "", 200, "application/json", `oops`, "invalid character"},
		"content type":         {"GET", "/things/7", "", 200, "text/plain", good, "content type"},
		"status":               {"GET", "/things/7", "", 201, "application/json", good, "no such status"},
		"body of a failure":    {"GET", "/things/7", "", 400, "application/json", good, "code"},
		"parameter":            {"GET", "/things/7?limit=6", "", 200, "application/json", good, "parameter limit"},
		"parameter's kind":     {"GET", "/things/7?limit=x", "", 200, "application/json", good, "parameter limit"},
		"path":                 {"GET", "/nothings", "", 200, "application/json", good, "no such path"},
		"path, refused":        {"GET", "/nothings", "", 404, "application/json", `{"code":"not_found"}`, ""},
		"path, badly refused":  {"GET", "/nothings", "", 404, "text/plain", `404`, "content type"},
		"method":               {"PUT", "/things/7", "", 200, "application/json", good, "no such method"},
		"method, refused":      {"PUT", "/things/7", "", 405, "application/json", `{"code":"method"}`, ""},
		"literal before param": {"DELETE", "/things/all", "", 204, "", "", ""},
		"body with 204":        {"DELETE", "/things/all", "", 204, "", "x", "a body"},
		"request":              {"POST", "/things", good, 204, "", "", ""},
		"request's field":      {"POST", "/things", `{"at":"2026-01-02T03:04:05Z","y":1}`, 204, "", "", "'y'"},
		"request, refused":     {"POST", "/things", `{"y":1}`, 400, "application/json", `{"code":"x"}`, ""},
		"upgrade":              {"GET", "/things/8?up", "", 101, "", "", ""},
		"upgrade, refused":     {"GET", "/things/8?up", "", 400, "text/plain", "no", "content type"},
		"skipped":              {"GET", "/static/x", "", 200, "text/css", "x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tb := &faults{TB: t}
			h := apicheck.Wrap(tb, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Request-Id", "1")
				if r.URL.Path == "/openapi.json" {
					w.Write([]byte(document))
					return
				}
				buf := make([]byte, 100)
				r.Body.Read(buf)
				w.Header().Set("Content-Type", tc.kind)
				w.WriteHeader(tc.status)
				w.Write([]byte(tc.got))
			}), "/static/")
			w := httptest.NewRecorder()
			r := httptest.NewRequest(tc.method, tc.target, strings.NewReader(tc.sent))
			if r.URL.RawQuery == "up" {
				r.Header.Set("Upgrade", "websocket")
			}
			h.ServeHTTP(w, r)
			if w.Code != tc.status {
				t.Errorf("status %d passes as %d", tc.status, w.Code)
			}
			told := strings.Join(tb.told, "\n")
			if (tc.fault == "") != (told == "") || !strings.Contains(told, tc.fault) {
				t.Errorf("told %q, want something about %q", told, tc.fault)
			}
		})
	}
}

func ExampleWrap() {
	tb := &faults{} // in a test: t
	h := apicheck.Wrap(tb, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/openapi.json" {
			fmt.Fprint(w, document)
			return
		}
		w.Header().Set("X-Request-Id", "1")
		w.WriteHeader(http.StatusTeapot)
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/nothings", nil))
	fmt.Println(tb.told[0])
	// Output: apicheck: GET /nothings 418: the document has no such path
}
