package messaging

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wigwag-chat/wigwag/errs"
)

const (
	// MaxEmoji bounds one emoji, in bytes: the longest, of a family, have 25 to 35.
	MaxEmoji = 48
	// MaxReactions is how many different emoji a message has at most.
	MaxReactions = 20
)

// ErrTooManyReactions: the message has MaxReactions other emoji.
var ErrTooManyReactions = errs.New(errs.Conflict, "too_many_reactions", "This message has no room for another emoji.")

// ReactionCount is how many members have reacted to a message with an emoji.
type ReactionCount struct {
	Emoji string
	Count int
	Mine  bool // the viewer is one of them; of no meaning in what is published
}

// React adds or takes back one member's reaction to a message.
type React struct {
	ChatID, MessageID, UserID string
	Emoji                     string
	Added                     bool
	At                        time.Time
}

// React implements Service.
func (m *Messenger) React(ctx context.Context, r React) error {
	if err := checkMessage(r.UserID, r.ChatID, r.MessageID); err != nil {
		return err
	}
	if !emoji(r.Emoji) {
		return errs.Field("emoji", "invalid_emoji", "This is no emoji.")
	}
	r.At = m.time()
	changed, err := m.store.React(ctx, r, MaxReactions)
	if err != nil {
		return m.failed(err, r.ChatID)
	}
	m.publishChanged(changed)
	return nil
}

// emoji reports whether s can be one: pictures and what binds, colours and numbers them
// (UTS #51), but no letters, and digits in keycaps alone. It does not know each single one,
// since new ones come every year.
func emoji(s string) bool {
	if s == "" || len(s) > MaxEmoji || !utf8.ValidString(s) {
		return false
	}
	keycap := strings.ContainsRune(s, '\u20e3')
	pictures := 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.So, r), unicode.Is(unicode.Sm, r) && r > unicode.MaxASCII, r == '\u203c', r == '\u2049', r == '\u20e3', r == '\u3030', r == '\u303d':
			pictures++
		case r == '\u200d', r == '\ufe0f', r >= 0x1f3fb && r <= 0x1f3ff, r >= 0xe0020 && r <= 0xe007f: // joiner, variation, skin, tags of flags
		case keycap && (r >= '0' && r <= '9' || r == '#' || r == '*'):
		default:
			return false
		}
	}
	return pictures > 0
}
