package main

import (
	"context"
	"errors"
	"os"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

func (a *app) exportCommand() *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write tenants.json, and keep it current from then on",
		ArgsUsage: "[-]",
		Description: "Without --path it is .systemprompt/tenants.json (0600), which every later change of\n" +
			"a tenant rewrites. --path makes a copy elsewhere; - prints it. What another program\n" +
			"did to it is merged first; what is no tenants.json of ours is not overwritten.",
		Flags: []cli.Flag{
			stringFlag("path", "write a copy to `FILE` instead"),
			boolFlag("check", "write nothing; exit 4 if the file is not what it would be"),
			boolFlag("drop-unknown", "leave out what the documented record does not define (copies only)"),
			boolFlag("force", "overwrite what somebody else wrote"),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			toStdout, err := exportsToStdout(cmd)
			if err != nil {
				return err
			}
			if toStdout {
				return a.printExport(ctx, cmd.Bool("drop-unknown"))
			}
			return a.export(ctx, cmd)
		},
	}
}

func (a *app) export(ctx context.Context, cmd *cli.Command) error {
	dir, err := a.project()
	if err != nil {
		return err
	}
	copied, err := a.copyOf(cmd, dir)
	if err != nil {
		return err
	}
	if cmd.Bool("check") {
		return a.checkExport(ctx, dir, copied)
	}
	if copied != nil {
		if err := a.prepareCopy(ctx, *copied); err != nil {
			return err
		}
		if err := a.changeIn(ctx, dir, workspace.Change{Copy: copied, Commit: nothing}); err != nil {
			return err
		}
		return a.answerExport(copied.Path, false)
	}
	first, settled, err := a.findExport(ctx, cmd.Bool("force"))
	if err != nil {
		return err
	}
	if first { // git is asked before the file is there for the first time
		err = a.hideSecrets(ctx, dir)
	}
	if err == nil && cmd.Bool("force") {
		err = a.refuseCorrupt(dir)
	}
	if err == nil && !settled {
		err = a.changeIn(ctx, dir, workspace.Change{Tenants: true, Wanted: true, Force: cmd.Bool("force"), Commit: nothing})
	}
	if err != nil {
		return err
	}
	return a.answerExport(dir.Tenants(), false)
}

// nothing is a change of nothing, which the files follow.
func nothing(context.Context, *registry.Registry) error { return nil }

// findExport finds out, in one look, whether the registry knows the file yet and whether
// there is nothing to do, in the small files either.
func (a *app) findExport(ctx context.Context, force bool) (first, settled bool, err error) {
	dir, err := a.project()
	if err != nil {
		return false, false, err
	}
	w, err := a.workspace(dir)
	if err != nil {
		return false, false, err
	}
	err = w.Read(ctx, func(view *registry.View) error {
		file, err := view.File(ctx, workspace.TrackedName)
		if err != nil || file == nil {
			first = true
			return err
		}
		settled, err = w.IsSettled(ctx, view, force)
		return err
	})
	return first, settled, err
}

// refuseCorrupt keeps even --force from overwriting a tracked file that can't be read:
// what is in it, nobody knows.
func (a *app) refuseCorrupt(dir project.Dir) error {
	path := dir.Tenants()
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil
	}
	source, err := a.openSource(&path)
	if err != nil {
		return err
	}
	defer source.close()
	if _, err = source.Read(func(registry.Tenant) error { return nil }); errors.Is(err, exporter.ErrRefused) {
		err = withHint(err, "sp import --set-aside moves it away")
	}
	return err
}

func (a *app) answerExport(path string, checked bool) error {
	answer := map[string]any{"path": path}
	if checked {
		answer["current"] = true
	} else {
		a.note("%s is current", path)
	}
	if a.json {
		return a.document(answer)
	}
	return nil
}

// copyOf is the copy that the flags ask for, nil for the file that follows the registry.
func (a *app) copyOf(cmd *cli.Command, dir project.Dir) (*workspace.Publisher, error) {
	documented := cmd.Bool("drop-unknown")
	path := dir.Tenants()
	if cmd.IsSet("path") {
		if err := checkFileWord("--path", cmd.String("path")); err != nil {
			return nil, err
		}
		var err error
		if path, err = a.resolved(cmd.String("path")); err != nil {
			return nil, err
		}
	}
	if path == dir.Tenants() {
		if documented {
			return nil, withHint(usage("--drop-unknown: not for the file that follows the registry"), "--path FILE writes a copy")
		}
		return nil, nil
	}
	p := workspace.Publisher{
		Path: path, Name: path, Registry: dir.Path(), Wanted: true, Force: cmd.Bool("force"), Documented: documented, Watch: a.watchWriting,
	}
	return &p, a.checkOutside(dir, path, "a copy")
}

// outdatedError is what --check finds: who is behind it is not known.
type outdatedError struct{ path string }

func (e *outdatedError) Error() string { return e.path + ": it is not what sp export would write" }

func (e *outdatedError) Unwrap() error { return registry.ErrConflict }

func (a *app) checkExport(ctx context.Context, dir project.Dir, copied *workspace.Publisher) error {
	p := tracked(dir)
	if copied != nil {
		p = *copied
	}
	p.Watch = a.watchWriting
	return a.read(ctx, func(_ project.Dir, view *registry.View) error {
		current, err := p.IsCurrent(ctx, view)
		if err != nil {
			return err
		}
		if !current {
			return withHint(&outdatedError{path: p.Path}, "sp status tells how it stands")
		}
		return a.answerExport(p.Path, true)
	})
}

// tracked is the publisher of the file that follows the registry.
func tracked(dir project.Dir) workspace.Publisher {
	return workspace.Publisher{Path: dir.Tenants(), Name: workspace.TrackedName}
}
