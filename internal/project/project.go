// Package project is the `.systemprompt` directory of a project: where it is,
// that it is safe to use, and that git tracks no secret in it.
package project

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/internal/place"
)

// Name is what the directory is called where it is found by walking up.
const Name = ".systemprompt"

// RegistryName is what the registry is called in it.
const RegistryName = "sp.db"

// Why the directory, or a path in it, can't be used.
var (
	// ErrInvalid is returned for a path, or a file in its place, that is not allowed.
	ErrInvalid = errors.New("not allowed")
	// ErrNotFound is returned for a path to a profile that leads nowhere.
	ErrNotFound = errors.New("not found")
	// ErrNoDirectory is returned when there is no such directory.
	ErrNoDirectory = errors.New("no " + Name + " directory")
	// ErrUnsafe is returned for a directory that is another user's, or that
	// others can change.
	ErrUnsafe = errors.New("refused as unsafe")
	// ErrUntrusted is returned for a directory that is found by a symbolic link which may
	// not be this user's own.
	ErrUntrusted = errors.New("not trusted")
	// ErrOthers is the ErrUnsafe of a directory that is another user's.
	ErrOthers = fmt.Errorf("%w", ErrUnsafe)
	// ErrExposed is returned when .gitignore can't be made to keep secret files
	// out of git.
	ErrExposed = errors.New("secrets are not kept out of git")
	// ErrGit is returned when there is a work tree but git does not answer.
	ErrGit = errors.New("git does not answer")
)

// errNotDirectory is the ErrNoDirectory of what exists but is something else.
var errNotDirectory = fmt.Errorf("%w: it is not a directory", ErrNoDirectory)

// Dir is a `.systemprompt` directory that was checked when it was found or made.
// Its path is absolute and free of symbolic links.
type Dir struct{ path, link string }

// Path returns the path of the directory itself.
func (d Dir) Path() string { return d.path }

// Link returns the path of the symbolic link by which the directory was found, if it was.
func (d Dir) Link() string { return d.link }

// Registry returns the path of sp.db.
func (d Dir) Registry() string { return filepath.Join(d.path, RegistryName) }

// Full returns the path of a file by its slash path in the directory.
func (d Dir) Full(inside string) string { return filepath.Join(d.path, filepath.FromSlash(inside)) }

// Tenants returns the path of tenants.json.
func (d Dir) Tenants() string { return filepath.Join(d.path, "tenants.json") }

// Find returns the nearest `.systemprompt` directory at start, an absolute path,
// or above it; above means the real parents, as for git, and not those of a
// symbolic link on the way. A file of that name is passed by. A directory that is
// not safe is an error, and no reason to go on: further up is another registry.
func Find(start string) (Dir, error) { return find(start, At) }

func find(start string, at func(string) (Dir, error)) (Dir, error) {
	if err := checkAbsolute(start); err != nil {
		return Dir{}, err
	}
	dir, err := filepath.EvalSymlinks(start)
	if err != nil {
		return Dir{}, err
	}
	passed := ""
	for up := dir; ; up = filepath.Dir(up) {
		d, err := at(filepath.Join(up, Name))
		switch {
		case !errors.Is(err, ErrNoDirectory):
			return d, err
		case passed == "" && errors.Is(err, errNotDirectory):
			passed = fmt.Sprintf(" (%s is not a directory)", filepath.Join(up, Name))
		}
		if up == filepath.Dir(up) {
			return Dir{}, fmt.Errorf("%s and above: %w%s", dir, ErrNoDirectory, passed)
		}
	}
}

// At returns the directory at path, an absolute path that may have any name.
func At(path string) (Dir, error) {
	d, info, err := locate(path)
	if err != nil {
		return Dir{}, err
	}
	return d, checkClosed(d.path, info)
}

// checkClosed refuses a directory that others can write in. Sticky does not help: it
// keeps others from replacing our files, but not from adding a journal that SQLite would
// roll into the database.
func checkClosed(path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return unsafe(path, fmt.Sprintf("others can write in it, mode %04o", mode), "chmod 700 "+Quoted(path))
	}
	return nil
}

