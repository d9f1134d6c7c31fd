package exporter

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/internal/registry"
)

// TrackedName is the name, and the path from the registry's directory, of the
// file that follows the registry.
const TrackedName = "tenants.json"

// Publisher writes one file of tenants and keeps it from overwriting what
// somebody else wrote. Its Publish method is what registry.Options wants.
type Publisher struct {
	// Path is the file, absolute.
	Path string
	// Name is what the registry remembers it by: TrackedName or, for a copy, Path.
	Name string
	// Wanted says to write the file now, though nothing changed or the registry
	// does not remember it yet. Otherwise only a file that it remembers is written,
	// when it is behind.
	Wanted bool
	// Force replaces what somebody else wrote.
	Force bool
	// Read is the SHA-256, in hexadecimal, of content that this very change took
	// into the registry, and may therefore replace.
	Read string
	// Documented leaves out the members that the record does not define.
	Documented bool
}

// ChangedError is returned for a file that somebody else wrote or changed.
type ChangedError struct{ Path string }

func (e *ChangedError) Error() string { return e.Path + ": " + registry.ErrConflict.Error() }

// Unwrap returns registry.ErrConflict.
func (e *ChangedError) Unwrap() error { return registry.ErrConflict }

// Publish renders the file as the view shows it, beside its place, when it is due:
// when it is Wanted, when tenants changed since it was written, or when a killed
// command left its rendering behind.
func (p Publisher) Publish(ctx context.Context, view *registry.View) (registry.Publication, error) {
	state, err := view.State(ctx)
	if err != nil {
		return registry.Publication{}, err
	}
	file, err := view.File(ctx, p.Name)
	if err != nil || file == nil && !p.Wanted {
		return registry.Publication{}, err
	}
	left, err := p.leftovers()
	if err != nil {
		return registry.Publication{}, err
	}
	behind := file != nil && file.TenantsRevision < state.TenantsRevision
	if !p.Wanted && !behind && len(left) == 0 {
		return registry.Publication{}, nil
	}
	there, err := lookAt(p.Path)
	if err != nil {
		return registry.Publication{}, err
	}
	changing := state.TenantsRevision == state.Revision
	if !p.mayReplace(there, file) {
		if p.Wanted || changing {
			return p.publishSame(ctx, view, state, there)
		}
		return registry.Publication{}, nil // no reason to stop a command that changes no tenant
	}
	return p.render(ctx, view, state, there, left)
}

// mayReplace tells whether what stands at the place is nothing, or ours: what the
// registry remembers having written last or, if a command was killed before it
// put that in place, the time before.
func (p Publisher) mayReplace(there destination, file *registry.File) bool {
	switch {
	case p.Force || there.hash == "" || there.size == 0 || there.hash == p.Read:
		return true
	case file == nil:
		return false
	}
	return there.hash == file.Current || there.hash == file.Previous
}

// publishSame takes a file that somebody else wrote only if it holds the very
// bytes that ours would.
func (p Publisher) publishSame(ctx context.Context, view *registry.View, state registry.State, there destination) (registry.Publication, error) {
	hash := sha256.New()
	if err := p.encode(ctx, hash, view, state.Document); err != nil {
		return registry.Publication{}, err
	}
	if hexOf(hash.Sum(nil)) != there.hash {
		return registry.Publication{}, &ChangedError{Path: p.Path}
	}
	return p.render(ctx, view, state, there, nil)
}

// render writes the temporary file, hashing as it writes, and describes what
// remains to be done after the commit.
func (p Publisher) render(ctx context.Context, view *registry.View, state registry.State, there destination, left []string) (registry.Publication, error) {
	temporary, hash, err := p.write(ctx, view, state.Document)
	if err != nil {
		return registry.Publication{}, err
	}
	remove := append(left, temporary)
	place := func() error { return errors.Join(removeAll(remove)...) }
	if hash != there.hash || !there.private {
		remove = left
		place = func() error {
			if err := os.Rename(temporary, p.Path); err != nil {
				return err
			}
			return errors.Join(append(removeAll(left), syncDir(filepath.Dir(p.Path)))...)
		}
	}
	return registry.Publication{
		Files:   []registry.File{{Path: p.Name, Previous: there.hash, Current: hash, TenantsRevision: state.TenantsRevision}},
		Place:   place,
		Discard: func() error { return os.Remove(temporary) },
	}, nil
}

// write makes a new file beside the destination, private from its first byte and
// synced, and returns its path and hash.
func (p Publisher) write(ctx context.Context, view *registry.View, doc registry.Document) (path, hash string, err error) {
	file, err := os.CreateTemp(filepath.Dir(p.Path), p.pattern())
	if err != nil {
		return "", "", err
	}
	sum := sha256.New()
	err = p.encode(ctx, io.MultiWriter(file, sum), view, doc)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), hexOf(sum.Sum(nil)), nil
}

func (p Publisher) encode(ctx context.Context, w io.Writer, view *registry.View, doc registry.Document) error {
	tenants := view.Tenants(ctx, registry.Page{})
	if p.Documented {
		return EncodeDocumented(w, doc, tenants)
	}
	return Encode(w, doc, tenants)
}

// pattern names the temporary files of the destination, as os.CreateTemp wants it.
func (p Publisher) pattern() string { return "." + filepath.Base(p.Path) + ".*.tmp" }

// leftovers lists the temporary files of commands that were killed. The registry
// is locked, so that none of them is still being written.
func (p Publisher) leftovers() ([]string, error) {
	if p.Name != TrackedName {
		return nil, nil
	}
	entries, err := os.ReadDir(filepath.Dir(p.Path))
	if err != nil {
		return nil, err
	}
	var left []string
	for _, entry := range entries {
		if ok, _ := filepath.Match(p.pattern(), entry.Name()); ok {
			left = append(left, filepath.Join(filepath.Dir(p.Path), entry.Name()))
		}
	}
	return left, nil
}
