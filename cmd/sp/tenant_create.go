package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) tenantCreateCommand() *cli.Command {
	return &cli.Command{
		Name:  "create",
		Usage: "register a local tenant with the database it has, and print its id",
		Description: "  sp tenant create --type local --name my-project --database-url-stdin < url.txt\n\n" +
			"A database of its own making, and cloud tenants, are not offered yet.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "type", Usage: "`local` or cloud", OnlyOnce: true},
			stringFlag("name", "what people call it"),
			stringFlag("id", "its id, else local_ and the time in hexadecimal"),
			stringFlag("region", "the region of a cloud tenant, such as `iad`"),
			stringFlag("shared-container-db", "the `NAME` of its database in a shared container"),
			boolFlag("external-db-access", "its database takes connections from outside"),
			boolFlag("allow-duplicate-name", "though another tenant has that name"),
			a.noExportFlag(),
		}, secretFlags("database-url", "the `URL` of its database, postgres://USER:PASSWORD@HOST/DB")...),
		Action: a.createTenant,
	}
}

func (a *app) createTenant(ctx context.Context, cmd *cli.Command) error {
	switch kind := cmd.String("type"); {
	case kind != "" && kind != string(registry.Local) && kind != string(registry.Cloud):
		return usage("--type: local or cloud")
	case kind == string(registry.Cloud) || cmd.IsSet("region"):
		return fmt.Errorf("tenant create: a cloud tenant: %w: %s", errUnsupported, needsCloud)
	}
	url, err := a.secret(ctx, cmd, "database-url")
	if err != nil {
		return err
	}
	if url == nil {
		return withHint(fmt.Errorf("tenant create: a tenant without --database-url: %w: %s", errUnsupported, needsServer),
			"name a database that is there: --database-url-stdin")
	}
	if !cmd.IsSet("name") {
		return usage("tenant create: --name is missing")
	}
	a.warnOfArgument(cmd, "database-url", *url)
	t := registry.NewLocal(registry.TenantID(cmd.String("id")), cmd.String("name"), *url)
	t.SharedContainerDB = optional(cmd, "shared-container-db")
	t.ExternalDBAccess = cmd.Bool("external-db-access")
	return a.untilTold(ctx, func(ctx context.Context) error {
		return a.storeTenant(ctx, registry.NewTenant{Tenant: t, AllowDuplicateName: cmd.Bool("allow-duplicate-name")})
	})
}

// storeTenant registers a tenant, in a new registry where there is none.
func (a *app) storeTenant(ctx context.Context, n registry.NewTenant) error {
	if err := n.Check(); err != nil {
		return err // before a directory is made for it
	}
	dir, err := a.makeProject()
	if err != nil {
		return err
	}
	if !hasRegistry(dir) {
		a.tellOfExport(dir)
		if err := a.hideSecrets(ctx, dir); err != nil {
			return err
		}
	}
	return a.changeIn(ctx, dir, registry.Create, a.follow(tracked(dir)), func(ctx context.Context, reg *registry.Registry) error {
		alike, err := lookalikes(ctx, reg, n.Tenant.Name)
		if err != nil {
			return err
		}
		t, err := reg.CreateTenant(ctx, n)
		if !made(err) {
			return err
		}
		a.note("tenant %s created", t)
		a.warnOfLookalikes(t, alike)
		if a.json {
			err = cmp.Or(err, a.document(map[string]any{"id": t.ID, "name": t.Name}))
		} else {
			err = cmp.Or(err, a.line(string(t.ID)))
		}
		return err
	})
}

// lookalikes are the tenants whose names people could take for that one.
func lookalikes(ctx context.Context, reg *registry.Registry, name string) ([]registry.TenantID, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	return view.Lookalikes(ctx, name)
}

func (a *app) warnOfLookalikes(t registry.Tenant, alike []registry.TenantID) {
	for _, other := range alike {
		if other != t.ID {
			a.note("warning: the name of tenant %s looks the same; its id tells them apart", other)
		}
	}
}

// warnOfArgument tells that a secret was given where others can read it.
func (a *app) warnOfArgument(cmd *cli.Command, name string, secret registry.Secret) {
	if cmd.IsSet(name) && registry.HasPassword(secret) {
		what := "a password"
		if name == "sync-token" {
			what = "a token"
		}
		a.note("warning: %s in --%s shows in the list of processes and the shell's history; --%s-stdin keeps it out", what, name, name)
	}
}
