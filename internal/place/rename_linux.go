package place

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// errNotOffered is returned where a file system does not offer a way to rename.
var errNotOffered = errors.New("not offered by this file system")

// exchange has two files change places, at once.
func exchange(path, other string) error { return renameWith(unix.RENAME_EXCHANGE, path, other) }

// renameNew renames a file, and replaces nothing.
func renameNew(path, to string) error { return renameWith(unix.RENAME_NOREPLACE, path, to) }

func renameWith(flags uint, from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, flags)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTSUP):
		return errNotOffered
	}
	return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
}

// lease asks once for a lease to read a file, which is refused as long as somebody has
// it open for writing. Nobody can open it so until the lease is given back, which closing
// the file does; who tries waits for that. Where there are no leases, nothing is known.
func lease(file *os.File) (granted, written bool) {
	_, err := unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	return err == nil, errors.Is(err, unix.EAGAIN)
}

// isWanted tells whether a lease was asked back.
func isWanted(file *os.File) (bool, error) {
	kind, err := unix.FcntlInt(file.Fd(), unix.F_GETLEASE, 0)
	return kind != unix.F_RDLCK, err
}

// startWriting has the kernel begin to write a part of a file to the disk, so that the
// sync at the end finds most of it done. It promises nothing, so its failing is none.
func startWriting(file *os.File, offset, length int64) {
	_ = unix.SyncFileRange(int(file.Fd()), offset, length, unix.SYNC_FILE_RANGE_WRITE)
}
