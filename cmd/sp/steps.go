package main

import (
	"context"
	"errors"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// steps runs fn on a registry whose methods are a change each, with the files that follow it.
func (a *app) steps(ctx context.Context, fn func(context.Context, *registry.Registry) error) error {
	dir, err := a.project()
	if err != nil {
		return err
	}
	return a.stepsIn(ctx, dir, registry.Open, fn)
}

// stepsNew is steps that make directory and registry where there are none.
func (a *app) stepsNew(ctx context.Context, files standingFiles, fn func(context.Context, project.Dir, *registry.Registry) error) error {
	dir, err := a.makeProject(files)
	if err == nil && !hasRegistry(dir) {
		err = a.hideSecrets(ctx, dir)
	}
	if err == nil {
		err = a.stepsIn(ctx, dir, registry.Create, func(ctx context.Context, reg *registry.Registry) error { return fn(ctx, dir, reg) })
	}
	return a.unlessMade(dir, err)
}

type opener func(context.Context, string, registry.Options) (*registry.Registry, error)

func (a *app) stepsIn(ctx context.Context, dir project.Dir, open opener, fn func(context.Context, *registry.Registry) error) error {
	options, err := a.options(dir)
	if err != nil {
		return err
	}
	options.Via = func(ctx context.Context, step func(*registry.Registry) error) error {
		return a.changeIn(ctx, dir, a.tenants(func(_ context.Context, bound *registry.Registry) error { return step(bound) }))
	}
	return a.untilTold(ctx, func(ctx context.Context) error {
		reg, err := open(ctx, dir.Registry(), options)
		if err != nil {
			return err
		}
		a.open = reg
		err = fn(ctx, reg)
		a.open = nil
		return errors.Join(err, reg.Close())
	})
}

// changeNew is a change that makes directory and registry where there are none.
func (a *app) changeNew(ctx context.Context, files standingFiles, c workspace.Change) (project.Dir, error) {
	dir, err := a.makeProject(files)
	if err == nil && !hasRegistry(dir) {
		err = a.hideSecrets(ctx, dir)
	}
	if err == nil {
		c.Create = true
		err = a.changeIn(ctx, dir, c)
	}
	return dir, a.unlessMade(dir, err)
}
