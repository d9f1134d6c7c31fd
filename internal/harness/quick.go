package harness

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// QuickPlace is where syncing costs nothing, if there is such a place with that much room which
// can hold programs, or else "". Power cuts are tested in torture.
func QuickPlace(room uint64) string {
	const place = "/dev/shm"
	var fs unix.Statfs_t
	if unix.Statfs(place, &fs) == nil && fs.Flags&(unix.ST_NOEXEC|unix.ST_RDONLY) == 0 &&
		fs.Bavail*uint64(fs.Bsize) >= room && unix.Access(place, unix.W_OK) == nil {
		return place
	}
	return ""
}

// QuickDir is a new directory in memory where the system has one.
func QuickDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(QuickPlace(64<<20), "sp-test-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	dir, err = filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	return dir
}
