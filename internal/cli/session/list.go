package session

import (
	"context"
	"fmt"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

func listCommand() *cli.Command {
	return task.List("ID", &cli.Command{
		Usage: "list the sessions of all tenants",
		Description: "Columns: tenant, (active), profile, since when, email, and how long the token is\n" +
			"valid. A terminal shows the tenant's name first, and its id last.",
	}, nil, list)
}

func list(ctx context.Context, t *task.Task, view *registry.View, page registry.Page) (cli.Answer, error) {
	people := t.IsTerminal()
	heads := []string{"TENANT", "", "PROFILE", "SINCE", "EMAIL", "TOKEN", "ID"}
	a := task.ListOf("sessions", heads, recordsIn(ctx, t, view, page), func(r record) cli.Row {
		mark, email := "", ""
		if r.Active {
			mark = "(active)"
		}
		if r.Email != nil {
			email = *r.Email
		}
		row := cli.Row{Cells: []string{string(r.Tenant.ID), mark, r.Profile.Name, r.ChosenAt.String(), email, r.Status}, Value: r, Marked: r.Active}
		if people {
			row.Cells = []string{r.Tenant.Called(), mark, r.Profile.Name, cli.Ago(t.Now().Sub(time.Time(r.ChosenAt))), email, r.Status, string(r.Tenant.ID)}
		}
		return row
	})
	a.Empty = fmt.Sprintf("No tenant has a session. %s makes a profile its tenant's.", cli.To("sp session switch", "PROFILE"))
	return a, nil
}
