// Package api is the public JSON of Wigwag: the bodies of requests and answers,
// the frames and the events, as both transports write them and every client
// reads them. The transports convert from the services' types by the From
// functions here, and decode what comes in by [Decode].
//
// A field without a value is left out, but for the few that are null by name;
// arrays, numbers and booleans of an object are always there. Times are RFC 3339
// in UTC with up to six digits after the second. Ids are opaque strings.
package api

import (
	"errors"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
)

// MaxPage and DefaultPage are the items of a page: at most, and when not asked.
const (
	MaxPage     = 200
	DefaultPage = 50
)

// Page is part of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next" doc:"The cursor of the next page; empty at the end."`
}

// Error is the body of every answer that is no success (SPEC ERR-2).
type Error struct {
	Error     Failure   `json:"error"`
	Timestamp time.Time `json:"timestamp"`
	RequestID string    `json:"requestId" doc:"Also in the header X-Request-Id."`
}

// Failure is what went wrong, in the body of an error and in the reply to a frame.
type Failure struct {
	Code    string         `json:"code" example:"chat_not_found" doc:"Stable, in snake_case."`
	Message string         `json:"message" doc:"A sentence for people."`
	Details map[string]any `json:"details,omitempty" doc:"More for programs: field names the input at fault."`
}

// FromError tells a client what went wrong. What is not an *errs.Error is
// internal, and nothing of it is told.
func FromError(err error) Failure {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return Failure{Code: "internal", Message: "Something went wrong on our side."}
	}
	return Failure{Code: e.Code(), Message: e.Message(), Details: e.Details()}
}

// Err turns a failure back into an error of a kind, so that errors.Is finds the
// sentinel that it began as.
func (f Failure) Err(kind errs.Kind) *errs.Error {
	e := errs.New(kind, f.Code, f.Message)
	for k, v := range f.Details {
		e = e.With(k, v)
	}
	return e
}

// Empty is the answer {}.
type Empty struct{}

// Health is the answer of /healthz and /readyz.
type Health struct {
	Status string `json:"status" enum:"ok"`
}

// Ticket opens one WebSocket, within 30 s.
type Ticket struct {
	Ticket    string    `json:"ticket"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// stamp is a time as clients see it.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// stampOrNull is a time for a field that is null without one.
func stampOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = stamp(t)
	return &t
}

// each converts a list; the result is never nil, since clients rely on arrays.
func each[S, T any](in []S, convert func(S) T) []T {
	out := make([]T, 0, len(in))
	for _, v := range in {
		out = append(out, convert(v))
	}
	return out
}
