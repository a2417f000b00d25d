//go:build !linux

package sqlite_test

import "testing"

func smallDisk(*testing.T) (string, bool) { return "", false }
