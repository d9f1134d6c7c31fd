package workspace

import (
	"context"
	"errors"
	"path"
	"path/filepath"
	"slices"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// FilesOf returns a directory as package follow reads it.
func FilesOf(dir project.Dir) follow.Directory {
	return follow.Directory{Path: dir.Path(), Read: dir.ReadFile, Has: dir.Has}
}

// renderSmall renders the small files that a change concerns, and sweeps what killed
// commands left outside of the directory.
func (w *Workspace) renderSmall(ctx context.Context, view *registry.View, c Change, found *findings, done *Done) (Publication, error) {
	next, err := follow.Decide(ctx, FilesOf(w.Dir), view, w.following(ctx, c, found))
	var changed *follow.ChangedError
	if errors.As(err, &changed) && changed.Path == w.Dir.Full(follow.IndexPath) && found.trouble != nil {
		err = found.trouble
	}
	if err != nil {
		return Publication{}, err
	}
	done.Left, done.Kept = append(done.Left, next.Left...), append(done.Kept, next.Kept...)
	for _, k := range found.keptSmall {
		if inside, err := filepath.Rel(w.Dir.Path(), k.name); err == nil && slices.Contains(next.Merged, filepath.ToSlash(inside)) {
			found.merged = append(found.merged, k)
		}
	}
	if err := w.keepProfilesHidden(ctx, next, done); err != nil {
		return Publication{}, err
	}
	staged, err := w.stage(found.names, next)
	if err != nil {
		return Publication{}, err
	}
	swept, err := w.sweep(ctx, found.names, view)
	if err != nil {
		return Publication{}, errors.Join(err, staged.Discard())
	}
	return swept.and(Publication{
		Following: next.Files, Forgotten: next.Forgotten, Place: staged.Place, Discard: staged.Discard,
	}), nil
}

// following is how a change deals with what other programs wrote into small files.
func (w *Workspace) following(ctx context.Context, c Change, found *findings) follow.Options {
	taken := found.index
	if c.Imported.Index != "" {
		taken = c.Imported.Index
	}
	return follow.Options{
		Now: w.Registry.Now(), Taken: taken, Refused: found.refused, Force: c.Force && c.Copy == nil, Wanted: c.Wanted && c.Copy == nil, Keep: c.Keep, Defer: c.Defer,
		Configurations: c.Configurations, Edits: c.Edits, Aside: found.small,
		MayTake: func(path string) (bool, error) { return w.MayTake(ctx, w.Dir.Full(path), c.Settle) },
	}
}

// sweep removes what killed commands left, but of tenants.json.
func (w *Workspace) sweep(ctx context.Context, names place.Names, view *registry.View) (Publication, error) {
	small, err := SweepSmall(ctx, names, w.Dir.Path(), view, w.mayKeep(ctx))
	if err != nil {
		return small, err
	}
	outside, err := SweepOutside(ctx, names, w.Dir.Path(), view)
	return small.and(outside), err
}

// SweepSmall returns a publication that writes nothing and cleans up after commands that were
// killed between replacing a small file in dir and looking at the old one. sp's own files are
// removed; another program's are kept and reported when the change is made.
func SweepSmall(ctx context.Context, names place.Names, dir string, view *registry.View, mayKeep func(string) error) (Publication, error) {
	due, err := view.DueFiles(ctx)
	if err != nil {
		return Publication{}, err
	}
	var all []string
	var told error
	for _, file := range due {
		left, kept, err := place.Recover(names, filepath.Join(dir, filepath.FromSlash(file.Path)), mayKeep, file.Previous, file.Current)
		if err != nil {
			continue // as what is wrong there is for those to say that use it
		}
		all, told = append(all, left...), errors.Join(told, kept)
	}
	publication := sweep(all)
	sweepAll := publication.Place
	publication.Place = func() error { return errors.Join(sweepAll(), told) }
	return publication, nil
}

func (w *Workspace) stage(names place.Names, next follow.Decision) (*place.Staged, error) {
	var moves []place.Move
	for _, m := range next.Moves {
		moves = append(moves, place.Move{From: w.Dir.Full(m.From), To: w.Dir.Full(m.To)})
	}
	var puts []place.Change
	for _, c := range next.Changes {
		puts = append(puts, place.Change{Path: w.Dir.Full(c.Path), Text: c.Text, Expected: c.Expected, Shared: c.Shared})
	}
	return place.Stage(names, w.Dir.Path(), moves, puts)
}

// IsSettled reports, without a change, that an export has nothing to write: tenants.json and the
// small files are current. If it returns false, they may still be current.
func (w *Workspace) IsSettled(ctx context.Context, view *registry.View, force bool) (bool, error) {
	settled, err := w.tracked().IsSettled(ctx, view)
	if err != nil || !settled {
		return false, err
	}
	found := &findings{change: Change{Wanted: true, Force: force}}
	if err := w.lookAtKept(ctx, view, found); err != nil || len(found.small) > 0 {
		return false, err
	}
	next, err := follow.Decide(ctx, FilesOf(w.Dir), view, w.following(ctx, found.change, found))
	if errors.Is(err, registry.ErrConflict) {
		return false, nil // the change says so
	}
	return len(next.Moves)+len(next.Changes) == 0, err
}

// ignoreName is what the registry remembers .gitignore and info/exclude by.
const ignoreName = ".gitignore"

// keepHidden makes sure, before a change writes anything, that it stays out of git. What
// is to be remembered of the files that see to that is returned, nil for nothing new: a
// later change that finds them as they were need not read them.
func (w *Workspace) keepHidden(ctx context.Context, view *registry.View, done *Done) ([]registry.File, error) {
	known, err := view.File(ctx, ignoreName)
	stamp, changed := w.Dir.IgnoreStamp()
	if err != nil || known != nil && known.Current == stamp && stamp != "" {
		return nil, err
	}
	completed, certain, err := w.Dir.KeepIgnored(ctx, w.Git())
	done.Hidden = append(done.Hidden, completed...)
	if err != nil || !certain || stamp == "" || len(completed) > 0 || !changed.Before(view.Since()) {
		return nil, err
	}
	return []registry.File{{Path: ignoreName, Current: stamp}}, nil
}

// keepProfilesHidden makes sure that the secrets.json that a change makes or moves do.
func (w *Workspace) keepProfilesHidden(ctx context.Context, next follow.Decision, done *Done) error {
	var profiles []string
	for _, m := range next.Moves {
		profiles = append(profiles, path.Base(m.From), path.Base(m.To))
	}
	for _, c := range next.Changes {
		if path.Base(c.Path) == "secrets.json" && c.Text != nil {
			profiles = append(profiles, path.Base(path.Dir(c.Path)))
		}
	}
	completed, err := w.Dir.KeepProfilesIgnored(ctx, w.Git, profiles)
	done.Hidden = append(done.Hidden, completed...)
	return err
}
