package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/registry"
)

// Change describes one change of the registry that a command wants.
type Change struct {
	// Commit makes the change. It runs under the lock, so it asks nobody, waits for nothing and
	// touches no file.
	Commit func(context.Context, *registry.Registry) error

	// Tenants means that the change affects tenants.json. What another program did to that file is
	// merged first.
	Tenants bool
	// Create makes the registry if there is none.
	Create bool
	// Bulk expects very many new rows.
	Bulk bool
	// Defer leaves the files as they are, to be written by a later change.
	Defer bool
	// Wanted writes all files that are behind, even if the change affects none.
	Wanted bool
	// Stop ends that tenants.json follows the registry, and removes it if it is as sp wrote it.
	Stop bool
	// Force writes the registry's side, whatever another program did.
	Force bool
	// Settle says which side wins if another program and sp changed the same member.
	Settle registry.Side
	// Purge forgets at once the secrets that another program replaced or removed.
	Purge bool
	// SetAside renames a tenants.json that can't be read, and writes the registry's in its place.
	SetAside bool
	// Keep leaves a small file that can't be merged as it is, instead of stopping the change.
	Keep bool
	// Imported is what the change itself reads from the directory's files.
	Imported Imported
	// Copy, unless nil, is the file that is written instead of tenants.json.
	Copy *Publisher
	// Configurations are the profile.yaml texts of profiles that have none yet. Edits are changes
	// of those that exist.
	Configurations map[string][]byte
	Edits          map[string][]follow.YAMLEdit
}

// Imported is what a change itself reads from the directory's own files.
type Imported struct {
	// Tenants returns the SHA-256 of tenants.json after it was read; nil if another file is
	// imported.
	Tenants func() (string, error)
	// Index is the SHA-256 of the index of sessions; empty if it is not imported.
	Index string
	// Directory means that the whole directory is imported, so that an unusable index is reported,
	// too.
	Directory bool
}

// Done is the result of a change.
type Done struct {
	// Made reports that the registry has changed, even if there was also an error.
	Made bool
	// Merged is what was taken over from tenants.json, and Sessions what from the index of
	// sessions.
	Merged   *registry.Plan
	Sessions []registry.SessionStep
	// SetAside is the new name of a tenants.json that could not be read.
	SetAside string
	// Exposed is a file that others could read until sp replaced it.
	Exposed string
	// Hidden are the ignore files that were completed to keep secrets out of git.
	Hidden []string
	// Left are files that stay although their profile is gone. Kept are conflicts that did not stop
	// the change.
	Left []string
	Kept []error
	// Unread says why files that were kept aside are not merged.
	Unread []error
}

// Change makes one change, with the files that follow it.
func (w *Workspace) Change(ctx context.Context, c Change) (Done, error) {
	return w.unlessHalf(ctx, c, false)
}

// Try makes a change and takes it back, so that Done shows what would happen. No file follows it.
func (w *Workspace) Try(ctx context.Context, c Change) (Done, error) {
	c.Create = false
	return w.unlessHalf(ctx, c, true)
}

// unlessHalf makes a change when it finds no file half written. The lock is not held while
// another program has half a file written.
func (w *Workspace) unlessHalf(ctx context.Context, c Change, try bool) (Done, error) {
	for looks := 0; ; {
		done, err := w.change(ctx, c, try)
		var half *halfError
		if !errors.As(err, &half) {
			return done, err
		}
		if looks, err = half.wait(ctx, w.Registry.Now, looks); err != nil {
			return done, err
		}
	}
}

func (w *Workspace) change(ctx context.Context, c Change, try bool) (done Done, err error) {
	reg, err := w.open(ctx, c.Bulk, c.Create)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, ended(reg.Close(), done.Made)) }()
	tx, err := reg.Begin(ctx)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, tx.Close()) }()

	if err := w.refuseEarlier(ctx, tx.View(), c); err != nil {
		return done, err
	}
	found, err := w.look(ctx, tx.View(), c)
	if err != nil {
		return done, err
	}
	defer found.close()
	if err := found.merge(ctx, tx, &done); err != nil {
		return done, err
	}
	if err := tx.Do(ctx, func(bound *registry.Registry) error { return c.Commit(ctx, bound) }); err != nil || try {
		return done, err
	}
	files, err := w.render(ctx, tx.View(), c, found, &done)
	if err != nil {
		return done, err
	}
	return done, finish(ctx, tx, files, &done)
}

// EarlierError is returned where a registry is about to be made beside files that it would take in.
// They may be anybody's.
type EarlierError struct {
	Directory string
	Paths     []string // in the directory
}

