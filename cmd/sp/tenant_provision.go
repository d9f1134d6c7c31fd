package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

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
			return a.steps(ctx, func(ctx context.Context, reg *registry.Registry) error {
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
	if err := p.checkProvisioning(w); err != nil {
		return p.tenant, err
	}
	if p.tenant.HasDatabaseURL() && (p.database == nil || p.database.State == registry.Ready) {
		if done, err := a.finishReady(ctx, dir, reg, p, w); done || err != nil {
			return p.tenant, err
		}
	}
	h, err := a.hostFor(ctx, dir, reg, p, w)
	if err != nil {
		return p.tenant, err
	}
	defer h.close()
	if p.database == nil {
		name, err := provision.NewName(p.tenant.Name, a.random)
		if err != nil {
			return p.tenant, err
		}
		if err := reg.PlanDatabase(ctx, p.tenant.ID, registry.PlannedDatabase{Server: h.Server, Name: name}); !made(err) {
			return p.tenant, err
		}
	}
	t, err := a.makeDatabase(ctx, reg, h, p.tenant)
	if made(err) {
		a.note("tenant %s has its database", t)
	}
	return t, err
}

// checkProvisioning refuses a tenant for which no database is made, or none there.
func (p prospect) checkProvisioning(w wanted) error {
	switch t, d := p.tenant, p.database; {
	case t.IsCloud():
		return fmt.Errorf("tenant provision: tenant %s: %w: %s", t, errUnsupported, needsCloud)
	case d != nil && d.State == registry.Dropping:
		return withHint(fmt.Errorf("tenant %s: its database is being dropped: %w", t, registry.ErrConflict), "sp tenant delete %s -y goes on with that", project.Quoted(string(t.ID)))
	case d != nil && w.provider != "" && w.provider != string(providerOf(p)):
		return withHint(fmt.Errorf("tenant %s: its database was begun on server %s: %w", t, d.Server, registry.ErrConflict), "without --provider and --server it is finished there")
	}
	return nil
}

// hostFor brings up the server of a tenant's database or, where none is planned yet, one for it.
func (a *app) hostFor(ctx context.Context, dir project.Dir, reg *registry.Registry, p prospect, w wanted) (*host, error) {
	if p.database == nil {
		s, err := a.findServer(ctx, w, p.servers)
		if err != nil {
			return nil, err
		}
		return a.bringUp(ctx, dir, reg, s)
	}
	s, err := p.server()
	if err != nil {
		return nil, err
	}
	return a.bringUp(ctx, dir, reg, w.instead(s))
}

// finishReady does what may be left to do for a tenant that has a URL, and tells whether that
// is all. Where somebody has dropped it, it has to be made again.
func (a *app) finishReady(ctx context.Context, dir project.Dir, reg *registry.Registry, p prospect, w wanted) (done bool, err error) {
	t := p.tenant
	if p.database == nil {
		a.note("tenant %s has its database", t)
		return true, nil
	}
	if refused := a.mustLogIn(ctx, t); refused == nil && !a.isDue(*p.database) {
		a.note("tenant %s has its database", t)
		return true, a.change(ctx, a.tenants(nothing)) // the files that follow, to which a killed command had not come
	}
	h, err := a.hostFor(ctx, dir, reg, p, w)
	if err != nil {
		return false, err
	}
	defer h.close()
	refused := a.mustLogIn(ctx, t) // the server may not have been running
	if refused == nil {
		a.note("tenant %s has its database", t)
		return true, errors.Join(a.endDue(ctx, reg, h, *p.database), a.change(ctx, a.tenants(nothing)))
	}
	_, whole, err := h.admin.Holds(ctx, h.database(*p.database))
	if err == nil && whole { // it is there, and its URL is not the one that opens it
		err = refused
	}
	if err == nil {
		a.note("database %s is not whole any more on server %s: what is missing is made again, and what was in it is gone", p.database.Name, h.Name)
	}
	return false, err
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
	isNew, err := a.isNew()
	if err == nil && !isNew {
		err = a.read(ctx, func(_ project.Dir, view *registry.View) error {
			known, err = view.Servers(ctx)
			return err
		})
	}
	if err != nil {
		return s, err
	}
	return a.findServer(ctx, w, known)
}
