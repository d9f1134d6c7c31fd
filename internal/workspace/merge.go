package workspace

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// findings is what a change found that other programs did to the files.
type findings struct {
	change    Change
	names     place.Names               // of the files in the directories where it looked
	tenants   []*foreign                // tenants.json as other programs wrote it, the oldest first
	path      string                    // of tenants.json
	since     int64                     // the TenantsRevision that it showed before
	unplaced  bool                      // and that it showed that is not certain: it waits still
	hash      string                    // of the tenants.json that the change may replace
	aside     string                    // the name that it gets
	edit      *registry.SessionsEdit    // what was done to the index of sessions
	index     string                    // the SHA-256 of the index that says so
	refused   string                    // and of one of which nothing is taken
	trouble   error                     // why the index can't be merged, for when it is to be written
	small     map[string][]follow.Aside // of small files, what other programs wrote while they were replaced
	keptSmall []kept
	unread    []error // why something that was kept is not merged
	merged    []kept  // what can go, when the change is made and the files are in place
}

// kept is what another program wrote at path while sp replaced that.
type kept struct {
	path, name string
	seen       place.Seen
}

func (f *findings) close() {
	for _, file := range f.tenants {
		file.close()
	}
}

// look finds out what other programs did. It changes nothing.
func (w *Workspace) look(ctx context.Context, view *registry.View, c Change) (*findings, error) {
	f := &findings{change: c, names: place.Names{}}
	err := w.lookAtTenants(ctx, view, f)
	if err == nil && !c.Defer && !c.Force {
		if err = w.lookAtKept(ctx, view, f); err == nil && c.Imported.Index == "" {
			err = w.lookAtIndex(ctx, view, f)
		}
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (w *Workspace) lookAtTenants(ctx context.Context, view *registry.View, f *findings) error {
	p := w.tracked()
	switch {
	case f.change.SetAside:
		return w.lookAtUnreadable(p.Path, f)
	case !f.change.Tenants || f.change.Force || f.change.Copy != nil || f.change.Imported.Tenants != nil:
		return nil
	}
	p.names = f.names
	s, err := p.look(ctx, view)
	if err != nil { // what can't be looked at is for the rendering to refuse
		return nil
	}
	changed := s.there.IsThere() && !s.isOurs()
	if s.known == nil { // it was there before sp wrote any
		if changed && f.change.Settle == registry.Ours {
			f.hash = s.there.Hash
		}
		return nil
	}
	if !changed && len(s.kept) == 0 {
		return nil
	}
	taken, err := w.MayTake(ctx, p.Path, f.change.Settle)
	if err != nil {
		return err
	}
	f.path, f.since, f.unplaced = p.Path, s.known.TenantsRevision, s.waits()
	for _, name := range s.kept {
		if err := w.openKept(ctx, name, taken, f); err != nil {
			return err
		}
	}
	slices.SortFunc(f.tenants, func(a, b *foreign) int { return a.info.ModTime().Compare(b.info.ModTime()) })
	if changed || !taken {
		f.hash = s.there.Hash
	}
	if !changed || !taken { // the registry's side is written
		return nil
	}
	file, err := w.openForeign(p.Path, s.there.Hash)
	if err != nil {
		return err
	}
	if file.info.Size() > 0 {
		f.tenants = append(f.tenants, file)
		return nil
	}
	defer file.close() // anybody may replace an empty one, unless somebody is just writing it
	if err := file.orHalf(fmt.Errorf("%s: it is empty: %w", p.Path, exporter.ErrRefused)); !errors.Is(err, exporter.ErrRefused) {
		return err
	}
	return nil
}

// openKept opens what another program wrote while tenants.json was replaced. One that is
// still being written, or can't be read, waits for a later change, or for its owner. Where
// nothing is taken, because the registry's side is written, it only goes.
func (w *Workspace) openKept(ctx context.Context, name string, take bool, f *findings) error {
	written, err := place.IsWritten(name)
	if err != nil || written {
		return err
	}
	seen, err := place.Look(name)
	if err != nil || !seen.IsThere() {
		return err
	}
	if taken, err := w.mayTakeKept(ctx, name, f); err != nil || !taken {
		return err
	}
	known := kept{path: f.path, name: name, seen: seen}
	if !take {
		f.merged = append(f.merged, known)
		return nil
	}
	file, err := w.openForeign(name, seen.Hash)
	if err != nil {
		return err
	}
	if err := file.Check(); err != nil {
		file.close()
		f.unread = append(f.unread, err)
		return nil
	}
	f.tenants = append(f.tenants, file)
	f.merged = append(f.merged, known)
	return nil
}

// lookAtKept finds what other programs wrote while small files were replaced. Those files
// are due until a later change finds them in place.
func (w *Workspace) lookAtKept(ctx context.Context, view *registry.View, f *findings) error {
	due, err := view.DueFiles(ctx)
	if err != nil {
		return err
	}
	for _, file := range due {
		path := w.Dir.Full(file.Path)
		names, err := place.Kept(f.names, path)
		if err != nil {
			continue // what is wrong there is for those to say that use it
		}
		var found []*keptText
		for _, name := range names {
			if taken, err := w.mayTakeKept(ctx, name, f); err != nil {
				return err
			} else if !taken {
				continue
			}
			aside, seen, err := w.readKept(name)
			if err != nil {
				return err
			}
			found = append(found, &keptText{aside, kept{path: path, name: name, seen: seen}})
		}
		slices.SortFunc(found, func(a, b *keptText) int { return a.seen.Written.Compare(b.seen.Written) })
		for _, k := range found {
			if f.small == nil {
				f.small = map[string][]follow.Aside{}
			}
			f.small[file.Path] = append(f.small[file.Path], k.Aside)
			f.keptSmall = append(f.keptSmall, k.kept)
		}
	}
	return nil
}

// keptText is what is kept of a small file, with its text.
type keptText struct {
	follow.Aside
	kept
}

// mayTakeKept tells whether what is kept under this name is taken over. sp never gives that
// name to a file that git tracks: it came with the repository, and stays.
func (w *Workspace) mayTakeKept(ctx context.Context, name string, f *findings) (bool, error) {
	settled := f.change.Settle
	if settled == registry.Ours {
		settled = registry.Nobody
	}
	taken, err := w.MayTake(ctx, name, settled)
	if errors.As(err, new(*TrackedError)) {
		f.unread, err = append(f.unread, err), nil
	}
	return taken, err
}

// mayKeep refuses to give a file that git tracks the name under which it would be merged.
func (w *Workspace) mayKeep(ctx context.Context) func(string) error {
	return func(path string) error {
		_, err := w.MayTake(ctx, path, registry.Nobody)
		return err
	}
}

// readKept reads what is kept of a small file, unless it is still being written.
func (w *Workspace) readKept(name string) (aside follow.Aside, seen place.Seen, err error) {
	inside, err := filepath.Rel(w.Dir.Path(), name)
	if aside.Path = filepath.ToSlash(inside); err != nil {
		return aside, seen, err
	}
	if written, err := place.IsWritten(name); err != nil || written {
		return aside, seen, err
	}
	if seen, err = place.Look(name); err == nil {
		aside.Text, _, _, err = w.Dir.ReadFile(aside.Path)
	}
	return aside, seen, err
}

// lookAtUnreadable has a tenants.json kept under another name when ours takes its place,
// if it can't be taken over.
func (w *Workspace) lookAtUnreadable(path string, f *findings) error {
	there, err := place.Look(path)
	if err != nil {
		return err
	}
	f.hash = there.Hash
	file, err := w.openForeign(path, f.hash)
	if err != nil {
		return err
	}
	defer file.close()
	switch err := file.orHalf(file.Check()); {
	case err == nil:
		return fmt.Errorf("%s: nothing is wrong with it, so it is not set aside: %w", path, registry.ErrConflict)
	case !errors.Is(err, exporter.ErrRefused):
		return err
	}
	f.aside = AsideName(path, w.Registry.Now().UTC().Format("20060102T150405.000000Z"))
	return nil
}

// merge takes over what was found, as changes of their own before the one that was asked
// for: one for each file, and what was done to the sessions with the last.
func (f *findings) merge(ctx context.Context, tx *registry.Tx, done *Done) error {
	done.Unread = f.unread
	for i, file := range f.tenants {
		m := registry.Merge{
			Read: file.read, Since: f.since, Written: file.info.ModTime(), Unseen: file.Name != f.path,
			Unread: f.unplaced || file.Name != f.path,
			Settle: f.change.Settle, Purge: f.change.Purge,
		}
		if i == len(f.tenants)-1 {
			m.Sessions = f.edit
		}
		plan, err := tx.Merge(ctx, m)
		if errors.As(err, new(*registry.ConflictsError)) {
			err = fmt.Errorf("%s: %w", file.Name, err)
		}
		if err != nil {
			return err
		}
		done.Sessions, plan.Sessions = plan.Sessions, nil // they are told once
		done.Merged = both(done.Merged, plan)
	}
	if f.edit == nil || len(f.tenants) > 0 {
		return nil
	}
	plan, err := tx.Merge(ctx, registry.Merge{Sessions: f.edit, Settle: f.change.Settle, Purge: f.change.Purge})
	done.Sessions = plan.Sessions
	return err
}

// both is what came of two files, one after the other; nil is nothing yet.
func both(first *registry.Plan, then registry.Plan) *registry.Plan {
	if first != nil {
		then.Revision, then.Steps = first.Revision, slices.Concat(first.Steps, then.Steps)
		then.Added, then.Updated, then.Removed = then.Added+first.Added, then.Updated+first.Updated, then.Removed+first.Removed
		then.Omitted, then.DocumentChanged = then.Omitted+first.Omitted, then.DocumentChanged || first.DocumentChanged
	}
	return &then
}

// end removes what was kept of other programs and is merged by now.
func (f *findings) end() error {
	var errs []error
	for _, k := range f.merged {
		errs = append(errs, place.RemoveKept(k.path, k.name, k.seen))
	}
	return errors.Join(errs...)
}

// lookAtIndex finds out what another program did to sessions/index.json since sp wrote it.
// What is wrong with the index is told only when the index is to be written.
func (w *Workspace) lookAtIndex(ctx context.Context, view *registry.View, f *findings) error {
	err := w.findSessions(ctx, view, f)
	if err != nil || f.refused != "" { // what was kept of it waits
		delete(f.small, follow.IndexPath)
	}
	if err != nil && f.change.Settle == registry.Nobody && !f.change.Imported.Directory {
		f.trouble, err = err, nil
	}
	return err
}

func (w *Workspace) findSessions(ctx context.Context, view *registry.View, f *findings) error {
	index, err := follow.ChangedIndexOf(ctx, FilesOf(w.Dir), view, f.small[follow.IndexPath])
	if err != nil || index == nil {
		return err
	}
	edit, err := index.Merge(f.change.Settle)
	if err != nil {
		return err
	}
	if edit != nil {
		taken, err := w.MayTake(ctx, index.Path, f.change.Settle)
		if err != nil {
			return err
		}
		if !taken {
			edit, f.refused = nil, index.Hash
		}
	}
	f.edit, f.index = edit, index.Hash
	return nil
}

// TrackedError is returned for a file that git tracks and that says something new, which anybody
// may have written.
type TrackedError struct{ Path string }

func (e *TrackedError) Error() string {
	return fmt.Sprintf("%s: git tracks it, so anybody may have written what is new in it: %v", e.Path, registry.ErrConflict)
}

// Unwrap returns registry.ErrConflict.
func (e *TrackedError) Unwrap() error { return registry.ErrConflict }

// MayTake reports whether a change that another program made to the file at path may be merged.
// Anybody may have written a file that git tracks, so it is merged only if the user said which side
// is right. If git does not answer, the file counts as tracked.
func (w *Workspace) MayTake(ctx context.Context, path string, settled registry.Side) (bool, error) {
	if settled == registry.Theirs {
		return true, nil
	}
	tracked, err := project.IsTracked(ctx, w.Git(), path)
	switch {
	case err == nil && !tracked:
		return true, nil
	case err != nil && !errors.Is(err, project.ErrGit):
		return false, err
	case settled == registry.Ours:
		return false, nil
	}
	return false, &TrackedError{Path: path}
}
