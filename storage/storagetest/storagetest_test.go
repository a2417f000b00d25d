package storagetest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func memoryBackend() storagetest.Backend {
	return storagetest.Backend{
		Name: "memory",
		Open: func(testing.TB) storage.Store { return memory.New(memory.Options{}) },
		Reopen: func(_ testing.TB, s storage.Store) storage.Store {
			return s.(*memory.Store).Reopen()
		},
	}
}

func TestMemory(t *testing.T) { storagetest.Run(t, memoryBackend()) }

func BenchmarkMemory(b *testing.B) { storagetest.Benchmark(b, memoryBackend()) }
