package tenant

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

func selectCommand() *cli.Command {
	return &cli.Command{
		Name:  "select",
		Usage: "select a tenant, or with - the one before",
		Args:  []cli.Arg{{Name: "ID", Kind: task.TenantWord}},
		Description: "The tenant's session is active again as it was.\n\n" +
			"  sp tenant select local_19bff27604c",
		Run: task.Run(selectTenant),
	}
}

func selectTenant(ctx context.Context, t *task.Task) (cli.Answer, error) {
	word := *t.Arg(0)
	var selected registry.Tenant
	err := t.Change(ctx, t.Others(func(ctx context.Context, reg *registry.Registry) (err error) {
		if word == "-" {
			selected, err = reg.SelectPrevious(ctx)
			return err
		}
		id, err := findID(ctx, reg, word)
		if err == nil {
			selected, err = reg.SelectTenant(ctx, id)
		}
		return err
	}))
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	t.Note("tenant %s selected", selected)
	return cli.Answer{Value: task.RecordOf(selected, registry.Selection{Tenant: &selected.ID}, task.Masked)}, err
}

// findID returns the id of the tenant that a word means.
func findID(ctx context.Context, reg *registry.Registry, word string) (registry.TenantID, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return "", err
	}
	defer view.Close()
	t, err := view.FindTenant(ctx, word)
	return t.ID, err
}
