package tenant

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

func listCommand() *cli.Command {
	return task.List("ID", &cli.Command{
		Usage: "list the tenants in the order they were added",
		Description: "If you are logged in to a control plane, sp first asks it for your tenants: once\n" +
			"a minute at most. It waits 3 seconds for the answer; only a renewal of your\n" +
			"login may take longer. Columns: id, (selected), type, name, region. In a pipe,\n" +
			"tabs separate them.",
		Flags: []cli.Flag{
			cli.Bool("offline", "don't ask the control plane"),
			cli.Bool("prune", "remove cloud tenants that it no longer has, unless they are in use"),
			cli.Yes(),
		},
	}, syncTenants, list)
}

func list(ctx context.Context, t *task.Task, view *registry.View, page registry.Page) (cli.Answer, error) {
	selection, err := view.Selection(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	heads := []string{"ID", "", "TYPE", "NAME", "REGION"}
	a := task.ListOf("tenants", heads, view.Tenants(ctx, page), func(tenant registry.Tenant) cli.Row {
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
	})
	if err := tellAllUnderWay(ctx, t, view); err != nil {
		return a, err
	}
	if t.IsTerminal() {
		a.Empty, err = emptyList(ctx, view)
	}
	return a, err
}

// tellAllUnderWay says which tenants are being made, and are not in the list before they are there.
func tellAllUnderWay(ctx context.Context, t *task.Task, view *registry.View) error {
	calls, err := view.CloudCalls(ctx)
	for _, k := range calls {
		if k.Kind == registry.CreateCall && !k.IsOver(t.Now()) {
			tellUnderWay(t, k)
		}
	}
	return err
}

// tellUnderWay says of a tenant that is being made how that goes on.
func tellUnderWay(t *task.Task, k registry.CloudCall) {
	by := ""
	if k.Account != "" {
		by = " by " + k.Account // who alone can go on with it
	}
	t.NoteLater("the creation of tenant %s in %s began at %s%s and is not finished; %s goes on with it", k.Name, k.Region, task.Clock(k.MadeAt), by, task.ToGoOn(k))
}

// emptyList says what to do where no tenant is listed.
func emptyList(ctx context.Context, view *registry.View) (string, error) {
	if n, err := view.Len(ctx); err != nil || n > 0 {
		return "No tenants to list.", err
	}
	return "No tenants yet.\n" +
		"  " + cli.To("sp tenant create").String() + "  makes one with a database of its own\n" +
		"  " + cli.To("sp import").String() + " PATH    takes over a tenants.json", nil
}
