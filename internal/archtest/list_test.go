package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/wigwag-chat/wigwag"

// pkg is what `go list -json` says of one package.
type pkg struct {
	ImportPath, Dir, Name, Doc         string
	Imports, TestImports, XTestImports []string
	GoFiles, CgoFiles, IgnoredGoFiles  []string
	TestGoFiles, XTestGoFiles          []string
	Module                             *struct{ Dir string }
}

// name is the package's path in the module: "" for the root.
func (p pkg) name() string { return inModule(p.ImportPath) }

// files are all of the package's Go files, tests included.
func (p pkg) files() []string {
	return slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles, p.TestGoFiles, p.XTestGoFiles)
}

// inModule cuts the module's path off: "" for the root package.
func inModule(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}

func isModule(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

// packages lists the module's packages, once for all tests.
var packages = sync.OnceValues(func() ([]pkg, error) {
	out, err := exec.Command("go", "list", "-e", "-json", module+"/...").Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = errors.New(string(exit.Stderr))
		}
		return nil, err
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func list(t *testing.T) []pkg {
	t.Helper()
	all, err := packages()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if len(all) == 0 {
		t.Fatal("go list found no packages")
	}
	return all
}

// matches tells whether a name is the pattern, or lies at or under it when the
// pattern ends in "/...".
func matches(name, pattern string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == prefix || strings.HasPrefix(name, prefix+"/")
	}
	return name == pattern
}

func matchesAny(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(name, p) })
}

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		name, pattern string
		want          bool
	}{
		{"storage", "storage", true},
		{"storage/sqlite", "storage", false},
		{"storage/sqlite", "storage/...", true},
		{"storage", "storage/...", true},
		{"storages", "storage/...", false},
		{"", "storage/...", false},
		{"", "", true},
	} {
		if got := matches(test.name, test.pattern); got != test.want {
			t.Errorf("matches(%q, %q) = %t", test.name, test.pattern, got)
		}
	}
	if got := inModule(path.Join(module, "errs")); got != "errs" {
		t.Errorf("inModule gives %q", got)
	}
}
