package messaging

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/wigwag-chat/wigwag/errs"
)

// The lists that have cursors. A cursor of one list is refused by the others.
const (
	chatList    = 'c'
	memberList  = 'm'
	receiptList = 'r'
	banList     = 'b'
)

const (
	cursorVersion = 1
	cursorHead    = 1 + 1 + 8 // version, list, activity
)

// cursor is the place behind one item of a list: opaque to clients, and safe to
// read from them.
type cursor struct {
	activity int64 // µs since 1970; chats only
	id       string
}

func (c cursor) encode(list byte) string {
	b := make([]byte, 0, cursorHead+MaxID)
	b = append(b, cursorVersion, list)
	b = binary.BigEndian.AppendUint64(b, uint64(c.activity))
	return base64.RawURLEncoding.EncodeToString(append(b, c.id...))
}

// parseCursor reads what encode wrote for the same list, and nothing else; ""
// is the start.
func parseCursor(list byte, text string) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	invalid := errs.Field("cursor", "invalid_cursor", "This cursor does not belong to this list.")
	if len(text) > base64.RawURLEncoding.EncodedLen(cursorHead+MaxID) {
		return cursor{}, invalid
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < cursorHead || b[0] != cursorVersion || b[1] != list {
		return cursor{}, invalid
	}
	c := cursor{activity: int64(binary.BigEndian.Uint64(b[2:])), id: string(b[cursorHead:])}
	if !wellFormed(c.id) || c.encode(list) != text { // the decoder skips line breaks and stray bits
		return cursor{}, invalid
	}
	return c, nil
}

// parse reads a List: the limit to use and where to start.
func (r List) parse(list byte) (limit int, from cursor, err error) {
	if limit, err = checkLimit(r.Limit, defaultPage, MaxPage); err != nil {
		return 0, cursor{}, err
	}
	from, err = parseCursor(list, r.Cursor)
	return limit, from, err
}

// cut makes a page of limit items from limit+1 that were read, so that the last
// page says that it is the last.
func cut[T any](items []T, limit int, list byte, place func(T) cursor) Page[T] {
	if len(items) <= limit {
		return Page[T]{Items: items}
	}
	return Page[T]{Items: items[:limit], Next: place(items[limit-1]).encode(list)}
}
