package main

import (
	"context"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) tenantCommands() *cli.Command {
	return group("tenant", "create, list, show, edit, select, check and delete tenants", append([]*cli.Command{
		a.tenantCreateCommand(), a.tenantListCommand(), a.tenantShowCommand(),
		a.tenantEditCommand(), a.tenantSelectCommand(), a.tenantDeleteCommand(),
		a.tenantProvisionCommand(), a.tenantCheckCommand(), a.tenantRotateCredentialsCommand(), a.tenantRotateTokenCommand(),
	}, a.laterTenantCommands()...)...)
}

func (a *app) tenantListCommand() *cli.Command {
	return a.listCommand("ID", &cli.Command{
		Usage:       "list the tenants in their order of entry",
		Description: "Columns: id, (selected), type, name, region. A pipe gets them with tabs between,\nand ids whole.",
	}, func(ctx context.Context, l list) error {
		selection, err := l.view.Selection(ctx)
		if err != nil {
			return err
		}
		asJSON := func(t registry.Tenant) tenant { return tenantOf(t, selection, masked) }
		return answerList(a, l, "tenants", l.view.Tenants(ctx, l.page), asJSON, func(t registry.Tenant) []string {
			mark, region := "", ""
			if isSelected(t.ID, selection) {
				mark = "(selected)"
			}
			if t.Region != nil {
				region = *t.Region
			}
			return []string{a.shortID(string(t.ID)), mark, string(t.Kind), t.Name, region}
		})
	})
}

func isSelected(id registry.TenantID, s registry.Selection) bool {
	return s.Tenant != nil && *s.Tenant == id
}
