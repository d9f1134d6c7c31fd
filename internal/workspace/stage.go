package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// FileChange is what is to become of one small file.
type FileChange struct {
	// Path is absolute, and that of before the moves.
	Path string
	// Text is what it is to hold; nil removes it, and its directory if that is empty then.
	Text []byte
	// Expected is the SHA-256, in hexadecimal, of what was there when the change was
	// decided on; empty for no file.
	Expected string
	// Shared says that others may read it.
	Shared bool
}

// Move renames a directory, when the changes in it are staged and before they are put
// in place.
type Move struct{ From, To string }

// Staged are changes whose files wait, written and synced.
type Staged struct {
	dir     string
	moves   []Move
	changes []stagedChange
	notes   []string // of what killed commands left outside
}

type stagedChange struct {
	FileChange
	temporary string // empty for a removal
}

// waiting is how files are called that wait for their places.
const waiting = "file"

// Stage writes the files of changes into dir, where they wait; all that can fail is
// done, but for directories that are missing: those come with what is in them. Place or
// Discard is to follow. What commands left there that were stopped goes, whatever it was
// for: so they wait in one place, the registry's own, which the commit syncs, too.
func Stage(dir string, moves []Move, changes []FileChange) (staged *Staged, err error) {
	there, err := os.ReadDir(dir)
	if err == nil {
		err = removeAll(leftoversAmong(there, filepath.Join(dir, waiting)))
	}
	if err != nil {
		return nil, err
	}
	staged = &Staged{dir: dir, moves: moves, notes: leftoversAmong(there, filepath.Join(dir, noteName))}
	for _, c := range changes {
		if err := staged.add(c); err != nil {
			return nil, errors.Join(err, staged.Discard())
		}
	}
	return staged, nil
}

func (s *Staged) add(c FileChange) error {
	if c.Text == nil {
		s.changes = append(s.changes, stagedChange{FileChange: c})
		return nil
	}
	file, err := s.create(c.Path)
	if err != nil {
		return err
	}
	s.changes = append(s.changes, stagedChange{FileChange: c, temporary: file.Name()})
	_, err = file.Write(c.Text)
	if c.Shared {
		err = errors.Join(err, file.Chmod(0o644))
	}
	return errors.Join(err, file.Sync(), file.Close())
}

// create makes the file that waits for path, near that where it is another file system,
// since nothing can be renamed from one to the other.
func (s *Staged) create(path string) (*os.File, error) {
	near, there, err := standing(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	var here unix.Stat_t
	if err := unix.Stat(s.dir, &here); err != nil {
		return nil, err
	}
	if here.Dev == there.Dev {
		return createTemporary(filepath.Join(s.dir, waiting))
	}
	left, err := leftovers(filepath.Join(near, waiting))
	if err == nil {
		err = removeAll(left)
	}
	if err != nil {
		return nil, err
	}
	return createTemporary(filepath.Join(near, waiting))
}

// standing returns the directory, or the next above it that is there, and that something
// can be made in it.
func standing(dir string) (string, unix.Stat_t, error) {
	var stat unix.Stat_t
	err := unix.Stat(dir, &stat)
	switch {
	case errors.Is(err, unix.ENOENT):
		return standing(filepath.Dir(dir))
	case err == nil && stat.Mode&unix.S_IFMT != unix.S_IFDIR:
		err = unix.ENOTDIR
	case err == nil:
		err = unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	}
	if err != nil {
		err = &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	return dir, stat, err
}

// Discard removes what was staged.
func (s *Staged) Discard() error {
	var errs []error
	for _, c := range s.changes {
		errs = append(errs, c.discard())
	}
	return errors.Join(errs...)
}
