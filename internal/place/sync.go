package place

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// SyncDir makes what was created, renamed or removed in dir outlast a power cut. One that
// is gone has nothing to outlast it.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return ignoring(fs.ErrNotExist, err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// IgnoringEINTR makes a system call until no signal interrupts it.
func IgnoringEINTR(call func() error) error {
	for {
		if err := call(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

var user = os.Geteuid() // a process keeps its own

// IsOwn tells whether a file belongs to the user who runs this.
func IsOwn(info fs.FileInfo) bool { return Owner(info) == user }

// Owner is the id of the user to whom a file belongs, -1 if that is not known.
func Owner(info fs.FileInfo) int {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1
	}
	return int(stat.Uid)
}

// OpenMark opens a file that is there to be locked or to be found, or makes it, empty and private. It
// follows no link, waits for nobody at the other end of a pipe, and opens nothing but a plain file of this
// user's.
func OpenMark(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, cmp.Or(checkAt(path), err)
	}
	info, err := file.Stat()
	if err == nil {
		err = check(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// TryLock takes the kernel's lock on an open file, until Unlock. It tells whether nobody else has it.
func TryLock(file *os.File) bool {
	return IgnoringEINTR(func() error { return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) }) == nil
}

// Unlock releases the lock on a file, and closes it. It is unlocked by hand, not only by closing: a child
// that is just being started has the file open for an instant, too.
func Unlock(file *os.File) error {
	unlocked := IgnoringEINTR(func() error { return unix.Flock(int(file.Fd()), unix.LOCK_UN) })
	return errors.Join(unlocked, file.Close())
}

// IsAt tells whether an open file is the one that has this path: another may have been
// put there.
func IsAt(file *os.File, path string) bool {
	there, err := os.Lstat(path)
	info, failed := file.Stat()
	return err == nil && failed == nil && os.SameFile(there, info)
}
