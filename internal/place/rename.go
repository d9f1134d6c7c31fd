package place

import (
	"errors"
	"io/fs"
	"os"
)

// MoveNew renames a file, and replaces nothing.
func MoveNew(from, to string) error {
	if err := renameNew(from, to); !errors.Is(err, errNotOffered) {
		return err
	}
	return linkNew(from, to)
}

// linkNew is MoveNew where the system does not offer that.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
		return err
	}
	if _, err := os.Lstat(to); err == nil { // without links a look is all there is
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}

// swap has a file that waits and what stands at its place change places, at once; the
// second gets the name that out is.
func swap(from, to, out string) error {
	if err := os.Rename(from, out); err != nil {
		return err
	}
	err := exchange(out, to)
	if err != nil {
		err = errors.Join(err, os.Rename(out, from))
	}
	return err
}

// linkSwap is swap where the system does not offer that. Who renames another file to
// the place between its two steps loses that; who writes into the file does not.
func linkSwap(from, to, out string) error {
	err := os.Link(to, out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // without links there is nothing there for an instant
		err = os.Rename(to, out)
	}
	if err != nil {
		return err
	}
	return os.Rename(from, to)
}
