package bustest_test

import (
	"testing"

	"github.com/wigwag-chat/wigwag/transport/bus"
	"github.com/wigwag-chat/wigwag/transport/bus/bustest"
	"github.com/wigwag-chat/wigwag/transport/bus/inproc"
)

// The author of a bus proves it from his own repository.
func Example() {
	_ = func(t *testing.T) {
		bustest.Run(t, func(t *testing.T) (bus.Bus, bus.Bus) {
			var b inproc.Bus // one's own, opened twice
			return &b, &b
		})
	}
	// Output:
}
