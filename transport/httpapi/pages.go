package httpapi

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/wigwag-chat/wigwag/messaging"
)

// The lists whose cursors are made here. A cursor of one list is refused by the
// others, and by those of package messaging.
const (
	olderMessages = 'o'
	newerMessages = 'n'
	sessionList   = 's'
	pastTextList  = 'p'
	inviteList    = 'i'
)

const (
	cursorVersion = 1
	cursorHead    = 1 + 1 + 8 // version, list, number
)

// position is the place of one item of a list: items ascend by number, then by id.
type position struct {
	number int64
	id     string
}

func (p position) compare(o position) int {
	return cmp.Or(cmp.Compare(p.number, o.number), strings.Compare(p.id, o.id))
}

// cursor is what follows a position: opaque to clients.
func (p position) cursor(list byte) string {
	b := make([]byte, 0, cursorHead+len(p.id))
	b = append(b, cursorVersion, list)
	b = binary.BigEndian.AppendUint64(b, uint64(p.number))
	return base64.RawURLEncoding.EncodeToString(append(b, p.id...))
}

// parseCursor reads what cursor wrote for one of the lists, and nothing else.
func parseCursor(text, lists string) (list byte, p position, err error) {
	if len(text) > base64.RawURLEncoding.EncodedLen(cursorHead+messaging.MaxID) {
		return 0, p, ErrInvalidCursor
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < cursorHead || b[0] != cursorVersion || strings.IndexByte(lists, b[1]) < 0 {
		return 0, p, ErrInvalidCursor
	}
	list = b[1]
	p = position{number: int64(binary.BigEndian.Uint64(b[2:])), id: string(b[cursorHead:])}
	if !utf8.ValidString(p.id) || p.cursor(list) != text { // the decoder skips line breaks and stray bits
		return 0, p, ErrInvalidCursor
	}
	return list, p, nil
}

// pageOf returns a page of a list that is whole in memory, from behind a cursor, and
// the cursor of the next page. The positions of the items ascend.
func pageOf[T any](all []T, at func(i int) position, list byte, p pageParams) (page []T, next string, err error) {
	from := 0
	if p.Cursor != "" {
		_, behind, err := parseCursor(p.Cursor, string(list))
		if err != nil {
			return nil, "", err
		}
		from = sort.Search(len(all), func(i int) bool { return at(i).compare(behind) > 0 })
	}
	if rest := len(all) - from; rest <= p.Limit {
		return all[from:], "", nil
	}
	to := from + p.Limit
	return all[from:to], at(to - 1).cursor(list), nil
}
