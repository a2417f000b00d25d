package archtest

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A host pays for what it uses: the modules in a program built for real, as
// `go version -m` shows them.
func TestAProgramCompilesOnlyWhatItUses(t *testing.T) {
	for _, test := range []struct {
		name    string
		imports []string
		with    []string // modules that prove the program is what it should be
		without []string
	}{
		{
			name:    "messaging on SQLite",
			imports: []string{"messaging", "storage/sqlite"},
			with:    []string{"modernc.org/sqlite", "github.com/uptrace/bun"},
			without: []string{
				"github.com/jackc/", "github.com/uptrace/bun/dialect/pgdialect", "github.com/nats-io/", "github.com/redis/",
				"github.com/minio/", "github.com/nyaruka/", "github.com/danielgtaylor/", "github.com/coder/",
				"github.com/leanovate/", "github.com/google/go-cmp", "github.com/chromedp/",
			},
		},
		{
			name:    "the root package without a backend",
			imports: []string{""},
			without: []string{
				"github.com/jackc/", "modernc.org/", "github.com/uptrace/", "github.com/nats-io/", "github.com/redis/", "github.com/minio/",
				"github.com/leanovate/", "github.com/chromedp/",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			built := modulesOf(t, test.imports)
			for _, want := range test.with {
				if !slices.Contains(built, want) {
					t.Errorf("%s is not compiled in; so what is this program?", want)
				}
			}
			for _, module := range built {
				for _, prefix := range test.without {
					if strings.HasPrefix(module, prefix) {
						t.Errorf("%s is compiled in", module)
					}
				}
			}
		})
	}
}

// modulesOf builds a program of another module that imports these packages,
// and returns the paths of the modules compiled into it.
func modulesOf(t *testing.T, imports []string) []string {
	t.Helper()
	root := list(t)[0].Module.Dir
	dir := t.TempDir()

	// The program's go.mod is ours with a new name, so that both agree on
	// every version and nothing is looked up.
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	host := strings.Replace(string(mod), "module "+module, "module host.example/program", 1)
	host += fmt.Sprintf("\nrequire %s v0.0.0\nreplace %s => %s\n", module, module, root)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	source := "package main\n\n"
	for _, name := range imports {
		source += fmt.Sprintf("import _ %q\n", path.Join(module, name))
	}
	source += "\nfunc main() {}\n"
	for name, content := range map[string]string{"go.mod": host, "go.sum": string(sum), "main.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	build := exec.CommandContext(t.Context(), "go", "build", "-mod=mod", "-buildvcs=false", "-o", "program", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the program does not build: %v\n%s", err, out)
	}
	info, err := buildinfo.ReadFile(filepath.Join(dir, "program"))
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, dep := range info.Deps {
		modules = append(modules, dep.Path)
	}
	return modules
}
