package hosting

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Subject is a tenant with the records of its database.
type Subject struct {
	Tenant   registry.Tenant
	Database *registry.Database // that sp made or is about to make; nil where there is none
	Server   *registry.Server   // on which that is
	Next     *secret.Secret     // the URL of a rotation that was stopped
}

// SubjectOf reads the records of a tenant's database.
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

// recorded is what fn finds in the registry as it is now.
func recorded[T any](ctx context.Context, m *Machine, fn func(*registry.View) (T, error)) (found T, err error) {
	err = m.Read(ctx, func(view *registry.View) (err error) {
		found, err = fn(view)
		return err
	})
	return found, err
}

func (m *Machine) subject(ctx context.Context, id registry.TenantID) (Subject, error) {
	return recorded(ctx, m, func(view *registry.View) (Subject, error) {
		t, err := view.Tenant(ctx, id)
		if err != nil {
			return Subject{}, err
		}
		return SubjectOf(ctx, view, t)
	})
}

// database is the one of a tenant, nil if there is none.
func (m *Machine) database(ctx context.Context, id registry.TenantID) (*registry.Database, error) {
	return recorded(ctx, m, func(view *registry.View) (*registry.Database, error) { return view.Database(ctx, id) })
}

func (m *Machine) databases(ctx context.Context) ([]registry.Database, error) {
	return recorded(ctx, m, func(view *registry.View) ([]registry.Database, error) { return view.Databases(ctx) })
}

func (m *Machine) server(ctx context.Context, name string) (registry.Server, error) {
	return recorded(ctx, m, func(view *registry.View) (registry.Server, error) {
		known, err := view.Server(ctx, name)
		if err == nil && known == nil {
			err = fmt.Errorf("server %s: %w", name, registry.ErrNotFound)
		}
		if err != nil {
			return registry.Server{}, err
		}
		return *known, nil
	})
}

// sharersIn are the tenants but one whose URL shares something with another.
func sharersIn(ctx context.Context, view *registry.View, but registry.TenantID, url secret.Secret, shares func(a, b secret.Secret) bool) (found []registry.Tenant, err error) {
	for other, err := range view.Tenants(ctx, registry.Page{}) {
		if err != nil {
			return nil, err
		}
		if other.ID != but && other.DatabaseURL != nil && shares(*other.DatabaseURL, url) {
			found = append(found, other)
		}
	}
	return found, nil
}

// sharersOf are the other tenants whose URL leads to a database that sp made on a server.
func sharersOf(ctx context.Context, view *registry.View, server registry.Server, d registry.Database) ([]registry.Tenant, error) {
	own, err := pgurl.For(server.Admin, d.Name, d.Name, secret.Secret{})
	if err != nil {
		return nil, err
	}
	return sharersIn(ctx, view, d.Tenant, own, leadsTo)
}

// leadsTo tells whether two URLs lead to the same database.
func leadsTo(a, b secret.Secret) bool {
	first, ok := pgurl.DatabaseOf(a)
	second, readable := pgurl.DatabaseOf(b)
	return ok && readable && first == second
}
