package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Confine follows a path from a directory within d, and returns where within d it leads,
// links resolved; what it leads to need not be there. It never takes a step outside, and
// looks no further where the path does: that is ErrInvalid.
func (d Dir) Confine(from, value string) (string, error) {
	bad := func(why string) error { return fmt.Errorf("%w: %s", ErrInvalid, why) }
	leaves := bad("it leaves " + d.path)
	at := filepath.Join(d.path, from)
	switch {
	case strings.HasPrefix(value, "~"):
		return "", bad("it starts at a home directory")
	case strings.Contains(value, "${"):
		return "", bad("it depends on the environment")
	case strings.Contains(value, "\x00"):
		return "", bad("it is no path")
	case filepath.IsAbs(value):
		inside, err := filepath.Rel(d.path, value) // cleaned; `..` behind a link is not looked at
		if err != nil || !filepath.IsLocal(inside) {
			return "", leaves
		}
		at, value = d.path, inside
	}
	for part := range strings.SplitSeq(value, "/") {
		switch part {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
		default:
			var err error
			if at, err = step(filepath.Join(at, part)); err != nil {
				return "", bad(err.Error())
			}
		}
		if _, ok := d.within(at); !ok {
			return "", leaves
		}
	}
	inside, _ := d.within(at)
	return inside, nil
}

// within returns the slash path of what is in d.
func (d Dir) within(full string) (string, bool) {
	inside, err := filepath.Rel(d.path, full)
	return filepath.ToSlash(inside), err == nil && filepath.IsLocal(inside)
}

// step returns where a path without links, but maybe for its last part, really is. What is
// not there is where it says.
func step(path string) (string, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return path, nil
	case err != nil:
		return "", errors.New("it can't be followed")
	case info.Mode()&fs.ModeSymlink == 0:
		return path, nil
	}
	actual, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", errors.New("it goes through a symbolic link that leads nowhere")
	}
	return actual, nil
}
