package hosting

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Subject is a tenant with what is recorded of its database.
type Subject struct {
	Tenant   registry.Tenant
	Database *registry.Database // that sp made or is about to make; nil where there is none
	Server   *registry.Server   // on which that is
	Next     *secret.Secret     // the URL of a rotation that was stopped
}

// SubjectOf reads what is recorded of a tenant's database.
func SubjectOf(ctx context.Context, view *registry.View, t registry.Tenant) (s Subject, err error) {
	s.Tenant = t
	if s.Database, err = view.Database(ctx, t.ID); err == nil && s.Database != nil {
		s.Server, err = view.Server(ctx, s.Database.Server)
	}
	if err != nil {
		return s, err
	}
	s.Next, err = view.Rotation(ctx, t.ID)
	return s, err
}

// subject is SubjectOf as it is now.
func (m *Machine) subject(ctx context.Context, id registry.TenantID) (s Subject, err error) {
	err = m.Read(ctx, func(view *registry.View) error {
		t, err := view.Tenant(ctx, id)
		if err == nil {
			s, err = SubjectOf(ctx, view, t)
		}
		return err
	})
	return s, err
}

// database is what is recorded of a tenant's database now, nil if there is none.
func (m *Machine) database(ctx context.Context, id registry.TenantID) (d *registry.Database, err error) {
	err = m.Read(ctx, func(view *registry.View) (err error) {
		d, err = view.Database(ctx, id)
		return err
	})
	return d, err
}

// databases are all that are recorded now.
func (m *Machine) databases(ctx context.Context) (all []registry.Database, err error) {
	err = m.Read(ctx, func(view *registry.View) (err error) {
		all, err = view.Databases(ctx)
		return err
	})
	return all, err
}

// server is a server as it is recorded now.
func (m *Machine) server(ctx context.Context, name string) (s registry.Server, err error) {
	err = m.Read(ctx, func(view *registry.View) error {
		known, err := view.Server(ctx, name)
		if err == nil && known == nil {
			err = fmt.Errorf("server %s: %w", name, registry.ErrNotFound)
		}
		if err == nil {
			s = *known
		}
		return err
	})
	return s, err
}

// sharers are the other tenants whose URL shares something with that of a tenant. It is told
// beside what was done, and nothing hangs on it.
func (m *Machine) sharers(ctx context.Context, t registry.Tenant, shares func(a, b secret.Secret) bool) (found []registry.Tenant) {
	if t.DatabaseURL == nil {
		return nil
	}
	_ = m.Read(ctx, func(view *registry.View) error {
		for other, err := range view.Tenants(ctx, registry.Page{}) {
			if err != nil {
				return err
			}
			if other.ID != t.ID && other.DatabaseURL != nil && shares(*other.DatabaseURL, *t.DatabaseURL) {
				found = append(found, other)
			}
		}
		return nil
	})
	return found
}

// leadsTo tells whether two URLs lead to the same database.
func leadsTo(a, b secret.Secret) bool {
	first, ok := registry.DatabaseOf(a)
	second, readable := registry.DatabaseOf(b)
	return ok && readable && first == second
}
