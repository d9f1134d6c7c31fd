package exporter_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// act is what one command does.
type act func(context.Context, *registry.Registry) error

func (h house) do(p publish, a act) error {
	reg, err := registry.Open(context.Background(), h.registry(), h.options(p))
	if err != nil {
		return err
	}
	defer func() { _ = reg.Close() }()
	return a(context.Background(), reg)
}

func (h house) must(t testing.TB, p publish, a act) {
	t.Helper()
	require.NoError(t, h.do(p, a))
}

func create(id string) act {
	return func(ctx context.Context, r *registry.Registry) error {
		url := secret.New("postgres://u:" + canary + "@localhost/" + id)
		_, err := r.CreateTenant(ctx, registry.NewTenant{Tenant: registry.NewLocal(registry.TenantID(id), "name of "+id, url)})
		return err
	}
}

func rename(id, name string) act {
	return func(ctx context.Context, r *registry.Registry) error {
		_, _, err := r.UpdateTenant(ctx, registry.TenantEdit{ID: registry.TenantID(id), Set: map[string]*secret.Secret{"name": secret.Optional(&name)}})
		return err
	}
}

func remove(id string) act {
	return func(ctx context.Context, r *registry.Registry) error {
		_, err := r.DeleteTenant(ctx, registry.Deletion{ID: registry.TenantID(id)})
		return err
	}
}

func imports(text string) act {
	return func(ctx context.Context, r *registry.Registry) error {
		_, err := r.ImportTenants(ctx, registry.Import{Read: func(take func(registry.Tenant) error) (registry.Document, error) {
			return exporter.Decode(strings.NewReader(text), func(t registry.Tenant, _ exporter.Place) error { return take(t) })
		}})
		return err
	}
}

func profile(name, tenant string) act {
	return func(ctx context.Context, r *registry.Registry) error {
		id := registry.TenantID(tenant)
		_, err := r.CreateProfile(ctx, registry.NewProfile{Name: name, Tenant: &id})
		return err
	}
}

func export(ctx context.Context, r *registry.Registry) error { return r.Publish(ctx) }

// otherChanges are changes, in this order, that no file of tenants shows.
func otherChanges() []act {
	id, name, other := registry.TenantID("a"), "a", "q"
	return []act{
		profile("x", "a"),
		func(ctx context.Context, r *registry.Registry) error {
			_, err := r.UpdateProfile(ctx, registry.ProfileEdit{Name: "x", NewName: &other})
			return err
		},
		func(ctx context.Context, r *registry.Registry) error { _, err := r.SelectTenant(ctx, id); return err },
		func(ctx context.Context, r *registry.Registry) error { _, err := r.UseProfile(ctx, "q"); return err },
		func(ctx context.Context, r *registry.Registry) error { return r.SetDefaultProfile(ctx, &other) },
		func(ctx context.Context, r *registry.Registry) error { _, err := r.EndSession(ctx, id); return err },
		func(ctx context.Context, r *registry.Registry) error { _, err := r.EndSessions(ctx); return err },
		func(ctx context.Context, r *registry.Registry) error {
			_, err := r.DeleteProfile(ctx, "q", false)
			return err
		},
		rename("a", "name of "+name), // it has that name
		export,
	}
}
