// Package errs is the one error type of Wigwag: every failure that a caller
// may act on carries a stable code, a kind, a message fit for users, and
// details that name the field at fault (SPEC ERR-1).
//
// A package declares its failures once, as values:
//
//	var ErrChatNotFound = errs.New(errs.NotFound, "chat_not_found", "This chat does not exist.")
//
// and callers ask with the standard library, across packages and layers:
//
//	errors.Is(err, messaging.ErrChatNotFound) // this failure
//	errors.Is(err, errs.NotFound)             // any failure of this kind
//
// An error that is not an *Error is internal: its text never reaches a client.
package errs

import (
	"errors"
	"maps"
	"time"
)

// Kind is the class of a failure. Each kind is itself an error, a sentinel for
// errors.Is; transports map each to one status.
type Kind string

// The kinds of ERR-1. What is retried unchanged can succeed only for
// RateLimited, StorageFull and Unavailable.
const (
	Invalid         Kind = "invalid"          // the input breaks a rule
	Unauthenticated Kind = "unauthenticated"  // nobody, or a credential that no longer counts
	Forbidden       Kind = "forbidden"        // known, and not allowed
	NotFound        Kind = "not_found"        // not there, or not to be known of
	Method          Kind = "method"           // a transport's verb that the path does not have
	Conflict        Kind = "conflict"         // against what is stored
	TooLarge        Kind = "too_large"        // over a limit of size
	UnsupportedType Kind = "unsupported_type" // a media type that is not taken
	RateLimited     Kind = "rate_limited"     // too often; RetryAfter says when
	Quota           Kind = "quota"            // a plan's allowance is used up
	StorageFull     Kind = "storage_full"     // no room; nothing was stored
	Unavailable     Kind = "unavailable"      // a dependency is away for now
	Internal        Kind = "internal"         // a fault of ours
)

// Error returns the kind's name.
func (k Kind) Error() string { return string(k) }

// Error is a failure that a caller may act on. Values are immutable: the With
// methods return copies, so package-level sentinels are safe to share.
type Error struct {
	kind       Kind
	code       string
	message    string
	details    map[string]any
	retryAfter time.Duration
	cause      error
}

// New makes a failure of a kind. The code is stable snake_case, part of the
// public interface; the message is a sentence for users.
func New(kind Kind, code, message string) *Error {
	return &Error{kind: kind, code: code, message: message}
}

// Field is an Invalid failure of one named input field, in the spelling of the
// public interface ("memberIds"), told to clients as details.field.
func Field(field, code, message string) *Error {
	return New(Invalid, code, message).With("field", field)
}

// Kind returns the class of the failure.
func (e *Error) Kind() Kind { return e.kind }

// Code returns the stable code.
func (e *Error) Code() string { return e.code }

// Message returns the sentence for users, free of internals.
func (e *Error) Message() string { return e.message }

// Details returns a copy of what else is said of the failure, for clients;
// nil when there is nothing.
func (e *Error) Details() map[string]any { return maps.Clone(e.details) }

// RetryAfter is how long to wait before trying again; zero when not known.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

// Error returns the code and the message, and the cause where there is one.
// It is meant for logs; clients see Code, Message and Details only.
func (e *Error) Error() string {
	s := e.code + ": " + e.message
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is this failure's kind or a failure of the same code.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case Kind:
		return e.kind == t
	case *Error:
		return e.code == t.code
	}
	return false
}

// With returns a copy with one more detail.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.details = maps.Clone(e.details)
	if c.details == nil {
		c.details = make(map[string]any, 1)
	}
	c.details[key] = value
	return &c
}

// After returns a copy that says how long to wait.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.retryAfter = d
	return &c
}

// Because returns a copy that wraps a cause, for logs.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// KindOf returns the kind of err: that of the first *Error in its tree, else Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.kind
	}
	return Internal
}

// CodeOf returns the code of the first *Error in err's tree, else "internal".
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.code
	}
	return "internal"
}