func (e *EarlierError) Error() string {
	return fmt.Sprintf("%s: there before the registry, and perhaps somebody else's: %s: %v", e.Directory, strings.Join(e.Paths, ", "), registry.ErrConflict)
}

// Unwrap returns registry.ErrConflict.
func (e *EarlierError) Unwrap() error { return registry.ErrConflict }

// refuseEarlier looks, under the lock, whether files stand where a registry is being made; only an
// import of these files takes them in.
func (w *Workspace) refuseEarlier(ctx context.Context, view *registry.View, c Change) error {
	if !c.Create || c.Imported.Tenants != nil || c.Imported.Directory {
		return nil
	}
	state, err := view.State(ctx)
	if err != nil || state.Revision != 1 {
		return err
	}
	file, err := view.File(ctx, TrackedName)
	if err != nil || file == nil || file.TenantsRevision >= 0 {
		return err
	}
	paths, err := w.Dir.EarlierFiles()
	if err == nil && len(paths) > 0 {
		err = &EarlierError{w.Dir.Path(), paths}
	}
	return err
}

// Restore replaces the registry by a backup, and updates the files that follow. What somebody else
// wrote into them stays and is reported; it does not stop the restore.
func (w *Workspace) Restore(ctx context.Context, backup registry.Backup, deferred bool) (restored registry.Restored, done Done, err error) {
	tx, restored, err := registry.Restore(ctx, w.Dir.Registry(), w.Registry, backup)
	if err != nil {
		return restored, done, err
	}
	defer func() { err = errors.Join(err, tx.Close()) }()
	files, err := w.render(ctx, tx.View(), Change{Keep: true, Defer: deferred}, &findings{}, &done)
	var left error
	if errors.Is(err, registry.ErrConflict) {
		left, files, err = err, Publication{}, nil
	}
	if err == nil {
		err = finish(ctx, tx, files, &done)
	}
	if left != nil && done.Made {
		err = errors.Join(err, incomplete(left))
	}
	return restored, done, err
}

// render renders the files that follow a change. It is the last step that can fail before the
// commit.
func (w *Workspace) render(ctx context.Context, view *registry.View, c Change, found *findings, done *Done) (Publication, error) {
	hidden, err := w.keepHidden(ctx, view, done)
	if err != nil {
		return Publication{}, err
	}
	tenants, err := w.renderTenants(ctx, view, c, found, done)
	if err != nil {
		return Publication{}, err
	}
	small, err := w.renderSmall(ctx, view, c, found, done)
	if err != nil {
		return Publication{}, errors.Join(err, tenants.discard())
	}
	all := Publication{Files: hidden}.and(tenants.and(small))
	return all.then(found.end), nil
}

// renderTenants renders tenants.json, or a copy.
func (w *Workspace) renderTenants(ctx context.Context, view *registry.View, c Change, found *findings, done *Done) (Publication, error) {
	p := w.tracked()
	if c.Copy != nil {
		p = *c.Copy
	}
	p.Wanted, p.Force = p.Wanted || c.Wanted || len(found.tenants) > 0 || found.aside != "", p.Force || c.Force
	p.Read, p.Aside, p.names, p.mayKeep = found.hash, found.aside, found.names, w.mayKeep(ctx)
	if c.Imported.Tenants != nil {
		hash, err := c.Imported.Tenants()
		if err != nil {
			return Publication{}, err
		}
		p.Wanted, p.Read = true, hash
	}
	switch {
	case c.Stop:
		return p.stop(ctx, view, done)
	case c.Defer && c.Imported.Tenants == nil: // what was merged of it is merged again when it is written
		return Publication{}, nil
	case c.Defer:
		return p.Defer(ctx, view)
	}
	before, missing := os.Lstat(p.Path)
	rendered, err := p.Publish(ctx, view)
	if err == nil && len(rendered.Files) > 0 && missing == nil && before.Mode().Perm()&0o077 != 0 {
		done.Exposed = p.Path
	}
	done.SetAside = p.Aside
	return rendered, err
}

// finish commits a change and puts the files in place.
func finish(ctx context.Context, tx *registry.Tx, files Publication, done *Done) (err error) {
	if err := tx.Remember(ctx, registry.Followed{Files: files.Files, Following: files.Following, Forgotten: files.Forgotten}); err != nil {
		return errors.Join(err, files.discard())
	}
	done.Made, err = tx.Commit()
	switch {
	case errors.Is(err, registry.ErrUnknown):
		return err // what was rendered stays: the next change knows by it what to do
	case !done.Made:
		return errors.Join(err, files.discard())
	}
	return incomplete(errors.Join(err, files.place()))
}

// ended returns what a failed close means for a change.
func ended(err error, made bool) error {
	if made {
		return incomplete(err)
	}
	return err
}
