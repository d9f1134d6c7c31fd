package main

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

// importsOwn tells whether an import is of the file that follows the registry, and is to
// merge what another program did to it, or to set it aside: nil if not.
func (a *app) importsOwn(ctx context.Context, cmd *cli.Command, what importing) (*merging, error) {
	settle, err := a.settlement(cmd)
	if err != nil {
		return nil, err
	}
	path, err := a.sourcePath(what.ref)
	if err != nil {
		return nil, err
	}
	wanted := settle != registry.Nobody || cmd.Bool("set-aside")
	dir, err := a.newProject()
	if err != nil || path != dir.Tenants() || !hasRegistry(dir) {
		another := !what.own && (err != nil || path != dir.Tenants())
		if isNew := err != nil || !hasRegistry(dir); wanted && !(settle == registry.Nobody && isNew && another) {
			return nil, usage("--theirs, --ours, --set-aside: only for the tenants.json that follows a registry")
		}
		return nil, nil // what is wrong is for the import to say
	}
	b := &merging{
		publisher: tracked(dir), settle: settle, purge: cmd.Bool("purge"), setAside: cmd.Bool("set-aside"), noExport: a.noExport,
	}
	b.publisher.Wanted = true
	if b.setAside {
		return b, nil
	}
	standing, err := a.standingOf(ctx, b.publisher)
	switch {
	case err != nil:
		return nil, err
	case standing == workspace.Untracked && wanted && !exists(dir.Tenants()):
		b.publisher.Wanted = false // there is an index of sessions to settle, perhaps
		return b, nil
	case standing == workspace.Untracked && settle == registry.Theirs:
		return nil, nil // it is merged, whether git tracks it or not
	case standing == workspace.Untracked && settle == registry.Ours:
		b.publisher.Force = true
		return b, nil
	case wanted, standing == workspace.Changed && !rulesItself(cmd):
		return b, nil
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

// importOwn merges what another program did to the tracked file.
func (a *app) importOwn(ctx context.Context, cmd *cli.Command, b *merging, what importing) error {
	if cmd.Bool("dry-run") {
		return a.tryOwn(ctx, b, what)
	}
	a.small.Keep = true
	return a.untilTold(ctx, func(ctx context.Context) error {
		dir, err := a.makeProject(imported)
		if err != nil {
			return err
		}
		if err := a.hideSecrets(ctx, dir); err != nil {
			return err
		}
		return a.changeIn(ctx, dir, registry.Open, a.over(b), func(ctx context.Context, reg *registry.Registry) error {
			return a.importBeside(ctx, reg, b, what)
		})
	})
}

// importBeside imports what is beside the tracked file, whose own changes are merged
// before that.
func (a *app) importBeside(ctx context.Context, reg *registry.Registry, b *merging, what importing) error {
	var request registry.Import
	what.complete(&request)
	plan, err := reg.ImportTenants(ctx, request)
	if !made(err) {
		return err
	}
	a.noteLines(linesOf(plan, what.left()))
	if b.plan != nil {
		beside := plan
		plan = *b.plan
		plan.Profiles, plan.Sessions = beside.Profiles, append(plan.Sessions, beside.Sessions...)
	} else if !b.setAside && b.publisher.Wanted {
		a.note("no other program changed %s", b.publisher.Path)
	}
	if a.json {
		err = cmp.Or(err, a.document(planOf(plan, what.left()...)))
	}
	return err
}

// tryOwn shows what would be taken over.
func (a *app) tryOwn(ctx context.Context, b *merging, what importing) error {
	if b.setAside {
		return usage("--set-aside: not with --dry-run")
	}
	dir, err := a.project()
	if err != nil {
		return err
	}
	var plan registry.Plan
	err = a.try(ctx, dir, func(ctx context.Context, reg *registry.Registry) error {
		if plan, err = a.tryMerge(ctx, reg, b); err != nil {
			return err
		}
		request := registry.Import{DryRun: true}
		what.complete(&request)
		beside, err := reg.ImportTenants(ctx, request)
		plan.Profiles, plan.Sessions = beside.Profiles, append(plan.Sessions, beside.Sessions...)
		return err
	})
	a.merged = b
	if err = a.endMerge(err); err != nil {
		return err
	}
	return a.answerPlan(plan, what.left()...)
}

func (a *app) tryMerge(ctx context.Context, reg *registry.Registry, b *merging) (plan registry.Plan, err error) {
	view, err := reg.View(ctx)
	if err != nil {
		return plan, err
	}
	merge, err := a.merge(ctx, view, b)
	view.Close()
	if err != nil || merge == nil {
		return plan, err
	}
	merge.DryRun = true
	return reg.TakeOver(ctx, *merge)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
