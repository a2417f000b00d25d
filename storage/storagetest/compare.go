package storagetest

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wigwag-chat/wigwag/messaging"
)

// comparing is how answers are compared: exactly, times to the nanosecond and in
// UTC, but no slice and an empty slice are the same answer.
func comparing() []cmp.Option {
	return []cmp.Option{
		cmpopts.EquateEmpty(),
		cmp.FilterValues(func(a, b []byte) bool { return len(a)+len(b) > 0 }, cmp.Comparer(bytes.Equal)),
		cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && offset(a) == offset(b) }),
	}
}

func offset(t time.Time) int {
	_, seconds := t.Zone()
	return seconds
}

// What the contract leaves open of a stored message, by where it is answered.

// without forgets fields of messages before they are compared.
func without(fields ...string) cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool {
		field, ok := p.Last().(cmp.StructField)
		if !ok || !slices.Contains(fields, field.Name()) {
			return false
		}
		parent := p.Index(-2).Type()
		return parent == reflect.TypeFor[messaging.Message]() || parent == reflect.TypeFor[messaging.StoredMessage]()
	}, cmp.Ignore())
}

// asSeenBy makes stored messages comparable for one viewer: another's client id is
// not promised, nor what a hidden message still holds but its place.
func asSeenBy(viewer string) cmp.Option {
	return cmp.Transformer("asSeenBy", func(m messaging.StoredMessage) seen {
		if m.SenderID != viewer || m.Deleted {
			m.ClientID = ""
		}
		if m.Hidden {
			m = messaging.StoredMessage{
				Message: messaging.Message{ID: m.ID, ChatID: m.ChatID, Seq: m.Seq}, Hidden: true,
			}
		}
		return seen(m)
	})
}

// seen is a message after asSeenBy; a type of its own ends the transformation.
type seen messaging.StoredMessage

// shorten cuts a prefix off every string in v, however deep: the ids of one case
// become the short names of its commands.
func shorten(prefix string, v any) any {
	if v == nil {
		return nil
	}
	in := reflect.ValueOf(v)
	out := reflect.New(in.Type()).Elem()
	out.Set(in)
	shortenValue(prefix, out)
	return out.Interface()
}

func shortenValue(prefix string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.TrimPrefix(v.String(), prefix))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				shortenValue(prefix, v.Field(i))
			}
		}
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(c, v)
		for i := range c.Len() {
			shortenValue(prefix, c.Index(i))
		}
		v.Set(c)
	case reflect.Pointer:
		if !v.IsNil() && v.Type().Elem().Kind() == reflect.Struct {
			c := reflect.New(v.Type().Elem())
			c.Elem().Set(v.Elem())
			shortenValue(prefix, c.Elem())
			v.Set(c)
		}
	}
}
