package storagetest

import (
	"fmt"
	"testing"
)

// property is one numbered property of SPEC section 13, driven through the real
// services on a backend.
type property struct {
	number int
	says   string
	check  func(t *testing.T, b Backend)
}

// properties lists those of this version.
func properties() []property { return nil }

// runProperties runs every property as a subtest "Property NN".
func runProperties(t *testing.T, b Backend) {
	for _, p := range properties() {
		t.Run(fmt.Sprintf("Property %02d", p.number), func(t *testing.T) { p.check(t, b) })
	}
}
