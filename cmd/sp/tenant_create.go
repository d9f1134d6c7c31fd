package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
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
	case given && (cmd.Bool("no-database") || w.Provider != "" && w.Provider != byURL):
		return usage("tenant create: either the URL of a database, or where to make one")
	case !given && w.Provider == byURL:
		return withHint(usage("tenant create: --provider url: which database?"), "--database-url-stdin")
	case cmd.Bool("no-database") && w.Provider != "":
		return usage("tenant create: either --no-database, or where to make one")
	case given && !cmd.Bool("no-check"):
		if err := a.checkAdopted(ctx, *n.Tenant.DatabaseURL); err != nil {
			return err
		}
	}
	return a.untilTold(ctx, func(ctx context.Context) error {
		if n.Tenant.DatabaseURL != nil || cmd.Bool("no-database") {
			return a.storeTenant(ctx, n, existingBy(cmd))
		}
		known, err := a.knownServers(ctx)
		if err != nil {
			return err
		}
		s, err := a.findServer(ctx, w, known)
		if err == nil && !s.IsOwn() { // nothing is made where it does not answer
			err = a.machine(project.Dir{}, nil).Answers(ctx, s)
		}
		if err == nil {
			err = a.makeRegistry(ctx, existingBy(cmd))
		}
		if err != nil {
			return err
		}
		return a.inSteps(ctx, a.tenants, func(ctx context.Context, m *hosting.Machine) error { return a.hostTenant(ctx, m, n, s) })
	})
}

// newTenant is the tenant that the flags describe. At a terminal, what is not given is asked for.
func (a *app) newTenant(ctx context.Context, cmd *cli.Command, w hosting.Wanted) (n registry.NewTenant, err error) {
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
		if url == nil && w.Provider == "" && !cmd.Bool("no-database") {
			if url, err = a.askSecret(ctx, "database URL (Enter for a new database)"); err != nil {
				return n, err
			}
		}
	}
	if url != nil {
		a.warnOfArgument(cmd, "database-url", *url)
	}
	n.Tenant = newLocal(registry.TenantID(cmd.String("id")), name, url, optional(cmd, "shared-container-db"))
	n.Tenant.ExternalDBAccess = cmd.Bool("external-db-access")
	n.AllowDuplicateName = cmd.Bool("allow-duplicate-name")
	return n, n.Check() // before anything is made for it
}

// newLocal is a local tenant, whose database may be yet to be made.
func newLocal(id registry.TenantID, name string, url *secret.Secret, shared *string) (t registry.Tenant) {
	var given secret.Secret
	if url != nil {
		given = *url
	}
	if shared == nil {
		t = registry.NewLocal(id, name, given)
	} else {
		t = registry.NewLocalShared(id, name, given, *shared)
	}
	t.DatabaseURL = url
	return t
}

// storeTenant registers a tenant, in a new registry where there is none.
func (a *app) storeTenant(ctx context.Context, n registry.NewTenant, files existingFiles) error {
	var t registry.Tenant
	var alike []registry.TenantID
	_, err := a.changeNew(ctx, files, a.tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		if alike, err = lookalikes(ctx, reg, n.Tenant.Name); err == nil {
			t, err = reg.CreateTenant(ctx, n)
		}
		return err
	}))
	return a.tellCreated(t, alike, err)
}

// hostTenant registers a tenant, and makes its database on a server.
func (a *app) hostTenant(ctx context.Context, m *hosting.Machine, n registry.NewTenant, s registry.Server) (err error) {
	var alike []registry.TenantID
	err = m.Read(ctx, func(view *registry.View) error {
		alike, err = view.Lookalikes(ctx, n.Tenant.Name)
		return err
	})
	if err != nil {
		return err
	}
	c, err := m.Create(ctx, n, s)
	a.tellMade(c, err)
	return a.tellCreated(c.Tenant, alike, err)
}

// tellCreated answers with a tenant that was created.
func (a *app) tellCreated(t registry.Tenant, alike []registry.TenantID, err error) error {
	if !made(err) {
		return err
	}
	a.note("tenant %s created", t)
	a.warnOfLookalikes(t, alike)
	if a.json {
		return cmp.Or(err, a.document(map[string]any{"id": t.ID, "name": t.Name}))
	}
	return cmp.Or(err, a.line(string(t.ID)))
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
	if cmd.IsSet(name) && pgurl.HasSecret(secret) {
		what := "a password"
		if name == "sync-token" {
			what = "a token"
		}
		a.note("warning: %s in --%s shows in the list of processes and the shell's history; --%s-stdin keeps it out", what, name, name)
	}
}
