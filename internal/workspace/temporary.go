package workspace

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
	outside    *Outside // nil in the registry's own directory
}

// write makes a new file beside the destination, private from its first byte and
// synced.
func (p Publisher) write(ctx context.Context, view *registry.View, doc registry.Document) (temporary, error) {
	file, outside, err := p.create()
	if err != nil {
		return temporary{}, err
	}
	to := newSink(file)
	err = p.encode(ctx, to, view, doc)
	if err == nil {
		err = file.Sync()
	}
	made := temporary{path: file.Name(), hash: to.hash(), outside: outside}
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

func (p Publisher) create() (*os.File, *Outside, error) {
	if p.Name == TrackedName {
		file, err := createTemporary(p.Path)
		return file, nil, err
	}
	return CreateOutside(p.Registry, p.Path, temporarySuffix)
}

// discard removes the file.
func (f temporary) discard() error {
	err := errors.Join(os.Remove(f.path), f.outside.End())
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

// exchanged is what the name of a temporary file becomes before it changes places with
// what stands there: whatever has it then may be another program's.
const exchanged = "old."

// exchangedName is the name under which a temporary file of path changes places with it.
func exchangedName(temporary, path string) string {
	prefix := temporaryPrefix(path)
	rest, _ := strings.CutPrefix(filepath.Base(temporary), prefix)
	return filepath.Join(filepath.Dir(temporary), prefix+exchanged+rest)
}

// leftovers lists the temporary files beside path, of commands that were stopped.
// The registry is locked, so that none of them is still being written, unless two
// registries put copies at one place; one of those commands then says that it
// could not.
func leftovers(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	return leftoversAmong(entries, path), err
}

// leftoversAmong lists them among what is in their directory.
func leftoversAmong(entries []os.DirEntry, path string) (left []string) {
	for _, entry := range entries {
		digits, ours := strings.CutPrefix(entry.Name(), temporaryPrefix(path))
		digits, whole := strings.CutSuffix(strings.TrimPrefix(digits, exchanged), temporarySuffix)
		if ours && whole && digits != "" && strings.Trim(digits, "0123456789") == "" && entry.Type().IsRegular() {
			left = append(left, filepath.Join(filepath.Dir(path), entry.Name()))
		}
	}
	return left
}

// recover lists the leftovers that are sp's own, and says which are not.
func (p Publisher) recover(file *registry.File) (left []string, kept error, err error) {
	all, err := leftovers(p.Path)
	for _, path := range all {
		own, told, bad := p.own(path, file)
		if own != "" {
			left = append(left, own)
		}
		kept, err = errors.Join(kept, told), errors.Join(err, bad)
	}
	return left, kept, err
}

// own is the name of a leftover that is sp's own: what was rendered, whole or not, and what
// stood there before. What came out of an exchange and is neither, another program wrote
// in that instant: it gets a name that nothing sweeps, and kept says so.
func (p Publisher) own(path string, file *registry.File) (own string, kept, err error) {
	prefix := temporaryPrefix(p.Path)
	rest, out := strings.CutPrefix(filepath.Base(path), prefix+exchanged)
	if !out {
		return path, nil, nil
	}
	hash, err := HashFile(path)
	switch {
	case err != nil:
		return "", nil, err
	case file == nil || hash != file.Current && hash != file.Previous:
		return "", p.keep(path), nil
	}
	own = filepath.Join(filepath.Dir(path), prefix+rest) // the next commands know it by this
	return own, nil, os.Rename(path, own)
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
