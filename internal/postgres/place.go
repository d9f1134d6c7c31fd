package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sp-registry/sp/internal/place"
)

// makeDir makes a directory, or makes sure that one that is there is as it would be made: of sp's user, and for
// nobody else but an account to which root lends the programs, which gets through it to what is its own.
func makeDir(dir string, as Account) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("%s: %w: not an absolute path", dir, ErrInvalid)
	}
	made := os.Mkdir(dir, 0o700)
	if made != nil && !errors.Is(made, fs.ErrExist) {
		return made
	}
	info, err := os.Lstat(dir)
	if err == nil {
		err = checkOwner(dir, info, os.Geteuid())
	}
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o700)
	if as.lent {
		mode = 0o710
		err = os.Lchown(dir, -1, as.gid)
	}
	if info.Mode().Perm() != mode {
		err = errors.Join(err, os.Chmod(dir, mode))
	}
	if made == nil {
		err = errors.Join(err, place.SyncDir(filepath.Dir(dir)))
	}
	return err
}

// checkOwner refuses what is no directory, or another user's.
func checkOwner(dir string, info fs.FileInfo, owner int) error {
	if !info.IsDir() {
		return fmt.Errorf("%s: not a directory: %w (move it away)", dir, ErrUnusable)
	}
	if other := place.Owner(info); other != owner {
		return fmt.Errorf("%s: it belongs to user %d: %w (run as that user, or take it over: chown -R %d %s)", dir, other, ErrUnusable, owner, dir)
	}
	return nil
}

// writeFile puts a file whole in its place, for its owner alone.
func writeFile(path string, text []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp") // which is 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return place.SyncDir(filepath.Dir(path))
}

// lock is a kernel lock, which ends with the last process that has it.
type lock struct{ file *os.File }

// acquire takes the lock of a directory, as soon as no other process has it, and says if that takes long.
func acquire(ctx context.Context, dir string, say func(what string)) (lock, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return lock{}, err
	}
	told, late := false, after(quick)
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			if !told && late() {
				told = true
				say("waiting for another command of sp, which starts or stops the server")
			}
			err = pause(ctx, 20*time.Millisecond)
			if err == nil {
				continue
			}
		}
		if err != nil {
			_ = file.Close()
			return lock{}, fmt.Errorf("%s: waiting for another command: %w", dir, err)
		}
		return lock{file}, nil
	}
}

// release gives the lock back. It is unlocked by hand: a child that is just being
// started has the file open for an instant, too.
func (l lock) release() {
	_ = syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN)
	_ = l.file.Close()
}
