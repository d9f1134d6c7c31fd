package resolver_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/secret"
)

func TestConnectionIsTheTenantsOwnURL(t *testing.T) {
	for name, host := range map[string]string{"a1": string(tenantA), "b1": "internal"} {
		c, err := resolver.Resolve(ctx, home(), flag(name))
		require.NoError(t, err)
		require.True(t, c.URL.Equal(*secretURL(host)), name)
	}
}

func TestExternalNetworkIsACloudTenantsDatabaseURL(t *testing.T) {
	req := flag("b1")
	req.Network = resolver.ExternalNetwork
	c, err := resolver.Resolve(ctx, home(), req)
	require.NoError(t, err)
	require.True(t, c.URL.Equal(*secretURL("external")))
}

func TestTenantIsNamedWithoutAProfile(t *testing.T) {
	w := home()
	for _, env := range []*string{nil, new(""), new("a1"), new("nobody")} {
		req := resolver.Request{Tenant: new(tenantB), Env: env}
		require.Equal(t, "tenant - of tenant-b", resolve(t, w, req))
	}
	w.deleted = true
	require.Equal(t, "tenant - of tenant-b", resolve(t, w, resolver.Request{Tenant: new(tenantB)}))
}

func TestAnUnusableURLIsSaidAndNeverShown(t *testing.T) {
	masked := func(stars string) *secret.Secret {
		return new(secret.New("postgres://" + canary + ":" + stars + "@h/db"))
	}
	empty := new(secret.New(""))
	local := func(url *secret.Secret) registry.Tenant {
		return registry.Tenant{ID: tenantA, Kind: registry.Local, DatabaseURL: url, InternalDatabaseURL: secretURL("x"), ExternalDBAccess: true}
	}
	own := func(url *secret.Secret) registry.Tenant {
		return registry.Tenant{ID: tenantA, Kind: registry.Cloud, DatabaseURL: secretURL("x"), InternalDatabaseURL: url, ExternalDBAccess: true}
	}
	external := func(url *secret.Secret, access bool) registry.Tenant {
		return registry.Tenant{ID: tenantA, Kind: registry.Cloud, DatabaseURL: url, InternalDatabaseURL: secretURL("x"), ExternalDBAccess: access}
	}
	for _, r := range []struct {
		tenant  registry.Tenant
		network resolver.Network
		member  string
		fault   resolver.Fault
	}{
		{local(nil), "", "database_url", resolver.Absent},
		{local(empty), "", "database_url", resolver.Empty},
		{local(masked("***")), "", "database_url", resolver.Masked},
		{local(masked("%2A%2a**")), "", "database_url", resolver.Masked},
		{local(new(secret.New("postgres://"))), "", "database_url", resolver.Nowhere},
		{own(new(secret.New("postgres://u:pw@/db"))), "", "internal_database_url", resolver.Nowhere},
		{local(new(secret.New("postgres://u:pw@h/db?sslkey=./engine.so:key"))), "", "database_url", resolver.Harmful},
		{own(nil), "", "internal_database_url", resolver.Absent},
		{own(empty), "", "internal_database_url", resolver.Empty},
		{own(masked("********")), "", "internal_database_url", resolver.Masked},
		{external(nil, true), "external", "database_url", resolver.Absent},
		{external(empty, true), "external", "database_url", resolver.Empty},
		{external(masked("***"), true), "external", "database_url", resolver.Masked},
		{external(secretURL("x"), false), "external", "external_db_access", resolver.Off},
		{external(nil, false), "external", "external_db_access", resolver.Off},
	} {
		w := home()
		w.tenants[tenantA] = r.tenant
		for _, req := range []resolver.Request{flag("a1"), variable("a1"), {}, {Tenant: new(tenantA)}} {
			req.Network = r.network
			resolve(t, w, req)
			_, err := resolver.Resolve(ctx, w, req)
			require.EqualError(t, err, `tenant tenant-a (`+r.tenant.Name+`): `+r.member+` is `+string(r.fault))
			require.Equal(t, "no_url", kindOf(t, err))
			var unusable *resolver.URLError
			require.ErrorAs(t, err, &unusable)
			require.Equal(t, resolver.URLError{Tenant: tenantA, Name: r.tenant.Name, Kind: r.tenant.Kind, Member: r.member, Fault: r.fault}, *unusable)
		}
	}
}

func TestAPasswordOfTwoStarsIsAPassword(t *testing.T) {
	w := home()
	w.tenants[tenantA] = registry.NewLocal(tenantA, "a", secret.New("postgres://u:**@h/db"))
	require.Equal(t, "session a1 of tenant-a", resolve(t, w, resolver.Request{}))
}
