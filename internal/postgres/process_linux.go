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

// isServer tells whether a process is the server of the data, or one of its processes: PostgreSQL's, that belongs
// to their owner and works in their directory, wherever that was moved since. One that nobody has waited for works
// nowhere.
func isServer(_ context.Context, pid int, data string) (bool, error) {
	process := fmt.Sprintf("/proc/%d", pid)
	if !isPostgres(process) { // a shell that stands there, or whoever has the pid of a server that was killed
		return false, nil
	}
	own, err := os.Stat(data)
	if err != nil {
		return false, err
	}
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

// isPostgres tells whether a process runs PostgreSQL's server, which older versions also call postmaster.
func isPostgres(process string) bool {
	comm, _ := os.ReadFile(process + "/comm")
	return strings.Contains(string(comm), "postgres") || strings.Contains(string(comm), "postmaster")
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
// of another container, where pids mean other processes, are not among them.
func left(ctx context.Context, data string) (pids []int, err error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		space, _ := os.Readlink(process + "/ns/pid")
		if !isPostgres(process) || space != namespace() {
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
