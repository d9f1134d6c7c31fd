package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/sp-registry/sp/internal/place"
)

// isServer tells whether a process is the server of the data: that belongs to their owner and works in
// their directory, wherever that was moved since. One that nobody has waited for works nowhere.
func isServer(_ context.Context, pid int, data string) (bool, error) {
	own, err := os.Stat(data)
	if err != nil {
		return false, err
	}
	process := fmt.Sprintf("/proc/%d", pid)
	info, err := os.Stat(process)
	if err == nil && place.Owner(info) != place.Owner(own) {
		return false, nil
	}
	there, err := os.Stat(process + "/cwd")
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
		return false, nil
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() == 0: // in a container root may not look there
		return isStartedOn(process, data)
	}
	return err == nil && os.SameFile(there, own), err
}

// isStartedOn tells whether a process was started as the server of the data.
func isStartedOn(process, data string) (bool, error) {
	text, err := os.ReadFile(process + "/cmdline")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return false, nil
	}
	args := strings.Split(string(text), "\x00")
	at := slices.Index(args, "-D")
	return at >= 0 && at+1 < len(args) && args[at+1] == data, err
}
