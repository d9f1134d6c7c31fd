// Package configuration is the configuration of a cloud tenant as a project holds it: what lies under
// services/, and the profile.yaml of its profiles. It compares that with what the control plane holds,
// and brings one to the other.
package configuration

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

const services = "services"

// Tree is the part of a project that is a tenant's configuration.
type Tree struct {
	// Dir is the directory of the registry; services/ lies beside it.
	Dir    project.Dir
	Tenant registry.TenantID
	// Profiles says whose the registry's profiles are, by their names.
	Profiles map[string]registry.TenantID
}

// Left is a file or directory that stays as it is on both sides, and why.
type Left struct{ Path, Why string }

// leftOut are those, by which nothing is compared that lies there or below.
type leftOut []Left

func (l leftOut) has(file string) bool {
	return slices.ContainsFunc(l, func(left Left) bool {
		return file == left.Path || strings.HasPrefix(file, left.Path+"/")
	})
}

// full returns where a file lies.
func (t Tree) full(file string) string {
	if archive.IsProfile(file) {
		return t.Dir.Full(file)
	}
	return filepath.Join(t.root(), filepath.FromSlash(file))
}

// root is the directory of the project.
func (t Tree) root() string { return filepath.Dir(t.Dir.Path()) }

// read returns the project's files, and what of them and of theirs is left out.
func (t Tree) read(theirs []archive.File) (files []archive.File, out leftOut, err error) {
	root, err := os.OpenRoot(t.root())
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = root.Close() }() // it was only read
	w := &walk{root: root}
	if err := w.services(); err != nil {
		return nil, nil, err
	}
	if err := t.readProfiles(theirs, w); err != nil {
		return nil, nil, err
	}
	return w.files, w.out, nil
}

// walk is what was found so far.
type walk struct {
	root  *os.Root
	files []archive.File
	out   leftOut
	bytes int64
}

func (w *walk) leave(file, why string) { w.out = append(w.out, Left{file, why}) }

// services reads the plain files under services/.
func (w *walk) services() error {
	info, err := w.root.Lstat(services)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		w.leave(services, "it is "+kindOf(info.Mode())+", and no directory")
		return nil
	}
	return fs.WalkDir(w.root.FS(), services, w.visit)
}

// visit reads a file, or says what of it is the matter. Links are not followed: neither a file nor a
// directory is read that is one.
func (w *walk) visit(file string, entry fs.DirEntry, err error) error {
	if err != nil || file == services {
		return err
	}
	name := path.Base(file)
	switch home := archive.StaysHome(name); {
	case strings.HasPrefix(name, "."): // of which nobody needs to be told
		return skip(entry)
	case home != "":
		w.leave(file, home)
		return skip(entry)
	case entry.IsDir():
		return nil
	case !entry.Type().IsRegular():
		w.leave(file, "it is "+kindOf(entry.Type()))
		return nil
	}
	if why := archive.Trouble(file); why != "" {
		w.leave(file, why)
		return nil
	}
	text, err := w.text(file)
	if errors.Is(err, fs.ErrNotExist) { // another program removed it meanwhile
		return nil
	}
	w.files = append(w.files, archive.File{Path: file, Text: text})
	return err
}

// skip leaves an entry with all that is in it.
func skip(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func (w *walk) text(file string) ([]byte, error) {
	f, err := w.root.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: something else was put in its place: %w", file, archive.ErrRefused)
	}
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, archive.MaxBytes-w.bytes+1))
	if w.bytes += int64(len(text)); err == nil && w.bytes > archive.MaxBytes {
		err = fmt.Errorf("%s: the files hold more than %d MiB together: %w", file, archive.MaxBytes>>20, archive.ErrTooLarge)
	}
	return text, err
}

// kindOf is what a file that is not a plain one is, as people call it.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode.IsRegular():
		return "a file"
	case mode.IsDir():
		return "a directory"
	}
	return "a device, socket or pipe"
}
