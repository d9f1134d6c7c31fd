package workspace

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// errNoSwap is returned where two files can't change places.
var errNoSwap = errors.New("not offered by this file system")

// swap has two files of one directory change places, at once.
func swap(path, other string) error { return renameWith(unix.RENAME_EXCHANGE, path, other) }

// moveNew renames a file, and replaces nothing.
func moveNew(path, to string) error { return renameWith(unix.RENAME_NOREPLACE, path, to) }

func renameWith(flags uint, from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, flags)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTSUP):
		return errNoSwap
	}
	return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
}

// guard takes a lease to read a file: nobody can open it for writing until it is given
// back, which closing the file does; who tries waits for that. As long as somebody has it
// open for writing it is refused, for which guard waits a second at most.
func guard(file *os.File) (guarded, written bool) {
	for range 200 {
		_, err := unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
		if !errors.Is(err, unix.EAGAIN) {
			return err == nil, false // without leases nothing is known
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false, true
}

// isWanted tells whether the lease was asked back.
func isWanted(file *os.File) bool {
	kind, err := unix.FcntlInt(file.Fd(), unix.F_GETLEASE, 0)
	return err != nil || kind != unix.F_RDLCK
}
