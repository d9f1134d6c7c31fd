package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/registry"
)

// Another program may write tenants.json between two commands of ours. What it did is
// taken over, in a change of its own, by the next command that would write that file.

// following is how files follow a change, and what is taken over of them before it.
type following struct {
	publish publish
	merge   func(context.Context, *registry.View) (*registry.Merge, error)
}

// merging is a file between us and another program, within one command.
type merging struct {
	publisher exporter.Publisher
	settle    registry.Side
	purge     bool
	setAside  bool // what is there can't be read, and may be moved away
	noExport  bool

	source *source        // what the other program wrote, if it did
	plan   *registry.Plan // what was taken of it
}

// follow writes the publisher's file with a change, after taking over what another
// program did to it, or leaves it for --no-export.
func (a *app) follow(p exporter.Publisher) following {
	if a.noExport {
		return following{publish: p.Defer}
	}
	return a.over(&merging{publisher: p})
}

// over follows over a merge, which is told of when the command is done.
func (a *app) over(b *merging) following {
	b.publisher.Look = &exporter.Look{}
	a.merged = b
	return following{
		merge: func(ctx context.Context, view *registry.View) (*registry.Merge, error) {
			return a.merge(ctx, view, b)
		},
		publish: func(ctx context.Context, view *registry.View) (registry.Publication, error) {
			if b.noExport { // the file stays another's, and is merged again when it is written
				return registry.Publication{}, nil
			}
			p := b.publisher
			if b.source != nil {
				p.Read = b.source.hash
			}
			return a.warnOfExposure(p)(ctx, view)
		},
	}
}

// merge tells what is to be taken over before a change: what another program did to the
// tracked file, if it did anything. What can't be looked at is for the export to refuse.
func (a *app) merge(ctx context.Context, view *registry.View, b *merging) (*registry.Merge, error) {
	if b.setAside {
		return nil, a.setAside(ctx, b)
	}
	if b.source != nil { // of an earlier change of this command: what stands there now is ours
		b.source.close()
		b.source = nil
	}
	changed, err := b.publisher.IsChanged(ctx, view)
	if err != nil || !changed {
		return nil, nil
	}
	file, err := view.File(ctx, b.publisher.Name)
	if err != nil {
		return nil, err
	}
	if b.source, err = a.openWritten(ctx, b.publisher.Path); err != nil || b.source == nil {
		return nil, err
	}
	if taken, err := a.mayTake(ctx, b.publisher.Path, b.settle); err != nil || !taken {
		return nil, err
	}
	b.publisher.Wanted = true // what was taken over does not stay there, though nothing else changes
	return &registry.Merge{
		Read: b.source.read, Since: file.TenantsRevision, Written: b.source.written, Settle: b.settle, Purge: b.purge,
		Done: func(p registry.Plan) { b.plan = &p },
	}, nil
}

// endMerge tells what was taken over and what became of the file, and what stopped it.
func (a *app) endMerge(err error) error {
	b := a.merged
	if b == nil {
		return err
	}
	if b.source != nil {
		b.source.close()
	}
	if aside := b.publisher.Aside; aside != "" && made(err) && exists(aside) {
		a.note("%s was corrupt, and is set aside as %s", b.publisher.Path, filepath.Base(aside))
	}
	if b.plan != nil {
		a.note("before that, what another program did to %s was taken over:", b.publisher.Path)
		a.notePlan(*b.plan)
	}
	var conflicts *registry.ConflictsError
	if !errors.As(err, &conflicts) {
		return err
	}
	var lines []string
	for _, c := range conflicts.Conflicts {
		lines = append(lines, c.String())
	}
	if conflicts.Omitted > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", conflicts.Omitted))
	}
	lines = append(lines, "sp import --theirs takes the file's side in that, sp import --ours the registry's; both merge the rest")
	return withHint(fmt.Errorf("%s: %w", b.publisher.Path, err), "%s", strings.Join(lines, "\n"))
}
