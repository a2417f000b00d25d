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

// decode reads the JSON body of a request into v.
func (s *server) decode(w http.ResponseWriter, r *http.Request, v any) error {
	if err := checkMediaType(r); err != nil {
		return err
	}
	data, err := s.read(w, r)
	if err != nil {
		return err
	}
	return api.Decode(data, v)
}

// decodeNothing refuses the body of a request whose route takes none; an empty
// one and {} pass.
func (s *server) decodeNothing(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength == 0 {
		return nil
	}
	data, err := s.read(w, r)
	if err != nil || len(data) == 0 {
		return err
	}
	if err := checkMediaType(r); err != nil {
		return err
	}
	return api.Decode(data, &api.Empty{})
}

// checkMediaType takes JSON alone. A body without a content type is refused too: a
// page of another origin can send such without being asked.
func checkMediaType(r *http.Request) error {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return ErrMediaType
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return ErrMediaType
	}
	return nil
}

// read reads a body within the limits of size and time.
func (s *server) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > s.MaxBody {
		return nil, ErrBodyTooLarge.With("max", s.MaxBody)
	}
	// Not every writer has deadlines; the request's context holds in any case.
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(s.Timeout))
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBody))
	_ = conn.SetReadDeadline(time.Time{})
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, ErrBodyTooLarge.With("max", s.MaxBody)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, ErrTimeout
	case err != nil:
		return nil, errBodyUnreadable.Because(err)
	}
	return data, nil
}
