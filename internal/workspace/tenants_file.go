package workspace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
)

// TrackedName is the name of the tenants.json that follows the registry, in the registry's
// directory.
const TrackedName = "tenants.json"

// Publisher writes one file of tenants, and never overwrites what somebody else wrote.
type Publisher struct {
	// Path is the file, absolute.
	Path string
	// Name is what the registry remembers it by: TrackedName or, for a copy, Path.
	Name string
	// Registry is the registry's directory, absolute. While a copy is written, a note of it lies
	// there.
	Registry string
	// Wanted writes the file even if nothing changed or the registry does not know it yet.
	// Otherwise a file is written only if the registry knows it and it is behind.
	Wanted bool
	// Force replaces what somebody else wrote.
	Force bool
	// Read is the SHA-256, in hexadecimal, of content that this change took into the registry and
	// may therefore replace.
	Read string
	// Aside, if not empty, is the new name of the file that stands there, absolute and in the same
	// directory. Nothing may have that name yet.
	Aside string
	// Documented leaves out the members that sp does not define.
	Documented bool
	// Watch, if not nil, wraps the writer into which the file is rendered, to show progress.
	Watch func(io.Writer) io.Writer

	names   place.Names             // while a change has the lock
	mayKeep func(path string) error // refuses to keep what came with the repository; nil does not
}

// standingFile is a file of tenants, what the registry remembers of it, nil for nothing,
// and how far the registry has come.
type standingFile struct {
	known *registry.File
	// stopped is what it was when a change ended that it follows, nil if none has just now.
	stopped *registry.File
	state   registry.State
	left    []string // of stopped commands
	kept    []string // of other programs, which wrote it while it was replaced
	there   place.Seen
}

// find gathers all but what stands there.
func (p Publisher) find(ctx context.Context, view *registry.View) (s standingFile, err error) {
	if s.state, err = view.State(ctx); err == nil {
		s.known, err = view.File(ctx, p.Name)
	}
	if err == nil && s.known == nil && p.Name == TrackedName {
		s.stopped, err = view.File(ctx, stoppedName)
	}
	if err == nil { // before a look at the file: a command may be putting it in place just now
		s.left, s.kept, err = place.Beside(p.names, p.Path)
	}
	return s, err
}

// look is find, and what stands there.
func (p Publisher) look(ctx context.Context, view *registry.View) (s standingFile, err error) {
	if s, err = p.find(ctx, view); err == nil {
		s.there, err = place.Look(p.Path)
	}
	return s, err
}

// isOurs tells whether what stands there is what the registry remembers having written
// last. Where a command was stopped before that was in place, what it left shows so, and
// what stood there before is still to be replaced; otherwise somebody else brought it back.
func (s standingFile) isOurs() bool {
	return s.known != nil && (s.there.Hash == s.known.Current || len(s.left) > 0 && s.there.Hash == s.known.Previous)
}

// waits tells whether what was written last still waits for its place, because a command
// was stopped.
func (s standingFile) waits() bool {
	return slices.ContainsFunc(s.left, func(name string) bool {
		left, err := place.Look(name)
		return err == nil && left.Hash == s.known.Current
	})
}

// shows tells whether what was written last is what would be written now. Of a copy
// that is not known, for what it leaves out is not remembered.
func (p Publisher) shows(s standingFile) bool {
	return p.Name == TrackedName && s.known != nil && s.known.TenantsRevision == s.state.TenantsRevision
}

// isCurrent tells whether nothing is to be done.
func (p Publisher) isCurrent(s standingFile) bool {
	return len(s.left) == 0 && p.shows(s) && s.there.Hash == s.known.Current && s.there.IsPrivate()
}

// mayReplace tells whether what stands at the place is nothing, or ours.
func (p Publisher) mayReplace(s standingFile) bool {
	return p.Force || !s.there.IsThere() || s.there.Size == 0 || s.there.Hash == p.Read || s.isOurs()
}

// checkReplace refuses a file that somebody else wrote, unless it holds the very bytes
// that ours would.
func (p Publisher) checkReplace(ctx context.Context, view *registry.View, s standingFile) error {
	if p.mayReplace(s) {
		return nil
	}
	same, err := p.isSame(ctx, view, s)
	if err == nil && !same {
		err = &follow.ChangedError{Path: p.Path}
	}
	return err
}

