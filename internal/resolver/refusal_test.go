package resolver_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

// home is a world in which everything is as it should be.
func home() *world {
	cloud := registry.NewCloud(registry.CloudParams{ID: tenantB, Name: "b", InternalDatabaseURL: secretURL("internal")})
	cloud.DatabaseURL, cloud.ExternalDBAccess = secretURL("external"), true
	return &world{
		tenants:  map[registry.TenantID]registry.Tenant{tenantA: localTenant(tenantA), tenantB: cloud},
		profiles: map[string]registry.TenantID{"a1": tenantA, "a2": tenantA, "b1": tenantB},
		sessions: map[registry.TenantID]string{tenantA: "a1"},
		selected: new(tenantA),
		standing: new("a2"),
	}
}

func flag(value string) resolver.Request {
	return resolver.Request{Flag: &value, ReadProfile: readProfile}
}

func variable(value string) resolver.Request {
	return resolver.Request{Env: &value, ReadProfile: readProfile}
}

func fileNaming(name string, tenant *registry.TenantID, err error) resolver.Request {
	return resolver.Request{Flag: new("./x"), ReadProfile: func(string) (string, *registry.TenantID, error) {
		return name, tenant, err
	}}
}

var refusals = []struct {
	name  string
	world func(*world)
	req   resolver.Request
	kind  error
	text  string
}{
	{"flag empty", nil, flag(""), resolver.ErrUsage, `--profile is empty: wrong usage`},
	{"flag unknown", nil, flag("x"), registry.ErrNotFound, `profile "x" of --profile: not found`},
	{"flag hostile", nil, flag("a\x1b[2J\n\u202eb\xff"), registry.ErrNotFound, `profile "a\x1b[2J\n\u202eb\xff" of --profile: not found`},
	{
		"flag without tenant", func(w *world) { delete(w.tenants, tenantA) }, flag("a1"), registry.ErrNotFound,
		`tenant "tenant-a" of profile "a1" of --profile: not found`,
	},
	{"flag a URL", nil, flag("postgres://u:" + canary + "@h/db"), registry.ErrInvalid, `--profile is a way to a database, not a profile: not allowed`},
	{"flag in another case", nil, flag("A1"), registry.ErrNotFound, `profile "A1" of --profile: not found`},
	{"flag a space", nil, flag(" "), registry.ErrNotFound, `profile " " of --profile: not found`},
	{"variable unknown", nil, variable("x"), registry.ErrNotFound, `profile "x" of SYSTEMPROMPT_PROFILE: not found`},
	{
		"variable a URL", nil, variable("jdbc:postgresql://u:" + canary + "@h/db"), registry.ErrInvalid,
		`SYSTEMPROMPT_PROFILE is a way to a database, not a profile: not allowed`,
	},
	{
		"variable without tenant", func(w *world) { delete(w.tenants, tenantA) }, variable("a1"), registry.ErrNotFound,
		`tenant "tenant-a" of profile "a1" of SYSTEMPROMPT_PROFILE: not found`,
	},

	{"file unknown to the registry", nil, fileNaming("x", nil, nil), registry.ErrNotFound, `profile "x" of --profile: not found`},
	{
		"file of another tenant", nil, fileNaming("a1", new(tenantB), nil), registry.ErrConflict,
		`profile "a1" of --profile belongs to tenant "tenant-a", but its file names "tenant-b": conflict`,
	},
	{
		"file of an empty tenant", nil, fileNaming("a1", new(registry.TenantID("")), nil), registry.ErrConflict,
		`profile "a1" of --profile belongs to tenant "tenant-a", but its file names "": conflict`,
	},
	{
		"file not there", nil, fileNaming("", nil, fmt.Errorf("profile file x: %w", registry.ErrNotFound)), registry.ErrNotFound,
		`--profile: profile file x: not found`,
	},
	{
		"file not allowed", nil, fileNaming("", nil, fmt.Errorf("../x is outside: %w", registry.ErrInvalid)), registry.ErrInvalid,
		`--profile: ../x is outside: not allowed`,
	},

	{
		"session of a missing profile", func(w *world) { delete(w.profiles, "a1") },
		resolver.Request{},
		registry.ErrNoProfile,
		`profile "a1" of the session: missing: no profile`,
	},
	{
		"session of another tenant's profile", func(w *world) { w.sessions[tenantA] = "b1" },
		resolver.Request{},
		registry.ErrNoProfile,
		`profile "b1" of the session belongs to tenant "tenant-b", not to "tenant-a": no profile`,
	},
	{
		"session without tenant", func(w *world) { delete(w.tenants, tenantA) },
		resolver.Request{},
		registry.ErrNoProfile,
		`tenant "tenant-a" of profile "a1" of the session: missing: no profile`,
	},

	{
		"default missing", func(w *world) { w.sessions, w.standing = nil, new("x") },
		resolver.Request{},
		registry.ErrNoProfile,
		`profile "x" of the default: missing: no profile`,
	},
	{
		"default missing, none selected", func(w *world) { w.selected, w.standing = nil, new("x") },
		resolver.Request{},
		registry.ErrNoProfile,
		`profile "x" of the default: missing: no profile`,
	},
	{
		"default without tenant", func(w *world) { w.sessions = nil; delete(w.tenants, tenantA) },
		resolver.Request{},
		registry.ErrNoProfile,
		`tenant "tenant-a" of profile "a2" of the default: missing: no profile`,
	},

	{"tenant unknown", nil, resolver.Request{Tenant: new(registry.TenantID("x"))}, registry.ErrNotFound, `tenant "x" of --tenant: not found`},
	{"tenant empty", nil, resolver.Request{Tenant: new(registry.TenantID(""))}, resolver.ErrUsage, `--tenant is empty: wrong usage`},
	{"tenant and flag", nil, resolver.Request{Tenant: new(tenantA), Flag: new("a1")}, resolver.ErrUsage, `--tenant excludes --profile: wrong usage`},
	{"tenant and empty flag", nil, resolver.Request{Tenant: new(tenantA), Flag: new("")}, resolver.ErrUsage, `--tenant excludes --profile: wrong usage`},

	{"network unknown", nil, resolver.Request{Network: "moon\n"}, resolver.ErrUsage, `--network: only external is known: wrong usage`},
	{
		"network external, local tenant", nil,
		resolver.Request{Network: resolver.ExternalNetwork},
		resolver.ErrUsage,
		`--network external: tenant "tenant-a" is local: wrong usage`,
	},

	{
		"nothing in the selected tenant", func(w *world) { w.sessions, w.standing = nil, nil },
		resolver.Request{},
		registry.ErrNoProfile,
		`no profile: nothing names one of tenant "tenant-a"; candidates: "a1", "a2"`,
	},
	{
		"no profile in the selected tenant", func(w *world) { w.selected = new(tenantGone); w.tenants[tenantGone] = localTenant(tenantGone) },
		resolver.Request{},
		registry.ErrNoProfile, `no profile: tenant "tenant-gone" has none`,
	},
	// C8 differs on purpose: where nothing is known, no profile is called unknown; those
	// that there are, are.
	{
		"nothing selected", func(w *world) { w.selected, w.standing = nil, nil },
		resolver.Request{},
		registry.ErrNoTenant,
		`no tenant configured: none is selected; candidates: "a1", "a2", "b1"`,
	},
	{
		"empty registry", func(w *world) { *w = world{} },
		resolver.Request{},
		registry.ErrNoTenant,
		`no tenant configured: none is selected`,
	},
	{
		"selected tenant deleted", func(w *world) { w.deleted = true },
		resolver.Request{},
		registry.ErrNoTenant,
		`no tenant configured: the selected one was deleted; candidates: "a1", "a2", "b1"`,
	},
	{"selected tenant deleted, one candidate", func(w *world) {
		w.deleted, w.profiles = true, map[string]registry.TenantID{"a1": tenantA}
	}, resolver.Request{}, registry.ErrNoTenant, `no tenant configured: the selected one was deleted; candidates: "a1"`},
}

