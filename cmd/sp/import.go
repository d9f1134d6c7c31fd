package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
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
				return a.importOwn(ctx, cmd, own, what)
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
		DryRun:         cmd.Bool("dry-run"),
		Purge:          cmd.Bool("purge"),
	}
	if source != nil {
		defer source.close()
		source.watch = a.watchReading
		request.Read, request.Hash = source.read, source.sum
	}
	what.complete(&request)
	if request.DryRun {
		return a.tryImport(ctx, request, what)
	}
	a.small.Keep = true
	if what.own && what.contents != nil {
		a.small.Taken, a.sessions.imported = what.contents.IndexHash, what.contents.IndexHash != ""
	}
	files := standingBy(cmd)
	// Where there is no registry, the file is checked before one is made for it.
	dir, err := a.newProject()
	if what.own || err == nil && source != nil && source.path == dir.Tenants() {
		files = imported
	}
	if err != nil || !hasRegistry(dir) {
		if _, err := registry.PlanNew(request); err != nil {
			return err
		}
	} else if source != nil && source.path == dir.Tenants() { // which sp has not written
		side, _ := a.settlement(cmd)
		if _, err := a.mayTake(ctx, source.path, side); err != nil {
			return err
		}
	}
	return a.untilTold(ctx, func(ctx context.Context) error {
		dir, err := a.makeProject(files)
		if err != nil {
			return err
		}
		if err = a.hideSecrets(ctx, dir); err == nil {
			err = a.changeIn(ctx, dir, registry.Create, a.followImport(dir, source), func(ctx context.Context, reg *registry.Registry) error {
				return a.importInto(ctx, cmd, reg, request, what)
			})
		}
		return a.unlessMade(dir, err)
	})
}

// followImport writes the tracked file with an import. The file may be the very one
// that is imported: then what was read of it, and no other content, may be replaced.
func (a *app) followImport(dir project.Dir, source *source) following {
	publisher := tracked(dir)
	if source == nil || source.path != publisher.Path {
		return a.follow(publisher)
	}
	return following{publish: func(ctx context.Context, view *registry.View) (registry.Publication, error) {
		publisher.Wanted, publisher.Read = true, source.hash
		return a.followOnly(publisher).publish(ctx, view)
	}}
}

// importInto imports and reports. Where tenants would be removed, it asks first,
// and then takes no other registry than the one that was asked about.
func (a *app) importInto(ctx context.Context, cmd *cli.Command, reg *registry.Registry, request registry.Import, what importing) error {
	if request.Prune && !cmd.Bool("yes") {
		trial := request
		trial.DryRun = true
		plan, err := reg.ImportTenants(ctx, trial)
		if err != nil {
			return err
		}
		if plan.Removed > 0 {
			a.noteSteps(plan)
			if err := a.confirm(ctx, cmd, fmt.Sprintf("remove %d tenants that the file lacks?", plan.Removed)); err != nil {
				return err
			}
			request.IfRevision = &plan.Revision
		}
	}
	plan, err := reg.ImportTenants(ctx, request)
	if !made(err) {
		return err
	}
	a.notePlan(plan, what.left()...)
	if plan.Removed > 0 {
		err = errors.Join(err, afterwards(a.tellOrphans(ctx, reg)))
	}
	if a.json {
		err = cmp.Or(err, a.document(planOf(plan, what.left()...)))
	}
	return err
}

// tryImport shows the plan: it imports and takes that back, or goes by the file
// alone where there is no registry.
func (a *app) tryImport(ctx context.Context, request registry.Import, what importing) error {
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
	var plan registry.Plan
	if err := a.try(ctx, dir, func(ctx context.Context, reg *registry.Registry) error {
		plan, err = reg.ImportTenants(ctx, request)
		return err
	}); err != nil {
		return err
	}
	return a.answerPlan(plan, what.left()...)
}

// try runs fn, which takes back what it changes; no file follows it.
func (a *app) try(ctx context.Context, dir project.Dir, fn func(context.Context, *registry.Registry) error) error {
	options, err := a.options(dir, nil)
	if err != nil {
		return err
	}
	ctx, stop := a.untilSignal(ctx)
	defer stop()
	reg, err := registry.Open(ctx, dir.Registry(), options)
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, reg), reg.Close())
}
