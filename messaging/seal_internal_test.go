package messaging

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/keys"
)

func testKey(t testing.TB) chatKey {
	t.Helper()
	box, err := keys.NewBox(bytes.Repeat([]byte{7}, chatKeySize))
	if err != nil {
		t.Fatal(err)
	}
	return chatKey{id: firstKeyID, box: box}
}

// Two different places never share additional data, however their ids are made.
func TestContentAADProperty(t *testing.T) {
	type place struct {
		chat, message, key string
		revision           int
	}
	// Short strings of few letters make collisions of joined fields likely.
	field := gen.RegexMatch("[a\x01]{0,3}")
	places := gopter.CombineGens(field, field, field, gen.IntRange(1, 3)).Map(func(v []any) place {
		return place{v[0].(string), v[1].(string), v[2].(string), v[3].(int)}
	})
	aad := func(p place) string { return string(contentAAD(p.chat, p.message, p.revision, p.key)) }
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 2000
	p := gopter.NewProperties(parameters)
	p.Property("additional data is equal for equal places only", prop.ForAll(
		func(a, b place) bool { return (aad(a) == aad(b)) == (a == b) }, places, places))
	p.TestingRun(t)
}

func TestPurposesDiffer(t *testing.T) {
	if bytes.Equal(keyAAD("chat", "1")[:8], contentAAD("chat", "m", 1, "1")[:8]) &&
		bytes.HasPrefix(contentAAD("chat", "m", 1, "1"), keyAAD("chat", "1")) {
		t.Error("a key's additional data begins that of a text")
	}
}

// FuzzOpenText: bytes that seal did not make for this place are ErrUnreadable.
func FuzzOpenText(f *testing.F) {
	key := testKey(f)
	good := key.seal("chat", "message", 1, "hello")
	f.Add(good.Data, "chat", "message", 1)
	f.Add(good.Data, "chat", "message", 2)
	f.Add(good.Data[:20], "chatm", "essage", 1)
	f.Add([]byte{}, "", "", 0)
	f.Add(bytes.Repeat([]byte{1}, 64), "chat", "message", -1)
	m, err := New(Config{
		Store: noStore{}, Keys: keys.NewRing(keys.Key{}), Secret: make([]byte, minSecret),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, chatID, messageID string, revision int) {
		m.cache.Set(keyName{chatID, key.id}, key)
		text, err := m.open(t.Context(), chatID, messageID, revision, Sealed{KeyID: key.id, Data: data})
		// Seeds sealed by other fuzzing processes open too: the key is the same.
		own := chatID == "chat" && messageID == "message" && revision == 1 && text == "hello"
		if (err != nil || !own) && (!errors.Is(err, ErrUnreadable) || text != "") {
			t.Fatalf("opens as %q, %v", text, err)
		}
		if err != nil && chatID == "chat" && messageID == "message" && revision == 1 && bytes.Equal(data, good.Data) {
			t.Fatalf("its own text does not open: %v", err)
		}
	})
}

type noStore struct{ Store }
