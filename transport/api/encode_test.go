package api_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/users"
)

// draw makes values of which every field is sometimes empty, and every text
// sometimes strange.
type draw struct{ *rand.Rand }

func (d draw) text() string {
	if d.IntN(3) == 0 {
		return ""
	}
	parts := []string{
		"abc", "é", "😀", "<b>&", "\u2028\u2029", "\xff\xfe", "\xe2\x80", "\xed\xa0\x80", `"\/`, "\n\r\t\b\f", "\x7f", "\ufffd", "'",
		string(rune(d.IntN(0x20))), string(rune(d.IntN(0x110000))), string([]byte{byte(d.IntN(256))}),
	}
	var b strings.Builder
	for range 1 + d.IntN(5) {
		b.WriteString(parts[d.IntN(len(parts))])
	}
	return b.String()
}

func (d draw) number() int64 {
	return []int64{0, 1, -1, d.Int64(), -d.Int64()}[d.IntN(5)]
}

func (d draw) time() time.Time {
	if d.IntN(4) == 0 {
		return time.Time{}
	}
	zone := []*time.Location{time.UTC, time.FixedZone("", 60*(d.IntN(1400)-700))}[d.IntN(2)]
	t := time.Unix(d.Int64N(200_000_000_000)-50_000_000_000, d.Int64N(1e9)).In(zone)
	return t.Truncate([]time.Duration{1, time.Microsecond, time.Millisecond, time.Second}[d.IntN(4)])
}

func (d draw) list() []any {
	return [][]any{nil, {}, {}, {"x", d.text(), 1.5, nil, map[string]any{"a": true}}}[d.IntN(4)]
}

func some[T any](d draw, v T) *T {
	if d.IntN(2) == 0 {
		return nil
	}
	return &v
}

func (d draw) message() *api.Message {
	return &api.Message{
		ID: d.text(), ChatID: d.text(), Seq: d.number(), SenderID: d.text(), ClientID: d.text(), Kind: d.text(), Text: d.text(),
		Media: d.list(), Entities: d.list(), Reactions: d.reactions(), ReplyTo: d.text(), IsEdited: d.IntN(2) == 0, EditedAt: d.time(), IsDeleted: d.IntN(2) == 0,
		CreatedAt: d.time(), Status: d.text(), DeliveredCount: some(d, int(d.number())), ReadCount: some(d, int(d.number())),
	}
}

func (d draw) reactions() []api.Reaction {
	if d.IntN(4) == 0 {
		return nil
	}
	all := make([]api.Reaction, d.IntN(3))
	for i := range all {
		all[i] = api.Reaction{Emoji: d.text(), Count: int(d.number()), Mine: some(d, d.IntN(2) == 0)}
	}
	return all
}

func (d draw) event() *api.Event {
	e := &api.Event{
		Type: d.text(), ChatID: d.text(), Seq: d.number(), UserSeq: d.number(), At: d.time(), MessageID: d.text(), ForEveryone: some(d, d.IntN(2) == 0),
		Emoji: d.text(), UserID: d.text(), ByUserID: d.text(), Role: d.text(), Reason: d.text(), DeliveredSeq: some(d, d.number()), ReadSeq: some(d, d.number()),
		Version: d.number(), UnreadCount: some(d, int(d.number())), Mentions: some(d, int(d.number())), Total: some(d, int(d.number())), SessionID: d.text(),
		Typing: some(d, d.IntN(2) == 0), ExpiresInMs: d.number(), Added: some(d, d.IntN(2) == 0),
		Online: some(d, d.IntN(2) == 0), LastSeen: d.time(),
		MutedUntil: some(d, d.time()), Archived: some(d, d.IntN(2) == 0), Pinned: some(d, d.IntN(2) == 0), MarkedUnread: some(d, d.IntN(2) == 0),
	}
	if d.IntN(8) == 0 {
		s := api.FromSettings(users.Settings{Language: d.text()})
		e.Settings = &s
	}
	if d.IntN(8) == 0 {
		e.Changed = &api.ChangedChat{Title: some(d, d.text())}
	}
	if d.IntN(2) == 0 {
		e.Message = d.message()
	}
	if d.IntN(4) == 0 {
		e.Chat = &api.Chat{ID: d.text(), Title: d.text()}
	}
	return e
}

func (d draw) reply() *api.Reply {
	r := &api.Reply{ReplyTo: d.text(), OK: d.IntN(2) == 0}
	r.Data = []any{nil, d.message(), *d.message(), api.Empty{}, map[string]any{"a": d.text()}, api.SyncAnswer{Epoch: d.text()}}[d.IntN(6)]
	if d.IntN(3) == 0 {
		r.Error = &api.Failure{Code: d.text(), Message: d.text(), Details: map[string]any{"field": d.text()}}
	}
	return r
}

// page is a page of messages that appends itself.
type page api.Page[api.Message]

func (p *page) AppendJSON(dst []byte) []byte {
	return api.AppendMessages(dst, api.Page[api.Message](*p))
}

func (d draw) page() *page {
	p := &page{Next: d.text()}
	for range d.IntN(4) {
		p.Items = append(p.Items, *d.message())
	}
	if d.IntN(4) == 0 {
		p.Items = []api.Message{}
	}
	return p
}

func (d draw) hello() *api.Hello {
	numbers := func() map[string]int64 {
		if d.IntN(4) == 0 {
			return nil
		}
		m := make(map[string]int64)
		for range d.IntN(4) {
			m[strings.ToValidUTF8(d.text(), "?")] = d.number() // ids are well-formed
		}
		return m
	}
	return &api.Hello{
		Type: d.text(), SessionID: d.text(), UserID: d.text(), Epoch: d.text(), UserSeq: d.number(),
		Heads: numbers(), ReceiptVersions: numbers(), ServerTime: d.time(),
	}
}

// The encoders by hand write what encoding/json writes, and append it.
func TestEncodersAgreeWithEncodingJSON(t *testing.T) {
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 2000
	t.Logf("seed %d", parameters.Seed())
	properties := gopter.NewProperties(parameters)
	properties.Property("the same bytes", prop.ForAll(func(seed uint64) (string, error) {
		d := draw{rand.New(rand.NewPCG(seed, 0))}
		for _, v := range []interface{ AppendJSON([]byte) []byte }{d.message(), d.event(), d.reply(), d.page(), d.hello()} {
			want, err := json.Marshal(v)
			if err != nil {
				return "", err
			}
			if got := string(v.AppendJSON([]byte("before"))); got != "before"+string(want) {
				return "got " + got + "\nwant " + string(want), nil
			}
		}
		return "", nil
	}, gen.UInt64()))
	properties.TestingRun(t)
}

// Ratios of one run: what an event and a reply cost against encoding/json.
func BenchmarkEncode(b *testing.B) {
	m := api.FromMessage(message, "ada")
	m.Text = strings.Repeat("lorem ipsum ", 11)[:128]
	event := &api.Event{Type: "message.created", ChatID: "c1", Seq: 4, At: t0.UTC(), Message: &m}
	reply := &api.Reply{ReplyTo: "7", OK: true, Data: &m}
	var buf []byte
	for name, v := range map[string]interface{ AppendJSON([]byte) []byte }{"event": event, "reply": reply} {
		b.Run(name+"/by hand", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = v.AppendJSON(buf[:0])
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = json.Marshal(v)
			}
		})
	}
}
