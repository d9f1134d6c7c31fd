package workspace

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/place"
)

// What is set aside has both names from before the commit, when the rendered file is there
// already, until that takes the place. A command that is stopped in between leaves the old
// file with a second name, or what the next command puts in place over it.

// AsideName returns the name that the file at path gets when it is set aside at a time.
func AsideName(path, at string) string { return path + ".corrupt-" + at }

// renderAside has a publication put what it rendered in the place of what is set aside.
func (p Publisher) renderAside(made Publication, there place.Seen) (Publication, error) {
	if err := p.setAside(there); err != nil {
		return Publication{}, errors.Join(err, made.Discard())
	}
	put, discard := made.Place, made.Discard
	made.Place = func() error {
		err := errors.Join(put(), tighten(p.Aside))
		if err != nil { // it may have its own place still
			err = errors.Join(err, place.Sweep(p.asides()))
		}
		return err
	}
	made.Discard = func() error { return errors.Join(place.Sweep([]string{p.Aside}), discard()) }
	return made, nil
}

// setAside gives what stands there its second name.
func (p Publisher) setAside(there place.Seen) error {
	err := place.Sweep(p.asides())
	if err == nil {
		err = os.Link(p.Path, p.Aside) // a rename could replace something
	}
	if err != nil {
		return err
	}
	if aside, err := place.Look(p.Aside); err != nil || aside.Hash != there.Hash {
		return errors.Join(&follow.ChangedError{Path: p.Path}, err, place.Sweep([]string{p.Aside}))
	}
	return nil
}

// asides lists the second names of what stands there.
func (p Publisher) asides() (found []string) {
	there, missing := os.Lstat(p.Path)
	entries, err := os.ReadDir(filepath.Dir(p.Path))
	if missing != nil || err != nil {
		return nil
	}
	for _, entry := range entries {
		name := filepath.Join(filepath.Dir(p.Path), entry.Name())
		if !strings.HasPrefix(name, AsideName(p.Path, "")) {
			continue
		}
		if info, err := os.Lstat(name); err == nil && os.SameFile(info, there) {
			found = append(found, name)
		}
	}
	return found
}

// tighten takes a file from all but its owner.
func tighten(path string) error {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Chmod(0o600), file.Close())
}
