package workspace

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/registry"
)

// A stamp is what the file system says of a file without reading it, and that no
// write leaves as it was: inode, size, and the nanoseconds of its last modification
// and change, `12 345 1763780000000000000 1763780000000000000`. The last is the one
// that nobody can set back; a rename sets it, too, which is why a stamp is taken of a
// file that has its name already, by the next command that finds it unchanged.
//
// A file system's clock ticks, and what is written twice within one tick is dated the
// same. So a stamp is remembered only of a file whose last change was before `since`,
// an instant that is over: whatever is written after that is dated since or later, and
// shows. The content is hashed after that instant, and so holds what was written before.
//
// What is written through a mapping is dated when the page is touched for the first
// time since it was last synced, hence the sync. Not seen is what a file system does
// not date (a mapping in tmpfs), or dates as the writer wants, for it keeps no time of
// change of its own (FAT, sshfs); what is written after the clock was set back, at the
// very nanosecond that was noted; what a single call of write that began, and was dated,
// before `since` has still to write; and what a power cut left of a write without its date.
func stampOf(stat *unix.Stat_t) string {
	return fmt.Sprintf("%d %d %d %d", stat.Ino, stat.Size, unix.TimespecToNsec(stat.Mtim), unix.TimespecToNsec(stat.Ctim))
}

// lastStamp returns the stamp of the file at path, empty where none can be had.
func lastStamp(path string) string {
	var stat unix.Stat_t
	if err := ignoringEINTR(func() error { return unix.Lstat(path, &stat) }); err != nil {
		return ""
	}
	return stampOf(&stat)
}

// isStamped tells whether the file at path is known to hold what is remembered of it.
func isStamped(path string, known *registry.File) bool {
	return known != nil && known.Stamp != "" && known.Stamp == lastStamp(path)
}

// takeStamp returns the stamp of the private file at path if it holds what has this
// hash and was last changed before since. It is empty where that is not so.
func takeStamp(path, hash string, since time.Time) (stamp string, err error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Sync(); err != nil {
		return "", err
	}
	var stat unix.Stat_t
	if err := ignoringEINTR(func() error { return unix.Fstat(int(file.Fd()), &stat) }); err != nil {
		return "", err
	}
	private := stat.Mode&unix.S_IFMT == unix.S_IFREG && stat.Mode&0o077 == 0
	if !private || !time.Unix(stat.Ctim.Unix()).Before(since) {
		return "", nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil || hexOf(sum.Sum(nil)) != hash {
		return "", err
	}
	return stampOf(&stat), nil
}

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
