package files

import (
	"context"
	"errors"
	"slices"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// mergesOwn tells whether an import is of the file that follows the registry, and is to
// merge what another program did to it, or to set it aside: nil if not.
func (i *importer) mergesOwn(ctx context.Context) (*workspace.Change, error) {
	path, err := sourcePath(i.Task, i.ref)
	if err != nil {
		return nil, err
	}
	setAside := i.Bool("set-aside")
	wanted := i.settled != registry.Nobody || setAside
	dir, err := i.NewProject()
	if err != nil || path != dir.Tenants() || !task.HasRegistry(dir) {
		another := !i.own && (err != nil || path != dir.Tenants())
		if isNew := err != nil || !task.HasRegistry(dir); wanted && !(i.settled == registry.Nobody && isNew && another) {
			return nil, cli.Usage("--theirs, --ours, --set-aside: only for the tenants.json that follows a registry")
		}
		return nil, nil // what is wrong is for the import to say
	}
	c := i.change(dir, nil)
	c.Tenants, c.Wanted, c.Settle, c.Purge, c.SetAside = true, true, i.settled, i.Bool("purge"), setAside
	if setAside {
		return &c, nil
	}
	standing, err := i.standing(ctx, dir)
	switch {
	case err != nil:
		return nil, err
	case standing == workspace.Untracked && wanted && !task.Exists(dir.Tenants()):
		c.Wanted = false // there is an index of sessions to settle, perhaps
		return &c, nil
	case standing == workspace.Untracked && i.settled == registry.Theirs:
		return nil, nil // it is merged, whether git tracks it or not
	case standing == workspace.Untracked && i.settled == registry.Ours:
		return &c, nil
	case wanted, standing == workspace.Changed && !rulesItself(i.Task):
		return &c, nil
	}
	return nil, nil
}

// settlement is who is right, by the flags.
func settlement(t *task.Task) (registry.Side, error) {
	theirs, ours, aside := t.Bool("theirs"), t.Bool("ours"), t.Bool("set-aside")
	switch {
	case theirs && ours, aside && (theirs || ours):
		return registry.Nobody, cli.Usage("--theirs, --ours, --set-aside: one of them")
	case aside && t.Defers():
		return registry.Nobody, cli.Usage("--set-aside: not with --no-export; the registry's file takes its place")
	case (theirs || ours || aside) && rulesItself(t):
		return registry.Nobody, cli.Usage("--theirs, --ours, --set-aside: not with --prune, --exact or --duplicates")
	case theirs:
		return registry.Theirs, nil
	case ours:
		return registry.Ours, nil
	}
	return registry.Nobody, nil
}

// rulesItself tells whether the flags say what the file means, whatever was before.
func rulesItself(t *task.Task) bool {
	return t.Bool("prune") || t.Bool("exact") || t.IsSet("duplicates")
}

// standing is how the file that follows stands to the registry; nothing where what is there is no file.
func (i *importer) standing(ctx context.Context, dir project.Dir) (standing workspace.Standing, err error) {
	err = i.Read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		standing, err = tracked(dir).Standing(ctx, view)
		if errors.Is(err, place.ErrUnsafe) {
			standing, err = "", nil // the import says so
		}
		return err
	})
	return standing, err
}

// mergeOwn merges what another program did to the tracked file, and then imports what is
// beside that.
func (i *importer) mergeOwn(ctx context.Context, c workspace.Change) (cli.Answer, error) {
	var request registry.Import
	i.complete(&request)
	dir, err := i.Project()
	if err != nil {
		return cli.Answer{}, err
	}
	if i.Bool("dry-run") {
		return i.tryOwn(ctx, dir, request, c)
	}
	if err := i.HideSecrets(ctx, dir); err != nil {
		return cli.Answer{}, err
	}
	var plan registry.Plan
	c.Commit = importing(request, &plan)
	if err = i.ChangeIn(ctx, dir, c); !task.Made(err) {
		return cli.Answer{}, err
	}
	i.NoteLines(task.LinesOf(plan, i.left()))
	if i.Done.Merged == nil && !c.SetAside && c.Wanted {
		i.Note("no other program changed %s", dir.Tenants())
	}
	return cli.Answer{Value: i.planOf(ctx, merged(plan, i.Done))}, err
}

// tryOwn shows what that would do.
func (i *importer) tryOwn(ctx context.Context, dir project.Dir, request registry.Import, c workspace.Change) (cli.Answer, error) {
	if c.SetAside {
		return cli.Answer{}, cli.Usage("--set-aside: not with --dry-run")
	}
	plan, done, err := i.plan(ctx, dir, request, workspace.Change{Tenants: true, Defer: true, Settle: c.Settle, Purge: c.Purge})
	return i.answerPlan(ctx, merged(plan, done)), err
}

// merged is the plan of what was merged, with what was imported beside it.
func merged(beside registry.Plan, done workspace.Done) registry.Plan {
	if done.Merged == nil {
		return beside
	}
	plan := *done.Merged
	plan.Profiles, plan.Sessions = beside.Profiles, slices.Concat(done.Sessions, beside.Sessions)
	return plan
}

// mayTake tells whether what another program did to a file is taken over.
func (i *importer) mayTake(ctx context.Context, dir project.Dir, path string) (bool, error) {
	w := workspace.Workspace{Dir: dir, Git: i.Git}
	taken, err := w.MayTake(ctx, path, i.settled)
	return taken, i.AdviseChange(ctx, &w, workspace.Change{}, err)
}
