package keys_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/wigwag-chat/wigwag/keys"
)

func TestCreateFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "host.key")
	ring, err := keys.CreateFile(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	sealed, err := ring.Wrap(t.Context(), []byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	read, err := keys.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := read.Unwrap(t.Context(), sealed, nil); err != nil {
		t.Errorf("the file holds another key: %v", err)
	}
	before, _ := os.ReadFile(path)
	if _, err := keys.CreateFile(path, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("second CreateFile: %v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the second CreateFile changed the file")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("the folder holds %v", left)
	}
	if _, err := keys.CreateFile(filepath.Join(dir, "none", "host.key"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
	if _, err := keys.CreateFile(filepath.Join(dir, "b.key"), strings.NewReader("short")); err == nil {
		t.Error("made a file without randomness")
	}
}

// Of processes that start at once one creates the file, and whoever comes
// second reads a whole one.
func TestCreateFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "host.key")
	var wg sync.WaitGroup
	made := make(chan bool, 16)
	for range cap(made) {
		wg.Go(func() {
			_, err := keys.CreateFile(path, nil)
			if err != nil && !errors.Is(err, os.ErrExist) {
				t.Error(err)
			}
			if _, err := keys.ReadFile(path); err != nil {
				t.Error(err)
			}
			made <- err == nil
		})
	}
	wg.Wait()
	close(made)
	n := 0
	for ok := range made {
		if ok {
			n++
		}
	}
	if n != 1 {
		t.Fatalf("%d made the file", n)
	}
}

func TestReadFile(t *testing.T) {
	old, young := newKey(t, 1), newKey(t, 2)
	path := filepath.Join(t.TempDir(), "host.key")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	good := "# newest\r\n" + young.Encode() + "\r\n\n  # older\n" + old.Encode()

	if _, err := keys.ReadFile(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	write(good, 0o600)
	ring, err := keys.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []keys.Key{old, young} {
		sealed, _ := keys.NewRing(key).Wrap(t.Context(), []byte("x"), nil)
		if _, err := ring.Unwrap(t.Context(), sealed, nil); err != nil {
			t.Errorf("a key of the file does not unwrap: %v", err)
		}
	}
	sealed, _ := ring.Wrap(t.Context(), []byte("x"), nil)
	if _, err := keys.NewRing(young).Unwrap(t.Context(), sealed, nil); err != nil {
		t.Errorf("the first line is not what wraps: %v", err)
	}

	if runtime.GOOS != "windows" {
		for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o644, 0o666} {
			write(good, mode)
			if _, err := keys.ReadFile(path); !errors.Is(err, keys.ErrExposedFile) {
				t.Errorf("mode %v: %v", mode, err)
			}
		}
	}
	half := young.Encode()[:30]
	for name, text := range map[string]string{
		"empty": "", "comments": "# none\n", "half a key": half + "\n",
		"good, then bad": good + "\n" + half, "huge": strings.Repeat("# comment\n", 7_000) + good,
	} {
		write(text, 0o600)
		if _, err := keys.ReadFile(path); !errors.Is(err, keys.ErrBadKey) || strings.Contains(err.Error(), half) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := keys.ReadFile(t.TempDir()); err == nil {
		t.Error("read a folder as a key file")
	}
}
