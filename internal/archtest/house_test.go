package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const maxLines = 600

// vague are names that say nothing of what a package is for.
var vague = []string{"base", "common", "helper", "helpers", "misc", "shared", "types", "util", "utils"}

// withoutExample need none, for the reason given; nor do main packages.
var withoutExample = map[string]string{
	"docs":                                "it exports nothing",
	"internal/archtest":                   "it exports nothing",
	"storage/internal/bunstore":           "the two SQL backends are its examples",
	"storage/storagetest/internal/faulty": "the stores in it are wrong on purpose",
}

func TestRulesOfTheHouse(t *testing.T) {
	for _, p := range list(t) {
		if slices.Contains(vague, path.Base(p.name())) {
			t.Errorf("%s: the name does not say what the package is for", p.ImportPath)
		}
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		examples := 0
		for _, name := range p.files() {
			examples += checkFile(t, filepath.Join(p.Dir, name), path.Join(p.name(), name))
		}
		if _, ok := withoutExample[p.name()]; !ok && p.Name != "main" && len(p.GoFiles) > 0 && examples == 0 {
			t.Errorf("%s has no Example", p.ImportPath)
		}
	}
}

// checkFile reports what breaks a rule in one Go file, under the name shown,
// and counts its examples.
func checkFile(t *testing.T, file, shown string) (examples int) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return 0
	}
	if lines := bytes.Count(source, []byte("\n")); lines > maxLines {
		t.Errorf("%s has %d lines: %d are too many to read, and 400 ask for a second look", shown, lines, maxLines)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), shown, source, parser.SkipObjectResolution)
	if err != nil {
		t.Error(err)
		return 0
	}
	for _, decl := range parsed.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		switch {
		case !ok || fn.Recv != nil:
		case fn.Name.Name == "init":
			t.Errorf("%s has a func init: importing a package must do nothing", shown)
		case strings.HasPrefix(fn.Name.Name, "Example") && strings.HasSuffix(file, "_test.go"):
			examples++
		}
	}
	return examples
}
