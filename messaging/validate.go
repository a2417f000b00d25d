package messaging

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wigwag-chat/wigwag/errs"
)

const (
	defaultPage = 50
	maxOffset   = 10_000_000
)

// validText tells whether stores can keep s byte for byte.
func validText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// tooLong counts runes, without reading what is too long in any case.
func tooLong(s string, runes int) bool {
	return len(s) > runes*utf8.UTFMax || utf8.RuneCountInString(s) > runes
}

// blank tells whether nothing of s is to be seen: white space, and format
// characters (zero-width ones, direction marks), but for those that have a shape.
func blank(s string) bool {
	for _, r := range s {
		hidden := unicode.Is(unicode.White_Space, r) ||
			unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
		if !hidden {
			return false
		}
	}
	return true
}

// checkText is MSG-2.
func checkText(text string) error {
	switch {
	case tooLong(text, MaxText):
		return ErrMessageTooLong
	case !validText(text):
		return errs.Field("text", "invalid_text", "A message is valid UTF-8 without NUL.")
	case blank(text):
		return ErrEmptyMessage
	}
	return nil
}

// wellFormed tells whether id may name anything: 1 to MaxID bytes of valid
// UTF-8 without control characters.
func wellFormed(id string) bool {
	return id != "" && len(id) <= MaxID && utf8.ValidString(id) && strings.IndexFunc(id, unicode.IsControl) < 0
}

func checkUser(userID string) error {
	if !wellFormed(userID) {
		return errs.Field("userId", "invalid_user", "This is no user's id.")
	}
	return nil
}

// checkChat lets only ids pass that something may have: an ill-formed one names
// no chat.
func checkChat(userID, chatID string) error {
	if err := checkUser(userID); err != nil {
		return err
	}
	if !wellFormed(chatID) {
		return ErrChatNotFound
	}
	return nil
}

func checkMessage(userID, chatID, messageID string) error {
	if err := checkChat(userID, chatID); err != nil {
		return err
	}
	if !wellFormed(messageID) {
		return ErrMessageNotFound
	}
	return nil
}

func checkClientID(id string) error {
	if id != "" && !wellFormed(id) {
		return errs.Field("clientId", "invalid_client_id", "A client id has at most 128 bytes and no control characters.")
	}
	return nil
}

// checkLimit gives the limit to use: that of the caller, or the default for 0.
func checkLimit(limit, byDefault, most int) (int, error) {
	switch {
	case limit < 0 || limit > most:
		return 0, errs.Field("limit", "invalid_limit", "So many cannot be asked for at once.").With("max", most)
	case limit == 0:
		return byDefault, nil
	}
	return limit, nil
}

func checkWindow(w Window) (Window, error) {
	set := 0
	for _, f := range []struct {
		name string
		seq  int64
	}{{"before", w.Before}, {"after", w.After}, {"around", w.Around}} {
		if f.seq < 0 {
			return w, errs.Field(f.name, "invalid_sequence", "A sequence is not negative.")
		}
		if f.seq > 0 {
			set++
		}
	}
	if set > 1 || set == 1 && w.Offset != 0 {
		return w, errs.New(errs.Invalid, "invalid_window", "Give one of before, after, around and offset.")
	}
	if w.Offset < 0 || w.Offset > maxOffset {
		return w, errs.Field("offset", "invalid_offset", "The offset is out of range.").With("max", maxOffset)
	}
	var err error
	w.Limit, err = checkLimit(w.Limit, defaultPage, MaxPage)
	return w, err
}
