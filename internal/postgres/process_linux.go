package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

// left are the processes of a server that use its data, as they do when the one that started them was killed. Those
// of another container, where pids mean other processes, are not among them, and nobody's shell is that stands there.
func left(ctx context.Context, data string) (pids []int, err error) {
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	for _, name := range names {
		process := filepath.Dir(name)
		comm, _ := os.ReadFile(name)
		space, _ := os.Readlink(process + "/ns/pid")
		if !strings.Contains(string(comm), "postgres") || space != namespace() {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(process))
		if err != nil {
			return nil, err
		}
		switch is, err := isServer(ctx, pid, data); {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
			return nil, nil // there are no data
		case is:
			pids = append(pids, pid)
		}
	}
	return pids, err
}

// isFrozen tells whether a process was stopped by a signal, and does nothing until it is told to go on.
func isFrozen(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(stat), ") ")
	return err == nil && strings.HasPrefix(after, "T")
}
