package db

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkFile looks at the file before SQLite does, whose one answer to most
// trouble is "unable to open database file". It never opens it: a fifo would
// block, and closing would drop this process's own locks on the database.
func checkFile(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", path, ErrMissing)
	}
	if err != nil {
		return err
	}
	unsafe := func(why, remedy string) error { return unsafe(path, why, remedy) }
	stat, _ := info.Sys().(*syscall.Stat_t)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return unsafe("it is a symbolic link", "replace it with the file it points to")
	case !info.Mode().IsRegular():
		return unsafe("it is not a regular file", "move it away")
	case stat != nil && int(stat.Uid) != os.Geteuid():
		return unsafe(fmt.Sprintf("it belongs to user %d", stat.Uid), "chown it, or run as that user")
	case stat != nil && stat.Nlink > 1:
		return unsafe("it has another name, a hard link", "remove the other one")
	case info.Mode().Perm()&0o077 != 0:
		return unsafe(fmt.Sprintf("others can reach it, mode %04o", info.Mode().Perm()), "chmod 600 "+path)
	case info.Size() == 0:
		return fmt.Errorf("%s: %w: it is empty, 0 bytes", path, ErrForeign)
	}
	return nil
}

func unsafe(path, why, remedy string) error {
	return fmt.Errorf("%s: %w: %s (%s)", path, ErrUnsafe, why, remedy)
}

// checkNoJournal refuses to make a registry beside the journal of one that is
// gone: SQLite would play it back into the new one. It is not ours to remove,
// for it may be all that can mend the other.
func checkNoJournal(path string) error {
	for _, journal := range []string{path + "-journal", path + "-wal"} {
		if _, err := os.Lstat(journal); err == nil {
			return unsafe(journal, "it belongs to a registry that is gone", "put that back, or remove this")
		}
	}
	return nil
}

// makeFile makes an empty file that only its owner can reach, from its first
// instant; SQLite by itself would make it 0644.
func makeFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// syncFile makes what was written to the file at path outlast a power cut. No
// connection may have it open.
func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// syncDir makes what was created, renamed or removed in dir outlast a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
