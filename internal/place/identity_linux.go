package place

import (
	"os"

	"golang.org/x/sys/unix"
)

// IdentityOf returns the identity of what stands at path, a link being itself. It is
// unknown where the file system keeps no time of birth. Errors are *os.PathError.
func IdentityOf(path string) (Identity, error) {
	var stat unix.Statx_t
	err := IgnoringEINTR(func() error {
		return unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_INO|unix.STATX_BTIME, &stat)
	})
	if err != nil {
		return Identity{}, &os.PathError{Op: "statx", Path: path, Err: err}
	}
	if stat.Mask&unix.STATX_BTIME == 0 {
		return Identity{}, nil
	}
	return Identity{Inode: stat.Ino, Born: stat.Btime.Sec*1e9 + int64(stat.Btime.Nsec)}, nil
}
