package hosting

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// A database is made in steps, none of which can be taken back with the others: its row comes
// first, with all names, then what is on the server, then the URL. Wherever that is stopped, it
// can be gone on with or undone.

// Created is a tenant for which a database was made.
type Created struct {
	Tenant registry.Tenant
	// Planned reports that the database is recorded. If Create also returns an error other than
	// registry.ErrIncomplete, the database is not finished.
	Planned bool
	Warnings
}

// Create registers a tenant and makes its database on a server, with extras.
func (m *Machine) Create(ctx context.Context, n registry.NewTenant, s registry.Server, x Extras) (c Created, err error) {
	c.Tenant = n.Tenant
	defer func() { err = m.orFull(s, err) }()
	h, err := m.bringUpRoomy(ctx, s)
	if err != nil {
		return c, err
	}
	defer h.close()
	if err := h.mayHave(ctx, nil, x); err != nil {
		return c, err
	}
	err = m.planDatabase(ctx, h, n.Tenant.Name, func(reg *registry.Registry, p registry.PlannedDatabase) (err error) {
		n.Database = &p
		c.Tenant, err = reg.CreateTenant(ctx, n)
		return err
	})
	if !made(err) {
		return c, err
	}
	return c, m.make(ctx, h, &c, x, false)
}

// Resumed is a tenant whose database is whole again.
type Resumed struct {
	Created
	// Gone is a database that was recorded as whole and was not any more. The missing parts were
	// made again; its content is lost.
	Gone *registry.Database
	// Ended reports that the old login was due to end and was ended.
	Ended bool
}

// Resume makes a tenant's database on a server, or finishes what was stopped, and makes extras that are not there
// yet. If the database is whole, it only does pending work.
func (m *Machine) Resume(ctx context.Context, s Subject, on registry.Server, x Extras) (r Resumed, err error) {
	r.Tenant = s.Tenant
	whole := s.Tenant.HasDatabaseURL() && s.Database != nil && s.Database.State == registry.Ready
	refused := error(nil)
	if whole {
		if refused = m.mustLogIn(ctx, s.Tenant); refused == nil && s.Database.RetireAt == nil && x.None() {
			return r, m.publish(ctx)
		}
	}
	defer func() { err = m.orFull(on, err) }()
	h, err := m.bringUpRoomy(ctx, on)
	if err != nil {
		return r, err
	}
	defer h.close()
	r.Pooled = h.pooled()
	if err := h.mayHave(ctx, s.Database, x); err != nil {
		return r, err
	}
	if whole {
		if refused = m.mustLogIn(ctx, s.Tenant); refused == nil { // the server may not have been running
			return r, errors.Join(m.addExtras(ctx, h, s.Tenant.ID, x), m.endDue(ctx, h, *s.Database, &r), m.publish(ctx))
		}
		_, there, err := h.admin.Holds(ctx, h.database(*s.Database))
		if err == nil && there { // and its URL is not the one that opens it
			err = refused
		}
		if err != nil {
			return r, err
		}
		r.Gone = s.Database
	}
	if s.Database == nil {
		err := m.planDatabase(ctx, h, s.Tenant.Name, func(reg *registry.Registry, p registry.PlannedDatabase) error {
			return reg.PlanDatabase(ctx, s.Tenant.ID, p)
		})
		if !made(err) {
			return r, err
		}
	}
	return r, m.make(ctx, h, &r.Created, x, false)
}

// Keep takes back the drop of a tenant's database that was begun, if all of it is still there: the tenant
// gets a new login to it.
func (m *Machine) Keep(ctx context.Context, s Subject, on registry.Server) (c Created, err error) {
	c.Tenant = s.Tenant
	h, err := m.bringUp(ctx, on)
	if err != nil {
		return c, err
	}
	defer h.close()
	return c, m.make(ctx, h, &c, Extras{}, true)
}

func (h *host) mustBeWhole(ctx context.Context, d registry.Database) error {
	_, whole, err := h.admin.Holds(ctx, h.database(d))
	if err == nil && !whole {
		err = fmt.Errorf("tenant %s: %w: %w", d.Tenant, ErrPartlyGone, registry.ErrConflict)
	}
	return err
}

// planDatabase has a database recorded, before any of it is made.
func (m *Machine) planDatabase(ctx context.Context, h *host, tenant string, record func(*registry.Registry, registry.PlannedDatabase) error) error {
	name, err := provision.NewName(tenant, m.Random)
	if err != nil {
		return err
	}
	return m.changeOn(ctx, h, func(reg *registry.Registry) error {
		return record(reg, registry.PlannedDatabase{Server: h.Server, Name: name})
	})
}

// make makes what is planned for a tenant, or keeps what was about to go, and gives it the URL.
func (m *Machine) make(ctx context.Context, h *host, c *Created, x Extras, kept bool) error {
	c.Planned, c.Pooled = !kept, h.pooled()
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	d, err := m.lock(ctx, h, c.Tenant.ID)
	if err != nil {
		return err
	}
	open := h.admin.Create
	switch {
	case kept:
		if err := h.mustBeWhole(ctx, *d); err != nil {
			return err
		}
		open = h.admin.Reopen
	case d.State == registry.Dropping: // since it was looked at
		return fmt.Errorf("tenant %s: its database is being dropped: %w", c.Tenant, registry.ErrConflict)
	}
	url, err := open(ctx, h.database(*d), m.Random)
	if err == nil {
		err = h.makeExtras(ctx, *d, x)
	}
	if err != nil {
		return err
	}
	p := registry.Credentials{Tenant: c.Tenant.ID, URL: url, Login: registry.LoginA, Kept: kept}
	if now := m.Now(); d.Login != p.Login || d.RetireAt != nil { // the other one was published once, and is nobody's now
		p.RetireAt = &now
	}
	if h.Provider == registry.InDocker {
		container := postgres.Container
		p.Container = &container
	}
	t, err := m.publishLogin(ctx, h, p)
	if !made(err) {
		return err
	}
	c.Tenant = t
	if ctx.Err() != nil { // what is left is of other tenants, and for the next command
		return err
	}
	return errors.Join(err, afterwards(m.retireDue(ctx, h, &c.Warnings)))
}

func (m *Machine) publishLogin(ctx context.Context, h *host, p registry.Credentials) (t registry.Tenant, err error) {
	err = m.changeOn(ctx, h, func(reg *registry.Registry) (err error) {
		t, err = reg.PublishCredentials(ctx, p)
		return err
	})
	return t, err
}

// database is what provision calls by the names of d.
func (h *host) database(d registry.Database) provision.Database {
	return provision.Database{Name: d.Name, Tenant: string(d.Tenant), Own: h.IsOwn()}
}

// lock keeps other commands from a tenant's database on its server until the connection ends,
// and looks at it again: one before may have changed it.
func (m *Machine) lock(ctx context.Context, h *host, id registry.TenantID) (*registry.Database, error) {
	d, err := m.database(ctx, id)
	if err == nil && d != nil {
		if err = h.admin.Lock(ctx, h.database(*d)); err == nil {
			d, err = m.database(ctx, id)
		}
	}
	if err == nil && d == nil {
		err = fmt.Errorf("tenant %s: its database was dropped meanwhile: %w", id, registry.ErrConflict)
	}
	return d, err
}
