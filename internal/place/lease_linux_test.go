package place_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/place"
)

// A program that has found the file by its name, and opens it while we look at what came
// out, waits until we have looked: what it writes then is in the file that is kept.
func TestWhoOpensTheFileWhileWeLookLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	mustWrite(t, path, "old")
	require.NoError(t, os.Truncate(path, 64<<20)) // to look at it takes its time
	found, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, found.Close()) }()
	info, err := found.Stat()
	require.NoError(t, err)
	leased := fmt.Sprintf(":%d ", info.Sys().(*syscall.Stat_t).Ino)

	was := mustLook(t, path)
	w := mustWait(t, path, place.Options{}, "new")
	wrote, over := make(chan error, 1), make(chan struct{})
	none := errors.New("no lease was seen")
	go func() {
		for !isLeased(leased) {
			select {
			case <-over:
				wrote <- none
				return
			default:
				runtime.Gosched()
			}
		}
		file, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", found.Fd()), os.O_WRONLY, 0)
		if err == nil {
			_, err = file.WriteString("late")
			_ = file.Close()
		}
		wrote <- err
	}()
	err = w.Place(was)
	close(over)
	failed := <-wrote
	if errors.Is(failed, none) {
		t.Skip("this file system has no leases")
	}
	require.NoError(t, failed)
	var of *place.KeptError
	require.ErrorAs(t, err, &of)
	require.Equal(t, "new", mustRead(t, path))
	require.True(t, strings.HasPrefix(mustRead(t, of.Kept), "late"))
}

// isLeased tells whether the kernel knows a lease on an inode.
func isLeased(inode string) bool {
	locks, _ := os.ReadFile("/proc/locks")
	for _, line := range strings.Split(string(locks), "\n") {
		if strings.Contains(line, "LEASE") && strings.Contains(line, inode) {
			return true
		}
	}
	return false
}
