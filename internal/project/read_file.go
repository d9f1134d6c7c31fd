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
	file, info, err := d.open(root, inside)
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
// was opened must be what was looked at.
func (d Dir) open(root *os.Root, inside string) (*os.File, fs.FileInfo, error) {
	looked, err := d.checkWay(root, inside)
	if err != nil {
		return nil, nil, err
	}
	file, err := root.OpenFile(filepath.FromSlash(inside), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !os.SameFile(info, looked) {
		err = unusable(filepath.Join(d.path, filepath.FromSlash(inside)), "something else was put in its place", "try again")
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, info, nil
}

// checkWay looks at each part of a path, and returns what it saw of the last.
func (d Dir) checkWay(root *os.Root, inside string) (info fs.FileInfo, err error) {
	parts := strings.Split(inside, "/")
	for i := range parts {
		way := filepath.Join(parts[:i+1]...)
		if info, err = root.Lstat(way); err != nil {
			return nil, err
		}
		full, last := filepath.Join(d.path, way), i == len(parts)-1
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			return nil, unusable(full, "it is a symbolic link", "put what it leads to in its place")
		case !last && !info.IsDir():
			return nil, unusable(full, "it is not a directory", "move it away")
		case last && !info.Mode().IsRegular():
			return nil, unusable(full, "it is not a regular file", "move it away")
		case !place.IsOwn(info):
			return nil, unusable(full, fmt.Sprintf("it belongs to user %d", place.Owner(info)), "run as that user, or take it over with chown")
		}
	}
	return info, nil
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
	if errors.Is(err, fs.ErrPermission) {
		remedy = "chmod u+r " + Quoted(full)
	}
	return fmt.Errorf("%s: %w: %w (%s)", full, ErrUnusable, err, remedy)
}
