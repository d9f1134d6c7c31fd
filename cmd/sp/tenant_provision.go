package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

// A database is made in steps, none of which can be taken back with the others: its row
// comes first, with all names, then what is on the server, then the URL. Wherever that is
// stopped, it can be gone on with or undone.

func (a *app) tenantProvisionCommand() *cli.Command {
	return &cli.Command{
		Name:      "provision",
		Usage:     "make a tenant's database, or finish what was stopped",
		ArgsUsage: "[ID]",
		Description: "The selected tenant without ID. Where its database is whole, nothing is done; else every\n" +
			"step is done that is not done yet. sp tenant delete ID undoes it.",
		Flags: append(serverFlags(), a.noExportFlag()),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			w, err := a.wantedServer(ctx, cmd)
			if err == nil && w.provider == "url" {
				err = withHint(usage("tenant provision: a database that is there is not made"), "sp tenant edit ID --database-url-stdin")
			}
			if err != nil {
				return err
			}
			dir, err := a.project()
			if err != nil {
				return err
			}
			return a.changeTenants(ctx, func(ctx context.Context, reg *registry.Registry) error {
				t, err := a.provisionTenant(ctx, dir, reg, argument(cmd, 0), w)
				if a.json && made(err) {
					err = cmp.Or(err, a.document(map[string]any{"id": t.ID, "name": t.Name}))
				}
				return err
			})
		},
	}
}

// prospect is what is known of a tenant's database, and of the servers.
type prospect struct {
	tenant   registry.Tenant
	database *registry.Database
	servers  []registry.Server
}

func (p prospect) server() (registry.Server, error) {
	for _, s := range p.servers {
		if s.Name == p.database.Server {
			return s, nil
		}
	}
	return registry.Server{}, fmt.Errorf("server %s: %w", p.database.Server, registry.ErrNotFound)
}

// lookAt looks at a tenant, the selected one for nil, and its database. It holds nothing of
// the registry afterwards: what follows takes its time.
func lookAt(ctx context.Context, reg *registry.Registry, ref *string) (p prospect, err error) {
	view, err := reg.View(ctx)
	if err != nil {
		return p, err
	}
	defer view.Close()
	if p.tenant, err = namedTenant(ctx, view, ref); err != nil {
		return p, err
	}
	if p.database, err = view.Database(ctx, p.tenant.ID); err != nil {
		return p, err
	}
	p.servers, err = view.Servers(ctx)
	return p, err
}

func (a *app) provisionTenant(ctx context.Context, dir project.Dir, reg *registry.Registry, ref *string, w wanted) (registry.Tenant, error) {
	p, err := lookAt(ctx, reg, ref)
	if err != nil {
		return p.tenant, err
	}
	switch t, d := p.tenant, p.database; {
	case t.IsCloud():
		return t, fmt.Errorf("tenant provision: tenant %s: %w: %s", t, errUnsupported, needsCloud)
	case d == nil && t.HasDatabaseURL(), d != nil && d.State == registry.Ready && t.HasDatabaseURL():
		a.note("tenant %s has its database", t)
		return t, nil
	case d != nil && d.State == registry.Dropping:
		return t, withHint(fmt.Errorf("tenant %s: its database is being dropped: %w", t, registry.ErrConflict), "sp tenant delete %s -y goes on with that", project.Quoted(string(t.ID)))
	case d != nil && w.provider != "" && w.provider != string(providerOf(p)):
		return t, withHint(fmt.Errorf("tenant %s: its database was begun on server %s: %w", t, d.Server, registry.ErrConflict), "without --provider and --server it is finished there")
	}
	s, err := registry.Server{}, error(nil)
	if p.database == nil {
		s, err = a.findServer(ctx, w, p.servers)
	} else {
		s, err = p.server()
	}
	if err != nil {
		return p.tenant, err
	}
	h, err := a.bringUp(ctx, dir, reg, w.instead(s))
	if err != nil {
		return p.tenant, err
	}
	defer h.close()
	if p.database == nil {
		name, err := provision.NewName(p.tenant.Name, a.random)
		if err != nil {
			return p.tenant, err
		}
		if err := reg.PlanDatabase(ctx, p.tenant.ID, h.Name, name); !made(err) {
			return p.tenant, err
		}
	}
	t, err := a.makeDatabase(ctx, reg, h, p.tenant)
	if made(err) {
		a.note("tenant %s has its database", t)
	}
	return t, err
}

