package main

import (
	"context"
	"errors"
	"os"

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
	publisher, err := a.publisherOf(cmd, dir)
	if err != nil {
		return err
	}
	a.small.Wanted, a.small.Force = publisher.Name == workspace.TrackedName, publisher.Force && publisher.Name == workspace.TrackedName
	first, settled, err := a.findExport(ctx, publisher)
	switch {
	case err != nil:
		return err
	case settled:
		return a.answerExport(publisher, cmd.Bool("check"))
	}
	return a.untilTold(ctx, func(ctx context.Context) error {
		switch {
		case cmd.Bool("check"):
			return a.checkExport(ctx, publisher)
		case publisher.Name != workspace.TrackedName:
			err = a.prepareCopy(ctx, publisher)
		case first: // git is asked before the file is there for the first time
			err = a.hideSecrets(ctx, dir)
		}
		if err == nil {
			err = a.refuseCorrupt(publisher)
		}
		if err != nil {
			return err
		}
		return a.writeExport(ctx, dir, publisher)
	})
}

// findExport finds out, in one look and without reading the file, whether the
// registry knows it yet and whether there is nothing to do, in the small files either.
func (a *app) findExport(ctx context.Context, p workspace.Publisher) (first, settled bool, err error) {
	err = a.read(ctx, func(dir project.Dir, view *registry.View) error {
		file, err := view.File(ctx, p.Name)
		if err != nil || file == nil {
			first = true
			return err
		}
		if settled, err = p.IsSettled(ctx, view); err == nil && settled && a.small.Wanted {
			settled, err = a.smallSettled(ctx, dir, view)
		}
		return err
	})
	return first, settled, err
}

// refuseCorrupt keeps even --force from overwriting a tracked file that can't be read:
// what is in it, nobody knows.
func (a *app) refuseCorrupt(p workspace.Publisher) error {
	info, err := os.Stat(p.Path)
	if !p.Force || p.Name != workspace.TrackedName || err != nil || info.Size() == 0 {
		return nil
	}
	source, err := a.openSource(&p.Path)
	if err != nil {
		return err
	}
	defer source.close()
	if _, err = source.read(func(registry.Tenant) error { return nil }); errors.Is(err, errFile) {
		err = withHint(err, "sp import --set-aside moves it away")
	}
	return err
}

func (a *app) writeExport(ctx context.Context, dir project.Dir, p workspace.Publisher) error {
	files := following{publish: a.warnOfExposure(p)}
	if p.Name == workspace.TrackedName && !p.Force {
		files = a.over(&merging{publisher: p})
	}
	return a.changeIn(ctx, dir, registry.Open, files, func(ctx context.Context, reg *registry.Registry) error {
		if err := reg.Publish(ctx); err != nil {
			return err
		}
		return a.answerExport(p, false)
	})
}

func (a *app) answerExport(p workspace.Publisher, checked bool) error {
	answer := map[string]any{"path": p.Path}
	if checked {
		answer["current"] = true
	} else {
		a.note("%s is current", p.Path)
	}
	if a.json {
		return a.document(answer)
	}
	return nil
}

// publisherOf is the publisher of the file that the flags name.
func (a *app) publisherOf(cmd *cli.Command, dir project.Dir) (workspace.Publisher, error) {
	p := tracked(dir)
	if cmd.IsSet("path") {
		if err := checkFileWord("--path", cmd.String("path")); err != nil {
			return p, err
		}
		path, err := a.resolved(cmd.String("path"))
		if err != nil {
			return p, err
		}
		if path != p.Path {
			p = workspace.Publisher{Path: path, Name: path, Registry: dir.Path()}
			if err := a.checkOutside(dir, path, "a copy"); err != nil {
				return p, err
			}
		}
	}
	p.Wanted, p.Force, p.Documented = true, cmd.Bool("force"), cmd.Bool("drop-unknown")
	if p.Documented && p.Name == workspace.TrackedName {
		return p, withHint(usage("--drop-unknown: not for the file that follows the registry"), "--path FILE writes a copy")
	}
	return p, nil
}

// outdatedError is what --check finds: who is behind it is not known.
type outdatedError struct{ path string }

func (e *outdatedError) Error() string { return e.path + ": it is not what sp export would write" }

func (e *outdatedError) Unwrap() error { return registry.ErrConflict }

func (a *app) checkExport(ctx context.Context, p workspace.Publisher) error {
	p.Watch = a.watchWriting
	return a.read(ctx, func(_ project.Dir, view *registry.View) error {
		current, err := p.IsCurrent(ctx, view)
		if err != nil {
			return err
		}
		if !current {
			return withHint(&outdatedError{path: p.Path}, "sp status tells how it stands")
		}
		return a.answerExport(p, true)
	})
}
