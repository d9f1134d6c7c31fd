package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

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
	n.Database = &registry.PlannedDatabase{Server: h.Server, Name: name}
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
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	d, err := lockDatabase(ctx, reg, h, t.ID)
	if err != nil {
		return t, err
	}
	url, err := h.admin.Create(ctx, h.database(*d), a.random)
	if err != nil {
		return t, err
	}
	p := registry.Credentials{Tenant: t.ID, URL: url, Login: registry.LoginA}
	if now := a.now(); d.Login != p.Login || d.RetireAt != nil { // the other one was published once, and is nobody's now
		p.RetireAt = &now
	}
	if h.Provider == registry.InDocker {
		container := postgres.Container
		p.Container = &container
	}
	published, err := reg.PublishCredentials(ctx, p)
	if !made(err) {
		return t, err
	}
	if ctx.Err() != nil { // what is left is of other tenants, and for the next command
		return published, err
	}
	return published, errors.Join(err, afterwards(a.retireDue(ctx, reg, h)))
}

// database is what provision calls by the names of d.
func (h *host) database(d registry.Database) provision.Database {
	return provision.Database{Name: d.Name, Tenant: string(d.Tenant), Own: h.IsOwn()}
}

// lockDatabase keeps other commands from the same database on its server until the
// connection ends, and looks at it again: one before may have changed it.
func lockDatabase(ctx context.Context, reg *registry.Registry, h *host, id registry.TenantID) (*registry.Database, error) {
	d, err := databaseOf(ctx, reg, id)
	if err == nil && d != nil {
		if err = h.admin.Lock(ctx, h.database(*d)); err == nil {
			d, err = databaseOf(ctx, reg, id)
		}
	}
	if err == nil && d == nil {
		err = fmt.Errorf("tenant %s: its database was dropped meanwhile: %w", id, registry.ErrConflict)
	}
	return d, err
}