func providerOf(p prospect) registry.Provider {
	s, err := p.server()
	if err != nil {
		return ""
	}
	return s.Provider
}

// instead is the same server, with the login that was named for it.
func (w wanted) instead(s registry.Server) registry.Server {
	if w.admin != nil && !s.IsOwn() {
		if named, err := registry.ServerAt(*w.admin); err == nil && named.Name == s.Name {
			s.Admin = named.Admin
		}
	}
	return s
}

// findServerFirst is findServer where there may be no registry yet. It makes nothing.
func (a *app) findServerFirst(ctx context.Context, w wanted) (s registry.Server, err error) {
	var known []registry.Server
	err = a.read(ctx, func(_ project.Dir, view *registry.View) error {
		known, err = view.Servers(ctx)
		return err
	})
	if err != nil && !isNoRegistry(err) {
		return s, err
	}
	return a.findServer(ctx, w, known)
}

// makeTenant registers a tenant and, where s is not nil, makes its database there.
func (a *app) makeTenant(ctx context.Context, dir project.Dir, reg *registry.Registry, n registry.NewTenant, s *registry.Server) (registry.Tenant, error) {
	if s == nil {
		return reg.CreateTenant(ctx, n)
	}
	h, err := a.bringUp(ctx, dir, reg, *s)
	if err != nil {
		return n.Tenant, err
	}
	defer h.close()
	name, err := provision.NewName(n.Tenant.Name, a.random)
	if err != nil {
		return n.Tenant, err
	}
	n.Database = &registry.PlannedDatabase{Server: h.Name, Name: name}
	t, err := reg.CreateTenant(ctx, n)
	if !made(err) {
		return t, err
	}
	return a.makeDatabase(ctx, reg, h, t)
}

// makeDatabase makes what is planned for a tenant, and gives it the URL.
func (a *app) makeDatabase(ctx context.Context, reg *registry.Registry, h *host, t registry.Tenant) (registry.Tenant, error) {
	t, err := a.makeDatabaseOf(ctx, reg, h, t)
	if !made(err) {
		id := project.Quoted(string(t.ID))
		a.note("tenant %s is registered, its database is not finished: sp tenant provision %s goes on, sp tenant delete %s -y undoes it", t, id, id)
	}
	return t, err
}

func (a *app) makeDatabaseOf(ctx context.Context, reg *registry.Registry, h *host, t registry.Tenant) (registry.Tenant, error) {
	d, err := a.lockDatabase(ctx, reg, h, t.ID)
	if err != nil {
		return t, err
	}
	url, err := h.admin.Create(ctx, h.database(*d), a.random)
	if err != nil {
		return t, err
	}
	p := registry.Credentials{Tenant: t.ID, URL: url, Login: registry.LoginA}
	if h.Provider == registry.InDocker {
		container := postgres.Container
		p.Container = &container
	}
	published, err := reg.PublishCredentials(ctx, p)
	if made(err) {
		t = published
	}
	return t, errors.Join(err, a.retireDue(ctx, reg, h))
}

// database is what provision calls by the names of d.
func (h *host) database(d registry.Database) provision.Database {
	return provision.Database{Name: d.Name, Tenant: d.Tenant, Own: h.IsOwn()}
}

// lockDatabase keeps other commands from the same database on its server until the
// connection ends, and looks at it again: one before may have changed it.
func (a *app) lockDatabase(ctx context.Context, reg *registry.Registry, h *host, id registry.TenantID) (*registry.Database, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	d, err := view.Database(ctx, id)
	view.Close()
	if err == nil && d == nil {
		err = fmt.Errorf("tenant %s: its database was dropped meanwhile: %w", id, registry.ErrConflict)
	}
	if err == nil {
		err = h.admin.Lock(ctx, h.database(*d))
	}
	if err != nil {
		return nil, err
	}
	view, err = reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	d, err = view.Database(ctx, id)
	if err == nil && d == nil {
		err = fmt.Errorf("tenant %s: its database was dropped meanwhile: %w", id, registry.ErrConflict)
	}
	return d, err
}
