package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/sp-registry/sp/internal/workspace"
)

// act is what one command does.
type act func(context.Context, *registry.Registry) error

func (h house) do(p publish, a act) error { return h.doIn(context.Background(), p, a) }

func (h house) doIn(ctx context.Context, p publish, a act) (err error) {
	reg, err := registry.Open(ctx, h.registry(), h.options())
	if err != nil {
		return err
	}
	defer func() { _ = reg.Close() }()
	tx, err := reg.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Close()) }()
	if err := tx.Do(ctx, func(r *registry.Registry) error { return a(ctx, r) }); err != nil {
		return err
	}
	files, err := h.sweeping(p)(ctx, tx.View())
	if err != nil {
		return err
	}
	return workspace.Finish(ctx, tx, files)
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
			return exporter.Decode(strings.NewReader(text), func(t registry.Tenant, _ jsontext.Place) error { return take(t) })
		}})
		return err
	}
}

// many is a file of n tenants, t0 first.
func many(n int) string {
	var tenants []string
	for i := range n {
		tenants = append(tenants, fmt.Sprintf(`{"id":"t%d","name":"n%d","app_id":"a%d","region":"iad","database_url":"postgres://u:p@localhost/%d","x":{"y":[%d]}}`, i, i, i, i, i))
	}
	return `{"tenants":[` + strings.Join(tenants, ",") + `],` + at10 + `}`
}

func profile(name, tenant string) act {
	return func(ctx context.Context, r *registry.Registry) error {
		id := registry.TenantID(tenant)
		_, err := r.CreateProfile(ctx, registry.NewProfile{Name: name, Tenant: &id})
		return err
	}
}

func export(context.Context, *registry.Registry) error { return nil }

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
		func(ctx context.Context, r *registry.Registry) error { _, err := r.DeleteProfile(ctx, "q"); return err },
		rename("a", "name of "+name), // it has that name
		export,
	}
}

// withTenant is a file whose one tenant has these members, beside id and name.
func withTenant(members string) string {
	return `{"tenants":[{"id":"a","name":"n",` + members + `}],` + at10 + `}`
}

// tenantsIn counts the tenants of a text.
func tenantsIn(t *testing.T, text string) (n int) {
	t.Helper()
	_, err := exporter.Decode(strings.NewReader(text), func(registry.Tenant, jsontext.Place) error { n++; return nil })
	require.NoError(t, err)
	return n
}
