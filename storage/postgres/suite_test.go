package postgres_test

import (
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/storage"
	"github.com/wigwag-chat/wigwag/storage/postgres"
	"github.com/wigwag-chat/wigwag/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	pgtest.URL(t) // skips where there is no server
	storagetest.Run(t, backend(postgres.Options{}))
}

func BenchmarkStore(b *testing.B) { storagetest.Benchmark(b, backend(postgres.Options{})) }

func BenchmarkGroupCommit(b *testing.B) {
	grouped, alone := backend(postgres.Options{}), backend(postgres.Options{NoGroupCommit: true})
	grouped.Name, alone.Name = "grouped", "alone"
	storagetest.BenchmarkRatio(b, grouped, alone)
}

// backend opens stores in databases of their own.
func backend(opt postgres.Options) storagetest.Backend {
	var urls sync.Map // of the stores, for Reopen
	reopen := func(tb testing.TB, url string, migrate bool) storage.Store {
		tb.Helper()
		opt := opt
		opt.Migrate = migrate
		s, err := postgres.Open(tb.Context(), url, opt)
		if err != nil {
			tb.Fatal(err)
		}
		urls.Store(storage.Store(s), url)
		return s
	}
	return storagetest.Backend{
		Name: "postgres",
		Open: func(tb testing.TB) storage.Store {
			return reopen(tb, pgtest.URL(tb), true)
		},
		Reopen: func(tb testing.TB, s storage.Store) storage.Store {
			if err := s.Close(); err != nil {
				tb.Error(err)
			}
			url, _ := urls.Load(s)
			return reopen(tb, url.(string), false)
		},
	}
}
