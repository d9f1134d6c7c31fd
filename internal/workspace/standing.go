package workspace

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
)

// Standing returns how the project's tenants.json compares with the registry and, for an unreadable
// one, what is wrong with it. It reads the file only if somebody else changed it.
func (w *Workspace) Standing(ctx context.Context, view *registry.View) (s Standing, wrong, err error) {
	s, err = w.tracked().Standing(ctx, view)
	switch {
	case errors.Is(err, place.ErrUnsafe):
		return Unsafe, nil, nil
	case errors.Is(err, fs.ErrPermission):
		return Unreadable, err, nil
	case err != nil:
		return "", nil, err
	case s == Changed:
		s, wrong = w.changed()
		return s, wrong, nil
	}
	if _, missing := os.Lstat(w.Dir.Tenants()); s == Untracked && missing == nil {
		return Unimported, nil, nil
	}
	return s, nil, nil
}

// changed tells what the next change can make of a file that somebody else wrote: an empty one it
// replaces, any other it has to read.
func (w *Workspace) changed() (Standing, error) {
	path := w.Dir.Tenants()
	file, err := os.Open(path)
	if err != nil {
		return Unreadable, err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	switch {
	case err != nil:
		return Unreadable, err
	case info.Size() == 0:
		return Behind, nil
	}
	source := exporter.Source{Name: path, File: file}
	if w.Reading != nil {
		source.Watch = func(r io.Reader) io.Reader { return w.Reading(info.Size(), r) }
	}
	if err := source.Check(); err != nil {
		return Unreadable, err
	}
	return Changed, nil
}
