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
			return a.change(ctx, func(ctx context.Context, reg *registry.Registry) error {
				return a.selectTenant(ctx, reg, cmd.Args().First())
			})
		},
	}
}

func (a *app) selectTenant(ctx context.Context, reg *registry.Registry, ref string) (err error) {
	var selected registry.Tenant
	if ref == "-" {
		selected, err = reg.SelectPrevious(ctx)
	} else {
		var id registry.TenantID
		if id, err = findID(ctx, reg, ref); err != nil {
			return err
		}
		selected, err = reg.SelectTenant(ctx, id)
	}
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
