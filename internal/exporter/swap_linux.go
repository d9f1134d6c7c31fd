package exporter

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

// waitUnwritten waits, for a second at most, until nobody has a file open for writing: as
// long as somebody has, a lease to read it is refused. Where there are no leases it tells
// that nobody has.
func waitUnwritten(file *os.File) bool {
	for range 200 {
		_, err := unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
		if !errors.Is(err, unix.EAGAIN) {
			return true // closing the file ends the lease
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}
