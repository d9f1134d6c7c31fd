package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) initCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "make a registry in this directory's .systemprompt",
		Description: "Makes .systemprompt (0700) with an empty registry and a .gitignore that keeps\n" +
			"its secrets out of git. What is there already stays as it is.",
		Flags: []cli.Flag{setAsideFlag()},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.untilTold(ctx, func(ctx context.Context) error { return a.init(ctx, existingBy(cmd)) })
		},
	}
}

// init makes the directory here or where it was named, even inside another
// project: who says init means this place.
func (a *app) init(ctx context.Context, files existingFiles) error {
	dir, err := a.makeProjectHere(files)
	if err != nil {
		return err
	}
	return a.unlessMade(dir, a.initIn(ctx, dir))
}

func (a *app) initIn(ctx context.Context, dir project.Dir) error {
	if err := a.hideSecrets(ctx, dir); err != nil {
		return err
	}
	options, err := a.options(dir)
	if err != nil {
		return err
	}
	a.done.Made, err = makeRegistry(ctx, dir, options)
	switch {
	case err != nil && a.done.Made:
		return withHint(fmt.Errorf("%w: %w", registry.ErrIncomplete, db.Explain(err)), "sp init, again, tells whether it can be used")
	case err != nil:
		return err
	case a.json:
		return a.document(map[string]string{"directory": dir.Path()})
	}
	return a.line(dir.Path())
}

// makeRegistry makes the registry where it is missing, and looks whether it can be used.
func makeRegistry(ctx context.Context, dir project.Dir, options registry.Options) (made bool, err error) {
	reg, made, err := registry.Create(ctx, dir.Registry(), options)
	if err != nil {
		return made, err
	}
	view, err := reg.View(context.WithoutCancel(ctx)) // a signal comes too late now
	if err == nil {
		view.Close()
	}
	return made, errors.Join(err, reg.Close())
}
