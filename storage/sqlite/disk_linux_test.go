package sqlite_test

import (
	"syscall"
	"testing"
)

// smallDisk mounts a file system of 4 MiB, where this process may.
func smallDisk(t *testing.T) (string, bool) {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		return "", false
	}
	t.Cleanup(func() { // after the stores on it are closed
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, true
}
