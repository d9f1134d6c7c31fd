package tenant

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

// Show is `sp tenant show`, and `sp show`.
func Show() *cli.Command {
	return &cli.Command{
		Name:  "show",
		Usage: "show a tenant, the one in effect without ID",
		Args:  []cli.Arg{{Name: "ID", Kind: task.TenantWord, Optional: true}},
		Flags: []cli.Flag{cli.Bool("reveal", "show the secrets, which are masked otherwise")},
		Run:   task.Run(show),
	}
}

func show(ctx context.Context, t *task.Task) (cli.Answer, error) {
	dir, err := t.Project()
	if err != nil {
		return cli.Answer{}, err
	}
	view, err := t.View(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	tenant, err := t.Tenant(ctx, dir, view, t.Arg(0))
	if err != nil {
		return cli.Answer{}, err
	}
	selection, err := view.Selection(ctx)
	how := task.Showing(t.Bool("reveal"))
	return cli.Answer{Value: task.RecordOf(tenant, selection, how), Title: "Tenant: " + tenant.Name, Rows: cli.Rows(rows(tenant, how)...)}, err
}

// rows shows what the tenant has, a member a row.
func rows(t registry.Tenant, how task.Showing) (rows [][]string) {
	for _, m := range registry.Members {
		if value := how.Member(m, t); value != nil {
			rows = append(rows, []string{m.Title, *value})
		}
	}
	return rows
}
