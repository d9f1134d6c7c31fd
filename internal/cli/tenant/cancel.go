package tenant

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
)

func cancelCommand() *cli.Command {
	return &cli.Command{
		Name:  "cancel",
		Usage: "cancel a cloud tenant's subscription",
		Args:  []cli.Arg{optionalWord()},
		Description: "The control plane makes the tenant's database read-only, by a default that a\n" +
			"client can override, and deletes it later (with spd after 7 days). The tenant\n" +
			"stays in the registry.",
		Flags: []cli.Flag{cli.Yes()},
		Run:   task.Run(cancel),
	}
}

func cancel(ctx context.Context, t *task.Task) (cli.Answer, error) {
	tenant, err := undoubted(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	if !tenant.IsCloud() {
		return cli.Answer{}, cli.Hint(fmt.Errorf("tenant cancel: tenant %s is local: %w", tenant, task.ErrNotCloud), "%s deletes it", cli.To("sp tenant delete", string(tenant.ID)))
	}
	client, _, err := clientFor(ctx, t, tenant)
	if err == nil {
		err = t.Confirm(ctx, fmt.Sprintf("Cancel the subscription of tenant %s at %s? Its database goes read-only, and is deleted after 7 days.", tenant, client.Host()))
	}
	if err == nil {
		err = t.UntilTold(ctx, func(ctx context.Context) error { return adviseGone(tenant, client.Cancel(ctx, string(tenant.ID))) })
	}
	if err != nil {
		return cli.Answer{}, err
	}
	t.Made = true
	t.Note("the subscription of tenant %s is cancelled; its database goes read-only, and is deleted after 7 days", tenant)
	shown, err := recordAfter(ctx, t, tenant.ID)
	return cli.Answer{Value: shown}, err
}
