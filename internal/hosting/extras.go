package hosting

import (
	"context"

	"github.com/sp-registry/sp/internal/registry"
)

// Extras are what a framework needs beside a tenant's database. They are not recorded: who goes on after a crash
// names them again. What is there of them is found on the server, and goes with the database.
type Extras struct {
	Extensions []string // of PostgreSQL
	Databases  bool     // for tests, with the roles of the tenant
}

// None reports that there are none.
func (x Extras) None() bool { return len(x.Extensions) == 0 && !x.Databases }

// isNew tells whether nobody can have been in a database, which is nil if it is not even planned.
func isNew(d *registry.Database) bool { return d == nil || d.State == registry.Provisioning }

// mayHave refuses extras that a database can't have, before anything is made.
func (h *host) mayHave(ctx context.Context, d *registry.Database, x Extras) error {
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	if err := h.admin.MayExtend(ctx, x.Extensions, isNew(d)); err != nil {
		return &ServerError{h.Server, err}
	}
	if d == nil || !x.Databases {
		return nil
	}
	return h.admin.MayMakeExtras(ctx, h.database(*d))
}

// makeExtras makes them. The databases for tests get the extensions, too.
func (h *host) makeExtras(ctx context.Context, d registry.Database, x Extras) error {
	its := h.database(d)
	if x.Databases {
		if err := h.admin.MakeExtras(ctx, its); err != nil {
			return err
		}
	}
	if err := h.admin.Extend(ctx, its, x.Extensions, isNew(&d)); err != nil || !x.Databases {
		return err
	}
	for _, extra := range its.Extras() {
		if err := h.admin.Extend(ctx, extra, x.Extensions, isNew(&d)); err != nil {
			return err
		}
	}
	return nil
}

// addExtras makes them in a database that is whole.
func (m *Machine) addExtras(ctx context.Context, h *host, id registry.TenantID, x Extras) error {
	if x.None() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	d, err := m.lock(ctx, h, id)
	if err != nil {
		return err
	}
	return h.makeExtras(ctx, *d, x)
}