func TestEveryRefusalSaysWhatIsWrong(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			w := home()
			if r.world != nil {
				r.world(w)
			}
			resolve(t, w, r.req)
			_, err := resolver.Resolve(ctx, w, r.req)
			require.ErrorIs(t, err, r.kind)
			require.EqualError(t, err, r.text)
			kindOf(t, err)
		})
	}
}

func TestAnUnusableSourceNeverYieldsToAWeakerOne(t *testing.T) {
	w := home()
	w.sessions[tenantA] = "missing"
	require.Equal(t, "no_profile the session", resolve(t, w, resolver.Request{}))
	require.Equal(t, "not_found SYSTEMPROMPT_PROFILE", resolve(t, home(), variable("x")))
	both := flag("x")
	both.Env = new("a1")
	require.Equal(t, "not_found --profile", resolve(t, home(), both))
}

func TestCandidatesAreBounded(t *testing.T) {
	for _, n := range []int{2, 10, 11, 500} {
		w := &world{profiles: map[string]registry.TenantID{}}
		for i := range n {
			w.profiles[fmt.Sprintf("p%03d", i)] = tenantA
		}
		_, err := resolver.Resolve(ctx, w, resolver.Request{})
		var nothing *resolver.NothingError
		require.ErrorAs(t, err, &nothing)
		require.Len(t, nothing.Candidates, min(n, 10))
		require.Equal(t, "p000", nothing.Candidates[0])
		require.Equal(t, n > 10, nothing.More)
		require.Equal(t, 11, w.most, "a large registry is not read to list ten")
	}
	_, err := resolver.Resolve(ctx, &world{}, resolver.Request{})
	require.ErrorIs(t, err, registry.ErrNoTenant)
	require.NotErrorIs(t, err, registry.ErrNoProfile)
}

func TestAReaderMayCallADeletedTenantsSessionAnError(t *testing.T) {
	w := home()
	w.deleted = true
	r := sessionError{w, fmt.Errorf("it was deleted: %w", registry.ErrNoTenant)}
	require.Equal(t, "no_tenant", resolve(t, r, resolver.Request{}))
	require.Equal(t, "flag a1 of tenant-a", resolve(t, r, flag("a1")))
}

type sessionError struct {
	*world
	err error
}

func (r sessionError) ActiveSession(context.Context) (*registry.Session, error) { return nil, r.err }

func TestAPathNeedsAReaderOfProfiles(t *testing.T) {
	_, err := resolver.Resolve(ctx, home(), resolver.Request{Flag: new("a/b")})
	require.EqualError(t, err, "--profile: a path cannot be read here")
}