// FindNew returns what Find does, for who makes a registry where there is none.
func FindNew(start string) (Dir, error) { return find(start, AtNew) }

// AtNew returns what At does, and also a directory that others can write in, as git clones
// one under umask 002, if there is no registry in it: Make closes it.
func AtNew(path string) (Dir, error) {
	d, info, err := locate(path)
	if err != nil {
		return Dir{}, err
	}
	if exists(d.Registry()) {
		err = checkClosed(d.path, info)
	}
	return d, err
}

// locate returns the directory at path, which is ours.
func locate(path string) (d Dir, info fs.FileInfo, err error) {
	if err := checkAbsolute(path); err != nil {
		return d, nil, err
	}
	path = filepath.Clean(path)
	entry, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil, fmt.Errorf("%s: %w", path, ErrNoDirectory)
	}
	if err != nil {
		return d, nil, err
	}
	d.path, err = filepath.EvalSymlinks(path)
	if entry.Mode()&fs.ModeSymlink != 0 {
		d.link = path
		if err := checkLink(path, entry, d.path, err); err != nil {
			return d, nil, err
		}
	}
	if err != nil {
		return d, nil, err
	}
	info, err = os.Lstat(d.path)
	switch {
	case err != nil:
		return d, nil, err
	case !info.IsDir():
		return d, nil, fmt.Errorf("%s: %w", path, errNotDirectory)
	}
	return d, info, checkOwner(d.path, info)
}

// checkLink refuses a symbolic link in the directory's place that may lead astray. One that
// we made is followed to the same name in the same project, as from a part of it to the
// whole. In a directory such as /tmp anyone could point us at another registry of ours, and
// a repository that was cloned can hold a link to any other project, or to our home.
func checkLink(path string, link fs.FileInfo, target string, err error) error {
	switch {
	case !place.IsOwn(link):
		return fmt.Errorf("%s: %w: it is a symbolic link that another user made", path, ErrOthers)
	case err != nil:
		return unsafe(path, "it is a symbolic link that leads nowhere", "remove it")
	case isDir(target) && !isWithin(projectOf(path), target):
		return untrusted(path, target, "leads out of the project")
	case filepath.Base(target) != filepath.Base(path):
		return unsafe(path, "it is a symbolic link to another name", "name its target with --dir")
	}
	return nil
}

// CheckTracked refuses a directory that was found by a link that git tracks: it came with
// the repository. Where git does not answer, it may have.
func (d Dir) CheckTracked(ctx context.Context, git Git) error {
	if d.link == "" {
		return nil
	}
	tracked, err := IsTracked(ctx, git, d.link)
	if err == nil && !tracked || err != nil && !errors.Is(err, ErrGit) {
		return err
	}
	return untrusted(d.link, d.path, "came with the git repository")
}

// untrusted is the error of a link that may not be this user's own.
func untrusted(link, target, why string) error {
	return fmt.Errorf("%s: %w: it is a symbolic link that %s (if you want what it leads to: --dir %s)", link, ErrUntrusted, why, Quoted(target))
}

// projectOf is the work tree that a path is in or, without git, its directory.
func projectOf(path string) string {
	dir := filepath.Dir(path)
	for up := dir; up != filepath.Dir(up); up = filepath.Dir(up) {
		if exists(filepath.Join(up, ".git")) {
			return up
		}
	}
	return dir
}

func isWithin(dir, path string) bool {
	inside, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(inside)
}

func checkAbsolute(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("path %q: %w: it is not absolute", path, ErrInvalid)
	}
	return nil
}

// checkOwner refuses what does not belong to the user who runs sp. Nobody else
// will do, not even for root, who would leave files there that the owner can't read.
func checkOwner(path string, info fs.FileInfo) error {
	if !place.IsOwn(info) {
		return fmt.Errorf("%s: %w: it belongs to user %d", path, ErrOthers, place.Owner(info))
	}
	return nil
}

func unsafe(path, why, remedy string) error {
	return fmt.Errorf("%s: %w: %s (%s)", path, ErrUnsafe, why, remedy)
}
