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

func TestStore(t *testing.T) { storagetest.Run(t, backend()) }

// backend opens stores in files of their own.
func backend() storagetest.Backend {
	var paths sync.Map // of the stores, for Reopen
	reopen := func(tb testing.TB, path string, opt sqlite.Options) storage.Store {
		tb.Helper()
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
			return reopen(tb, filepath.Join(tb.TempDir(), "wigwag.db"), sqlite.Options{Migrate: true})
		},
		Reopen: func(tb testing.TB, s storage.Store) storage.Store {
			if err := s.Close(); err != nil {
				tb.Error(err)
			}
			path, _ := paths.Load(s)
			return reopen(tb, path.(string), sqlite.Options{})
		},
	}
}
