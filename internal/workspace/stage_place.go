package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/sp-registry/sp/internal/registry"
)

// Place renames directories, makes those that are missing, gives the files their names
// and removes those that are to go, in their order. What somebody else has changed since
// stays, and is a ChangedError; where a directory can't be renamed, what is in it stays.
func (s *Staged) Place() error {
	var errs []error
	dirs := touched{}
	stuck := map[string]bool{}
	for _, m := range s.moves {
		err := move(m)
		errs, stuck[m.From] = append(errs, err), err != nil
		dirs[filepath.Dir(m.From)] = true
	}
	for _, c := range s.changes {
		if stuck[filepath.Dir(c.Path)] {
			errs = append(errs, c.discard())
			continue
		}
		c = s.moved(c)
		if c.Text != nil {
			errs = append(errs, dirs.make(filepath.Dir(c.Path)))
		}
		errs = append(errs, c.place())
		dirs[filepath.Dir(c.Path)] = true
		if c.Text == nil { // its directory may be gone with it
			dirs[filepath.Dir(filepath.Dir(c.Path))] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		errs = append(errs, syncDir(dir))
	}
	return errors.Join(errs...)
}

// touched are the directories in which something happened.
type touched map[string]bool

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
		if filepath.Dir(c.Path) == m.From {
			c.Path = filepath.Join(m.To, filepath.Base(c.Path))
			if filepath.Dir(c.temporary) == m.From {
				c.temporary = filepath.Join(m.To, filepath.Base(c.temporary))
			}
		}
	}
	return c
}

// move renames a directory, if nothing is in its new place.
func move(m Move) error {
	if _, err := os.Lstat(m.To); err == nil {
		return fmt.Errorf("%s: %w", m.To, registry.ErrExists)
	}
	return os.Rename(m.From, m.To)
}

// place replaces or removes the file, and lets nothing wait that has no place.
func (c stagedChange) place() error {
	err := c.replace()
	if err != nil {
		err = errors.Join(err, c.discard())
	}
	if c.temporary == "" {
		_ = os.Remove(filepath.Dir(c.Path)) // which fails unless it is empty
	}
	return err
}

func (c stagedChange) discard() error {
	if c.temporary == "" {
		return nil
	}
	return removeAll([]string{c.temporary})
}

func (c stagedChange) replace() error {
	there, err := lookAt(c.Path, nil)
	switch {
	case err != nil:
		return err
	case there.hash != c.Expected:
		return &ChangedError{Path: c.Path}
	case c.temporary != "":
		return os.Rename(c.temporary, c.Path)
	case there.hash != "":
		return os.Remove(c.Path)
	}
	return nil
}

// syncDir makes what happened in a directory outlast a power cut; one that is gone has
// nothing to outlast it.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
