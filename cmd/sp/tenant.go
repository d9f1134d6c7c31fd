package main

import (
	"context"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) tenantCommands() *cli.Command {
	return group("tenant", "create, list, show, edit, select and delete tenants", append([]*cli.Command{
		a.tenantCreateCommand(), a.tenantListCommand(), a.tenantShowCommand(),
		a.tenantEditCommand(), a.tenantSelectCommand(), a.tenantDeleteCommand(),
	}, a.laterTenantCommands()...)...)
}

func (a *app) tenantListCommand() *cli.Command {
	return &cli.Command{
		Name:        "list",
		Usage:       "list the tenants in their order of entry",
		Description: "Columns: id, (selected), type, name, region. A pipe gets them with tabs between,\nand ids whole.",
		Flags:       pageFlags("ID"),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			page, err := page(cmd)
			if err != nil {
				return err
			}
			return a.read(ctx, func(_ project.Dir, view *registry.View) error {
				return a.listTenants(ctx, cmd, view, page)
			})
		},
	}
}

func (a *app) listTenants(ctx context.Context, cmd *cli.Command, view *registry.View, page registry.Page) error {
	selection, err := view.Selection(ctx)
	if err != nil {
		return err
	}
	tenants := view.Tenants(ctx, page)
	if hidden, err := a.hidesFresh(ctx, cmd, view); err != nil {
		return err
	} else if hidden {
		tenants = func(func(registry.Tenant, error) bool) {}
	}
	if a.json {
		return documentList(a, "tenants", each(tenants, func(t registry.Tenant) tenant { return tenantOf(t, selection, masked) }))
	}
	return a.table("Tenants", each(tenants, func(t registry.Tenant) []string {
		mark, region := "", ""
		if isSelected(t.ID, selection) {
			mark = "(selected)"
		}
		if t.Region != nil {
			region = *t.Region
		}
		return []string{a.shortID(string(t.ID)), mark, string(t.Kind), t.Name, region}
	}))
}

func isSelected(id registry.TenantID, s registry.Selection) bool {
	return s.Tenant != nil && *s.Tenant == id
}
