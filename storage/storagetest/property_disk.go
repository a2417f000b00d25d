package storagetest

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage"
)

// disk is the store under test, and remembers what it was given to keep.
type disk struct {
	storage.Store

	mu         sync.Mutex
	challenges map[string]auth.StoredChallenge
	watching   bool
	given      []byte // every string and byte slice, one after the other
}

func (d *disk) Auth() auth.Store           { return authDisk{d.Store.Auth(), d} }
func (d *disk) Messaging() messaging.Store { return messagingDisk{d.Store.Messaging(), d} }

// watch begins to collect what is given for chats.
func (d *disk) watch() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watching, d.given = true, nil
}

// collected returns it.
func (d *disk) collected() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.given
}

func (d *disk) collect(v any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.watching {
		d.given = appendData(d.given, reflect.ValueOf(v))
	}
}

func (d *disk) challenge(sessionID string) (auth.StoredChallenge, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.challenges[sessionID]
	return c, ok
}

func (d *disk) challengeCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.challenges)
}

type authDisk struct {
	auth.Store
	d *disk
}

func (s authDisk) PutChallenge(ctx context.Context, c auth.StoredChallenge) error {
	err := s.Store.PutChallenge(ctx, c)
	if err == nil {
		s.d.mu.Lock()
		s.d.challenges[c.SessionID] = c
		s.d.mu.Unlock()
	}
	return err
}

type messagingDisk struct {
	messaging.Store
	d *disk
}

func (s messagingDisk) CreateChat(ctx context.Context, c messaging.NewChat) (messaging.CreatedChat, error) {
	s.d.collect(c)
	return s.Store.CreateChat(ctx, c)
}

func (s messagingDisk) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	s.d.collect(items)
	return s.Store.Append(ctx, items)
}

func (s messagingDisk) Edit(ctx context.Context, e messaging.EditMessage) (messaging.Changed, error) {
	s.d.collect(e)
	return s.Store.Edit(ctx, e)
}

// appendData appends every string and every byte slice in v, however deep.
func appendData(out []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.String:
		return append(append(out, v.String()...), 0)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return out
		}
		for i := range v.NumField() {
			out = appendData(out, v.Field(i))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return append(append(out, v.Bytes()...), 0)
		}
		for i := range v.Len() {
			out = appendData(out, v.Index(i))
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return appendData(out, v.Elem())
		}
	}
	return out
}
