package keys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/keys"
)

func newKey(t testing.TB, fill byte) keys.Key {
	t.Helper()
	key, err := keys.Generate(bytes.NewReader(bytes.Repeat([]byte{fill}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestParseKey(t *testing.T) {
	key := newKey(t, 0xff)
	text := key.Encode()
	again, err := keys.ParseKey("  " + text + "\r\n")
	if err != nil || again.ID() != key.ID() || again.Encode() != text {
		t.Fatalf("ParseKey(Encode()): %v", err)
	}
	b64 := base64.StdEncoding.EncodeToString
	bad := map[string]string{
		"empty":          "",
		"31 bytes":       b64(make([]byte, 31)),
		"33 bytes":       b64(make([]byte, 33)),
		"no padding":     strings.TrimRight(text, "="),
		"url alphabet":   strings.ReplaceAll(text, "/", "_"),
		"inner newline":  text[:20] + "\n" + text[21:],
		"loose last bit": text[:42] + "9=",
		"NUL":            text[:43] + "\x00",
		"two":            text + text,
	}
	for name, text := range bad {
		if _, err := keys.ParseKey(text); !errors.Is(err, keys.ErrBadKey) || strings.Contains(err.Error(), "illegal") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add(newKey(f, 3).Encode())
	f.Add(newKey(f, 255).Encode()[:43] + "\n")
	f.Add("not a key")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := keys.ParseKey(text)
		switch {
		case err == nil && key.Encode() != strings.TrimSpace(text):
			t.Errorf("%q was read as another key", text)
		case err != nil && (!errors.Is(err, keys.ErrBadKey) || key.Encode() != ""):
			t.Errorf("%q: %v", text, err)
		}
	})
}

func TestGenerateShortOfRandomness(t *testing.T) {
	if _, err := keys.Generate(strings.NewReader("too short")); err == nil {
		t.Fatal("made a key of nine bytes")
	}
	a, errA := keys.Generate(nil)
	b, errB := keys.Generate(nil)
	if errA != nil || errB != nil || a.ID() == b.ID() {
		t.Fatalf("two keys: %v, %v, IDs %x and %x", errA, errB, a.ID(), b.ID())
	}
}

// Whatever the key, its output is the same.
func TestKeyIsNeverPrinted(t *testing.T) {
	one, other := printed(newKey(t, 0xAB)), printed(newKey(t, 0x5C))
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("the output tells keys apart:\n%s", diff)
	}
	if !strings.Contains(one, "redacted") {
		t.Errorf("the output does not say what it leaves out:\n%s", one)
	}
}

// printed shows a key in every way there is, but for the time of it.
func printed(key keys.Key) string {
	type config struct {
		name string
		key  keys.Key
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U"} {
		fmt.Fprintf(&out, verb+"\n", key)
		fmt.Fprintf(&out, verb+"\n", &key)
		fmt.Fprintf(&out, verb+"\n", config{"n", key})
		fmt.Fprintf(&out, verb+"\n", []any{key})
	}
	fmt.Fprintln(&out, key.String(), key.GoString())
	timeless := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	log := slog.New(slog.NewJSONHandler(&out, timeless))
	log.Info("started", "key", key, "config", config{"n", key}, "keys", []keys.Key{key})
	slog.New(slog.NewTextHandler(&out, timeless)).Info("started", "key", key, "config", config{"n", key})
	return out.String()
}

func TestRing(t *testing.T) {
	ctx, text, aad := t.Context(), []byte("data key"), []byte("chat 1")
	old, young, foreign := newKey(t, 1), newKey(t, 2), newKey(t, 3)
	before := keys.NewRing(old)
	after := keys.NewRing(young, old)

	sealed, err := before.Wrap(ctx, text, aad)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := after.Unwrap(ctx, sealed, aad); err != nil || !bytes.Equal(got, text) {
		t.Errorf("an older key does not unwrap: %q, %v", got, err)
	}
	if _, err := keys.NewRing(foreign).Unwrap(ctx, sealed, aad); !errors.Is(err, keys.ErrUnknownKey) {
		t.Errorf("another ring: %v", err)
	}
	if _, err := after.Unwrap(ctx, sealed, []byte("chat 2")); !errors.Is(err, keys.ErrCorrupt) {
		t.Errorf("other additional data: %v", err)
	}
	sealed, err = after.Wrap(ctx, text, aad)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := before.Unwrap(ctx, sealed, aad); !errors.Is(err, keys.ErrUnknownKey) {
		t.Errorf("the newest key must wrap: %v", err)
	}
	for n := range sealed {
		if _, err := after.Unwrap(ctx, sealed[:n], aad); !errors.Is(err, keys.ErrCorrupt) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := keys.NewRing(keys.Key{}, old).Wrap(ctx, text, aad); !errors.Is(err, keys.ErrBadKey) {
		t.Errorf("a zero primary key wraps: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := after.Wrap(ended, text, aad); !errors.Is(err, context.Canceled) {
		t.Errorf("Wrap after the end: %v", err)
	}
	if _, err := after.Unwrap(ended, sealed, aad); !errors.Is(err, context.Canceled) {
		t.Errorf("Unwrap after the end: %v", err)
	}
}
