package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/sp-registry/sp/internal/place"
)

// isServer tells whether a process is the server of the data: that works in its data
// directory, wherever that was moved since. One that nobody has waited for works nowhere.
func isServer(_ context.Context, pid int, data string) (bool, error) {
	there, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return false, nil
	}
	if errors.Is(err, fs.ErrPermission) && isAnothers(pid) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	own, err := os.Stat(data)
	return err == nil && os.SameFile(there, own), err
}

// isAnothers tells whether a process is another user's, or one that nobody may look into. Of
// one of ours that can't be looked at, nobody knows what it is: perhaps the server.
func isAnothers(pid int) bool {
	info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		return false
	}
	return !place.IsOwn(info)
}
