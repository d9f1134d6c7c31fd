package tenant

import (
	"cmp"
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

func selectCommand() *cli.Command {
	return &cli.Command{
		Name:  "select",
		Usage: "select a tenant (- selects the previous one)",
		Args:  []cli.Arg{word()},
		Description: "The tenant's session is as you left it.\n\n" +
			"  sp tenant select local_19bff27604c",
		Run: task.Run(selectTenant),
	}
}

func selectTenant(ctx context.Context, t *task.Task) (cli.Answer, error) {
	var selected record
	bare := false // without a profile
	err := lookAgain(ctx, t, func() error {
		return t.Change(ctx, t.Others(func(ctx context.Context, reg *registry.Registry) error {
			chosen, err := selectIn(ctx, t, reg)
			if err != nil {
				return err
			}
			if selected, err = recordIn(ctx, reg, chosen); err != nil {
				return err
			}
			bare, err = hasNoProfile(ctx, reg, chosen.ID)
			return err
		}))
	})
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	t.Note("tenant %s selected", selected.Tenant)
	if bare && t.IsTerminal() && !t.JSON {
		t.Note("next: %s", cli.To("sp profile create", "NAME"))
	}
	return cli.Answer{Value: selected}, cmp.Or(err, t.TellOutranked(ctx, selected.Tenant.ID))
}

func hasNoProfile(ctx context.Context, reg *registry.Registry, id registry.TenantID) (bool, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return false, err
	}
	defer view.Close()
	profiles, err := view.ProfilesOf(ctx, &id, 1)
	return len(profiles) == 0, err
}

// selectIn selects the tenant that the argument means.
func selectIn(ctx context.Context, t *task.Task, reg *registry.Registry) (registry.Tenant, error) {
	word := *t.Arg(0)
	if err := t.RefuseBoth(&word); err != nil {
		return registry.Tenant{}, err
	}
	if word == "-" {
		return reg.SelectPrevious(ctx)
	}
	id, err := findID(ctx, t, reg, word)
	if err != nil {
		return registry.Tenant{}, err
	}
	return reg.SelectTenant(ctx, id)
}

// findID returns the id of the tenant that a word means.
func findID(ctx context.Context, t *task.Task, reg *registry.Registry, word string) (registry.TenantID, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return "", err
	}
	defer view.Close()
	tenant, err := t.Tenant(ctx, project.Dir{}, view, &word)
	return tenant.ID, err
}