// isSame tells whether what stands at the place holds the bytes that ours would.
func (p Publisher) isSame(ctx context.Context, view *registry.View, s standingFile) (bool, error) {
	sum := sha256.New()
	err := p.encode(ctx, sum, view, s.state.Document)
	return hex.EncodeToString(sum.Sum(nil)) == s.there.Hash, err
}

func (p Publisher) encode(ctx context.Context, w io.Writer, view *registry.View, doc registry.Document) error {
	if p.Watch != nil {
		w = p.Watch(w)
	}
	return exporter.EncodeView(ctx, w, view, doc, p.Documented)
}

// Standing says how a file compares with the registry.
type Standing string

// How a file can compare with the registry.
const (
	Untracked Standing = "untracked" // sp has not written it
	Missing   Standing = "missing"   // sp wrote it, and it is gone
	Current   Standing = "current"   // it shows the registry as it is
	Behind    Standing = "behind"    // it shows the registry as it was
	Changed   Standing = "changed"   // somebody else wrote it, or what waits beside it
	// These apply only to a project's tenants.json; see Workspace.Standing.
	Unimported Standing = "unimported" // sp has not written it, and a file is there
	Unreadable Standing = "unreadable" // somebody else wrote it, and no change can merge it
	Unsafe     Standing = "unsafe"     // what is there is not a regular file
)

// Standing returns how the publisher's file compares with the registry, without rendering it.
func (p Publisher) Standing(ctx context.Context, view *registry.View) (Standing, error) {
	s, err := p.find(ctx, view)
	switch {
	case err != nil:
	case s.known == nil:
		return Untracked, nil // and not looked at
	case len(s.kept) > 0:
		return Changed, nil
	}
	if err == nil {
		s.there, err = place.Look(p.Path)
	}
	switch {
	case err != nil:
		return "", err
	case !s.there.IsThere() && s.known.TenantsRevision < 0: // it was never written yet
		return Behind, nil
	case !s.there.IsThere():
		return Missing, nil
	case s.there.Hash == s.known.Current && s.known.TenantsRevision == s.state.TenantsRevision:
		return Current, nil
	case s.isOurs():
		return Behind, nil
	}
	return Changed, nil
}

// IsSettled reports that the file is current and that no stopped command left anything to do.
func (p Publisher) IsSettled(ctx context.Context, view *registry.View) (bool, error) {
	s, err := p.find(ctx, view)
	if err != nil || len(s.left)+len(s.kept) > 0 || !p.shows(s) {
		return false, err
	}
	s.there, err = place.Look(p.Path)
	return err == nil && p.isCurrent(s), err
}

// IsCurrent reports whether the file has the bytes that it would get now.
func (p Publisher) IsCurrent(ctx context.Context, view *registry.View) (bool, error) {
	s, err := p.look(ctx, view)
	if err != nil || !s.there.IsThere() {
		return false, err
	}
	if p.shows(s) && s.there.Hash == s.known.Current {
		return true, nil
	}
	return p.isSame(ctx, view, s)
}

// Check returns the error with which Publish would refuse to overwrite what stands there, before
// anything is rendered. Publish checks again.
func (p Publisher) Check(ctx context.Context, view *registry.View) error {
	s, err := p.look(ctx, view)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // its directory is missing, and so is it
	}
	if err != nil {
		return err
	}
	return p.checkReplace(ctx, view, s)
}

// Defer is called instead of Publish if the file is to stay as it is. It only remembers content
// that this change took into the registry: the file then counts as sp's, and as behind.
func (p Publisher) Defer(ctx context.Context, view *registry.View) (Publication, error) {
	if p.Read == "" {
		return Publication{}, nil
	}
	state, err := view.State(ctx)
	if err != nil {
		return Publication{}, err
	}
	publication := sweep(nil)
	publication.Files = []registry.File{{
		Path: p.Name, Previous: p.Read, Current: p.Read, TenantsRevision: state.TenantsRevision - 1,
	}}
	return publication, nil
}

// Publish renders the file beside its place if it is due: it is Wanted, a tenant changed since it
// was written, or a command was stopped before it put the file in place.
func (p Publisher) Publish(ctx context.Context, view *registry.View) (Publication, error) {
	s, err := p.find(ctx, view)
	if err != nil {
		return Publication{}, err
	}
	left, kept, err := place.Recover(p.names, p.Path, p.mayKeep, append(hashesOf(s.known), hashesOf(s.stopped)...)...)
	if err != nil {
		return Publication{}, errors.Join(err, kept)
	}
	s.left = left
	publication, err := p.publish(ctx, view, s)
	if err != nil || kept == nil {
		return publication, errors.Join(err, kept)
	}
	return publication.then(func() error { return kept }), nil
}

