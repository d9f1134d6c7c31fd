package workspace

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/registry"
)

// What is set aside has both names from before the commit, when the rendered file is there
// already, until that takes the place. A command that is stopped in between leaves the old
// file with a second name, or what the next command puts in place over it.

// AsideName is the name under which the file at path is set aside at a time.
func AsideName(path, at string) string { return path + ".corrupt-" + at }

// renderAside is a publication that puts what was made in the place of what is set aside.
func (p Publisher) renderAside(made temporary, there destination, state registry.State, place func() error) (Publication, error) {
	if err := p.setAside(there); err != nil {
		return Publication{}, errors.Join(err, made.discard())
	}
	return Publication{
		Files: []registry.File{{Path: p.Name, Previous: there.hash, Current: made.hash, TenantsRevision: state.TenantsRevision}},
		Place: func() error {
			err := errors.Join(place(), tighten(p.Aside))
			if err != nil { // it may have its own place still
				err = errors.Join(err, removeAll(p.asides()))
			}
			return err
		},
		Discard: func() error { return errors.Join(removeAll([]string{p.Aside}), made.discard()) },
	}, nil
}

// setAside gives what stands there its second name.
func (p Publisher) setAside(there destination) error {
	err := removeAll(p.asides())
	if err == nil {
		err = os.Link(p.Path, p.Aside) // a rename could replace something
	}
	if err != nil {
		return err
	}
	if info, err := os.Lstat(p.Aside); err != nil || !there.is(info) {
		return errors.Join(&ChangedError{Path: p.Path}, err, removeAll([]string{p.Aside}))
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
