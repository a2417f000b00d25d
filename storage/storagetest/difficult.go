package storagetest

import (
	"strings"
	"time"
)

// difficultTexts are texts that weak backends change: all are valid UTF-8.
func difficultTexts() []string {
	return []string{
		"👩‍👩‍👧‍👦🏳️‍🌈 and 🇷🇸, zero-width\u200bspace",
		"שלום עולם \u202eabc\u202c مرحبا",
		"composed \u00e9 is not decomposed e\u0301; ﬁ is not fi",
		"\r\n tabs\tand 'quotes' \"double\" `back` \\0 \\n %s %d $1 ?1 :name -- /* */ ; DROP TABLE chats",
		"   blanks around   ",
		"\u0001\u001f\u007f\ufeff\uffff\U0010ffff",
		strings.Repeat("𝔘", 100),
	}
}

// difficultIDs are distinct ids in the byte order of UTF-8, which collations and
// foldings take for equal or order otherwise.
func difficultIDs() []string {
	return []string{
		" ", "%", "+15550100", "A", "B", "Z", "Zz", "_", "a", "a ", "a.", "ab", "b", "e\u0301", "z", strings.Repeat("z", 100),
		"ß", "\u00e9", "İ", "я", "ﬀ", "🦊",
	}
}

func micros(n int) time.Duration { return time.Duration(n) * time.Microsecond }
