package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

func (a *app) tenantCreateCommand() *cli.Command {
	return &cli.Command{
		Name:  "create",
		Usage: "make a local tenant with a database of its own, and print its id",
		Description: "  sp tenant create --type local --name my-project\n" +
			"  sp tenant create --name my-project --database-url-stdin < url.txt\n\n" +
			"Without the URL of a database, one is made: on the server of --server, on the one that\n" +
			"sp runs for this project, in Docker, or with this machine's own PostgreSQL.",
		Flags: append(append([]cli.Flag{
			&cli.StringFlag{Name: "type", Usage: "`local` or cloud", OnlyOnce: true},
			stringFlag("name", "what people call it"),
			stringFlag("id", "its id, else local_ and the time in hexadecimal"),
			stringFlag("region", "the region of a cloud tenant, such as `iad`"),
			stringFlag("shared-container-db", "the `NAME` of its database in a shared container"),
			boolFlag("external-db-access", "its database takes connections from outside"),
			boolFlag("allow-duplicate-name", "though another tenant has that name"),
			boolFlag("no-database", "its database comes later: sp tenant provision ID"),
			boolFlag("no-check", "do not try whether the database of the URL answers"),
			setAsideFlag(), a.noExportFlag(),
		}, secretFlags("database-url", "the `URL` of its database, postgres://USER:PASSWORD@HOST/DB")...), serverFlags()...),
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
	if cmd.Bool("database-url-stdin") && cmd.Bool("server-stdin") {
		return usage("tenant create: either the URL of a database, or where to make one")
	}
	w, err := a.wantedServer(ctx, cmd)
	if err != nil {
		return err
	}
	n, err := a.newTenant(ctx, cmd, w)
	if err != nil {
		return err
	}
	switch given := n.Tenant.DatabaseURL != nil; {
	case given && (cmd.Bool("no-database") || w.provider != "" && w.provider != "url"):
		return usage("tenant create: either the URL of a database, or where to make one")
	case !given && w.provider == "url":
		return withHint(usage("tenant create: --provider url: which database?"), "--database-url-stdin")
	case cmd.Bool("no-database") && w.provider != "":
		return usage("tenant create: either --no-database, or where to make one")
	case given && !cmd.Bool("no-check"):
		if err := a.checkAdopted(ctx, *n.Tenant.DatabaseURL); err != nil {
			return err
		}
	}
	return a.untilTold(ctx, func(ctx context.Context) error {
		if n.Tenant.DatabaseURL != nil || cmd.Bool("no-database") {
			return a.storeTenant(ctx, n, nil, standingBy(cmd))
		}
		s, err := a.findServerFirst(ctx, w)
		if err == nil && !s.IsOwn() { // nothing is made where it does not answer
			err = a.answers(ctx, s)
		}
		if err != nil {
			return err
		}
		return a.storeTenant(ctx, n, &s, standingBy(cmd))
	})
}

// newTenant is the tenant that the flags describe. At a terminal, what is not given is asked for.
func (a *app) newTenant(ctx context.Context, cmd *cli.Command, w wanted) (n registry.NewTenant, err error) {
	url, err := a.secret(ctx, cmd, "database-url")
	if err != nil {
		return n, err
	}
	name := cmd.String("name")
	if !cmd.IsSet("name") {
		if a.json || !a.terminal(int(a.stdin.Fd())) || !a.terminal(int(a.stderr.Fd())) {
			return n, usage("tenant create: --name is missing")
		}
		if name, err = a.ask(ctx, "name"); err != nil {
			return n, err
		}
		if url == nil && w.provider == "" && !cmd.Bool("no-database") {
			if url, err = a.askSecret(ctx, "database URL (Enter for a new database)"); err != nil {
				return n, err
			}
		}
	}
	if url != nil {
		a.warnOfArgument(cmd, "database-url", *url)
	}
	n.Tenant = registry.Tenant{ID: registry.TenantID(cmd.String("id")), Name: name, Kind: registry.Local, DatabaseURL: url}
	n.Tenant.SharedContainerDB = optional(cmd, "shared-container-db")
	n.Tenant.ExternalDBAccess = cmd.Bool("external-db-access")
	n.AllowDuplicateName = cmd.Bool("allow-duplicate-name")
	return n, n.Check() // before anything is made for it
}

// storeTenant registers a tenant, in a new registry where there is none, and makes it a
// database where s is not nil.
func (a *app) storeTenant(ctx context.Context, n registry.NewTenant, s *registry.Server, files standingFiles) error {
	return a.stepsNew(ctx, files, func(ctx context.Context, dir project.Dir, reg *registry.Registry) error {
		alike, err := lookalikes(ctx, reg, n.Tenant.Name)
		if err != nil {
			return err
		}
		t, err := a.makeTenant(ctx, dir, reg, n, s)
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
func (a *app) warnOfArgument(cmd *cli.Command, name string, secret secret.Secret) {
	if cmd.IsSet(name) && registry.HasPassword(secret) {
		what := "a password"
		if name == "sync-token" {
			what = "a token"
		}
		a.note("warning: %s in --%s shows in the list of processes and the shell's history; --%s-stdin keeps it out", what, name, name)
	}
}
