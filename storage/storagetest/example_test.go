package storagetest_test

import (
	"testing"

	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/storage/storagetest"
)

// The author of a backend writes two functions like these in a test file of his
// own module; memory stands for his package.
func Example() {
	backend := storagetest.Backend{
		Name: "mine",
		Open: func(testing.TB) storage.Store { return memory.New(memory.Options{}) },
		Reopen: func(_ testing.TB, s storage.Store) storage.Store {
			return s.(*memory.Store).Reopen()
		},
	}
	_ = func(t *testing.T) { storagetest.Run(t, backend) }       // func TestStore
	_ = func(b *testing.B) { storagetest.Benchmark(b, backend) } // func BenchmarkStore
	// Output:
}