// hashesOf are the hashes of what is sp's own of a file that it remembers.
func hashesOf(known *registry.File) []string {
	if known == nil {
		return nil
	}
	return []string{known.Previous, known.Current}
}

func (p Publisher) publish(ctx context.Context, view *registry.View, s standingFile) (Publication, error) {
	none := Publication{}
	switch {
	case p.Wanted:
	case s.known == nil && p.Name == TrackedName:
		return p.stopped(s), nil
	case s.known == nil:
		return sweep(s.left), nil
	case s.known.TenantsRevision == s.state.TenantsRevision && len(s.left) == 0:
		return none, nil
	}
	var err error
	if s.there, err = place.Look(p.Path); err == nil && p.isCurrent(s) {
		return none, nil
	}
	changing := s.state.TenantsRevision == s.state.Revision
	switch {
	case p.Wanted || changing:
	case err != nil:
		return none, nil // no reason to stop a command that changes no tenant
	case !p.mayReplace(s):
		// Nor is this: what was left says nothing of what somebody else wrote.
		return sweep(append(s.left, p.asides()...)), nil
	}
	if err == nil {
		err = p.checkReplace(ctx, view, s)
	}
	if err != nil {
		return none, err
	}
	return p.render(ctx, view, s)
}

// render has the new content wait, and describes what remains to be done after the
// commit.
func (p Publisher) render(ctx context.Context, view *registry.View, s standingFile) (Publication, error) {
	made, err := place.Write(p.Path, p.options(), func(w io.Writer) error { return p.encode(ctx, w, view, s.state.Document) })
	if err != nil {
		return Publication{}, err
	}
	publication := Publication{
		Files:   []registry.File{{Path: p.Name, Previous: s.there.Hash, Current: made.Hash, TenantsRevision: s.state.TenantsRevision, Written: made.Written}},
		Place:   func() error { return errors.Join(made.Place(s.there), place.Sweep(s.left)) },
		Discard: made.Discard,
	}
	if p.Aside != "" {
		return p.renderAside(publication, s.there)
	}
	if made.Hash == s.there.Hash && s.there.IsPrivate() {
		publication.Files[0].Written = s.there.Written
		publication.Place = func() error { return errors.Join(place.Sweep(s.left), made.Discard()) }
	}
	return publication, nil
}

// stoppedName is what the registry remembers a file by that followed it until a change ended that,
// until the next change finds it gone.
const stoppedName = TrackedName + ", stopped"

// stop has the file follow no more. What sp wrote goes; what somebody else wrote stays.
func (p Publisher) stop(ctx context.Context, view *registry.View, done *Done) (Publication, error) {
	s, err := p.look(ctx, view)
	if err != nil || s.known == nil {
		return Publication{}, err
	}
	left, kept, err := place.Recover(p.names, p.Path, p.mayKeep, hashesOf(s.known)...)
	if err != nil {
		return Publication{}, errors.Join(err, kept)
	}
	s.left = left
	publication := sweep(s.left).then(func() error { return kept })
	publication.Forgotten = []string{p.Name}
	switch {
	case !s.there.IsThere():
	case s.isOurs():
		publication.Files = []registry.File{{Path: stoppedName, Current: s.there.Hash}}
		publication.Place = func() error { return errors.Join(place.Remove(p.Path, s.there), place.Sweep(s.left), kept) }
	default:
		done.Left = append(done.Left, p.Name)
	}
	return publication, nil
}

// stopped removes the file that a killed command was about to remove, and forgets it.
func (p Publisher) stopped(s standingFile) Publication {
	publication := sweep(s.left)
	if s.stopped == nil {
		return publication
	}
	publication.Forgotten = []string{stoppedName}
	there, err := place.Look(p.Path) // what can't be looked at, sp did not write
	if err == nil && there.IsThere() && there.Hash == s.stopped.Current {
		publication.Place = func() error { return errors.Join(place.Remove(p.Path, there), place.Sweep(s.left)) }
	}
	return publication
}

// options say where the new content waits.
func (p Publisher) options() place.Options {
	if p.Name == TrackedName {
		return place.Options{}
	}
	return place.Options{Note: p.Registry}
}

// sweep is a publication of nothing that removes what commands left behind.
func sweep(left []string) Publication {
	return Publication{
		Place:   func() error { return place.Sweep(left) },
		Discard: func() error { return nil },
	}
}
