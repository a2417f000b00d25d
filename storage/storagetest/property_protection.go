package storagetest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/messaging"
)

// encryptionProperty is property 27 of the seed.
func encryptionProperty() property {
	return property{27, "Nothing that the store is given or gives back shows any part of a text, sent or edited, in any usual encoding; equal texts are kept as unequal bytes.",
		func(w *world) gopter.Prop {
			w.gather(3)
			// Shorter ones are found in random bytes by chance.
			long := texts().SuchThat(func(s string) bool { return len(s) >= pieceSize })
			return prop.ForAll(func(text, edit string) string {
				return w.try(func(w *world) { w.encrypts(text, edit) })
			}, long, long)
		}}
}

func (w *world) encrypts(text, edit string) {
	w.disk.watch()
	people, sent := w.conversation(2, []line{{0, text}, {1, text}})
	m := sent[0]
	_, err := w.edit(m, people[0], edit)
	w.ok(err)
	_, _, err = w.app.Messaging.Send(w.ctx, messaging.SendRequest{
		SenderID: people[0].id, ChatID: m.ChatID, Text: edit, ClientID: w.id("client"), // makes a digest
	})
	w.ok(err)

	kept := w.disk.collected()
	stored := w.stored(m, people[1])
	for _, v := range stored {
		kept = appendData(kept, reflect.ValueOf(v))
	}
	for _, plain := range []string{text, edit} {
		if found := readable(kept, plain); found != "" {
			w.Fatalf("the store holds a part of %s as %s", brief(plain), found)
		}
	}
	w.differ(stored)

	got, err := w.message(m, people[1])
	w.ok(err)
	w.same("the text that the other reads", edit, got.Text)
}

// stored is all that the store tells of a chat's messages.
func (w *world) stored(m messaging.Message, viewer person) []any {
	s := w.disk.Store.Messaging()
	history, err := s.Messages(w.ctx, viewer.id, m.ChatID, newest())
	w.ok(err)
	past, err := s.PastBodies(w.ctx, viewer.id, m.ChatID, m.ID)
	w.ok(err)
	events, err := s.Events(w.ctx, viewer.id, m.ChatID, 0, messaging.MaxSync)
	w.ok(err)
	view, err := s.Chat(w.ctx, viewer.id, m.ChatID)
	w.ok(err)
	return []any{history, past, events, view}
}

// differ demands that no two bodies of a chat are alike.
func (w *world) differ(stored []any) {
	bodies := make(map[string]bool)
	add := func(b messaging.Sealed) {
		if len(b.Data) == 0 || b.KeyID == "" {
			w.Fatalf("a body was stored empty, or under no key")
		}
		if bodies[string(b.Data)] {
			w.Fatalf("two bodies are the same %d bytes", len(b.Data))
		}
		bodies[string(b.Data)] = true
	}
	for _, m := range stored[0].([]messaging.StoredMessage) {
		add(m.Body)
	}
	for _, p := range stored[1].([]messaging.PastBody) {
		add(p.Body)
	}
	w.same("the number of bodies", 4, len(bodies))
}

// pieceSize is how many bytes of a text are looked for at once: by chance they
// stand nowhere.
const pieceSize = 8

// readable names the encoding in which data holds a piece of a text, "" for none.
// Of a long text pieces all along it are looked for.
func readable(data []byte, text string) string {
	lower := bytes.ToLower(data) // hexadecimal digits come in both cases
	step := max(pieceSize, len(text)/50)
	for at := 0; at+pieceSize <= len(text); at += step {
		for !utf8.RuneStart(text[at]) {
			at--
		}
		end := at + pieceSize
		for end < len(text) && !utf8.RuneStart(text[end]) {
			end++
		}
		piece := text[at:end]
		if strings.Count(piece, piece[:1]) == len(piece) {
			continue // one byte repeated says nothing
		}
		for _, f := range forms(piece) {
			if bytes.Contains(data, f.bytes) || f.name == "hexadecimal" && bytes.Contains(lower, f.bytes) {
				return f.name
			}
		}
	}
	return ""
}

type form struct {
	name  string
	bytes []byte
}

