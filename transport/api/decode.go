package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wigwag-chat/wigwag/errs"
)

// MaxDepth is how deep objects and arrays of an input may nest.
const MaxDepth = 32

// What Decode refuses. UnknownField, MissingField and InvalidField name the
// field in their details, as a path of names.
var (
	ErrInvalidJSON  = errs.New(errs.Invalid, "invalid_json", "The body is not one well-formed JSON object.")
	ErrUnknownField = errs.New(errs.Invalid, "unknown_field", "The body has a field that is not known here.")
	ErrMissingField = errs.New(errs.Invalid, "missing_field", "A field is missing.")
	ErrInvalidField = errs.New(errs.Invalid, "invalid_field", "A field has a value of the wrong kind.")
	errNUL          = errs.New(errs.Invalid, "invalid_field", "A text holds no NUL.")
)

// Decode reads one JSON object from a client into the struct that v points to.
//
// It is stricter than encoding/json, which replaces or merges without a word:
// refused are invalid UTF-8, halves of surrogate pairs, names that occur twice,
// nesting beyond MaxDepth, anything after the object (all ErrInvalidJSON), names
// that no field has to the letter (ErrUnknownField), values of the wrong kind,
// null and texts with a NUL (ErrInvalidField), and the absence of a field without omitempty
// or omitzero (ErrMissingField). The first fault is told. After an error
// the contents of v are undefined.
func Decode(data []byte, v any) error {
	if err := check(data, reflect.TypeOf(v).Elem()); err != nil {
		return err
	}
	err := json.Unmarshal(data, v)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return ErrInvalidField.With("field", e.Field).Because(err)
	}
	if err != nil {
		return ErrInvalidField.Because(err)
	}
	if r, ok := v.(interface{ validate() error }); ok {
		return r.validate()
	}
	return nil
}

// Check refuses what Decode refuses as ErrInvalidJSON, whatever the fields.
func Check(data []byte) error { return check(data, nil) }

func check(data []byte, t reflect.Type) error {
	if !utf8.Valid(data) || !json.Valid(data) {
		return ErrInvalidJSON
	}
	s := scanner{data: data, noNUL: t != nil}
	return s.value(t, "", 0)
}

// scanner walks a text that is known to be valid JSON.
type scanner struct {
	data  []byte
	pos   int
	noNUL bool // a NUL is well-formed, but fits no field
}

// next skips white space and returns the byte that follows.
func (s *scanner) next() byte {
	for s.data[s.pos] <= ' ' {
		s.pos++
	}
	return s.data[s.pos]
}

// value walks one value that should fit t; nil fits all.
func (s *scanner) value(t reflect.Type, field string, depth int) error {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil && t.Kind() == reflect.Interface || t == reflect.TypeFor[json.RawMessage]() {
		t = nil
	}
	c := s.next()
	if (c == '{' || c == '[') && depth == MaxDepth {
		return ErrInvalidJSON
	}
	if t != nil && !fits(c, t) {
		if field == "" {
			return ErrInvalidJSON
		}
		return ErrInvalidField.With("field", field)
	}
	switch c {
	case '{':
		return s.object(t, field, depth+1)
	case '[':
		return s.array(t, field, depth+1)
	case '"':
		text, err := s.text()
		if err == nil && s.noNUL && strings.IndexByte(text, 0) >= 0 {
			err = errNUL.With("field", field)
		}
		return err
	}
	for s.pos < len(s.data) && bytes.IndexByte([]byte(" \t\r\n,]}"), s.data[s.pos]) < 0 {
		s.pos++
	}
	return nil
}

// fits reports whether a value that begins with c can become a t.
func fits(c byte, t reflect.Type) bool {
	switch c {
	case '{':
		return t.Kind() == reflect.Map || t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]()
	case '[':
		return t.Kind() == reflect.Slice
	case '"':
		return t.Kind() == reflect.String || t == reflect.TypeFor[time.Time]()
	case 't', 'f':
		return t.Kind() == reflect.Bool
	case 'n':
		return false
	}
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64
}

func (s *scanner) object(t reflect.Type, field string, depth int) error {
	var fields []shape
	if t != nil && t.Kind() == reflect.Struct {
		fields = shapes(t)
	}
	seen := make(map[string]bool)
	s.pos++
	for s.next() != '}' {
		if s.data[s.pos] == ',' {
			s.pos++
			s.next()
		}
		name, err := s.text()
		if err != nil {
			return err
		}
		if seen[name] {
			return ErrInvalidJSON
		}
		seen[name] = true
		s.next() // the colon
		s.pos++

		var sub reflect.Type
		path := field
		switch {
		case t != nil && t.Kind() == reflect.Struct:
			path = join(field, name)
			i := slices.IndexFunc(fields, func(f shape) bool { return f.name == name })
			if i < 0 {
				return ErrUnknownField.With("field", path)
			}
			sub = fields[i].t
		case s.noNUL && strings.IndexByte(name, 0) >= 0:
			return errNUL.With("field", field)
		case t != nil:
			sub = t.Elem()
		}
		if err := s.value(sub, path, depth); err != nil {
			return err
		}
	}
	s.pos++
	for _, f := range fields {
		if f.required && !seen[f.name] {
			return ErrMissingField.With("field", join(field, f.name))
		}
	}
	return nil
}

func (s *scanner) array(t reflect.Type, field string, depth int) error {
	if t != nil {
		t = t.Elem()
	}
	s.pos++
	for s.next() != ']' {
		if s.data[s.pos] == ',' {
			s.pos++
		}
		if err := s.value(t, field, depth); err != nil {
			return err
		}
	}
	s.pos++
	return nil
}

// text walks a string and returns it decoded.
func (s *scanner) text() (string, error) {
	start, escaped := s.pos, false
	for s.pos++; s.data[s.pos] != '"'; s.pos++ {
		if s.data[s.pos] != '\\' {
			continue
		}
		escaped = true
		s.pos++
		if s.data[s.pos] != 'u' {
			continue
		}
		r := s.hex()
		if r >= 0xDC00 && r <= 0xDFFF {
			return "", ErrInvalidJSON
		}
		if r >= 0xD800 && r <= 0xDBFF {
			if s.data[s.pos+1] != '\\' || s.data[s.pos+2] != 'u' {
				return "", ErrInvalidJSON
			}
			s.pos += 2
			if low := s.hex(); low < 0xDC00 || low > 0xDFFF {
				return "", ErrInvalidJSON
			}
		}
	}
	s.pos++
	raw := s.data[start:s.pos]
	if !escaped {
		return string(raw[1 : len(raw)-1]), nil
	}
	var out string
	err := json.Unmarshal(raw, &out)
	return out, err
}

// hex reads the four digits after the u at pos and stops at the last.
func (s *scanner) hex() (r rune) {
	for range 4 {
		s.pos++
		c := s.data[s.pos] | 0x20 // digits stay, letters become lower case
		if c <= '9' {
			r = r<<4 | rune(c-'0')
		} else {
			r = r<<4 | rune(c-'a'+10)
		}
	}
	return r
}

// shape is what a field of a struct takes.
type shape struct {
	name     string
	t        reflect.Type
	required bool
}

// shapes returns the fields of a struct by their JSON names, embedded ones included.
func shapes(t reflect.Type) []shape {
	out := make([]shape, 0, t.NumField())
	for _, f := range reflect.VisibleFields(t) {
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" {
			out = append(out, shape{name, f.Type, !strings.Contains(opts, "omit")})
		}
	}
	return out
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
