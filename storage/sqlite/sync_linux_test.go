package sqlite_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/wigwag-chat/wigwag/storage/sqlite"
)

// commitLog counts, below SQLite, the commits that reach the log of a database and
// the syncs that make them last.
type commitLog struct {
	mu      sync.Mutex
	commits int // written
	synced  int // of them, those that a later sync covers
	syncs   int // that covered any

	own     uintptr // the default before
	vfs     uintptr
	methods map[uintptr]uintptr // SQLite's to those that count
	open    func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	write   map[uintptr]func(tls *libc.TLS, file, data uintptr, n int32, at int64) int32
	sync    map[uintptr]func(tls *libc.TLS, file uintptr, flags int32) int32
}

// at is a structure of SQLite's.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// entry makes of a function a pointer to it as SQLite calls it; callee is the other way.
func entry[F any](f *F) uintptr { return *(*uintptr)(unsafe.Pointer(f)) }
func callee[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ uintptr }{p})) }

// countCommits lets every database that the test opens go through a commitLog: a
// VFS (https://sqlite.org/vfs.html) that passes all on to the default one.
func countCommits(t *testing.T) *commitLog {
	t.Helper()
	tls := libc.NewTLS()
	t.Cleanup(tls.Close)
	l := &commitLog{
		own: sqlite3.Xsqlite3_vfs_find(tls, 0), methods: make(map[uintptr]uintptr),
		write: make(map[uintptr]func(*libc.TLS, uintptr, uintptr, int32, int64) int32),
		sync:  make(map[uintptr]func(*libc.TLS, uintptr, int32) int32),
	}
	l.vfs = libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	name, err := libc.CString(fmt.Sprintf("counting %p", l))
	if err != nil {
		t.Fatal(err)
	}
	vfs := at[sqlite3.Tsqlite3_vfs](l.vfs)
	*vfs = *at[sqlite3.Tsqlite3_vfs](l.own)
	open := callee[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](vfs.FxOpen)
	l.open = func(tls *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
		rc := open(tls, l.own, name, file, flags, out)
		if rc == sqlite3.SQLITE_OK && flags&sqlite3.SQLITE_OPEN_WAL != 0 {
			l.watch(tls, &at[sqlite3.Tsqlite3_file](file).FpMethods)
		}
		return rc
	}
	vfs.FzName, vfs.FpNext, vfs.FxOpen = name, 0, entry(&l.open)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, l.vfs, 1); rc != sqlite3.SQLITE_OK {
		t.Fatal("register: ", rc)
	}
	t.Cleanup(func() { // after all databases were closed
		sqlite3.Xsqlite3_vfs_register(tls, l.own, 1)
		sqlite3.Xsqlite3_vfs_unregister(tls, l.vfs)
		for _, m := range l.methods {
			libc.Xfree(tls, m)
		}
		libc.Xfree(tls, name)
		libc.Xfree(tls, l.vfs)
		runtime.KeepAlive(l)
	})
	return l
}

// watch puts methods that count in the place of a log's own.
func (l *commitLog) watch(tls *libc.TLS, methods *uintptr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := *methods
	if l.methods[own] == 0 {
		m := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
		counting := at[sqlite3.Tsqlite3_io_methods](m)
		*counting = *at[sqlite3.Tsqlite3_io_methods](own)
		write := callee[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](counting.FxWrite)
		fsync := callee[func(*libc.TLS, uintptr, int32) int32](counting.FxSync)
		counted := func(tls *libc.TLS, file, data uintptr, n int32, at int64) int32 {
			l.written(data, n)
			return write(tls, file, data, n, at)
		}
		synced := func(tls *libc.TLS, file uintptr, flags int32) int32 {
			l.mu.Lock()
			before := l.commits
			l.mu.Unlock()
			rc := fsync(tls, file, flags)
			if rc == sqlite3.SQLITE_OK {
				l.covered(before)
			}
			return rc
		}
		l.methods[own], l.write[own], l.sync[own] = m, counted, synced
		counting.FxWrite, counting.FxSync = entry(&counted), entry(&synced)
	}
	*methods = l.methods[own]
}

// written looks for the header of a frame that commits: its second number is not
// 0 (https://sqlite.org/fileformat2.html, section 4.1).
func (l *commitLog) written(data uintptr, n int32) {
	const frameHeader = 24
	if n == frameHeader && *at[uint32](data + 4) != 0 {
		l.mu.Lock()
		l.commits++
		l.mu.Unlock()
	}
}

func (l *commitLog) covered(commits int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if commits > l.synced {
		l.synced = commits
		l.syncs++
	}
}

func (l *commitLog) counts() (commits, synced, syncs int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.commits, l.synced, l.syncs
}

// durable sends messages one by one and then many at once, and returns what was
// acknowledged before it was synced.
func (l *commitLog) durable(t *testing.T, s *sqlite.Store) error {
	t.Helper()
	group(t, s, "chat", "ann")
	const alone = 100
	_, _, from := l.counts()
	for i := range alone {
		_, _, before := l.counts()
		if err := send(t.Context(), s, "chat", "ann", fmt.Sprint("alone", i), 10); err != nil {
			t.Fatal(err)
		}
		if commits, synced, syncs := l.counts(); syncs <= before || synced != commits {
			return fmt.Errorf("message %d is acknowledged, and %d of %d commits are synced, by %d syncs", i, synced, commits, syncs-from)
		}
	}
	const writers, each = 64, 10
	commitsBefore, _, syncsBefore := l.counts()
	var sending sync.WaitGroup
	for w := range writers {
		sending.Go(func() {
			for i := range each {
				if err := send(context.Background(), s, "chat", "ann", fmt.Sprint("writer", w, "-", i), 10); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	commits, synced, syncs := l.counts()
	commits, syncs = commits-commitsBefore, syncs-syncsBefore
	if t.Logf("%d messages by %d writers: %d commits, %d syncs", writers*each, writers, commits, syncs); syncs < commits || synced-commitsBefore != commits {
		return fmt.Errorf("%d messages in %d commits, %d syncs", writers*each, commits, syncs)
	}
	if commits < each { // a writer waits for one before the next
		t.Errorf("%d commits: they were not all seen", commits)
	}
	return nil
}

// What was acknowledged was synced before: at least one sync a commit.
func TestAcknowledgedIsSynced(t *testing.T) {
	t.Run("as Open makes it", func(t *testing.T) {
		l := countCommits(t)
		if err := l.durable(t, open(t, file(t), sqlite.Options{Migrate: true})); err != nil {
			t.Error(err)
		}
	})
	for _, synchronous := range []string{"OFF", "NORMAL"} { // the proof can fail
		t.Run("not with synchronous="+synchronous, func(t *testing.T) {
			l := countCommits(t)
			path := file(t)
			writer := raw(t, path, "&_pragma=journal_mode(WAL)&_pragma=synchronous("+synchronous+")&_txlock=immediate")
			s, err := sqlite.OpenDB(t.Context(), writer, raw(t, path, ""), sqlite.Options{Migrate: true, AllowUnsafe: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if err := l.durable(t, s); err == nil {
				t.Error("nothing was noticed")
			} else {
				t.Log(err)
			}
		})
	}
}
