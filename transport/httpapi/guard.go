package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/wigwag-chat/wigwag/errs"
)

type requestIDKey struct{}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// guard stands before the routes: request ids, the time limit, headers, panics,
// and the addresses and methods that are not there.
func (s *server) guard(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !cleanID(id) {
			id = s.NewRequestID()
		}
		ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), requestIDKey{}, id), s.Timeout)
		defer cancel()
		r = r.WithContext(ctx)

		w := &answer{ResponseWriter: rw}
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, _ := cause.(error); w.begun || errors.Is(err, http.ErrAbortHandler) {
				s.Logger.ErrorContext(ctx, "answer aborted", "requestId", id, "panic", cause)
				panic(http.ErrAbortHandler)
			}
			s.Logger.ErrorContext(ctx, "panic", "requestId", id, "panic", cause, "stack", string(debug.Stack()))
			s.fail(ctx, errs.New(errs.Internal, "internal", "Something went wrong on our side.")).write(w)
		}()

		if err := checkAddress(r.URL); err != nil {
			s.fail(ctx, err).write(w)
			return
		}
		if fallback, pattern := mux.Handler(r); pattern == "" {
			var probe probe
			fallback.ServeHTTP(&probe, r)
			err := ErrNotFound
			if allow := probe.Header().Get("Allow"); allow != "" {
				h.Set("Allow", allow)
				err = ErrMethod
			}
			s.fail(ctx, err).write(w)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// checkAddress refuses what no route and no store takes: paths that the mux
// would redirect, which breaks under a prefix, and bytes that are no text.
func checkAddress(u *url.URL) error {
	if u.Path != path.Clean(u.Path) || !text(u.Path) {
		return ErrNotFound
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return ErrInvalidQuery
	}
	for name, values := range query {
		for _, v := range values {
			if !text(name) || !text(v) {
				return ErrInvalidQuery.With("field", strings.ToValidUTF8(name, "\uFFFD"))
			}
		}
	}
	return nil
}

// text reports whether s is valid UTF-8 without NUL.
func text(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// cleanID reports whether a request id from outside may stand in our logs.
func cleanID(id string) bool {
	return id != "" && len(id) <= 64 && strings.IndexFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	}) < 0
}

// answer remembers whether the answer has begun.
type answer struct {
	http.ResponseWriter
	begun bool
}

func (a *answer) WriteHeader(status int) {
	a.begun = true
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(b)
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// probe asks the mux why it has no route: a method that is not there comes with Allow.
type probe struct{ header http.Header }

func (p *probe) Header() http.Header {
	if p.header == nil {
		p.header = make(http.Header)
	}
	return p.header
}
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(int)             {}
