package files

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// Import is `sp import`.
func Import() *cli.Command {
	return &cli.Command{
		Name:  "import",
		Usage: "merge a tenants.json into the registry, all or nothing",
		Args:  []cli.Arg{{Name: "PATH", Kind: task.File, Optional: true}},
		Description: "PATH is a file, or - for stdin (default: .systemprompt/tenants.json). sp updates\n" +
			"the tenants that it knows, adds new ones at the end, and removes none. If the\n" +
			"file lacks an optional member, the registry's value stays. A masked URL never\n" +
			"replaces a real one.\n" +
			"Importing .systemprompt/tenants.json itself merges what another program changed\n" +
			"there since sp wrote it, including removals. If both changed the same member,\n" +
			"--theirs or --ours decides.\n\n" +
			"  sp import --dry-run tenants.json",
		Flags: []cli.Flag{
			cli.Bool("dry-run", "show what would change, without changing it"),
			cli.Bool("prune", "remove the tenants that the file lacks"),
			cli.Bool("exact", "clear the optional members that the file lacks"),
			cli.Choice("duplicates", "if two tenants have the same id, take the first", "first"),
			cli.Bool("theirs", "if both changed the same member, take the file's value"),
			cli.Bool("ours", "if both changed the same member, keep the registry's value"),
			cli.Bool("set-aside", "rename a corrupt tenants.json, or files in the way of a new registry"),
			cli.Yes(), task.Purge(), task.NoExport(),
		},
		Run: task.Run(func(ctx context.Context, t *task.Task) (cli.Answer, error) { return (&importer{Task: t}).run(ctx) }),
	}
}

// importer is one import.
type importer struct {
	*task.Task
	subject
	// settled is who is right where another program and sp changed the same.
	settled registry.Side
}

func (i *importer) run(ctx context.Context) (cli.Answer, error) {
	var err error
	if i.settled, err = settlement(i.Task); err != nil {
		return cli.Answer{}, err
	}
	if i.subject, err = i.find(ctx, i.Arg(0)); err != nil {
		return cli.Answer{}, err
	}
	own, err := i.mergesOwn(ctx)
	switch {
	case err != nil:
		return cli.Answer{}, err
	case own != nil:
		return i.mergeOwn(ctx, *own)
	}
	return i.open(ctx)
}

// open opens the file, and imports it. Opening comes first: nothing is made for a file that
// is not there.
func (i *importer) open(ctx context.Context) (answer cli.Answer, err error) {
	source, err := openSource(i.Task, i.ref)
	if errors.Is(err, os.ErrNotExist) && !i.isEmpty() {
		source, err = nil, nil // a directory need not have tenants
	}
	if err != nil {
		return cli.Answer{}, err
	}
	request := registry.Import{
		Prune:          i.Bool("prune"),
		Exact:          i.Bool("exact"),
		FirstDuplicate: i.String("duplicates") == "first",
		Purge:          i.Bool("purge"),
	}
	if source != nil {
		defer source.close()
		request.Read, request.Hash = source.Read, source.Sum
	}
	i.complete(&request)
	if i.Bool("dry-run") {
		return i.try(ctx, request, source)
	}
	err = i.UntilTold(ctx, func(ctx context.Context) (err error) {
		answer, err = i.take(ctx, request, source)
		return err
	})
	return answer, err
}

