package workspace

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/follow"
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
	// Registry is the registry's directory, absolute, where it is noted of a copy that it is
	// being written.
	Registry string
	// Wanted says to write the file now, though nothing changed or the registry
	// does not remember it yet. Otherwise only a file that it remembers is written,
	// when it is behind.
	Wanted bool
	// Force replaces what somebody else wrote.
	Force bool
	// Read is the SHA-256, in hexadecimal, of content that this very change took
	// into the registry, and may therefore replace.
	Read string
	// Aside, if not empty, is the name under which what stands there stays, absolute and in
	// the same directory. It is not to be there yet.
	Aside string
	// Documented leaves out the members that the record does not define.
	Documented bool
	// Look, if not nil, is kept from a question to the next within one change, so that
	// what stands there is read once.
	Look *Look
	// Watch, if not nil, is put before what the file is rendered into, and sees how
	// far that has come.
	Watch func(io.Writer) io.Writer
}

// ChangedError is returned for a file that somebody else wrote or changed.
type ChangedError = follow.ChangedError

// Publish renders the file as the view shows it, beside its place, when it is due:
// when it is Wanted, when tenants changed since it was written, or when a command
// was stopped before its rendering was in place.
func (p Publisher) Publish(ctx context.Context, view *registry.View) (Publication, error) {
	file, state, err := p.record(ctx, view)
	if err != nil {
		return Publication{}, err
	}
	left, kept, err := p.recover(file)
	if err != nil {
		return Publication{}, errors.Join(err, kept)
	}
	publication, err := p.publish(ctx, view, file, state, left)
	if err != nil || kept == nil {
		return publication, errors.Join(err, kept)
	}
	if publication.Place == nil {
		publication = sweep(nil)
	}
	place := publication.Place
	publication.Place = func() error { return errors.Join(place(), kept) }
	return publication, nil
}

func (p Publisher) publish(ctx context.Context, view *registry.View, file *registry.File, state registry.State, left []string) (Publication, error) {
	none := Publication{}
	switch {
	case p.Wanted:
	case file == nil:
		return sweep(left), nil
	case file.TenantsRevision == state.TenantsRevision && len(left) == 0:
		return none, nil
	}
	there, err := p.look(file, view)
	if err == nil && len(left) == 0 && p.shows(file, state) && there.hash == file.Current && there.isPrivate() {
		return p.stamp(view, *file)
	}
	free := err == nil && p.mayReplace(there, file, left)
	if changing := state.TenantsRevision == state.Revision; !free && !p.Wanted && !changing {
		if err != nil {
			return none, nil // no reason to stop a command that changes no tenant
		}
		left = append(left, p.asides()...) // of a command that was stopped before its change
		return sweep(left), nil            // nor is this: what was left says nothing of what somebody else wrote
	}
	if err == nil && !free {
		err = p.checkSame(ctx, view, state.Document, there)
	}
	if err != nil {
		return none, err
	}
	return p.render(ctx, view, state, there, left)
}

// record is what the registry remembers of the file, and how far the registry has come.
func (p Publisher) record(ctx context.Context, view *registry.View) (file *registry.File, state registry.State, err error) {
	if state, err = view.State(ctx); err == nil {
		file, err = view.File(ctx, p.Name)
	}
	return file, state, err
}

// shows tells whether what was written last is what would be written now. Of a copy
// that is not known, for what it leaves out is not remembered.
func (p Publisher) shows(file *registry.File, state registry.State) bool {
	return p.Name == TrackedName && file != nil && file.TenantsRevision == state.TenantsRevision
}

// stamp remembers the file, which is current, by its stamp.
func (p Publisher) stamp(view *registry.View, file registry.File) (Publication, error) {
	stamp, err := takeStamp(p.Path, file.Current, view.Since())
	if err != nil || stamp == "" || stamp == file.Stamp {
		return Publication{}, err
	}
	file.Stamp = stamp
	publication := sweep(nil)
	publication.Files = []registry.File{file}
	return publication, nil
}

// mayReplace tells whether what stands at the place is nothing, or ours.
func (p Publisher) mayReplace(there destination, file *registry.File, left []string) bool {
	switch {
	case p.Force || there.hash == "" || there.info.Size() == 0 || there.hash == p.Read:
		return true
	case file == nil:
		return false
	}
	return there.isOurs(file, left)
}

// checkSame refuses a file that somebody else wrote, unless it holds the very bytes
// that ours would.
func (p Publisher) checkSame(ctx context.Context, view *registry.View, doc registry.Document, there destination) error {
	same, err := p.isSame(ctx, view, doc, there)
	if err == nil && !same {
		err = &ChangedError{Path: p.Path}
	}
	return err
}

// isSame tells whether what stands at the place holds the bytes that ours would.
func (p Publisher) isSame(ctx context.Context, view *registry.View, doc registry.Document, there destination) (bool, error) {
	sum := sha256.New()
	err := p.encode(ctx, sum, view, doc)
	return hexOf(sum.Sum(nil)) == there.hash, err
}

// render writes the temporary file, hashing as it writes, and describes what
// remains to be done after the commit.
func (p Publisher) render(ctx context.Context, view *registry.View, state registry.State, there destination, left []string) (Publication, error) {
	made, err := p.write(ctx, view, state.Document)
	if err != nil {
		return Publication{}, err
	}
	isOver := there.changed.Before(view.Since())
	place := func() error { return p.place(made, there, isOver, left) }
	if p.Aside != "" {
		return p.renderAside(made, there, state, place)
	}
	if made.hash == there.hash && there.isPrivate() {
		place = func() error { return errors.Join(removeAll(left), made.discard()) }
	}
	return Publication{
		Files:   []registry.File{{Path: p.Name, Previous: there.hash, Current: made.hash, TenantsRevision: state.TenantsRevision}},
		Place:   place,
		Discard: made.discard,
	}, nil
}

// sweep is a publication of nothing that removes what commands left behind.
func sweep(left []string) Publication {
	return Publication{
		Place:   func() error { return removeAll(left) },
		Discard: func() error { return nil },
	}
}

func (p Publisher) encode(ctx context.Context, w io.Writer, view *registry.View, doc registry.Document) error {
	if p.Watch != nil {
		w = p.Watch(w)
	}
	return exporter.EncodeView(ctx, w, view, doc, p.Documented)
}
