package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 20

// none is an answer of which nothing is read.
type none struct{}

// request is one call.
type request struct {
	method     string
	path       string // escaped
	query      url.Values
	key        string // Idempotency-Key
	body       any
	anonymous  bool // sent without credentials
	repeatable bool // may be sent again when it is not known what became of it; every GET may
}

// call makes a request, again where that may help, and decodes the answer.
func call[T any](ctx context.Context, c *Client, q request) (out T, err error) {
	var body []byte
	if q.body != nil {
		if body, err = json.Marshal(q.body); err != nil {
			return out, fmt.Errorf("client: %w", err)
		}
	}
	var last error
	try := func() (none, error) {
		last = c.authorized(ctx, q, body, &out)
		return none{}, c.again(q, last)
	}
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.Multiplier, waits.MaxInterval = c.opt.FirstWait, 2, c.opt.MaxWait
	if _, err := backoff.Retry(ctx, try, backoff.WithBackOff(waits), backoff.WithMaxTries(uint(c.opt.Tries)), backoff.WithMaxElapsedTime(0)); err == nil {
		return out, nil
	}
	if ctx.Err() != nil && !errors.Is(last, ctx.Err()) {
		last = errors.Join(context.Cause(ctx), last)
	}
	return out, last
}

// again marks errors after which a call is not repeated as permanent.
func (c *Client) again(q request, err error) error {
	var e *errs.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &e): // the network: nobody knows what became of the request
		if q.method == http.MethodGet || q.repeatable {
			return err
		}
	case e.Kind() == errs.RateLimited && e.RetryAfter() > 0 && e.RetryAfter() <= c.opt.MaxWait: // nothing was done
		return &backoff.RetryAfterError{Duration: e.RetryAfter()}
	case e.Kind() == errs.Unavailable && (q.method == http.MethodGet || q.repeatable) && e.RetryAfter() <= c.opt.MaxWait:
		return err
	}
	return backoff.Permanent(err)
}

// authorized makes one try, and a second one with a fresh token when the first
// one's has expired.
func (c *Client) authorized(ctx context.Context, q request, body []byte, out any) error {
	if q.anonymous || c.opt.Authorize != nil {
		return c.send(ctx, q, body, "", out)
	}
	token := c.tokens.access()
	err := c.send(ctx, q, body, token, out)
	if token == "" || !errors.Is(err, errs.Unauthenticated) {
		return err
	}
	fresh, refused := c.refresh(ctx, token)
	if refused != nil {
		if errors.Is(refused, errs.Unauthenticated) {
			return err
		}
		return refused
	}
	return c.send(ctx, q, body, fresh, out)
}

// send makes one request.
func (c *Client) send(ctx context.Context, q request, body []byte, token string, out any) error {
	target := c.base.String() + q.path
	if len(q.query) > 0 {
		target += "?" + q.query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, q.method, target, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if q.key != "" {
		r.Header.Set("Idempotency-Key", q.key)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if c.opt.Authorize != nil && !q.anonymous {
		if err := c.opt.Authorize(r); err != nil {
			return fmt.Errorf("client: authorize: %w", err)
		}
	}
	resp, err := c.opt.HTTPClient.Do(r)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("client: reading the answer: %w", err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return failure(resp, data)
	}
	if _, nothing := out.(*none); nothing || len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return errUnexpected(errs.Internal, resp.StatusCode).Because(err)
	}
	return nil
}

// failure turns an answer back into the error that it began as.
func failure(resp *http.Response, data []byte) error {
	kind := kindOf(resp.StatusCode)
	var body api.Error
	err := errUnexpected(kind, resp.StatusCode)
	if json.Unmarshal(data, &body) == nil && body.Error.Code != "" {
		err = body.Error.Err(kind)
	}
	if seconds, e := strconv.Atoi(resp.Header.Get("Retry-After")); e == nil && seconds > 0 {
		err = err.After(time.Duration(seconds) * time.Second)
	}
	return err
}

// errUnexpected is for answers that are not the server's own: of a proxy, say.
func errUnexpected(kind errs.Kind, status int) *errs.Error {
	return errs.New(kind, "unexpected_answer", "The server gave an answer that was not expected.").With("status", status)
}

// kindOf is the table of the server, read backwards.
func kindOf(status int) errs.Kind {
	switch status {
	case http.StatusUnauthorized:
		return errs.Unauthenticated
	case http.StatusPaymentRequired:
		return errs.Quota
	case http.StatusForbidden:
		return errs.Forbidden
	case http.StatusNotFound:
		return errs.NotFound
	case http.StatusMethodNotAllowed:
		return errs.Method
	case http.StatusConflict:
		return errs.Conflict
	case http.StatusRequestEntityTooLarge:
		return errs.TooLarge
	case http.StatusUnsupportedMediaType:
		return errs.UnsupportedType
	case http.StatusTooManyRequests:
		return errs.RateLimited
	case http.StatusInsufficientStorage:
		return errs.StorageFull
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return errs.Unavailable
	}
	if status >= 400 && status < 500 {
		return errs.Invalid
	}
	return errs.Internal
}
