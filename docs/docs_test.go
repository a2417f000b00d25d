package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// documents are all Markdown files for readers, by path from the root.
func documents(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"../*.md", "*.md", "adr/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 5 {
		t.Fatalf("found only %v", all)
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```")

func TestGoCodeCompiles(t *testing.T) {
	for _, path := range documents(t) {
		for i, block := range goBlock.FindAllStringSubmatch(read(t, path), -1) {
			code := block[1]
			if !strings.HasPrefix(code, "package ") && !strings.HasPrefix(code, "//") {
				t.Errorf("%s: Go block %d is no whole file, so nothing proves that it compiles", path, i+1)
				continue
			}
			name := "main.go"
			if strings.Contains(code, `"testing"`) {
				name = "doc_test.go"
			}
			file := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
				t.Errorf("%s: Go block %d: %v\n%s", path, i+1, err, out)
			}
		}
	}
}

func TestTheReadmeShowsTheEmbedExample(t *testing.T) {
	example := read(t, "../examples/embed/main.go")
	if n := strings.Count(example, "\n"); n > 40 {
		t.Errorf("the example has %d lines, want at most 40", n)
	}
	block := goBlock.FindStringSubmatch(read(t, "../README.md"))
	if block == nil {
		t.Fatal("the README shows no Go code")
	}
	if diff := cmp.Diff(example, block[1]); diff != "" {
		t.Errorf("the README and examples/embed/main.go differ (-example +README):\n%s", diff)
	}
}

var (
	fenced = regexp.MustCompile("(?ms)^```.*?^```")
	link   = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
)

func TestLinksLeadSomewhere(t *testing.T) {
	for _, path := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(read(t, path), ""), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", path, m[1], err)
			}
		}
	}
}

// Every decision has the three parts, so that a reader finds them.
func TestDecisionsHaveTheirParts(t *testing.T) {
	adrs, err := filepath.Glob("adr/*.md")
	if err != nil || len(adrs) == 0 {
		t.Fatal("no decisions", err)
	}
	for _, path := range adrs {
		text := read(t, path)
		missing := slices.DeleteFunc([]string{"**Context.**", "**Decision.**", "**Consequences.**"},
			func(part string) bool { return strings.Contains(text, part) })
		if len(missing) > 0 {
			t.Errorf("%s lacks %v", path, missing)
		}
	}
}
