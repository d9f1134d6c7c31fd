package main

import (
	"context"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) initCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "make a registry in this directory's .systemprompt",
		Description: "Makes .systemprompt (0700) with an empty registry and a .gitignore that keeps\n" +
			"its secrets out of git. What is there already stays as it is.",
		Action: func(ctx context.Context, _ *cli.Command) error { return a.init(ctx) },
	}
}

// init makes the directory here or where it was named, even inside another
// project: who says init means this place.
func (a *app) init(ctx context.Context) error {
	dir, err := a.makeProjectHere()
	if err != nil {
		return err
	}
	if err := a.hideSecrets(ctx, dir); err != nil {
		return err
	}
	if !hasRegistry(dir) {
		a.tellOfExport(dir)
	}
	options, err := a.options(nil)
	if err != nil {
		return err
	}
	reg, err := registry.Create(ctx, dir.Registry(), options)
	if err != nil {
		return err
	}
	view, err := reg.View(ctx) // whether it can be used is part of the answer
	if err != nil {
		return err
	}
	view.Close()
	a.changed = true
	if a.json {
		err = a.document(map[string]string{"directory": dir.Path()})
	} else {
		err = a.line(dir.Path())
	}
	if closed := reg.Close(); err == nil {
		err = closed
	}
	return err
}