// take imports what was opened, into a registry that it makes where there is none.
func (i *importer) take(ctx context.Context, request registry.Import, source *source) (cli.Answer, error) {
	found, missing := i.NewProject()
	files := i.Existing()
	if i.own || missing == nil && source.isOwn(found) {
		files = task.Imported
	}
	change := i.change(found, source)
	isNew := missing != nil || !task.HasRegistry(found)
	if !isNew {
		if err := i.clearWay(ctx, found, &request, source, change); err != nil {
			return cli.Answer{}, err
		}
	}
	var plan registry.Plan
	_, err := i.InMade(func() (project.Dir, error) { return i.MakeProject(files) }, func(dir project.Dir) (err error) {
		hide := func(ctx context.Context) error { return i.HideSecrets(ctx, dir) }
		if !isNew {
			err, hide = hide(ctx), func(context.Context) error { return nil }
		}
		if err != nil {
			return err
		}
		change.Create = true
		change.Commit = func(ctx context.Context, reg *registry.Registry) error {
			if err := importing(request, &plan)(ctx, reg); err != nil {
				return err
			}
			return hide(ctx) // of a file that is refused nothing is left
		}
		return i.ChangeIn(ctx, dir, change)
	})
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	i.NotePlan(plan, i.left()...)
	if plan.Removed > 0 {
		err = errors.Join(err, task.Afterwards(i.TellOrphans(ctx)))
	}
	return cli.Answer{Value: i.planOf(ctx, plan)}, err
}

// importing commits an import, and keeps its plan.
func importing(request registry.Import, plan *registry.Plan) func(context.Context, *registry.Registry) error {
	return func(ctx context.Context, reg *registry.Registry) (err error) {
		*plan, err = reg.ImportTenants(ctx, request)
		return err
	}
}

// clearWay refuses what git tracks, unless the user said that it is right, and asks before
// tenants are removed.
func (i *importer) clearWay(ctx context.Context, dir project.Dir, request *registry.Import, source *source, c workspace.Change) error {
	if source.isOwn(dir) {
		if _, err := i.mayTake(ctx, dir, source.path); err != nil {
			return err
		}
	}
	return i.confirmPrune(ctx, dir, request, c)
}

// change is the change that an import makes.
func (i *importer) change(dir project.Dir, source *source) workspace.Change {
	c := workspace.Change{Tenants: !i.Defers(), Defer: i.Defers(), Bulk: true, Keep: true}
	c.Imported.Directory = i.own
	if source.isOwn(dir) {
		c.Imported.Tenants = source.Sum
	}
	switch {
	case i.contents == nil:
	case i.own:
		c.Imported.Index = i.contents.IndexHash
	default:
		c.Configurations = i.contents.Configurations()
	}
	return c
}

// confirmPrune asks before tenants are removed; the import then takes no other registry
// than the one that was asked about.
func (i *importer) confirmPrune(ctx context.Context, dir project.Dir, request *registry.Import, c workspace.Change) error {
	if !request.Prune || i.Bool("yes") {
		return nil
	}
	plan, _, err := i.plan(ctx, dir, *request, c)
	if err != nil || plan.Removed == 0 {
		return err
	}
	i.NoteSteps(plan)
	if err := i.Confirm(ctx, fmt.Sprintf("Remove %s that the file lacks?", cli.Counted(plan.Removed, "tenant"))); err != nil {
		return err
	}
	request.IfRevision = &plan.Revision
	return nil
}

// try shows the plan: it imports and takes that back, or goes by the file alone where there
// is no registry.
func (i *importer) try(ctx context.Context, request registry.Import, source *source) (cli.Answer, error) {
	dir, err := i.NewProject()
	if errors.Is(err, project.ErrNoDirectory) || err == nil && !task.HasRegistry(dir) {
		plan, err := registry.PlanNew(request)
		return i.answerPlan(ctx, plan), err
	}
	if err != nil {
		return cli.Answer{}, err
	}
	plan, done, err := i.plan(ctx, dir, request, i.change(dir, source))
	if err == nil {
		i.TellMerged(dir, done, "would be")
	}
	return i.answerPlan(ctx, plan), err
}

// plan tells what an import would do, and what would be done before it.
func (i *importer) plan(ctx context.Context, dir project.Dir, request registry.Import, c workspace.Change) (plan registry.Plan, done workspace.Done, err error) {
	w, err := i.Workspace(dir)
	if err != nil {
		return plan, done, err
	}
	c.Commit = importing(request, &plan)
	err = i.UntilTold(ctx, func(ctx context.Context) error {
		done, err = w.Try(ctx, c)
		return i.AdviseChange(ctx, w, c, err)
	})
	return plan, done, err
}
