package messaging_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wigwag-chat/wigwag/messaging"
)

func TestEmoji(t *testing.T) {
	w := newWorld(t)
	chat := w.direct("ann", "bob")
	m := w.send("ann", chat, "x")
	react := func(emoji string, added bool) error {
		return w.React(w.ctx, messaging.React{UserID: "bob", ChatID: chat, MessageID: m.ID, Emoji: emoji, Added: added})
	}
	for _, emoji := range []string{"👍", "👍🏽", "❤️", "❤", "1️⃣", "#️⃣", "🇨🇭", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "👨‍👩‍👧‍👦", "👩🏽‍❤️‍💋‍👨🏿", "‼️", "↔️", "©️", "⁉"} {
		for _, added := range []bool{true, false} {
			if err := react(emoji, added); err != nil {
				t.Errorf("%q: %v", emoji, err)
			}
		}
	}
	for _, bad := range []string{"", "a", "1", "12", "👍 ", " 👍", "👍a", "ok👍", "é", "漢", "+", "<3", ":)", "\u200d", "\ufe0f", "👍\n", "👍\x00", "\xff", "\xf0\x9f\x91", "!", strings.Repeat("👍", 20)} {
		if err := react(bad, true); err == nil || !strings.Contains(err.Error(), "invalid_emoji") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if got, err := w.Message(w.ctx, "bob", chat, m.ID); err != nil || len(got.Reactions) > 0 {
		t.Errorf("%v, %v", got.Reactions, err)
	}
}

// A retry has its answer, whatever became of the message that it answers.
func TestReplies(t *testing.T) {
	w := newWorld(t)
	chat, other := w.direct("ann", "bob"), w.direct("ann", "cid")
	first, elsewhere := w.send("ann", chat, "first"), w.send("ann", other, "elsewhere")
	send := func(replyTo, client string) (messaging.Message, bool, error) {
		return w.Send(w.ctx, messaging.SendRequest{SenderID: "bob", ChatID: chat, Text: "reply", ReplyTo: replyTo, ClientID: client})
	}
	m, _, err := send(first.ID, "k")
	if err != nil || m.ReplyTo != first.ID {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, _, err := send("", "k"); !errors.Is(err, messaging.ErrClientIDReused) {
		t.Errorf("the same without an answer: %v", err)
	}
	if err := w.Delete(w.ctx, messaging.DeleteRequest{UserID: "ann", ChatID: chat, MessageID: first.ID, ForEveryone: true}); err != nil {
		t.Fatal(err)
	}
	if again, repeated, err := send(first.ID, "k"); err != nil || !repeated || again.ID != m.ID {
		t.Errorf("a retry: %+v, %t, %v", again, repeated, err)
	}
	for _, bad := range []string{first.ID, elsewhere.ID, "nothing", "\x00", strings.Repeat("x", 200)} {
		if _, _, err := send(bad, ""); !errors.Is(err, messaging.ErrMessageNotFound) {
			t.Errorf("an answer to %.20q: %v", bad, err)
		}
	}
}
