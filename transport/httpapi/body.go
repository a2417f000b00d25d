package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/wigwag-chat/wigwag/transport/api"
)

// decode reads the JSON body of a request into v. A body without a content type
// is refused too: a page of another origin can send such without being asked.
func (s *server) decode(w http.ResponseWriter, r *http.Request, v any) error {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return ErrMediaType
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return ErrMediaType
	}
	if r.ContentLength > s.MaxBody {
		return ErrBodyTooLarge.With("max", s.MaxBody)
	}
	// Not every writer has deadlines; the request's context holds in any case.
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(s.Timeout))
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBody))
	_ = conn.SetReadDeadline(time.Time{})
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return ErrBodyTooLarge.With("max", s.MaxBody)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrTimeout
	case err != nil:
		return errBodyUnreadable.Because(err)
	}
	return api.Decode(data, v)
}
