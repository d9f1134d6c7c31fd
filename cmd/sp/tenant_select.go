package main

import (
	"cmp"
	"context"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) tenantSelectCommand() *cli.Command {
	return &cli.Command{
		Name:      "select",
		Usage:     "select a tenant, or with - the one before",
		ArgsUsage: "ID",
		Description: "The tenant's session is active again as it was.\n\n" +
			"  sp tenant select local_19bff27604c",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.selectTenant(ctx, cmd.Args().First())
		},
	}
}

func (a *app) selectTenant(ctx context.Context, ref string) error {
	var selected registry.Tenant
	err := a.change(ctx, a.others(func(ctx context.Context, reg *registry.Registry) (err error) {
		if ref == "-" {
			selected, err = reg.SelectPrevious(ctx)
			return err
		}
		id, err := findID(ctx, reg, ref)
		if err == nil {
			selected, err = reg.SelectTenant(ctx, id)
		}
		return err
	}))
	if !made(err) {
		return err
	}
	a.note("tenant %s selected", selected)
	if a.json {
		err = cmp.Or(err, a.document(map[string]any{"selected_tenant": selected.ID}))
	}
	return err
}

// findID returns the id of the tenant that ref means.
func findID(ctx context.Context, reg *registry.Registry, ref string) (registry.TenantID, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return "", err
	}
	defer view.Close()
	t, err := view.FindTenant(ctx, ref)
	return t.ID, err
}
