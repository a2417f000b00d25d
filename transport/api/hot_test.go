package api_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/transport/api"
)

// frame is a frame that is right, or wrong in few places.
func (d draw) frame() string {
	pick := func(from ...string) string { return from[d.IntN(len(from))] }
	texts := []string{`"c"`, `"hello"`, `"\n\"\\\/\t\b\f\r"`, `"é😀"`, `""`, `"a\u0041"`, `"\ud83d\ude00"`}
	odd := []string{`"\ud800"`, `"\u0000"`, "\"\xff\"", "\"\x01\"", `"\x"`, `"`, `1`, `null`, `[]`, `{}`, `true`, `-1`, `1.5`, `1e3`, `01`, `9223372036854775807`, `9223372036854775808`, `"\"`}
	value := func(right ...string) string {
		if d.IntN(12) == 0 {
			return pick(odd...)
		}
		return pick(right...)
	}
	kind := pick(api.FrameSend, api.FrameRead, api.FrameDelivered)
	fields := []string{`"type":` + value(`"`+kind+`"`)}
	if d.IntN(8) > 0 {
		fields = append(fields, `"chatId":`+value(texts...))
	}
	for _, optional := range []struct{ name, value string }{
		{"id", value(texts...)}, {"text", value(texts...)}, {"clientId", value(texts...)}, {"upTo", value("0", "7", "123456789012345678", "1234567890123456789")},
	} {
		is := optional.name == "id" || (optional.name == "upTo") != (kind == api.FrameSend)
		if is && d.IntN(8) > 0 || d.IntN(16) == 0 {
			fields = append(fields, fmt.Sprintf("%q:%s", optional.name, optional.value))
		}
	}
	if d.IntN(16) == 0 {
		fields = append(fields, fields[d.IntN(len(fields))])
	}
	if d.IntN(16) == 0 {
		fields = append(fields, pick(`"zzz":1`, `"Text":"x"`, `"te\u0078t":"x"`, ``))
	}
	d.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	gap := pick("", "", " ", "\n\t\r ")
	return gap + "{" + gap + strings.Join(fields, gap+","+gap) + gap + pick("}", "}", "}", "}", "}", "", "}}", "},") + gap
}

// agrees holds DecodeHot against Decode: what the one takes the other takes, alike.
func agrees(data []byte) (taken bool, fault string) {
	f, ok := api.DecodeHot(data)
	if !ok {
		return false, ""
	}
	var want api.HotFrame
	var err error
	switch f.Type {
	case api.FrameSend:
		var s api.SendFrame
		err = api.Decode(data, &s)
		want = api.HotFrame{FrameHead: s.FrameHead, ChatID: s.ChatID, Text: s.Text, ClientID: s.ClientID}
	default:
		var m api.MarkFrame
		err = api.Decode(data, &m)
		want = api.HotFrame{FrameHead: m.FrameHead, ChatID: m.ChatID, UpTo: m.UpTo}
	}
	if err != nil {
		return true, fmt.Sprintf("took %q, which Decode refuses: %v", data, err)
	}
	if strings.ContainsRune(f.ID+f.ChatID+f.Text+f.ClientID, 0) {
		return true, fmt.Sprintf("took a NUL: %q", data)
	}
	return true, cmp.Diff(want, f)
}

func TestDecodeHotAgreesWithDecode(t *testing.T) {
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 10_000 // about a tenth take the short way
	t.Logf("seed %d", parameters.Seed())
	taken := 0
	properties := gopter.NewProperties(parameters)
	properties.Property("the same or nothing", prop.ForAll(func(seed uint64) string {
		ok, fault := agrees([]byte(draw{rand.New(rand.NewPCG(seed, 0))}.frame()))
		if ok {
			taken++
		}
		return fault
	}, gen.UInt64()))
	properties.TestingRun(t)
	if taken < 500 {
		t.Errorf("only %d frames were taken", taken)
	}
}

// What clients send takes the short way.
func TestDecodeHotTakes(t *testing.T) {
	for _, frame := range []string{
		`{"id":"7","type":"message.send","chatId":"c","text":"Say \"hi\"\n","clientId":"k"}`,
		` { "type" : "message.send" , "chatId" : "c" } `, `{"type":"read","chatId":"c","upTo":0}`, `{"upTo":123,"chatId":"","type":"delivered","id":""}`,
	} {
		if taken, fault := agrees([]byte(frame)); !taken || fault != "" {
			t.Errorf("%s: taken %v %s", frame, taken, fault)
		}
	}
}

func FuzzDecodeHot(f *testing.F) {
	d := draw{rand.New(rand.NewPCG(1, 2))}
	for range 40 {
		f.Add([]byte(d.frame()))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, fault := agrees(data); fault != "" {
			t.Fatal(fault)
		}
	})
}

func BenchmarkDecodeFrame(b *testing.B) {
	data := []byte(`{"id":"0000000007","type":"message.send","chatId":"0198f3a0-0000-7000-8000-000000000000","text":"` +
		strings.Repeat("lorem ipsum ", 11)[:128] + `","clientId":"load-0123456789abcdef"}`)
	b.Run("one pass", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			api.DecodeHot(data)
		}
	})
	b.Run("by reflection", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var s api.SendFrame
			if err := api.Check(data); err != nil {
				b.Fatal(err)
			}
			if err := api.Decode(data, &s); err != nil {
				b.Fatal(err)
			}
		}
	})
}
