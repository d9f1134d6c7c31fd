package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/sp-registry/sp/internal/place"
)

// Made tells what Make did to the directory.
type Made int

// What Make did.
const (
	Kept      Made = iota // it was there, and only its owner could reach it
	Created               // it was made
	Tightened             // it was there, and others could reach it until now
)

// Make returns the directory at path, an absolute path, after making it and what
// is missing above it, each 0700 from birth. One that is there is adopted: what
// its group and others may do is taken away. Its .gitignore is there, durably,
// before Make returns, and so before any secret; if only that goes wrong, the
// directory and what was done to it are returned beside the error. Make is called
// as often as one likes: after a crash the next call completes what is missing.
func Make(path string) (Dir, Made, error) {
	if err := checkAbsolute(path); err != nil {
		return Dir{}, Kept, err
	}
	created, err := makeAll(filepath.Clean(path))
	if err != nil {
		return Dir{}, Kept, err
	}
	d, err := AtNew(path)
	if err != nil {
		return Dir{}, Kept, err
	}
	if err := d.checkAdoptable(); err != nil {
		return Dir{}, Kept, err
	}
	made, err := d.tighten()
	if err != nil {
		return Dir{}, Kept, err
	}
	if created {
		made = Created
	}
	_, err = d.ignoreFile().fill()
	return d, made, err
}

// Unmake takes back a directory that Make created, unless something came into it or another command
// is at work there: it holds the lock while it removes it, and who waits for that lock sees then that
// it is not the one at its place.
func (d Dir) Unmake() error {
	const lock, rules = ".lock", ".gitignore"
	there, err := os.Lstat(d.path)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	if info, err := root.Stat("."); err != nil || !os.SameFile(there, info) {
		return err // it is a link now
	}
	held, err := root.OpenFile(lock, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = held.Close() }() // nothing was written
	if !place.TryLock(held) || !place.IsAt(held, filepath.Join(d.path, lock)) {
		return nil
	}
	if text, err := root.ReadFile(rules); err != nil || string(text) != strings.Join(ignored, "\n")+"\n" {
		return err // somebody has added to it
	}
	entries, err := os.ReadDir(d.path)
	if err != nil || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() != lock && e.Name() != rules }) {
		return err
	}
	err = errors.Join(root.Remove(rules), root.Remove(lock))
	if left := os.Remove(d.path); left != nil { // somebody was here just now
		_, filled := d.ignoreFile().fill()
		err = errors.Join(err, filled)
	}
	return err
}

// checkAdoptable refuses a directory of another name that holds something else and
// no registry: `--dir .` would shut a whole project off, from others and from git.
func (d Dir) checkAdoptable() error {
	if filepath.Base(d.path) == Name || exists(d.Registry()) || exists(d.Tenants()) {
		return nil
	}
	entries, err := os.ReadDir(d.path)
	for _, entry := range entries {
		if name := entry.Name(); name != ".gitignore" && name != "profiles" && !isSecret(name) {
			return fmt.Errorf("%s: %w: it holds other files, such as %s (name an empty directory, or %s)",
				d.path, ErrInvalid, name, filepath.Join(d.path, Name))
		}
	}
	return err
}

// Has tells whether there is anything at a slash path in the directory.
func (d Dir) Has(inside string) bool { return exists(d.Full(inside)) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// makeAll makes path and what is missing above it, each durable in its parent,
// and tells whether it made path itself.
func makeAll(path string) (bool, error) {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path) {
		if _, err := makeAll(filepath.Dir(path)); err != nil {
			return false, err
		}
		err = os.Mkdir(path, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, place.SyncDir(filepath.Dir(path))
}

// tighten takes all rights from group and others. It works on an open directory,
// so that nothing else can be put in the place of what was checked.
func (d Dir) tighten() (Made, error) {
	dir, err := os.OpenFile(d.path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return Kept, err
	}
	defer func() { _ = dir.Close() }()
	info, err := dir.Stat()
	if err != nil || info.Mode()&0o077 == 0 {
		return Kept, err
	}
	if err := checkOwner(d.path, info); err != nil {
		return Kept, err
	}
	return Tightened, dir.Chmod(info.Mode() &^ 0o077)
}
