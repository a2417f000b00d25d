package users

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/wigwag-chat/wigwag/errs"
)

// Faults of single fields, besides ErrUsername.
var (
	ErrID          = errs.Field("userId", "invalid_id", "A user id has 1 to 128 bytes of text.")
	ErrDisplayName = errs.Field("displayName", "invalid_display_name", "A display name has 1 to 100 characters, without line breaks.")
	ErrFullName    = errs.Field("fullName", "invalid_full_name", "A full name has at most 100 characters, without line breaks.")
	ErrBio         = errs.Field("bio", "invalid_bio", "A bio has at most 500 characters.")
	ErrPicture     = errs.Field("pictureId", "invalid_picture", "This is not the id of a picture.")
	ErrLanguage    = errs.Field("language", "invalid_language", "This is not a language tag like en or pt-BR.")
	errName        = errs.Field("name", "invalid_name", "A name to look for has at most 100 characters.")
	ErrTooManyIDs  = errs.Field("ids", "too_many_ids", "At most 200 people can be asked for at once.")
)

// fold gives a username its plain form: full-width letters and the like become
// ASCII (NFKC, UAX #15).
func fold(username string) string { return norm.NFKC.String(username) }

// key is what usernames are unique by.
func key(folded string) string { return strings.ToLower(folded) }

// checkUsername returns the form of a username that is stored.
func (p *Profiles) checkUsername(username string) (string, error) {
	if len(username) > utf8.UTFMax*MaxUsername { // nothing longer folds to so little; spare the work
		return "", ErrUsername
	}
	name := fold(username)
	if len(name) < MinUsername || len(name) > MaxUsername {
		return "", ErrUsername
	}
	digits := 0
	for _, c := range []byte(name) {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c == '.':
		default:
			return "", ErrUsername
		}
	}
	if digits == len(name) {
		return "", ErrUsername // it would read as a phone number
	}
	if p.reserved[key(name)] {
		return "", ErrUsernameTaken
	}
	return name, nil
}

// Check validates names as Create does; "" is none, and fine.
func (p *Profiles) Check(username, displayName string) error {
	if username != "" {
		if _, err := p.checkUsername(username); err != nil {
			return err
		}
	}
	if displayName != "" {
		if _, err := checkDisplayName(displayName); err != nil {
			return err
		}
	}
	return nil
}

func checkDisplayName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if !oneLine(s, MaxDisplayName) || !visible(s) {
		return "", ErrDisplayName
	}
	return s, nil
}

func checkFullName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if !oneLine(s, MaxFullName) {
		return "", ErrFullName
	}
	return s, nil
}

func checkBio(s string) (string, error) {
	if !text(s, MaxBio, "\n\t") {
		return "", ErrBio
	}
	return s, nil
}

func checkPicture(s string) (string, error) {
	if s != "" && !wellFormed(s) {
		return "", ErrPicture
	}
	return s, nil
}

// checkLanguage returns the canonical spelling of a BCP 47 tag.
func checkLanguage(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if len(s) > MaxLanguage {
		return "", ErrLanguage
	}
	tag, err := language.Parse(s)
	if err != nil || len(tag.String()) > MaxLanguage {
		return "", ErrLanguage
	}
	return tag.String(), nil
}

// wellFormed reports whether s can be an id: 1 to MaxID bytes of UTF-8 without control characters.
func wellFormed(s string) bool {
	return s != "" && len(s) <= MaxID && text(s, MaxID, "")
}

// oneLine is text without line breaks, and without the marks that turn the
// reading direction of what follows, with which a name can pose as another (UAX #9).
func oneLine(s string, limit int) bool {
	return text(s, limit, "") && !strings.ContainsFunc(s, func(r rune) bool {
		return r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
	})
}

// text reports whether s is valid UTF-8 of at most limit runes, with no control
// characters but the allowed ones.
func text(s string, limit int, allowed string) bool {
	return len(s) <= limit*utf8.UTFMax && utf8.ValidString(s) && utf8.RuneCountInString(s) <= limit &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(allowed, r) })
}

// visible reports whether anything of s can be seen.
func visible(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !blank(r) })
}

// blank are letters by category that show nothing: the Hangul fillers and Braille's empty cell.
func blank(r rune) bool {
	return r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' || r == '\u2800'
}
