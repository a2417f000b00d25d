package httpapi

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
)

// route describes one operation.
type route struct {
	call    string // method and path
	id      string // of the operation
	tag     string
	summary string
	about   string       // more than the summary says
	scope   string       // that a limited credential needs (AUTH-11)
	public  bool         // needs no credential
	also    int          // another status of success
	alsoIs  reflect.Type // its body; nil: the same
	status  int          // of success; 0: 200, or 204 without a body
}

// none stands for no body.
type none struct{}

// call is one request: who makes it, from where, its parameters and its body.
type call[P, B any] struct {
	Who  auth.Identity
	From auth.Client
	In   *P
	Body B
}

// reply is the answer to a call.
type reply[O any] struct {
	Status int
	Body   O
}

// handler answers a call.
type handler[P, B, O any] func(context.Context, *call[P, B]) (*reply[O], error)

func ok[O any](body O) (*reply[O], error) { return &reply[O]{http.StatusOK, body}, nil }

// made answers with 201 for what is new, and 200 for what was there.
func made[O any](body O, isNew bool) (*reply[O], error) {
	if isNew {
		return &reply[O]{http.StatusCreated, body}, nil
	}
	return ok(body)
}

func done(err error) (*reply[none], error) { return nil, err }

// exchange is one request on its way through huma.
type exchange struct {
	w    http.ResponseWriter
	r    *http.Request
	who  auth.Identity
	from auth.Client
}

type exchangeKey struct{}

// add registers an operation: authentication first, then the parameters, which
// huma reads, then the body, which api.Decode reads, then the handler.
func add[P, B, O any](s *server, rt route, h handler[P, B, O]) {
	method, path, _ := strings.Cut(rt.call, " ")
	op := huma.Operation{
		Method: method, Path: path, OperationID: rt.id, Tags: []string{rt.tag}, Summary: rt.summary, Description: rt.about,
		DefaultStatus: rt.status,
		Middlewares:   huma.Middlewares{s.enter(rt)},
	}
	if !rt.public {
		op.Security = []map[string][]string{{"bearer": {}}}
	}
	hasBody := reflect.TypeFor[B]() != reflect.TypeFor[none]()
	run := func(ctx context.Context, in *P) (*reply[O], error) {
		x := ctx.Value(exchangeKey{}).(*exchange)
		c := &call[P, B]{Who: x.who, From: x.from, In: in}
		var err error
		switch {
		case hasBody:
			err = s.decode(x.w, x.r, &c.Body)
		case method != http.MethodGet:
			err = s.decodeNothing(x.w, x.r)
		}
		if err != nil {
			return nil, s.fail(ctx, err)
		}
		out, err := h(ctx, c)
		if err != nil {
			return nil, s.fail(ctx, err)
		}
		return out, nil
	}
	if reflect.TypeFor[O]() == reflect.TypeFor[none]() {
		huma.Register(s.api, op, func(ctx context.Context, in *P) (*struct{}, error) {
			_, err := run(ctx, in)
			return nil, err
		})
	} else {
		huma.Register(s.api, op, run)
	}
	s.document(rt, method, path, reflect.TypeFor[B]())
}

// enter authenticates, and carries the request to the handler.
func (s *server) enter(rt route) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		x := &exchange{w: w, r: r, from: auth.Client{IP: s.ClientIP(r), UserAgent: cut(r.UserAgent(), 300)}}
		if !rt.public {
			who, err := s.identify(r, rt.scope)
			if err != nil {
				s.fail(hc.Context(), err).write(w)
				return
			}
			x.who = who
		}
		next(plainStatus{huma.WithValue(hc, exchangeKey{}, x)})
	}
}

// identify tells who makes a request, and makes his profile on first sight (AUTH-14).
func (s *server) identify(r *http.Request, scope string) (auth.Identity, error) {
	who, err := s.Authenticator.Request(r)
	if err != nil {
		return who, err
	}
	if err := who.Require(scope); err != nil {
		return who, err
	}
	return who, s.Users.Ensure(r.Context(), who.UserID)
}

// plainStatus answers 400 where huma says 422: there is one status for bad input.
type plainStatus struct{ humaContext }

type humaContext huma.Context // by another name, so that the field does not hide the method Context

func (c plainStatus) Unwrap() huma.Context { return c.humaContext }

func (c plainStatus) SetStatus(status int) {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	c.humaContext.SetStatus(status)
}

// plainError turns what huma finds wrong with parameters into our error body.
func (s *server) plainError(hc huma.Context, _ string, v any) (any, error) {
	m, isHuma := v.(*huma.ErrorModel)
	if !isHuma {
		return v, nil
	}
	err := errs.New(errs.Invalid, "invalid_parameter", "A parameter has a value of the wrong kind.")
	if len(m.Errors) > 0 {
		_, name, _ := strings.Cut(m.Errors[0].Location, ".")
		if name == "limit" {
			err = ErrInvalidLimit
		}
		err = err.With("field", name)
	}
	hc.SetHeader("Content-Type", "application/json")
	return s.fail(hc.Context(), err), nil
}

// cut returns at most n bytes of s, as valid UTF-8.
func cut(s string, n int) string { return strings.ToValidUTF8(s[:min(n, len(s))], "") }
