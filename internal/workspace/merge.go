package workspace

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// findings is what a change found that other programs did to the files.
type findings struct {
	tenants *foreign               // tenants.json, if it is theirs
	since   int64                  // the TenantsRevision that it showed before
	change  Change                 // what was asked for
	edit    *registry.SessionsEdit // what was done to the index of sessions
	index   string                 // the SHA-256 of the index that says so
	refused string                 // and of one of which nothing is taken
	trouble error                  // why the index can't be merged, for when it is to be written
	hash    string                 // of the tenants.json that the change may replace
	aside   string                 // the name that it gets
	merged  bool                   // something of tenants.json was taken over
}

func (f *findings) close() { f.tenants.close() }

// look finds out what other programs did. It changes nothing.
func (w *Workspace) look(ctx context.Context, view *registry.View, c Change) (*findings, error) {
	f := &findings{change: c}
	err := w.lookAtTenants(ctx, view, f)
	if err == nil && !c.Defer && !c.Force && c.Imported.Index == "" {
		err = w.lookAtIndex(ctx, view, f)
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
	hash, file, err := p.foreign(ctx, view)
	if err != nil || hash == "" {
		return nil // what can't be looked at is for the rendering to refuse
	}
	if file == nil { // it was there before sp wrote any
		if f.change.Settle == registry.Ours {
			f.hash = hash
		}
		return nil
	}
	switch taken, err := w.MayTake(ctx, p.Path, f.change.Settle); {
	case err != nil:
		return err
	case !taken: // the registry's side is written
		f.hash = hash
		return nil
	}
	if f.tenants, err = w.openForeign(p.Path, hash); err != nil {
		return err
	}
	if f.tenants.info.Size() == 0 { // which anybody may replace, unless somebody is just writing it
		err = f.tenants.orHalf(fmt.Errorf("%s: it is empty: %w", p.Path, exporter.ErrRefused))
		f.tenants.close()
		f.tenants = nil
		if errors.Is(err, exporter.ErrRefused) {
			err = nil
		}
		return err
	}
	f.since = file.TenantsRevision
	return nil
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

// merge takes over what was found, as a change of its own before the one that was asked for.
func (f *findings) merge(ctx context.Context, tx *registry.Tx, done *Done) error {
	if f.tenants == nil && f.edit == nil {
		return nil
	}
	m := registry.Merge{Sessions: f.edit, Since: f.since, Settle: f.change.Settle, Purge: f.change.Purge}
	if f.tenants != nil {
		m.Read, m.Written = f.tenants.read, f.tenants.info.ModTime()
	}
	plan, err := tx.Merge(ctx, m)
	if errors.As(err, new(*registry.ConflictsError)) {
		err = fmt.Errorf("%s: %w", f.tenants.Name, err)
	}
	if err != nil {
		return err
	}
	done.Sessions, plan.Sessions = plan.Sessions, nil // they are told once
	if f.tenants != nil {
		f.merged, f.hash, done.Merged = true, f.tenants.hash, &plan
	}
	return nil
}

// lookAtIndex finds out what another program did to sessions/index.json since sp wrote it.
// What is wrong with the index is told only when the index is to be written.
func (w *Workspace) lookAtIndex(ctx context.Context, view *registry.View, f *findings) error {
	err := w.findSessions(ctx, view, f)
	if err != nil && f.change.Settle == registry.Nobody && !f.change.Imported.Directory {
		f.trouble, err = err, nil
	}
	return err
}

func (w *Workspace) findSessions(ctx context.Context, view *registry.View, f *findings) error {
	index, err := follow.ChangedIndexOf(ctx, FilesOf(w.Dir), view, nil)
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

// TrackedError is returned for a file that git tracks, so that anybody may have written what
// is new in it.
type TrackedError struct{ Path string }

func (e *TrackedError) Error() string {
	return fmt.Sprintf("%s: git tracks it, so anybody may have written what is new in it: %v", e.Path, registry.ErrConflict)
}

// Unwrap returns registry.ErrConflict.
func (e *TrackedError) Unwrap() error { return registry.ErrConflict }

// MayTake tells whether what another program did to a file, by its path, is taken over. What git
// tracks, anybody may have written: it is not taken unless the user says that it is right,
// and nothing of it is where the registry is. Where git does not answer, it may be tracked.
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
