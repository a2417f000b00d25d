package ws

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/transport/api"
)

var (
	errUpgrade  = errs.New(errs.Invalid, "upgrade_required", "Open this address as a WebSocket.")
	errStopping = errs.New(errs.Unavailable, "restarting", "The server is restarting. Try again in a moment.")
)

// upgrade lets a handshake through and keeps back a refusal, whose text would
// not be an error as SPEC ERR-2 has it.
type upgrade struct {
	http.ResponseWriter
	refused int
	socket  *socket // once it is taken over
}

func (u *upgrade) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		u.refused = status
		return
	}
	u.ResponseWriter.WriteHeader(status)
}

func (u *upgrade) Write(data []byte) (int, error) {
	if u.refused != 0 {
		return len(data), nil
	}
	return u.ResponseWriter.Write(data)
}

// refuse answers what does not become a WebSocket.
func (h *Handler) refuse(w http.ResponseWriter, status int, err error) {
	id := w.Header().Get("X-Request-Id") // of a middleware
	if id == "" {
		id = uuid.NewString()
		w.Header().Set("X-Request-Id", id)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(api.Error{ // a client that went away needs no answer
		Error: api.FromError(err), Timestamp: h.Now().UTC().Truncate(time.Microsecond), RequestID: id,
	})
}
