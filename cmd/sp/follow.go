package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// Files that follow the registry are rendered within a change, and put in place after its
// commit: first tenants.json, which p publishes, then the small ones.

// withSmall publishes what p does, and the small files of the directory.
func (a *app) withSmall(dir project.Dir, p publish) publish {
	return func(ctx context.Context, view *registry.View) (registry.Publication, error) {
		hidden, err := a.keepHidden(ctx, dir, view)
		if err != nil {
			return registry.Publication{}, err
		}
		tenants, err := p(ctx, view)
		if err != nil {
			return tenants, err
		}
		tenants.Files = append(tenants.Files, hidden...)
		small, err := a.publishSmall(ctx, dir, view)
		if err != nil {
			if tenants.Discard != nil {
				err = errors.Join(err, tenants.Discard())
			}
			return registry.Publication{}, err
		}
		return together(tenants, small), nil
	}
}

// publishSmall stages the small files that a change concerns, and sweeps what killed
// commands left outside of the directory.
func (a *app) publishSmall(ctx context.Context, dir project.Dir, view *registry.View) (registry.Publication, error) {
	options := a.small
	options.Now, options.Defer = a.now(), a.noExport
	options.MayTake = func(path string) (bool, error) { return a.mayTake(ctx, dir.Full(path), a.settledFor()) }
	found, err := follow.Decide(ctx, directoryOf(dir), view, options)
	if err != nil {
		return registry.Publication{}, err
	}
	a.left, a.kept = found.Left, found.Kept
	if err := a.keepProfilesHidden(ctx, dir, found); err != nil {
		return registry.Publication{}, err
	}
	staged, err := stage(dir, found)
	if err != nil {
		return registry.Publication{}, err
	}
	return together(staged.SweepOutside(ctx, view), registry.Publication{
		Following: found.Files, Forgotten: found.Forgotten,
		Place: staged.Place, Discard: staged.Discard,
	}), nil
}

func stage(dir project.Dir, found follow.Decision) (*exporter.Staged, error) {
	var moves []exporter.Move
	for _, m := range found.Moves {
		moves = append(moves, exporter.Move{From: dir.Full(m.From), To: dir.Full(m.To)})
	}
	var changes []exporter.Change
	for _, c := range found.Changes {
		changes = append(changes, exporter.Change{Path: dir.Full(c.Path), Text: c.Text, Expected: c.Expected, Shared: c.Shared})
	}
	return exporter.Stage(dir.Path(), moves, changes)
}

// together is one publication of two, the first of which may be empty. What it remembers
// of a file holds.
func together(first, second registry.Publication) registry.Publication {
	if first.Place == nil {
		second.Files = slices.Concat(second.Files, first.Files)
		return second
	}
	return registry.Publication{
		Files: slices.Concat(second.Files, first.Files), Following: second.Following, Forgotten: second.Forgotten,
		Place:   func() error { return errors.Join(first.Place(), second.Place()) },
		Discard: func() error { return errors.Join(first.Discard(), second.Discard()) },
	}
}

// smallSettled tells whether an export has nothing to write into small files.
func (a *app) smallSettled(ctx context.Context, dir project.Dir, view *registry.View) (bool, error) {
	options := a.small
	options.Now = a.now()
	next, err := follow.Decide(ctx, directoryOf(dir), view, options)
	if errors.Is(err, registry.ErrConflict) {
		return false, nil // the change says so
	}
	return len(next.Moves)+len(next.Changes) == 0, err
}

// isSmall tells whether a path is that of a small file of the directory.
func isSmall(dir project.Dir, path string) bool {
	return strings.HasPrefix(path, dir.Full("profiles")+"/") || path == dir.Full(follow.IndexPath)
}

// tellLeft says which files a change has left, because sp has not written them.
func (a *app) tellLeft(dir project.Dir) {
	for _, path := range a.left {
		a.note("%s stays: it is not as sp wrote it", dir.Full(path))
	}
	for _, conflict := range a.kept {
		a.note("%s; it stays as it is (sp export --force writes it)", conflict)
	}
}
