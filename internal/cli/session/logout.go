package session

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

func logoutCommand() *cli.Command {
	return &cli.Command{
		Name:  "logout",
		Usage: "end a tenant's session",
		Description: "Ends the session of the selected tenant. With --profile NAME, it ends the\n" +
			"session that chose NAME.",
		Flags: []cli.Flag{cli.Bool("all", "end every session"), cli.Yes()},
		Run:   task.Run(logout),
	}
}

func logout(ctx context.Context, t *task.Task) (cli.Answer, error) {
	all := t.Bool("all")
	if all && t.IsSet("profile") {
		return cli.Answer{}, cli.Usage("--profile and --all")
	}
	dir, err := t.Project()
	if err == nil && all {
		err = t.Confirm(ctx, "End every session?")
	}
	if err != nil {
		return cli.Answer{}, err
	}
	ended := []record{}
	err = t.ChangeIn(ctx, dir, t.Others(func(ctx context.Context, reg *registry.Registry) (err error) {
		if all {
			ended, err = endAll(ctx, t, reg)
		} else {
			ended, err = endOne(ctx, t, dir, reg)
		}
		return err
	}))
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	for _, r := range ended {
		t.Note("session of tenant %s (profile %s) ended", r.Tenant.ID, r.Profile.Name)
	}
	if len(ended) == 0 {
		t.Note("there was no session to end")
	}
	return cli.Answer{Value: map[string][]record{"ended": ended}}, err
}

func endAll(ctx context.Context, t *task.Task, reg *registry.Registry) ([]record, error) {
	ended := []record{}
	err := task.InView(ctx, reg, func(view *registry.View) error {
		for r, err := range recordsIn(ctx, t, view, registry.Page{}) {
			if err != nil {
				return err
			}
			ended = append(ended, r)
		}
		return nil
	})
	if err == nil {
		_, err = reg.EndSessions(ctx)
	}
	return ended, err
}

func endOne(ctx context.Context, t *task.Task, dir project.Dir, reg *registry.Registry) ([]record, error) {
	ended := []record{}
	var tenant registry.TenantID
	err := task.InView(ctx, reg, func(view *registry.View) (err error) {
		if tenant, err = meant(ctx, t, dir, view); err != nil {
			return err
		}
		s, err := view.Session(ctx, tenant)
		if err != nil || s == nil {
			return err
		}
		r, err := recordIn(ctx, t, view, *s)
		ended = append(ended, r)
		return err
	})
	if err == nil {
		_, err = reg.EndSession(ctx, tenant)
	}
	return ended, err
}

// meant returns the tenant whose session is meant: with --profile the one whose session chose that,
// else the tenant that commands act on, if that is beyond doubt.
func meant(ctx context.Context, t *task.Task, dir project.Dir, view *registry.View) (registry.TenantID, error) {
	if !t.IsSet("profile") {
		if err := t.RefuseDoubt(ctx, dir, view, nil); err != nil {
			return "", err
		}
		tenant, err := t.Tenant(ctx, dir, view, nil)
		return tenant.ID, err
	}
	p, err := t.ProfileInEffect(ctx, dir, view, nil)
	if err != nil {
		return "", err
	}
	s, err := view.Session(ctx, p.Tenant)
	if err == nil && (s == nil || s.Profile != p.Name) {
		err = cli.Hint(fmt.Errorf("session of profile %s: %w", p.Name, registry.ErrNotFound), "%s shows which there are", cli.To("sp session list"))
	}
	return p.Tenant, err
}
