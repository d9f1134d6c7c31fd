// Package tenant has the commands on tenants: create, list, show, edit, select, check, provision,
// rotate and delete them.
package tenant

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

// Command is `sp tenant`.
func Command() *cli.Command {
	return &cli.Command{
		Name:     "tenant",
		Usage:    "create, list, show, edit, select, check and delete tenants",
		Commands: []*cli.Command{listCommand(), Show(), selectCommand()},
	}
}

func listCommand() *cli.Command {
	return task.List("ID", &cli.Command{
		Usage:       "list the tenants in their order of entry",
		Description: "Columns: id, (selected), type, name, region. A pipe gets them with tabs between,\nand ids whole.",
	}, list)
}

func list(ctx context.Context, t *task.Task, view *registry.View, page registry.Page) (cli.Answer, error) {
	selection, err := view.Selection(ctx)
	return task.ListOf("tenants", nil, view.Tenants(ctx, page), func(tenant registry.Tenant) cli.Row {
		mark, region := "", ""
		if task.IsSelected(tenant.ID, selection) {
			mark = "(selected)"
		}
		if tenant.Region != nil {
			region = *tenant.Region
		}
		return cli.Row{
			Cells:  []string{string(tenant.ID), mark, string(tenant.Kind), tenant.Name, region},
			Value:  task.RecordOf(tenant, selection, task.Masked),
			Marked: mark != "",
		}
	}), err
}
