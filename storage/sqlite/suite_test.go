package sqlite_test

import (
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
	"github.com/wigwag-chat/wigwag/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) { storagetest.Run(t, backend(sqlite.Options{})) }

func BenchmarkStore(b *testing.B) { storagetest.Benchmark(b, backend(sqlite.Options{})) }

func BenchmarkGroupCommit(b *testing.B) {
	grouped, alone := backend(sqlite.Options{}), backend(sqlite.Options{NoGroupCommit: true})
	grouped.Name, alone.Name = "grouped", "alone"
	storagetest.BenchmarkRatio(b, grouped, alone)
}

// backend opens stores in files of their own.
func backend(opt sqlite.Options) storagetest.Backend {
	var paths sync.Map // of the stores, for Reopen
	reopen := func(tb testing.TB, path string, migrate bool) storage.Store {
		tb.Helper()
		opt := opt
		opt.Migrate = migrate
		s, err := sqlite.Open(tb.Context(), path, opt)
		if err != nil {
			tb.Fatal(err)
		}
		paths.Store(storage.Store(s), path)
		return s
	}
	return storagetest.Backend{
		Name: "sqlite",
		Open: func(tb testing.TB) storage.Store {
			return reopen(tb, filepath.Join(tb.TempDir(), "wigwag.db"), true)
		},
		Reopen: func(tb testing.TB, s storage.Store) storage.Store {
			if err := s.Close(); err != nil {
				tb.Error(err)
			}
			path, _ := paths.Load(s)
			return reopen(tb, path.(string), false)
		},
	}
}
