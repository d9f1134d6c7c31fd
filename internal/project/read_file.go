package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sp-registry/sp/internal/place"
)

// ErrUnusable is returned for a file of the directory that can't be read, or is not to be.
var ErrUnusable = errors.New("the file can't be used")

// How many bytes of a file that somebody else may have written are read. YAML is
// parsed into nodes of a hundred times its size, so that 16 MiB of it would take
// several gigabytes and ten seconds; no profile.yaml comes near a mebibyte.
const (
	maxRead = 16 << 20
	maxYAML = 1 << 20
)

// ReadFile returns the text of a file by its slash path within the directory, and its
// mode, and whether there is one. What is or goes through a symbolic link, is another
// user's, is no regular file, is too large or can't be read is ErrUnusable.
func (d Dir) ReadFile(inside string) (text []byte, mode fs.FileMode, found bool, err error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, 0, false, err
	}
	defer func() { _ = root.Close() }()
	full := filepath.Join(d.path, filepath.FromSlash(inside))
	file, info, err := open(root, inside)
	if err != nil {
		return nil, 0, false, absent(full, err)
	}
	limit := maxRead
	if strings.HasSuffix(inside, ".yaml") {
		limit = maxYAML
	}
	text, err = readFile(file, limit)
	if err != nil {
		return nil, 0, false, absent(full, err)
	}
	return text, info.Mode(), true, nil
}

// open opens a file for reading, if no part of its path is a link. os.Root holds the
// path inside, but follows a link that stays there, whatever O_NOFOLLOW says; so what
// is opened at each step must be what was looked at.
func open(root *os.Root, inside string) (*os.File, fs.FileInfo, error) {
	step, below, more := strings.Cut(inside, "/")
	looked, err := look(root, step, more)
	if err != nil {
		return nil, nil, err
	}
	if more {
		next, err := root.OpenRoot(step)
		if err != nil {
			return nil, nil, err
		}
		defer func() { _ = next.Close() }()
		if info, err := next.Stat("."); err != nil || !os.SameFile(info, looked) {
			return nil, nil, replaced(root, step, err)
		}
		return open(next, below)
	}
	file, err := root.OpenFile(step, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err != nil || !os.SameFile(info, looked) {
		return nil, nil, errors.Join(replaced(root, step, err), file.Close())
	}
	return file, info, nil
}

func replaced(root *os.Root, step string, err error) error {
	if err == nil {
		err = unusable(filepath.Join(root.Name(), step), "something else was put in its place", "try again")
	}
	return err
}

// look looks at one part of a path, which is to be a directory or a file.
func look(root *os.Root, step string, isDir bool) (fs.FileInfo, error) {
	info, err := root.Lstat(step)
	if err != nil {
		return nil, err
	}
	full := filepath.Join(root.Name(), step)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		err = unusable(full, "it is a symbolic link", "put what it leads to in its place")
	case isDir && !info.IsDir():
		err = unusable(full, "it is not a directory", "move it away")
	case !isDir && !info.Mode().IsRegular():
		err = unusable(full, "it is not a regular file", "move it away")
	case !place.IsOwn(info):
		err = unusable(full, fmt.Sprintf("it belongs to user %d", place.Owner(info)), "run as that user, or take it over with chown")
	}
	return info, err
}

func unusable(full, why, remedy string) error {
	return fmt.Errorf("%s: %w: %s (%s)", full, ErrUnusable, why, remedy)
}

// absent turns what a file that is not there says into nothing, and names the file in
// what is wrong with another.
func absent(full string, err error) error {
	var bare *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, ErrUnusable):
		return err
	case errors.As(err, &bare):
		err = bare.Err
	}
	remedy := "move it away"
	if permit := place.Permit(full, Quoted); errors.Is(err, fs.ErrPermission) && permit != "" {
		remedy = permit
	}
	return fmt.Errorf("%s: %w: %w (%s)", full, ErrUnusable, err, remedy)
}
