package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

// changeProfile makes a change of a profile and reports it, and the tenant that it concerns.
// What is active and the default by then is looked up: the change may have made it so.
func (a *app) changeProfile(ctx context.Context, c workspace.Change, what string, commit func(context.Context, *registry.Registry) (registry.Profile, error)) error {
	var p registry.Profile
	var shown profile
	c.Commit = func(ctx context.Context, reg *registry.Registry) (err error) {
		if p, err = commit(ctx, reg); err == nil {
			shown, err = shownProfile(ctx, reg, p)
		}
		return err
	}
	err := a.change(ctx, c)
	if !made(err) {
		return err
	}
	a.note("profile %s of tenant %s %s", p.Name, p.Tenant, what)
	if a.json {
		err = cmp.Or(err, a.document(shown))
	}
	return err
}

func shownProfile(ctx context.Context, reg *registry.Registry, p registry.Profile) (profile, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return profile{}, err
	}
	defer view.Close()
	chosen, err := choiceIn(ctx, view)
	return chosen.profile(p), err
}

func (a *app) profileDefaultCommand() *cli.Command {
	return &cli.Command{
		Name:        "default",
		Usage:       "print the default profile, or set it",
		ArgsUsage:   "[NAME]",
		Description: "It holds where no stronger source names a profile, unless another tenant than its\nown is selected.",
		Flags:       []cli.Flag{boolFlag("clear", "have none")},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			name := argument(cmd, 0)
			switch {
			case name != nil && cmd.Bool("clear"):
				return usage("profile default: NAME and --clear")
			case name == nil && !cmd.Bool("clear"):
				return a.printDefault(ctx)
			}
			return a.setDefault(ctx, name)
		},
	}
}

func (a *app) printDefault(ctx context.Context) error {
	return a.read(ctx, func(_ project.Dir, view *registry.View) error {
		name, err := view.DefaultProfile(ctx)
		if err != nil {
			return err
		}
		if a.json {
			return a.document(map[string]any{"default_profile": name})
		}
		if name == nil {
			return withHint(fmt.Errorf("%w is the default", registry.ErrNoProfile), "sp profile default NAME sets it")
		}
		return a.line(*name)
	})
}

func (a *app) setDefault(ctx context.Context, name *string) error {
	err := a.change(ctx, a.others(func(ctx context.Context, reg *registry.Registry) error { return reg.SetDefaultProfile(ctx, name) }))
	if !made(err) {
		return err
	}
	if name == nil {
		a.note("no profile is the default now")
	} else {
		a.note("profile %s is the default now", *name)
	}
	if a.json {
		err = cmp.Or(err, a.document(map[string]any{"default_profile": name}))
	}
	return err
}

func (a *app) profileDeleteCommand() *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Usage:     "delete a profile, and the session that chose it",
		ArgsUsage: "NAME",
		Flags:     []cli.Flag{yesFlag(), purgeFlag()},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.deleteProfile(ctx, cmd)
		},
	}
}

func (a *app) deleteProfile(ctx context.Context, cmd *cli.Command) error {
	name := cmd.Args().First()
	var p registry.Profile
	err := a.read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		p, err = view.Profile(ctx, name)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.confirm(ctx, cmd, fmt.Sprintf("delete profile %s of tenant %s?", p.Name, p.Tenant)); err != nil {
		return err
	}
	var removed registry.RemovedProfile
	err = a.change(ctx, a.others(func(ctx context.Context, reg *registry.Registry) (err error) {
		removed, err = reg.DeleteProfile(ctx, name, cmd.Bool("purge"))
		return err
	}))
	if !made(err) {
		return err
	}
	a.note("profile %s of tenant %s deleted", name, removed.Profile.Tenant)
	if removed.Session {
		a.note("the session that chose it ended")
	}
	if removed.Default {
		a.note("it was the default profile; there is none now")
	}
	if a.json {
		err = cmp.Or(err, a.document(map[string]any{
			"name": name, "tenant_id": removed.Profile.Tenant, "was_session": removed.Session, "was_default": removed.Default,
		}))
	}
	return err
}
