package exporter

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/sp-registry/sp/internal/registry"
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

// Staged are changes whose files wait, written and synced, beside their places.
type Staged struct {
	moves   []Move
	changes []stagedChange
	made    []string // directories
}

type stagedChange struct {
	Change
	temporary string // empty for a removal
}

// Stage writes the files of changes beside their places, and makes the directories that
// are missing; all that can fail is done. Place or Discard is to follow. What commands
// left there that were stopped goes.
func Stage(moves []Move, changes []Change) (staged *Staged, err error) {
	staged = &Staged{moves: moves}
	for _, c := range changes {
		if err := staged.add(c); err != nil {
			return nil, errors.Join(err, staged.Discard())
		}
	}
	return staged, nil
}

func (s *Staged) add(c Change) error {
	if c.Text == nil {
		s.changes = append(s.changes, stagedChange{Change: c})
		return nil
	}
	if err := s.makeDir(filepath.Dir(c.Path)); err != nil {
		return err
	}
	left, err := leftovers(c.Path)
	if err == nil {
		err = removeAll(left)
	}
	if err != nil {
		return err
	}
	file, err := createTemporary(c.Path)
	if err != nil {
		return err
	}
	s.changes = append(s.changes, stagedChange{Change: c, temporary: file.Name()})
	_, err = file.Write(c.Text)
	if c.Shared {
		err = errors.Join(err, file.Chmod(0o644))
	}
	return errors.Join(err, file.Sync(), file.Close())
}

// makeDir makes a directory, and what is missing above it, for its owner alone.
func (s *Staged) makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.makeDir(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		s.made = append(s.made, dir)
	}
	return err
}

// Discard removes what was staged.
func (s *Staged) Discard() error {
	var errs []error
	for _, c := range s.changes {
		if c.temporary != "" {
			errs = append(errs, os.Remove(c.temporary))
		}
	}
	for _, dir := range slices.Backward(s.made) {
		errs = append(errs, os.Remove(dir))
	}
	return errors.Join(errs...)
}

// Place renames directories, gives the files their names and removes those that are to
// go, in their order. What somebody else has changed since stays, and is a ChangedError.
func (s *Staged) Place() error {
	var errs []error
	dirs := map[string]bool{}
	for _, dir := range s.made {
		dirs[filepath.Dir(dir)] = true
	}
	for _, m := range s.moves {
		errs = append(errs, move(m))
		dirs[filepath.Dir(m.From)] = true
	}
	for _, c := range s.changes {
		c = s.moved(c)
		errs = append(errs, c.place())
		dirs[filepath.Dir(c.Path)] = true
		if c.Text == nil { // its directory may be gone with it
			dirs[filepath.Dir(filepath.Dir(c.Path))] = true
		}
	}
	for dir := range dirs {
		errs = append(errs, syncDir(dir))
	}
	return errors.Join(errs...)
}

// moved returns a change with its paths as they are after the moves.
func (s *Staged) moved(c stagedChange) stagedChange {
	for _, m := range s.moves {
		if filepath.Dir(c.Path) == m.From {
			c.Path = filepath.Join(m.To, filepath.Base(c.Path))
			if c.temporary != "" {
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

func (c stagedChange) place() error {
	there, err := lookAt(c.Path, nil)
	switch {
	case err != nil:
		return err
	case there.hash != c.Expected:
		err = &ChangedError{Path: c.Path}
	case c.temporary != "":
		return os.Rename(c.temporary, c.Path)
	case there.hash != "":
		err = os.Remove(c.Path)
	}
	if c.temporary != "" {
		return errors.Join(err, os.Remove(c.temporary))
	}
	_ = os.Remove(filepath.Dir(c.Path)) // which fails unless it is empty
	return err
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

// Hash returns the SHA-256 of text in hexadecimal.
func Hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hexOf(sum[:])
}
