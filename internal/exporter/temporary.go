package exporter

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/registry"
)

// temporary is a file that is rendered and waits for its name.
type temporary struct {
	path, hash string
	dir        *os.File // it is in; open, because after the commit opening may fail
}

// write makes a new file beside the destination, private from its first byte and
// synced.
func (p Publisher) write(ctx context.Context, view *registry.View, doc registry.Document) (temporary, error) {
	file, err := createTemporary(p.Path)
	if err != nil {
		return temporary{}, err
	}
	to := newSink(file)
	err = p.encode(ctx, to, view, doc)
	if err == nil {
		err = file.Sync()
	}
	made := temporary{path: file.Name(), hash: to.hash()}
	if err = errors.Join(err, file.Close()); err == nil {
		made.dir, err = os.Open(filepath.Dir(p.Path))
	}
	// Whether a command was stopped shows by what it left (destination.isOurs), so that
	// must be durable before the commit is. In the registry's own directory it is: the
	// commit syncs that.
	if err == nil && p.Name != TrackedName {
		err = made.dir.Sync()
	}
	if err != nil {
		return temporary{}, errors.Join(err, made.discard())
	}
	return made, nil
}

// discard removes the file.
func (f temporary) discard() error {
	err := os.Remove(f.path)
	if f.dir != nil {
		err = errors.Join(err, f.dir.Close())
	}
	return err
}

// createTemporary makes a new file beside path, which only its owner can reach from
// its first instant.
func createTemporary(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), temporaryPrefix(path)+"*"+temporarySuffix)
}

const temporarySuffix = ".tmp"

func temporaryPrefix(path string) string { return "." + filepath.Base(path) + "." }

// leftovers lists the temporary files beside path, of commands that were stopped.
// The registry is locked, so that none of them is still being written, unless two
// registries put copies at one place; one of those commands then says that it
// could not.
func leftovers(path string) ([]string, error) {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, entry := range entries {
		digits, ours := strings.CutPrefix(entry.Name(), temporaryPrefix(path))
		digits, whole := strings.CutSuffix(digits, temporarySuffix)
		if ours && whole && digits != "" && strings.Trim(digits, "0123456789") == "" && entry.Type().IsRegular() {
			left = append(left, filepath.Join(dir, entry.Name()))
		}
	}
	return left, nil
}

func removeAll(paths []string) error {
	var errs []error
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
