package session

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

func switchCommand() *cli.Command {
	return &cli.Command{
		Name:        "switch",
		Usage:       "select a profile's tenant and make the profile its session",
		Args:        []cli.Arg{{Name: "PROFILE", Kind: task.ProfileWord}},
		Description: "  sp session switch production",
		Run:         task.Run(switchTo),
	}
}

func switchTo(ctx context.Context, t *task.Task) (cli.Answer, error) {
	if err := t.RefuseBoth(t.Arg(0)); err != nil {
		return cli.Answer{}, err
	}
	dir, err := t.Project()
	if err != nil {
		return cli.Answer{}, err
	}
	var r record
	var inEffect resolver.Finding
	var unusable error
	err = t.ChangeIn(ctx, dir, t.Others(func(ctx context.Context, reg *registry.Registry) error {
		p, err := reg.UseProfile(ctx, *t.Arg(0))
		if err != nil {
			return err
		}
		return task.InView(ctx, reg, func(view *registry.View) error {
			inEffect, unusable = resolver.InEffect(ctx, view, t.Request(dir))
			s, err := view.Session(ctx, p.Tenant)
			if err == nil {
				r, err = recordIn(ctx, t, view, *s)
			}
			return err
		})
	}))
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	t.Note("profile %s of tenant %s is active; its tenant is selected", r.Profile.Name, r.Tenant.ID)
	tellOutranked(t, inEffect, unusable, r.Profile.Name)
	return cli.Answer{Value: r}, err
}

// tellOutranked says where the variable names another profile than the session does.
func tellOutranked(t *task.Task, f resolver.Finding, unusable error, name string) {
	const stronger = "warning: SYSTEMPROMPT_PROFILE outranks the session: "
	switch {
	case f.Source != resolver.FromEnvironment:
	case unusable != nil:
		t.Note(stronger+"%v", unusable)
		t.Note("%s", task.UnsetHint)
	case f.Profile.Name != name:
		t.Note(stronger+"it leads to profile %s of tenant %s", f.Profile.Name, f.Tenant)
		t.Note("%s", task.UnsetHint)
	}
}
