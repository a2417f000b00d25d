package keys

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// maxFile bounds a key file in bytes, some 1,400 keys.
const maxFile = 64 << 10

// ReadFile reads a ring from a file with one key a line in base64, the newest
// first. Empty lines and lines that start with # are skipped. A file that its
// group or others may read or write is refused with ErrExposedFile (not
// checked on Windows, where modes say nothing); a line that is no key, a file
// without keys or above 64 KiB, with ErrBadKey.
func ReadFile(path string) (*Ring, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("keys: %s: %w", path, ErrExposedFile.With("mode", fmt.Sprintf("%#o", info.Mode().Perm())))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("keys: %s is above %d bytes: %w", path, maxFile, ErrBadKey)
	}
	var ring []Key
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, err := ParseKey(line)
		if err != nil {
			return nil, fmt.Errorf("keys: %s, line %d: %w", path, n, err)
		}
		ring = append(ring, key)
	}
	if len(ring) == 0 {
		return nil, fmt.Errorf("keys: %s holds no key: %w", path, ErrBadKey)
	}
	return NewRing(ring[0], ring[1:]...), nil
}

// CreateFile draws a key (from random; nil means crypto/rand.Reader), writes it
// to a new file of mode 0600 that ReadFile reads, and returns its ring. Where
// path exists it is left alone and the error is os.ErrExist. File and folder
// are synced before it returns, and the file appears under its name complete
// or not at all, so that of several processes that start at once one creates
// and the others read. The file system must know hard links.
//
// Only a host calls this, never the library: who loses the file loses the
// data, so the host must know that it is there.
func CreateFile(path string, random io.Reader) (_ *Ring, err error) {
	key, err := Generate(random)
	if err != nil {
		return nil, err
	}
	if err := publish(path, "# Wigwag host keys, newest first. Without them the data cannot be read.\n"+key.Encode()+"\n"); err != nil {
		return nil, fmt.Errorf("keys: create key file: %w", err)
	}
	return NewRing(key), nil
}

// publish writes a file under another name and links it to path, which fails
// where path exists: O_EXCL for the whole content at once.
func publish(path, text string) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*.key") // 0600, O_EXCL
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a new name in dir durable. Windows cannot sync a folder.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
