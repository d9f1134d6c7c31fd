package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

// importsOwn tells whether an import is of the file that follows the registry, and is to
// merge what another program did to it, or to set it aside: nil if not.
func (a *app) importsOwn(ctx context.Context, cmd *cli.Command, what importing) (*workspace.Change, error) {
	settle, err := a.settlement(cmd)
	if err != nil {
		return nil, err
	}
	path, err := a.sourcePath(what.ref)
	if err != nil {
		return nil, err
	}
	setAside := cmd.Bool("set-aside")
	wanted := settle != registry.Nobody || setAside
	dir, err := a.newProject()
	if err != nil || path != dir.Tenants() || !hasRegistry(dir) {
		another := !what.own && (err != nil || path != dir.Tenants())
		if isNew := err != nil || !hasRegistry(dir); wanted && !(settle == registry.Nobody && isNew && another) {
			return nil, usage("--theirs, --ours, --set-aside: only for the tenants.json that follows a registry")
		}
		return nil, nil // what is wrong is for the import to say
	}
	c := a.importChange(dir, what, nil)
	c.Tenants, c.Wanted, c.Settle, c.Purge, c.SetAside = true, true, settle, cmd.Bool("purge"), setAside
	if setAside {
		return &c, nil
	}
	standing, err := a.standingOf(ctx, tracked(dir))
	switch {
	case err != nil:
		return nil, err
	case standing == workspace.Untracked && wanted && !exists(dir.Tenants()):
		c.Wanted = false // there is an index of sessions to settle, perhaps
		return &c, nil
	case standing == workspace.Untracked && settle == registry.Theirs:
		return nil, nil // it is merged, whether git tracks it or not
	case standing == workspace.Untracked && settle == registry.Ours:
		return &c, nil
	case wanted, standing == workspace.Changed && !rulesItself(cmd):
		return &c, nil
	}
	return nil, nil
}

// settlement is who is right, by the flags.
func (a *app) settlement(cmd *cli.Command) (registry.Side, error) {
	theirs, ours, aside := cmd.Bool("theirs"), cmd.Bool("ours"), cmd.Bool("set-aside")
	switch {
	case theirs && ours, aside && (theirs || ours):
		return registry.Nobody, usage("--theirs, --ours, --set-aside: one of them")
	case aside && a.noExport:
		return registry.Nobody, usage("--set-aside: not with --no-export; the registry's file takes its place")
	case (theirs || ours || aside) && rulesItself(cmd):
		return registry.Nobody, usage("--theirs, --ours, --set-aside: not with --prune, --exact or --duplicates")
	case theirs:
		return registry.Theirs, nil
	case ours:
		return registry.Ours, nil
	}
	return registry.Nobody, nil
}

// rulesItself tells whether the flags say what the file means, whatever was before.
func rulesItself(cmd *cli.Command) bool {
	return cmd.Bool("prune") || cmd.Bool("exact") || cmd.IsSet("duplicates")
}

func (a *app) standingOf(ctx context.Context, p workspace.Publisher) (standing workspace.Standing, err error) {
	err = a.read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		standing, err = p.Standing(ctx, view)
		if errors.Is(err, place.ErrUnsafe) {
			standing, err = unsafe, nil
		}
		return err
	})
	return standing, err
}

// importOwn merges what another program did to the tracked file, and then imports what is
// beside that.
func (a *app) importOwn(ctx context.Context, cmd *cli.Command, c workspace.Change, what importing) error {
	var request registry.Import
	what.complete(&request)
	dir, err := a.project()
	if err != nil {
		return err
	}
	if cmd.Bool("dry-run") {
		if c.SetAside {
			return usage("--set-aside: not with --dry-run")
		}
		plan, done, err := a.planImport(ctx, dir, request, workspace.Change{Tenants: true, Defer: true, Settle: c.Settle, Purge: c.Purge})
		if err != nil {
			return err
		}
		return a.answerPlan(merged(plan, done), what.left()...)
	}
	if err := a.hideSecrets(ctx, dir); err != nil {
		return err
	}
	var plan registry.Plan
	c.Commit = func(ctx context.Context, reg *registry.Registry) (err error) {
		plan, err = reg.ImportTenants(ctx, request)
		return err
	}
	if err = a.changeIn(ctx, dir, c); !made(err) {
		return err
	}
	a.noteLines(linesOf(plan, what.left()))
	if a.done.Merged == nil && !c.SetAside && c.Wanted {
		a.note("no other program changed %s", dir.Tenants())
	}
	if a.json {
		err = cmp.Or(err, a.document(planOf(merged(plan, a.done), what.left()...)))
	}
	return err
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
func (a *app) mayTake(ctx context.Context, dir project.Dir, path string, settled registry.Side) (bool, error) {
	w := workspace.Workspace{Dir: dir, Git: a.git}
	taken, err := w.MayTake(ctx, path, settled)
	return taken, a.adviseChange(ctx, &w, workspace.Change{}, err)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
