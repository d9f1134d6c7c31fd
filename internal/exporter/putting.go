package exporter

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// place gives the temporary file its name, unless somebody wrote there since we looked.
// One that can't be placed stays, so that the next command tries again.
func (p Publisher) place(made temporary, there destination, isOver bool, left []string) error {
	err := p.put(made, there, isOver)
	return errors.Join(err, removeAll(left), made.dir.Sync(), made.dir.Close())
}

// put is place without what comes after. Between the look and the rename another program
// may write, and one that has the file open may do so after the rename. So the two files
// change places, and what stood there is looked at again under the other name, where
// nobody can open it any more. Where that can't be had, the instant is left to chance.
func (p Publisher) put(made temporary, there destination, isOver bool) error {
	switch {
	case p.Force:
		return os.Rename(made.path, p.Path)
	case !there.isStillAt(p.Path):
		return &ChangedError{Path: p.Path}
	case there.info == nil:
		return p.putFirst(made)
	}
	err := swap(made.path, p.Path)
	if errors.Is(err, errNoSwap) {
		return os.Rename(made.path, p.Path)
	}
	if err != nil {
		return err
	}
	same, err := there.isWhole(made.path, isOver)
	if same && err == nil {
		return os.Remove(made.path)
	}
	return p.putBack(made, err)
}

// putFirst puts it where nothing stood.
func (p Publisher) putFirst(made temporary) error {
	err := moveNew(made.path, p.Path)
	switch {
	case errors.Is(err, errNoSwap):
		return os.Rename(made.path, p.Path)
	case errors.Is(err, os.ErrExist):
		return &ChangedError{Path: p.Path}
	}
	return err
}

// putBack gives what stood there its name again, because it was changed or, for this
// reason, nobody knows. What comes out is ours, unless somebody wrote into it meanwhile:
// then both are kept.
func (p Publisher) putBack(made temporary, reason error) error {
	if err := swap(made.path, p.Path); err != nil {
		return errors.Join(reason, err, p.keep(made.path))
	}
	if reason != nil {
		return reason // ours stays what it was: it had the name for an instant
	}
	ours, err := destination{hash: made.hash}.isWhole(made.path, false)
	if !ours || err != nil {
		return errors.Join(&ChangedError{Path: p.Path}, err, p.keep(made.path))
	}
	return &ChangedError{Path: p.Path}
}

// keep gives a file that must not be lost a name that no later command sweeps, and says so.
func (p Publisher) keep(path string) error {
	kept := strings.TrimSuffix(path, temporarySuffix) + ".kept" + temporarySuffix
	if err := os.Rename(path, kept); err != nil {
		return err
	}
	return fmt.Errorf("%s: two programs wrote it at once: what the other version held is in %s", p.Path, filepath.Base(kept))
}

// isWhole tells whether the file, which stands at path now, holds what it held, and is
// not open to anybody for writing. By its dates alone that shows where those of before
// were over. Who keeps it open for long is taken for one who changes it.
func (d destination) isWhole(path string, isOver bool) (same bool, err error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }() // it was only read
	if !waitUnwritten(file) {
		return false, nil
	}
	info, err := file.Stat()
	if err != nil || isOver && d.is(info) {
		return err == nil, err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, file)
	return err == nil && hexOf(sum.Sum(nil)) == d.hash, err
}
