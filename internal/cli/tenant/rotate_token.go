package tenant

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

func rotateTokenCommand() *cli.Command {
	return &cli.Command{
		Name:  "rotate-sync-token",
		Usage: "give a tenant a new sync token",
		Args:  []cli.Arg{optionalWord()},
		Description: "Without ID, it takes the tenant in effect. The old token is revoked: sp keeps no\n" +
			"copy, and sp undo can't bring it back. The control plane makes the token of a\n" +
			"cloud tenant.",
		Flags: []cli.Flag{cli.Yes(), task.NoExport()},
		Run:   task.Run(rotateToken),
	}
}

func rotateToken(ctx context.Context, t *task.Task) (cli.Answer, error) {
	tenant, err := undoubted(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	if tenant.IsCloud() {
		return rotateCloudToken(ctx, t, tenant)
	}
	if err := t.Confirm(ctx, fmt.Sprintf("revoke the sync token of tenant %s?", tenant)); err != nil {
		return cli.Answer{}, err
	}
	var done record
	err = t.Change(ctx, t.Tenants(func(ctx context.Context, reg *registry.Registry) error {
		rotated, err := reg.RotateSyncToken(ctx, tenant.ID)
		if err != nil {
			return err
		}
		done, err = recordIn(ctx, reg, rotated)
		return err
	}))
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	t.Note("tenant %s has a new sync token", done.Tenant)
	return cli.Answer{Value: done}, err
}

// undoubted returns the tenant that the argument means, for what can't be taken back.
func undoubted(ctx context.Context, t *task.Task) (tenant registry.Tenant, err error) {
	err = lookAgain(ctx, t, func() error {
		return t.Read(ctx, func(dir project.Dir, view *registry.View) error {
			if err := t.RefuseDoubt(ctx, dir, view, t.Arg(0)); err != nil {
				return err
			}
			tenant, err = t.Tenant(ctx, dir, view, t.Arg(0))
			return err
		})
	})
	return tenant, err
}
