package main

import (
	"strings"
	"testing"
)

// The events are go test's own, shortened.
func TestSummary(t *testing.T) {
	tests := []struct {
		name, events, want   string
		passes, fails, skips int
	}{
		{
			name: "what passes is one line",
			events: `
{"Action":"output","Package":"m/a","Test":"TestX","Output":"=== RUN   TestX\n"}
{"Action":"output","Package":"m/a","Test":"TestX","Output":"    x_test.go:5: a note\n"}
{"Action":"output","Package":"m/a","Test":"TestX","Output":"--- PASS: TestX (0.00s)\n"}
{"Action":"pass","Package":"m/a","Test":"TestX"}
{"Action":"output","Package":"m/a","Output":"PASS\n"}
{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t0.002s\n"}
{"Action":"pass","Package":"m/a"}`,
			want:   "ok  \tm/a\t0.002s\n",
			passes: 1,
		},
		{
			name: "failures and skips are shown, what passes beside them is not",
			events: `
{"Action":"output","Package":"m/a","Test":"TestX","Output":"    x_test.go:5: broken\n"}
{"Action":"output","Package":"m/a","Test":"TestX","Output":"--- FAIL: TestX (0.00s)\n"}
{"Action":"fail","Package":"m/a","Test":"TestX"}
{"Action":"output","Package":"m/a","Test":"TestY","Output":"    x_test.go:9: a note\n"}
{"Action":"pass","Package":"m/a","Test":"TestY"}
{"Action":"output","Package":"m/a","Test":"TestZ","Output":"    x_test.go:12: no server\n"}
{"Action":"skip","Package":"m/a","Test":"TestZ"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a\t0.002s\n"}
{"Action":"fail","Package":"m/a"}`,
			want: "    x_test.go:5: broken\n--- FAIL: TestX (0.00s)\n" +
				"    x_test.go:12: no server\nFAIL\tm/a\t0.002s\n",
			passes: 1, fails: 1, skips: 1,
		},
		{
			name: "a package that does not build counts as a failure",
			events: `
{"ImportPath":"m/a","Action":"build-output","Output":"a.go:3:1: syntax error\n"}
{"ImportPath":"m/a","Action":"build-fail"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a [build failed]\n"}
{"Action":"fail","Package":"m/a","FailedBuild":"m/a"}`,
			want:  "a.go:3:1: syntax error\nFAIL\tm/a [build failed]\n",
			fails: 1,
		},
		{
			name: "a package that dies shows the tests it was in",
			events: `
{"Action":"output","Package":"m/a","Test":"TestX","Output":"=== RUN   TestX\n"}
{"Action":"output","Package":"m/a","Test":"TestX","Output":"fatal error: all goroutines are asleep\n"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a\t0.002s\n"}
{"Action":"fail","Package":"m/a"}`,
			want:  "fatal error: all goroutines are asleep\nFAIL\tm/a\t0.002s\n",
			fails: 1,
		},
		{
			name:   "go test's own words pass through",
			events: "go: updates to go.mod needed\n",
			want:   "go: updates to go.mod needed\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			s := &summary{out: &out, output: map[string][]string{}, failed: map[string]bool{}}
			if err := s.read(strings.NewReader(strings.TrimPrefix(test.events, "\n"))); err != nil {
				t.Fatal(err)
			}
			if out.String() != test.want {
				t.Errorf("printed\n%s\nwant\n%s", out.String(), test.want)
			}
			if s.passes != test.passes || s.fails != test.fails || s.skips != test.skips {
				t.Errorf("counted %d passed, %d failed, %d skipped; want %d, %d, %d",
					s.passes, s.fails, s.skips, test.passes, test.fails, test.skips)
			}
		})
	}
}
