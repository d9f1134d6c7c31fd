package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/place"
)

// CheckFile tells why the file at path, an absolute path, could not be opened, if
// that shows from outside: ErrMissing, ErrUntrusted, ErrUnsafe, or ErrForeign.
func CheckFile(ctx context.Context, path string, o Options) error {
	d, err := Open(ctx, path, o)
	if err != nil {
		return err
	}
	return d.Close()
}

// Exposure returns the mode of the file at path if that is all that makes it unsafe:
// a plain file of ours with one name, which others can reach. Tighten mends that.
func Exposure(path string) (fs.FileMode, bool) {
	info, err := os.Lstat(path)
	if err != nil || !isPlain(info) || info.Mode().Perm()&0o077 == 0 {
		return 0, false
	}
	return info.Mode().Perm(), true
}

func isPlain(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode().IsRegular() && place.IsOwn(info) && stat.Nlink == 1
}

// Tighten takes from group and others what they may do with the file at path. It
// works on the open file, so that nothing can be put in the place of what was
// checked. No connection of this process may have it open: see Harden.
func Tighten(path string) (err error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !isPlain(info) {
		return unsafeError(path, "it is not a file of ours with one name", "look at it")
	}
	return file.Chmod(info.Mode().Perm() &^ 0o077)
}

// IsInterrupted tells whether beside the file at path, there or not, is the journal of a
// change that was interrupted, or is being made. What is in it may be all that can mend the file.
func IsInterrupted(path string) bool {
	file, err := os.OpenFile(path+journalSide, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // it was only read
	var first [1]byte
	n, _ := file.Read(first[:])
	return n == 1 && first[0] != 0
}

// Holder tells whether a change is being made just now in the directory of the
// registry at path, and by whom, if that is known. It does not wait. Where there
// is no lock file yet, nobody holds it; one that can't be used is ErrUnsafe.
func Holder(path string) (held bool, holder string, err error) {
	name := filepath.Join(filepath.Dir(path), lockName)
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, "", nil
	case err != nil:
		return false, "", err
	case !info.Mode().IsRegular():
		return false, "", unsafeError(name, "it is not a regular file", "move it away")
	}
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, "", fmt.Errorf("lock: %w", err)
	}
	defer func() { _ = file.Close() }()
	err = flock(file, unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, holderIn(file), nil
	}
	if err == nil {
		err = flock(file, unix.LOCK_UN) // by hand, as Unlock does
	}
	return false, "", err
}