// forms are the usual encodings of a piece, as they stand inside a longer text.
func forms(piece string) []form {
	var little, big []byte
	for _, u := range utf16.Encode([]rune(piece)) {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
	}
	reversed := []byte(piece)
	slices.Reverse(reversed)
	out := []form{
		{"UTF-8", []byte(piece)},
		{"UTF-16", little},
		{"UTF-16", big},
		{"hexadecimal", []byte(hex.EncodeToString([]byte(piece)))},
		{"percent escapes", []byte(url.QueryEscape(piece))},
		{"reversed bytes", reversed},
	}
	if quoted, err := json.Marshal(piece); err == nil {
		out = append(out, form{"JSON", quoted[1 : len(quoted)-1]})
	}
	for shift := range 3 { // where the piece begins in a group of three bytes
		padded := append(make([]byte, shift), piece...)
		from, to := (shift*8+5)/6, len(padded)*8/6
		out = append(out,
			form{"base64", []byte(base64.RawStdEncoding.EncodeToString(padded)[from:to])},
			form{"base64", []byte(base64.RawURLEncoding.EncodeToString(padded)[from:to])})
	}
	return out
}

// erasureProperty is property 28 of the seed.
func erasureProperty() property {
	return property{28, "A message deleted for everyone is not found again by anybody, by whatever call, and the store keeps neither its text nor that of any edit.",
		func(w *world) gopter.Prop {
			w.gather(3)
			return prop.ForAll(func(said []line, last line, edits []string, which int) string {
				return w.try(func(w *world) { w.erases(append(said, last), edits, which) })
			}, lines(), aLine(), some(), gen.IntRange(0, 1000))
		}}
}

func (w *world) erases(said []line, edits []string, which int) {
	people, sent := w.conversation(2+which%2, said)
	m := sent[which%len(sent)]
	from := sender(people, m)
	for _, text := range edits {
		_, err := w.edit(m, from, text)
		w.ok(err)
	}
	bodies := w.bodies(m, from)
	w.same("the number of bodies before", 1+len(edits), len(bodies))
	w.ok(w.delete(m, from, true))

	for i, p := range people {
		_, err := w.message(m, p)
		w.fails("reading", err, messaging.ErrMessageNotFound)
		if view := w.view(m.ChatID, p); view.LastMessage != nil && view.LastMessage.ID == m.ID {
			w.Fatalf("it is still the last message of the chat for %s", p.id)
		}
		w.noBody(m, p, bodies)
		if i != which%len(people) { // one of them tries everything else
			continue
		}
		_, err = w.app.Messaging.PastTexts(w.ctx, p.id, m.ChatID, m.ID)
		w.fails("reading the earlier texts", err, messaging.ErrMessageNotFound)
		_, err = w.app.Messaging.Receipts(w.ctx, p.id, m.ChatID, m.ID, messaging.List{})
		w.fails("reading the receipts", err, messaging.ErrMessageNotFound)
		_, err = w.edit(m, p, "again")
		w.fails("editing", err, messaging.ErrMessageNotFound)
		w.fails("deleting again", w.delete(m, p, true), messaging.ErrMessageNotFound)
		err = w.app.Messaging.Mark(w.ctx, messaging.MarkRequest{UserID: p.id, ChatID: m.ChatID, MessageID: m.ID})
		w.fails("marking", err, messaging.ErrMessageNotFound)
	}
	for _, other := range sent {
		if other.ID != m.ID {
			got, err := w.message(other, people[0])
			w.ok(err)
			w.same("another message", other.Text, got.Text)
		}
	}
}

// bodies are what the store holds of a message: the present body and the earlier ones.
func (w *world) bodies(m messaging.Message, viewer person) [][]byte {
	s := w.disk.Store.Messaging()
	now, err := s.Message(w.ctx, viewer.id, m.ChatID, m.ID)
	w.ok(err)
	past, err := s.PastBodies(w.ctx, viewer.id, m.ChatID, m.ID)
	w.ok(err)
	all := [][]byte{now.Body.Data}
	for _, p := range past {
		all = append(all, p.Body.Data)
	}
	return all
}

// noBody demands that the store shows nothing of a deleted message but its place.
func (w *world) noBody(m messaging.Message, viewer person, bodies [][]byte) {
	s := w.disk.Store.Messaging()
	history, err := s.Messages(w.ctx, viewer.id, m.ChatID, newest())
	w.ok(err)
	events, err := s.Events(w.ctx, viewer.id, m.ChatID, 0, messaging.MaxSync)
	w.ok(err)
	for _, e := range events {
		if e.Stored != nil {
			history = append(history, *e.Stored)
		}
	}
	data := appendData(nil, reflect.ValueOf(history))
	for _, b := range bodies {
		if bytes.Contains(data, b) {
			w.Fatalf("the store still shows a body of the deleted message")
		}
	}
	for _, h := range history {
		if h.ID == m.ID && (!h.Deleted || len(h.Body.Data) > 0 || len(h.Digest) > 0) {
			w.Fatalf("the store's row of the deleted message is %+v", h)
		}
	}
}
