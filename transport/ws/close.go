package ws

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/hub"
)

const (
	closeGrace   = time.Second // for a client to take the last frames and the close code
	restartDelay = time.Second // after how long clients should come back to a restarted server
)

// Why the server ends a connection; closeWith maps each to its code.
var (
	errRestart         = errors.New("ws: restarting")
	errOrigin          = errors.New("ws: origin not allowed")
	errBadFrame        = errors.New("ws: bad frame")
	errUnauthenticated = auth.ErrUnauthenticated
	errRate            = errors.New("ws: too many frames")
	errGone            = errors.New("ws: the client is gone")
)

// dismiss closes a connection that nobody reads, and waits no longer than a moment
// for the client to agree.
func (s *session) dismiss(err error) {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() {
		for {
			if _, _, err := s.conn.Read(ctx); err != nil {
				return
			}
		}
	})
	s.closeWith(err)
}

// closeWith closes the connection with the code for a reason.
func (s *session) closeWith(err error) {
	code, reason := websocket.StatusInternalError, ""
	switch {
	case errors.Is(err, errGone), errors.Is(err, hub.ErrClosed), errors.Is(err, context.Canceled):
		s.conn.CloseNow()
		return
	case errors.Is(err, errRestart):
		code, reason = CloseRestart, fmt.Sprintf(`{"retryAfterMs":%d}`, restartDelay.Milliseconds())
	case errors.Is(err, hub.ErrSlow), errors.Is(err, hub.ErrGap):
		code, reason = CloseSlow, "reconnect and sync"
	case errors.Is(err, errOrigin):
		code, reason = CloseOrigin, "origin not allowed"
	case errors.Is(err, errBadFrame):
		code, reason = CloseBadFrame, "bad frame"
	case errors.Is(err, hub.ErrTooMany):
		code, reason = CloseTooMany, "too many connections"
	case errors.Is(err, errRate):
		code, reason = CloseRateLimited, "too many frames"
	case errors.Is(err, errs.Unauthenticated), errors.Is(err, errs.Forbidden):
		code, reason = CloseUnauthenticated, errs.CodeOf(err)
	case errors.Is(err, errs.Unavailable):
		code = websocket.StatusTryAgainLater
	default:
		s.h.Logger.Error("websocket ended", "error", err)
	}
	s.conn.Close(code, reason)
}
