package place

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// Change is what is to become of one small file.
type Change struct {
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

// Staged are changes of small files, whose new contents wait.
type Staged struct {
	moves   []Move
	changes []stagedChange
}

type stagedChange struct {
	Change
	waiting *Waiting // nil for a removal
}

// Stage writes the files of changes into dir, where they wait; all that can fail is
// done, but for directories that are missing: those come with what is in them. Place or
// Discard is to follow. What commands left there that were stopped goes, whatever it was
// for: so they wait in one place, the registry's own, which the commit syncs, too.
func Stage(n Names, dir string, moves []Move, changes []Change) (*Staged, error) {
	left, err := Left(n, filepath.Join(dir, waiting))
	if err = errors.Join(err, Sweep(left)); err != nil {
		return nil, err
	}
	s := &Staged{moves: moves}
	for _, c := range changes {
		if err := s.add(dir, c); err != nil {
			return nil, errors.Join(err, s.Discard())
		}
	}
	return s, nil
}

func (s *Staged) add(dir string, c Change) (err error) {
	staged := stagedChange{Change: c}
	if c.Text != nil {
		staged.waiting, err = Write(c.Path, Options{In: dir, Shared: c.Shared}, func(w io.Writer) error {
			_, err := w.Write(c.Text)
			return err
		})
	}
	if err == nil {
		s.changes = append(s.changes, staged)
	}
	return err
}

// waitingRoom is the directory in which a file waits for one in another directory: dir,
// or where that is on another file system, since nothing can be renamed from one to the
// other, the next to it that is there. What stopped commands left in that goes.
func waitingRoom(dir, of string) (string, error) {
	near, there, err := nearest(of)
	if err != nil {
		return "", err
	}
	var here unix.Stat_t
	if err := IgnoringEINTR(func() error { return unix.Stat(dir, &here) }); err != nil || here.Dev == there.Dev {
		return dir, err
	}
	left, err := Left(nil, filepath.Join(near, waiting))
	return near, errors.Join(err, Sweep(left))
}

// nearest returns the directory, or the next above it that is there, and that something
// can be made in it.
func nearest(dir string) (string, unix.Stat_t, error) {
	var stat unix.Stat_t
	err := IgnoringEINTR(func() error { return unix.Stat(dir, &stat) })
	switch {
	case errors.Is(err, unix.ENOENT):
		return nearest(filepath.Dir(dir))
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

// Place renames directories, makes those that are missing, puts the files in place and
// removes those that are to go, in their order. What another program wrote meanwhile is
// kept, and is a KeptError; where a directory can't be renamed, what is in it stays.
func (s *Staged) Place() error {
	var errs []error
	dirs := touched{}
	stuck := map[string]bool{}
	for _, m := range s.moves {
		err := move(m)
		errs, stuck[m.From] = append(errs, err), err != nil
		dirs[filepath.Dir(m.From)] = true
	}
	errs = append(errs, dirs.sync()) // or a power cut could leave what is put in them under their old names
	for _, c := range s.changes {
		if stuck[filepath.Dir(c.Path)] {
			errs = append(errs, c.waiting.Discard())
			continue
		}
		errs = append(errs, s.moved(c).place(dirs))
	}
	return errors.Join(append(errs, dirs.sync())...)
}

// touched are the directories in which something happened.
type touched map[string]bool

// sync makes that outlast a power cut; from there on nothing has happened.
func (d touched) sync() error {
	var errs []error
	for _, dir := range slices.Sorted(maps.Keys(d)) {
		errs = append(errs, SyncDir(dir))
	}
	clear(d)
	return errors.Join(errs...)
}

// make makes a directory, and what is missing above it, for its owner alone.
func (d touched) make(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.make(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	d[filepath.Dir(dir)] = true
	return err
}

// moved returns a change with its paths as they are after the moves.
func (s *Staged) moved(c stagedChange) stagedChange {
	for _, m := range s.moves {
		if filepath.Dir(c.Path) != m.From {
			continue
		}
		c.Path = filepath.Join(m.To, filepath.Base(c.Path))
		if w := c.waiting; w != nil {
			w.to = c.Path
			if filepath.Dir(w.path) == m.From {
				w.path = filepath.Join(m.To, filepath.Base(w.path))
			}
		}
	}
	return c
}

// move renames a directory, if nothing is in its new place.
func move(m Move) error {
	if _, err := os.Lstat(m.To); err == nil {
		return fmt.Errorf("%s: %w", m.To, fs.ErrExist)
	}
	return os.Rename(m.From, m.To)
}

// place replaces or removes the file, and lets nothing wait that has no place.
func (c stagedChange) place(dirs touched) error {
	was := Seen{Hash: c.Expected}
	if c.Text == nil {
		err := Remove(c.Path, was)
		if os.Remove(filepath.Dir(c.Path)) == nil { // which fails unless it is empty
			dirs[filepath.Dir(filepath.Dir(c.Path))] = true
		}
		return err
	}
	err := dirs.make(filepath.Dir(c.Path))
	if err == nil {
		err = c.waiting.Place(was)
	}
	return errors.Join(err, c.waiting.Discard())
}

// Discard removes what was staged.
func (s *Staged) Discard() error {
	var errs []error
	for _, c := range s.changes {
		errs = append(errs, c.waiting.Discard())
	}
	return errors.Join(errs...)
}
