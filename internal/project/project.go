// Package project is the `.systemprompt` directory of a project: where it is,
// that it is safe to use, and that git tracks no secret in it.
package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/sp-registry/sp/internal/registry"
)

// Name is what the directory is called where it is found by walking up.
const Name = ".systemprompt"

// RegistryName is what the registry is called in it.
const RegistryName = "sp.db"

// Why the directory can't be used.
var (
	// ErrNoDirectory is returned when there is no such directory.
	ErrNoDirectory = errors.New("no " + Name + " directory")
	// ErrUnsafe is returned for a directory that is another user's, or that
	// others can change.
	ErrUnsafe = errors.New("refused as unsafe")
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
type Dir struct{ path string }

// Path returns the path of the directory itself.
func (d Dir) Path() string { return d.path }

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
	actual, info, err := locate(path)
	if err != nil {
		return Dir{}, err
	}
	// Sticky does not help: it keeps others from replacing our files, but not
	// from adding a journal that SQLite would roll into the database.
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return Dir{}, unsafe(actual, fmt.Sprintf("others can write in it, mode %04o", mode), "chmod 700 "+Quoted(actual))
	}
	return Dir{path: actual}, nil
}

// locate returns where the directory at path really is, and that it is ours.
func locate(path string) (string, fs.FileInfo, error) {
	if err := checkAbsolute(path); err != nil {
		return "", nil, err
	}
	path = filepath.Clean(path)
	entry, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("%s: %w", path, ErrNoDirectory)
	}
	if err != nil {
		return "", nil, err
	}
	actual, err := filepath.EvalSymlinks(path)
	if entry.Mode()&fs.ModeSymlink != 0 {
		if err := checkLink(path, entry, actual, err); err != nil {
			return "", nil, err
		}
	}
	if err != nil {
		return "", nil, err
	}
	info, err := os.Lstat(actual)
	switch {
	case err != nil:
		return "", nil, err
	case !info.IsDir():
		return "", nil, fmt.Errorf("%s: %w", path, errNotDirectory)
	}
	return actual, info, checkOwner(actual, info)
}

// checkLink refuses a symbolic link in the directory's place that may lead astray.
// Links are followed, because work trees of one project may share a registry; but
// only one that we made, since in a directory such as /tmp anyone could point us
// at another registry of ours, and only to the same name, since a cloned
// repository may hold a link to our home.
func checkLink(path string, link fs.FileInfo, target string, err error) error {
	switch {
	case !IsOurs(link):
		return unsafe(path, "it is a symbolic link that another user made", "remove it, or name its target with --dir")
	case err != nil:
		return unsafe(path, "it is a symbolic link that leads nowhere", "remove it")
	case filepath.Base(target) != filepath.Base(path):
		return unsafe(path, "it is a symbolic link to another name", "name its target with --dir")
	}
	return nil
}

func checkAbsolute(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("path %q: %w: it is not absolute", path, registry.ErrInvalid)
	}
	return nil
}

// checkOwner refuses what does not belong to the user who runs sp. Nobody else
// will do, not even for root, who would leave files there that the owner can't read.
func checkOwner(path string, info fs.FileInfo) error {
	if !IsOurs(info) {
		return unsafe(path, fmt.Sprintf("it belongs to user %d", owner(info)), "run as that user")
	}
	return nil
}

// IsOurs tells whether a file belongs to the user who runs this.
func IsOurs(info fs.FileInfo) bool { return owner(info) == os.Geteuid() }

func owner(info fs.FileInfo) int {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1
	}
	return int(stat.Uid)
}

func unsafe(path, why, remedy string) error {
	return fmt.Errorf("%s: %w: %s (%s)", path, ErrUnsafe, why, remedy)
}
