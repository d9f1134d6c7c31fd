package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

func (a *app) importCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "merge a tenants.json into the registry, whole or not at all",
		ArgsUsage: "[PATH]",
		Description: "PATH is .systemprompt/tenants.json unless given; - is stdin. Known tenants are\n" +
			"updated in their place, new ones come last, none is removed. An optional member that\n" +
			"the file lacks stays, and a masked URL never replaces a real one.\n" +
			"Of .systemprompt/tenants.json itself, what another program changed since sp wrote it\n" +
			"is merged with what sp changed, removals too; what both changed is settled by --theirs\n" +
			"or --ours.\n\n" +
			"  sp import --dry-run tenants.json",
		Flags: []cli.Flag{
			boolFlag("dry-run", "show the plan and change nothing (it waits as a change does)"),
			boolFlag("prune", "remove the tenants that the file lacks"),
			boolFlag("exact", "clear the optional members that the file lacks"),
			stringFlag("duplicates", "`first` takes the first of two tenants with one id"),
			boolFlag("theirs", "where another program and sp changed the same, take tenants.json's side"),
			boolFlag("ours", "there, take the registry's side"),
			boolFlag("set-aside", "rename a corrupt tenants.json, or files that stand where a registry is made"),
			yesFlag(), purgeFlag(), a.noExportFlag(),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if d := optional(cmd, "duplicates"); d != nil && *d != "first" {
				return usage("--duplicates: first")
			}
			settled, err := a.settlement(cmd)
			if err != nil {
				return err
			}
			what, err := a.importingOf(ctx, argument(cmd, 0), settled)
			if err != nil {
				return err
			}
			own, err := a.importsOwn(ctx, cmd, what)
			if err != nil {
				return err
			}
			if own != nil {
				return a.importOwn(ctx, cmd, *own, what)
			}
			return a.importAll(ctx, cmd, what)
		},
	}
}

// importAll opens the file and the registry, makes the latter where there is none,
// and imports. Opening the file comes first: nothing is made for one that is not there.
func (a *app) importAll(ctx context.Context, cmd *cli.Command, what importing) error {
	source, err := a.openSource(what.ref)
	if errors.Is(err, os.ErrNotExist) && !what.isEmpty() {
		source, err = nil, nil // a directory need not have tenants
	}
	if err != nil {
		return err
	}
	request := registry.Import{
		Prune:          cmd.Bool("prune"),
		Exact:          cmd.Bool("exact"),
		FirstDuplicate: cmd.String("duplicates") == "first",
		Purge:          cmd.Bool("purge"),
	}
	if source != nil {
		defer source.close()
		request.Read, request.Hash = source.Read, source.Sum
	}
	what.complete(&request)
	if cmd.Bool("dry-run") {
		return a.tryImport(ctx, request, what, source)
	}
	return a.untilTold(ctx, func(ctx context.Context) error { return a.importSource(ctx, cmd, request, what, source) })
}

// importSource imports what was opened.
func (a *app) importSource(ctx context.Context, cmd *cli.Command, request registry.Import, what importing, source *source) error {
	dir, missing := a.newProject()
	own := missing == nil && source.isOwn(dir)
	files := existingBy(cmd)
	if what.own || own {
		files = imported
	}
	change := a.importChange(dir, what, source)
	switch {
	case missing != nil || !hasRegistry(dir): // the file is checked before one is made for it
		if _, err := registry.PlanNew(request); err != nil {
			return err
		}
	case own:
		side, _ := a.settlement(cmd)
		if _, err := a.mayTake(ctx, dir, source.path, side); err != nil {
			return err
		}
		if err := a.confirmPrune(ctx, cmd, dir, &request, change); err != nil {
			return err
		}
	default:
		if err := a.confirmPrune(ctx, cmd, dir, &request, change); err != nil {
			return err
		}
	}
	dir, err := a.makeProject(files)
	if err != nil {
		return err
	}
	var plan registry.Plan
	if err = a.hideSecrets(ctx, dir); err == nil {
		change.Create = true
		change.Commit = func(ctx context.Context, reg *registry.Registry) (err error) {
			plan, err = reg.ImportTenants(ctx, request)
			return err
		}
		err = a.changeIn(ctx, dir, change)
	}
	if !made(err) {
		return a.unlessMade(dir, err)
	}
	a.notePlan(plan, what.left()...)
	if plan.Removed > 0 {
		err = errors.Join(err, afterwards(a.tellOrphans(ctx)))
	}
	if a.json {
		err = cmp.Or(err, a.document(planOf(plan, what.left()...)))
	}
	return err
}

// importChange is the change that an import makes.
func (a *app) importChange(dir project.Dir, what importing, source *source) workspace.Change {
	c := workspace.Change{Tenants: !a.noExport, Defer: a.noExport, Bulk: true, Keep: true}
	c.Imported.Directory = what.own
	if source.isOwn(dir) {
		c.Imported.Tenants = source.Sum
	}
	switch {
	case what.contents == nil:
	case what.own:
		c.Imported.Index = what.contents.IndexHash
	default:
		c.Configurations = what.contents.Configurations()
	}
	return c
}

// confirmPrune asks before tenants are removed; the import then takes no other registry
// than the one that was asked about.
func (a *app) confirmPrune(ctx context.Context, cmd *cli.Command, dir project.Dir, request *registry.Import, c workspace.Change) error {
	if !request.Prune || cmd.Bool("yes") {
		return nil
	}
	plan, _, err := a.planImport(ctx, dir, *request, c)
	if err != nil || plan.Removed == 0 {
		return err
	}
	a.noteSteps(plan)
	if err := a.confirm(ctx, cmd, fmt.Sprintf("remove %d tenants that the file lacks?", plan.Removed)); err != nil {
		return err
	}
	request.IfRevision = &plan.Revision
	return nil
}

// tryImport shows the plan: it imports and takes that back, or goes by the file
// alone where there is no registry.
func (a *app) tryImport(ctx context.Context, request registry.Import, what importing, source *source) error {
	dir, err := a.newProject()
	if errors.Is(err, project.ErrNoDirectory) || err == nil && !hasRegistry(dir) {
		plan, err := registry.PlanNew(request)
		if err != nil {
			return err
		}
		return a.answerPlan(plan, what.left()...)
	}
	if err != nil {
		return err
	}
	plan, done, err := a.planImport(ctx, dir, request, a.importChange(dir, what, source))
	if err != nil {
		return err
	}
	a.tellMerged(dir, done, "would be")
	return a.answerPlan(plan, what.left()...)
}

// planImport tells what an import would do, and what would be done before it.
func (a *app) planImport(ctx context.Context, dir project.Dir, request registry.Import, c workspace.Change) (plan registry.Plan, done workspace.Done, err error) {
	w, err := a.workspace(dir)
	if err != nil {
		return plan, done, err
	}
	ctx, stop := a.untilSignal(ctx)
	defer stop()
	c.Commit = func(ctx context.Context, reg *registry.Registry) (err error) {
		plan, err = reg.ImportTenants(ctx, request)
		return err
	}
	done, err = w.Try(ctx, c)
	return plan, done, a.adviseChange(ctx, w, c, err)
}
