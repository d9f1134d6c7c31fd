package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) tenantRotateTokenCommand() *cli.Command {
	return &cli.Command{
		Name:      "rotate-sync-token",
		Usage:     "give a local tenant a new random sync token",
		ArgsUsage: "[ID]",
		Description: "The selected tenant without ID. The old token is revoked: it is kept nowhere, and sp undo\n" +
			"does not bring it back. The token of a cloud tenant is made there (not offered yet).",
		Flags: []cli.Flag{yesFlag()},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.rotateToken(ctx, cmd)
		},
	}
}

func (a *app) rotateToken(ctx context.Context, cmd *cli.Command) error {
	var t registry.Tenant
	err := a.read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		t, err = namedTenant(ctx, view, argument(cmd, 0))
		return err
	})
	if err != nil {
		return err
	}
	if t.IsCloud() {
		return fmt.Errorf("%s: tenant %s: %w: %s", commandWords(cmd), t, errUnsupported, needsCloud)
	}
	if err := a.confirm(ctx, cmd, fmt.Sprintf("revoke the sync token of tenant %s?", t)); err != nil {
		return err
	}
	err = a.change(ctx, a.tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		t, err = reg.RotateSyncToken(ctx, t.ID)
		return err
	}))
	if !made(err) {
		return err
	}
	a.note("tenant %s has a new sync token", t)
	if a.json {
		err = cmp.Or(err, a.document(map[string]any{"id": t.ID}))
	}
	return err
}
