package keys_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/keys"
)

func newBox(t testing.TB, fill byte) *keys.Box {
	t.Helper()
	box, err := keys.NewBox(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestNewBoxSizes(t *testing.T) {
	for _, n := range []int{0, 16, 24, 31, 33, 64} {
		if _, err := keys.NewBox(make([]byte, n)); !errors.Is(err, keys.ErrBadKey) {
			t.Errorf("a key of %d bytes: %v", n, err)
		}
	}
}

func TestBoxAppends(t *testing.T) {
	box := newBox(t, 1)
	sealed := box.Seal([]byte("head"), []byte("text"), nil)
	if !bytes.HasPrefix(sealed, []byte("head")) || len(sealed) != 4+4+keys.BoxOverhead {
		t.Fatalf("sealed to %q", sealed)
	}
	if got, err := box.Open([]byte("head"), sealed[4:], nil); err != nil || string(got) != "headtext" {
		t.Fatalf("opened to %q, %v", got, err)
	}
	if again := box.Seal(nil, []byte("text"), nil); bytes.Equal(again, sealed[4:]) {
		t.Fatal("the same text sealed twice gave the same bytes: the nonce is not drawn")
	}
}

func TestBoxProperty(t *testing.T) {
	box, other := newBox(t, 1), newBox(t, 2)
	corrupt := func(b *keys.Box, sealed, aad []byte) bool {
		got, err := b.Open(nil, sealed, aad)
		return got == nil && errors.Is(err, keys.ErrCorrupt)
	}
	p := gopter.NewProperties(nil)
	p.Property("what is sealed opens, and nothing else does", prop.ForAll(
		func(plaintext, aad []byte, at uint32, bit uint8) string {
			sealed := box.Seal(nil, plaintext, aad)
			if got, err := box.Open(nil, sealed, aad); err != nil || !bytes.Equal(got, plaintext) {
				return "does not open"
			}
			flipped := bytes.Clone(sealed)
			flipped[int(at)%len(flipped)] ^= 1 << (bit % 8)
			otherAAD := append(bytes.Clone(aad), bit)
			switch {
			case len(plaintext) > 3 && bytes.Contains(sealed, plaintext):
				return "plaintext is to be read in the sealed bytes"
			case !corrupt(box, flipped, aad):
				return "opens with a flipped bit"
			case !corrupt(box, sealed[:int(at)%len(sealed)], aad):
				return "opens when cut"
			case !corrupt(box, append(bytes.Clone(sealed), bit), aad):
				return "opens with a byte more"
			case !corrupt(box, sealed, otherAAD):
				return "opens with other additional data"
			case !corrupt(other, sealed, aad):
				return "opens with another key"
			}
			return ""
		},
		gen.SliceOf(gen.UInt8()), gen.SliceOf(gen.UInt8()), gen.UInt32(), gen.UInt8(),
	))
	p.TestingRun(t)
}

// FuzzOpen feeds the ciphertext parsers any bytes: an error or the exact plaintext.
func FuzzOpen(f *testing.F) {
	box := newBox(f, 7)
	key, err := keys.Generate(bytes.NewReader(bytes.Repeat([]byte{9}, 32)))
	if err != nil {
		f.Fatal(err)
	}
	ring := keys.NewRing(key)
	text, aad := []byte("the one plaintext"), []byte("row 1")
	good := box.Seal(nil, text, aad)
	wrapped, err := ring.Wrap(f.Context(), text, aad)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{nil, {1}, good, good[:keys.BoxOverhead], wrapped, wrapped[:8], append([]byte{2}, good[1:]...)} {
		f.Add(seed, aad)
	}
	f.Fuzz(func(t *testing.T, sealed, with []byte) {
		check := func(name string, got []byte, err error) {
			// What opens was sealed here or by another process of this fuzzing.
			if err == nil && !(bytes.Equal(with, aad) && bytes.Equal(got, text)) {
				t.Errorf("%s opened a forgery: %q", name, got)
			}
			if err != nil && (got != nil || !errors.Is(err, keys.ErrCorrupt) && !errors.Is(err, keys.ErrUnknownKey)) {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
		got, err := box.Open(nil, sealed, with)
		check("box", got, err)
		got, err = ring.Unwrap(t.Context(), sealed, with)
		check("ring", got, err)
	})
}

func BenchmarkBox(b *testing.B) {
	box := newBox(b, 1)
	text, aad := make([]byte, 200), make([]byte, 80)
	b.Run("seal", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, 512)
		for b.Loop() {
			buf = box.Seal(buf[:0], text, aad)
		}
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		sealed := box.Seal(nil, text, aad)
		buf := make([]byte, 0, 512)
		for b.Loop() {
			if _, err := box.Open(buf[:0], sealed, aad); err != nil {
				b.Fatal(err)
			}
		}
	})
}
