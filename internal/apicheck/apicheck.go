// Package apicheck holds a handler to its own OpenAPI document in tests: every
// exchange that passes through must be described there (SPEC RT-6).
package apicheck

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Wrap returns a handler that answers as h does and fails tb when an exchange
// disagrees with the document at h's /openapi.json: an address, method, status,
// content type, header, parameter or field that it does not describe. What a
// request sends is checked when it succeeds. Paths that begin with one of skip
// pass unchecked, and of upgrades of the connection all but their refusals.
//
// The returned handler is safe for concurrent use, and must not be used after
// the test has ended.
func Wrap(tb testing.TB, h http.Handler, skip ...string) http.Handler {
	tb.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "/openapi.json", nil))
	if w.Code != http.StatusOK {
		tb.Fatalf("apicheck: /openapi.json answers %d", w.Code)
	}
	d, err := load(w.Body.Bytes())
	if err != nil {
		tb.Fatalf("apicheck: %v", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.ContainsFunc(skip, func(p string) bool { return strings.HasPrefix(r.URL.Path, p) }) {
			h.ServeHTTP(w, r)
			return
		}
		x := &exchange{r: r, w: w, path: r.URL.EscapedPath(), raw: r.URL.RawQuery, status: http.StatusOK}
		r.Body = tee{io.TeeReader(r.Body, &x.sent), r.Body}
		defer func() {
			if cause := recover(); cause != nil {
				panic(cause) // the answer was cut on purpose
			}
			if r.Header.Get("Upgrade") != "" && x.status < http.StatusBadRequest {
				return
			}
			for _, fault := range d.check(x) {
				tb.Errorf("apicheck: %s %s %d: %s", r.Method, x.path, x.status, fault)
			}
		}()
		h.ServeHTTP(x, r)
	})
}

// exchange records one request and its answer.
type exchange struct {
	r      *http.Request
	w      http.ResponseWriter
	path   string
	raw    string
	sent   bytes.Buffer
	status int
	got    bytes.Buffer
}

type tee struct {
	io.Reader
	io.Closer
}

func (x *exchange) Header() http.Header         { return x.w.Header() }
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }

func (x *exchange) WriteHeader(status int) {
	x.status = status
	x.w.WriteHeader(status)
}

func (x *exchange) Write(b []byte) (int, error) {
	x.got.Write(b)
	return x.w.Write(b)
}

// check returns what is wrong with an exchange.
func (d *document) check(x *exchange) []string {
	method := x.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	template, item := d.match(x.path)
	op, known := item[strings.ToLower(method)]
	var f faults
	switch {
	case !known && x.status == http.StatusNotFound, item != nil && !known && x.status == http.StatusMethodNotAllowed:
		f.add(d.answer(x, d.fallback))
		return f
	case item == nil:
		return append(f, "the document has no such path")
	case !known:
		return append(f, "the document has no such method")
	}
	f.add(d.answer(x, op.Responses[strconv.Itoa(x.status)], op.Responses["default"]))
	if x.status < 300 {
		f.add(d.request(x, template, op))
	}
	return f
}

type faults []string

func (f *faults) add(more []string) { *f = append(*f, more...) }

// answer checks a status and a body against the first response that is there;
// default stands for failures alone.
func (d *document) answer(x *exchange, described ...*response) (f faults) {
	r := described[0]
	if r == nil && x.status >= 400 {
		r = described[len(described)-1]
	}
	if r == nil {
		return faults{"the document has no such status"}
	}
	if x.Header().Get("X-Request-Id") == "" {
		f = append(f, "no X-Request-Id")
	}
	if len(r.Content) == 0 {
		if x.got.Len() > 0 {
			f = append(f, "a body where none is described: "+x.got.String())
		}
		return f
	}
	kind, _, _ := mime.ParseMediaType(x.Header().Get("Content-Type"))
	media, ok := r.Content[kind]
	if !ok {
		return append(f, "content type "+strconv.Quote(kind)+" is not described")
	}
	if x.r.Method != http.MethodHead && media.compiled != nil {
		f.add(valid(media.compiled, x.got.Bytes(), "answer"))
	}
	return f
}

// request checks what a successful request sent.
func (d *document) request(x *exchange, template string, op *operation) (f faults) {
	if body := op.RequestBody; body != nil {
		if media := body.Content["application/json"]; media != nil && media.compiled != nil {
			f.add(valid(media.compiled, x.sent.Bytes(), "request"))
		}
	}
	query, err := url.ParseQuery(x.raw)
	if err != nil {
		return append(f, err.Error())
	}
	for _, p := range op.Parameters {
		var value string
		switch p.In {
		case "query":
			value = query.Get(p.Name)
		case "header":
			value = x.r.Header.Get(p.Name)
		case "path":
			value = "x"
			if !strings.Contains(template, "{"+p.Name+"}") {
				f = append(f, "path parameter "+p.Name+" is not in the path")
			}
		}
		if value == "" || p.In == "path" || p.compiled == nil {
			continue
		}
		var v any = value
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && p.isNumber() {
			v = json.Number(strconv.FormatInt(n, 10))
		}
		if b, err := strconv.ParseBool(value); err == nil && p.Schema.Type == "boolean" {
			v = b
		}
		if err := p.compiled.Validate(v); err != nil {
			f = append(f, "parameter "+p.Name+": "+err.Error())
		}
	}
	return f
}

func valid(s *jsonschema.Schema, data []byte, what string) faults {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err == nil {
		err = s.Validate(v)
	}
	if err != nil {
		return faults{what + " " + string(data) + ": " + err.Error()}
	}
	return nil
}
