package project

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ReadProfile returns the profile that an absolute path given in place of a name stands
// for: the name of the directory around profile.yaml, and the text of that file. A
// directory stands for its profile.yaml. The file must be, links resolved,
// profiles/NAME/profile.yaml in this directory: no other is a profile of it.
func (d Dir) ReadProfile(path string) (name string, text []byte, err error) {
	if err := checkAbsolute(path); err != nil {
		return "", nil, fmt.Errorf("profile %s: %w", path, err)
	}
	inside, err := d.profileFile(path)
	if err != nil {
		return "", nil, fmt.Errorf("profile %s: %w", path, err)
	}
	text, err = d.read(inside)
	if err != nil {
		return "", nil, fmt.Errorf("profile %s: %w", path, err)
	}
	return filepath.Base(filepath.Dir(inside)), text, nil
}

// profileFile returns the path within d of the profile.yaml that path leads to.
func (d Dir) profileFile(path string) (string, error) {
	file, err := filepath.EvalSymlinks(path)
	if err == nil && isDir(file) {
		file, err = filepath.EvalSymlinks(filepath.Join(file, "profile.yaml"))
	}
	if err != nil {
		return "", explain(err)
	}
	inside, err := filepath.Rel(d.path, file)
	if err != nil || !filepath.IsLocal(inside) {
		return "", fmt.Errorf("%w: it is not inside %s", ErrInvalid, d.path)
	}
	if ok, err := filepath.Match("profiles/*/profile.yaml", inside); err != nil || !ok {
		return "", fmt.Errorf("%w: it is not profiles/NAME/profile.yaml of %s", ErrInvalid, d.path)
	}
	return inside, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// read reads a file by its path within d. os.Root holds it there, even if a
// directory on the way has become a symbolic link by now.
func (d Dir) read(inside string) ([]byte, error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	file, err := root.OpenFile(inside, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	var bare *fs.PathError
	if errors.As(err, &bare) {
		bare.Op, bare.Path = "open", filepath.Join(d.path, inside)
	}
	if err != nil {
		return nil, explain(err)
	}
	text, err := readFile(file, maxYAML)
	return text, explain(err)
}

// readFile reads and closes what was just opened, without blocking for a fifo, if
// it is a regular file of at most limit bytes.
func readFile(file *os.File, limit int) ([]byte, error) {
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	text, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err == nil && len(text) > limit {
		return nil, fmt.Errorf("it is larger than %d MiB", limit>>20)
	}
	return text, err
}

// explain sorts what goes wrong with a path that somebody typed: what is not
// there, what may not be read (as it is), and what is no profile.
func explain(err error) error {
	switch {
	case err == nil, errors.Is(err, fs.ErrPermission):
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return ErrNotFound
	}
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}
