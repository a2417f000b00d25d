package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// Failures of the transport itself. Those of what a body holds are api's.
var (
	ErrNotFound       = errs.New(errs.NotFound, "not_found", "There is nothing at this address.")
	ErrMethod         = errs.New(errs.Method, "method_not_allowed", "This address does not take that method.")
	ErrBodyTooLarge   = errs.New(errs.TooLarge, "body_too_large", "The request is too large.")
	ErrMediaType      = errs.New(errs.UnsupportedType, "unsupported_media_type", "Send application/json in UTF-8, without a content coding.")
	ErrUpgrade        = errs.New(errs.Invalid, "upgrade_required", "Open this address as a WebSocket.")
	ErrInvalidQuery   = errs.New(errs.Invalid, "invalid_query", "The query of the address is malformed.")
	ErrInvalidLimit   = errs.Field("limit", "invalid_limit", "A page has 1 to 200 items.")
	ErrInvalidCursor  = errs.Field("cursor", "invalid_cursor", "This cursor does not belong to this list.")
	ErrInvalidWindow  = errs.New(errs.Invalid, "invalid_window", "Give one of before, after, around, offset and cursor.")
	ErrInvalidKey     = errs.Field("Idempotency-Key", "invalid_idempotency_key", "An Idempotency-Key has 1 to 255 visible characters.")
	ErrNotAdmin       = errs.New(errs.Forbidden, "not_an_admin", "Only administrators may do this.")
	ErrTimeout        = errs.New(errs.Unavailable, "timeout", "This took too long. Try again.")
	ErrNotReady       = errs.New(errs.Unavailable, "not_ready", "The service cannot serve at the moment.")
	errBodyUnreadable = errs.New(errs.Invalid, "invalid_body", "The body could not be read to its end.")
)

// statuses is the one table from kinds of failures to HTTP (SPEC ERR-2).
func statuses(k errs.Kind) int {
	switch k {
	case errs.Invalid:
		return http.StatusBadRequest
	case errs.Unauthenticated:
		return http.StatusUnauthorized
	case errs.Quota:
		return http.StatusPaymentRequired
	case errs.Forbidden:
		return http.StatusForbidden
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Method:
		return http.StatusMethodNotAllowed
	case errs.Conflict:
		return http.StatusConflict
	case errs.TooLarge:
		return http.StatusRequestEntityTooLarge
	case errs.UnsupportedType:
		return http.StatusUnsupportedMediaType
	case errs.RateLimited:
		return http.StatusTooManyRequests
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	case errs.StorageFull:
		return http.StatusInsufficientStorage
	}
	return http.StatusInternalServerError
}

// FromError gives the status and what a client is told of an error: of what is
// not an *errs.Error, nothing. A request that ran out of time is ErrTimeout.
func FromError(err error) (status int, f api.Failure) {
	if errs.KindOf(err) == errs.Internal && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		err = ErrTimeout
	}
	return statuses(errs.KindOf(err)), api.FromError(err)
}

// failure is an error on its way through huma to the client.
type failure struct {
	status  int
	body    api.Error
	headers http.Header
}

// fail prepares an error for the client, and logs what is ours to mend.
func (s *server) fail(ctx context.Context, err error) *failure {
	status, body := FromError(err)
	f := &failure{status, api.Error{Error: body, Timestamp: s.Now().UTC().Truncate(time.Microsecond), RequestID: requestID(ctx)}, http.Header{}}
	var wait time.Duration
	if e, ok := errors.AsType[*errs.Error](err); ok {
		wait = e.RetryAfter()
	}
	if status == http.StatusTooManyRequests {
		wait = max(wait, time.Second) // always told, a guess where nothing is known
	}
	if wait > 0 {
		f.headers.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	if status == http.StatusUnauthorized {
		f.headers.Set("WWW-Authenticate", "Bearer") // RFC 9110, section 11.6.1
	}
	if status >= 500 {
		s.Logger.ErrorContext(ctx, "request failed", "requestId", f.body.RequestID, "code", body.Code, "error", err)
	}
	return f
}

// write answers without huma.
func (f *failure) write(w http.ResponseWriter) {
	for name, values := range f.headers {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(f.body) // a client that went away needs no answer
}

func (f *failure) Error() string                { return f.body.Error.Code }
func (f *failure) GetStatus() int               { return f.status }
func (f *failure) GetHeaders() http.Header      { return f.headers }
func (f *failure) MarshalJSON() ([]byte, error) { return json.Marshal(f.body) }
