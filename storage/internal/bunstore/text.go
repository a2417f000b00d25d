package bunstore

import (
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
)

var errText = errs.New(errs.Invalid, "invalid_text", "Text must be UTF-8 without the character NUL.")

// valid refuses strings, also those inside of structs and slices, that would
// not come back as they were given.
func valid(args ...any) error {
	for _, a := range args {
		if !sound(reflect.ValueOf(a)) {
			return errText
		}
	}
	return nil
}

// validMessage is valid for a message, at a hundredth of its cost.
func validMessage(n *messaging.NewMessage) error {
	for _, s := range [...]string{n.ID, n.ChatID, n.SenderID, n.ClientID, string(n.Kind), n.Body.KeyID, n.ReplyTo} {
		if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
			return errText
		}
	}
	return nil
}

func sound(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		s := v.String()
		return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
	case reflect.Slice:
		switch v.Type().Elem().Kind() {
		case reflect.String, reflect.Struct:
		default:
			return true
		}
		for i := range v.Len() {
			if !sound(v.Index(i)) {
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !sound(v.Field(i)) {
				return false
			}
		}
	}
	return true
}
