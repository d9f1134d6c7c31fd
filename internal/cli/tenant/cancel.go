package tenant

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/registry"
)

func cancelCommand() *cli.Command {
	return &cli.Command{
		Name:  "cancel",
		Usage: "cancel a cloud tenant's subscription",
		Args:  []cli.Arg{optionalWord()},
		Description: "The control plane makes the tenant's database read-only, by a default that a\n" +
			"client can override, and deletes it later (with spd after 7 days). The tenant\n" +
			"stays in the registry. Until it is deleted, --undo takes the cancellation back.",
		Flags: []cli.Flag{cli.Yes(), cli.Bool("undo", "take the cancellation back")},
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
	if err == nil && t.Bool("undo") {
		return uncancel(ctx, t, client, tenant)
	}
	if err == nil {
		err = t.Confirm(ctx, fmt.Sprintf("Cancel the subscription of tenant %s at %s? Its database goes read-only, and is deleted after 7 days; %s takes that back.", tenant, client.Host(), undoes(tenant)))
	}
	if err == nil {
		err = t.UntilTold(ctx, func(ctx context.Context) error {
			t.Step("asking " + client.Host())
			return adviseGone(ctx, t, tenant, client.Cancel(ctx, string(tenant.ID)))
		})
	}
	if err != nil {
		return cli.Answer{}, err
	}
	t.Made = true
	t.Note("the subscription of tenant %s is cancelled; its database goes read-only, unless a client overrides that, and is deleted after 7 days", tenant)
	t.Note("%s takes the cancellation back", undoes(tenant))
	shown, err := recordAfter(ctx, t, tenant.ID)
	return cli.Answer{Value: shown}, err
}

func undoes(tenant registry.Tenant) cli.Next {
	return cli.To("sp tenant cancel", string(tenant.ID), "--undo")
}

// uncancel takes a cancellation back.
func uncancel(ctx context.Context, t *task.Task, client *cloud.Client, tenant registry.Tenant) (cli.Answer, error) {
	err := t.UntilTold(ctx, func(ctx context.Context) error {
		t.Step("asking " + client.Host())
		_, err := client.Uncancel(ctx, string(tenant.ID))
		return adviseGone(ctx, t, tenant, err)
	})
	if err != nil {
		return cli.Answer{}, err
	}
	t.Made = true
	t.Note("the subscription of tenant %s goes on; its database can be written again in a moment", tenant)
	shown, err := recordAfter(ctx, t, tenant.ID)
	return cli.Answer{Value: shown}, err
}
