package profile

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

func listCommand() *cli.Command {
	return task.List("NAME", &cli.Command{
		Usage: "list the selected tenant's profiles (all if none is selected)",
		Description: "Columns: name, (active) or (default), tenant. The active profile is the session\n" +
			"of the selected tenant.",
		Flags: []cli.Flag{cli.Bool("all", "list the profiles of every tenant")},
	}, nil, list)
}

func list(ctx context.Context, t *task.Task, view *registry.View, page registry.Page) (cli.Answer, error) {
	chosen, err := choiceIn(ctx, view)
	if err != nil {
		return cli.Answer{}, err
	}
	tenant := chosen.selection.Tenant
	if t.Bool("all") {
		tenant = nil
	}
	people := t.IsTerminal()
	a := task.ListOf("profiles", []string{"NAME", "", "TENANT", "ID"}, chosen.records(ctx, view.Profiles(ctx, tenant, page)), func(r record) cli.Row {
		row := cli.Row{Cells: []string{r.Name, r.mark(), string(r.Tenant.ID)}, Value: r, Marked: r.Active}
		if people {
			row.Cells = []string{r.Name, r.mark(), r.Tenant.Called(), string(r.Tenant.ID)}
		}
		return row
	})
	a.Empty = emptyOf(tenant)
	return a, nil
}

// emptyOf says what to do where a tenant has no profile, or nobody has.
func emptyOf(tenant *registry.TenantID) string {
	create := cli.To("sp profile create", "NAME")
	if tenant == nil {
		return fmt.Sprintf("There is no profile yet. %s makes one.", create)
	}
	return fmt.Sprintf("Tenant %s has no profile. %s makes one; %s lists the others.", *tenant, create, cli.To("sp profile list", "--all"))
}
