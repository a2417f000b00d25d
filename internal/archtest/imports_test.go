package archtest

import (
	"fmt"
	"slices"
	"testing"
)

var (
	leaves   = []string{"errs", "keys", "outbox", "audit"}
	services = []string{"auth", "users", "messaging", "groups", "media", "notify", "phone", "verify"}
	internal = []string{"internal/..."}
	backends = []string{"storage/memory/...", "storage/sqlite/...", "storage/postgres/..."}
)

func join(lists ...[]string) []string { return slices.Concat(lists...) }

// directions says which of the module's packages each package may import in
// what it compiles; tests may import what they like. The first line that fits
// a package counts, and every package needs one.
var directions = []struct {
	who []string
	may []string
}{
	{[]string{"errs"}, nil},
	{leaves, []string{"errs"}},
	{[]string{"groups"}, join(leaves, internal, []string{"messaging"})},
	{services, join(leaves, internal)},
	{[]string{"phone/e164"}, []string{"errs"}},
	{[]string{"auth/..."}, join(leaves, internal, []string{"auth/..."})}, // adapters, and so below
	{[]string{"media/..."}, join(leaves, internal, []string{"media/..."})},
	{[]string{"notify/..."}, join(leaves, internal, []string{"notify/..."})},
	{[]string{"phone/..."}, join(leaves, internal, []string{"phone/..."})},
	{[]string{"verify/..."}, join(leaves, internal, []string{"verify/..."})},
	{[]string{"storage"}, join(leaves, internal, services)},
	{[]string{"storage/internal/..."}, join(leaves, internal, services, []string{"storage", "storage/internal/..."})},
	{[]string{"storage/storagetest/internal/..."}, join(leaves, internal, services, backends, []string{"storage", "storage/storagetest/..."})},
	// The suite drives the whole of Wigwag on the store it proves.
	{[]string{"storage/storagetest"}, join(leaves, internal, services, []string{"", "phone/e164", "transport/...", "storage", "storage/storagetest/internal/..."})},
	{[]string{"storage/memory/..."}, join(leaves, internal, services, []string{"storage", "storage/internal/...", "storage/memory/..."})},
	{[]string{"storage/sqlite/..."}, join(leaves, internal, services, []string{"storage", "storage/internal/...", "storage/sqlite/..."})},
	{[]string{"storage/postgres/..."}, join(leaves, internal, services, []string{"storage", "storage/internal/...", "storage/postgres/..."})},
	{[]string{"transport/..."}, join(leaves, internal, services, []string{"transport/..."})},
	{internal, join(leaves, internal, services)},
	{[]string{"docs"}, nil},
	{[]string{""}, join(leaves, internal, services, []string{"phone/e164", "storage", "transport/..."})},
	{[]string{"examples/...", "scripts/..."}, []string{"", "errs/...", "keys/...", "auth/...", "users/...", "messaging/...", "groups/...",
		"phone/...", "storage/...", "transport/...", "internal/...", "examples/..."}},
}

func TestDirectionsOfImports(t *testing.T) {
	for _, p := range list(t) {
		for _, complaint := range checkDirections(p) {
			t.Error(complaint)
		}
	}
}

func checkDirections(p pkg) (complaints []string) {
	for _, d := range directions {
		if !matchesAny(p.name(), d.who) {
			continue
		}
		for _, imported := range p.Imports {
			if isModule(imported) && !matchesAny(inModule(imported), d.may) {
				complaints = append(complaints, fmt.Sprintf("%s must not import %s", p.ImportPath, imported))
			}
		}
		return complaints
	}
	return []string{fmt.Sprintf("%s has no line in the table of import directions: say where it belongs", p.ImportPath)}
}

// homes says which of the module's packages may import what comes from
// elsewhere and is heavy, or stands behind a port. Tests count too.
var homes = []struct {
	what string
	in   []string
}{
	{"github.com/uptrace/bun/...", []string{"storage/internal/bunstore/...", "storage/sqlite/...", "storage/postgres/..."}},
	{"github.com/jackc/pgx/v5/...", []string{"storage/postgres/...", "transport/bus/pgbus", "internal/pgtest", "examples/..."}},
	{"modernc.org/sqlite/...", []string{"storage/sqlite/...", "examples/..."}},
	{"github.com/nyaruka/phonenumbers/...", []string{"phone/e164", "storage/storagetest"}},
	{"github.com/danielgtaylor/huma/v2/...", []string{"transport/httpapi/..."}},
	{"github.com/coder/websocket/...", []string{"", "storage/storagetest", "transport/ws/...", "transport/client/...", "examples/..."}},
	{"github.com/chromedp/chromedp/...", []string{"examples/..."}},
	{"github.com/stretchr/testify/...", nil},
	{"github.com/pkg/errors/...", nil},
}

func TestHomesOfDependencies(t *testing.T) {
	for _, p := range list(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			for _, home := range homes {
				if matches(imported, home.what) && !matchesAny(p.name(), home.in) {
					t.Errorf("%s must not import %s", p.ImportPath, imported)
				}
			}
		}
	}
}

// The table itself is tested: a rule that nothing breaks may be one that
// nothing can break.
func TestDirectionsRefuse(t *testing.T) {
	for _, test := range []struct {
		from, to string
		allowed  bool
	}{
		{"errs", "keys", false},
		{"keys", "errs", true},
		{"keys", "internal/batch", false},
		{"users", "auth", false},
		{"users", "keys", true},
		{"messaging", "groups", false},
		{"groups", "messaging", true},
		{"groups", "users", false},
		{"messaging", "storage", false},
		{"messaging", "storage/sqlite", false},
		{"auth", "phone/e164", false},
		{"storage", "messaging", true},
		{"storage", "storage/memory", false},
		{"storage/sqlite", "storage/internal/bunstore", true},
		{"storage/sqlite", "storage/postgres", false},
		{"storage/storagetest", "storage/memory", false},
		{"transport/ws", "messaging", true},
		{"transport/ws", "storage", false},
		{"transport/httpapi", "storage/memory", false},
		{"internal/hub", "storage", false},
		{"internal/hub", "transport/ws", false},
		{"", "transport/ws", true},
		{"", "storage/sqlite", false},
		{"examples/server", "storage/sqlite", true},
		{"somewhere/new", "errs", false},
	} {
		p := pkg{ImportPath: module + "/" + test.from, Imports: []string{"context", module + "/" + test.to}}
		if got := len(checkDirections(p)) == 0; got != test.allowed {
			t.Errorf("%q importing %q: allowed %t, want %t", test.from, test.to, got, test.allowed)
		}
	}
}
