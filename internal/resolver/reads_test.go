package resolver_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

func TestResolveReadsNothingThatItDoesNotNeed(t *testing.T) {
	noSession := func(w *world) { w.sessions = nil }
	for _, r := range []struct {
		name  string
		world func(*world)
		req   resolver.Request
		reads string
	}{
		{"flag", nil, resolver.Request{Flag: new("a1"), Env: new("a/b"), ReadProfile: mustNotRead(t)}, "Profile Tenant"},
		{"flag, a path", nil, flag("./a1/x"), "Profile Tenant"},
		{"flag unknown", nil, flag("x"), "Profile"},
		{"flag empty", nil, flag(""), ""},
		{"flag a URL", nil, flag("a://b"), ""},
		{"flag, a file that is refused", nil, fileNaming("", nil, registry.ErrNotFound), ""},
		{"flag, a file of another tenant", nil, fileNaming("a1", new(tenantB), nil), "Profile"},
		{"flag and tenant", nil, resolver.Request{Flag: new("a1"), Tenant: new(tenantA)}, ""},
		{"network unknown", nil, resolver.Request{Flag: new("a1"), Network: "x"}, ""},
		{"tenant", nil, resolver.Request{Tenant: new(tenantB), Env: new("a/b"), ReadProfile: mustNotRead(t)}, "Tenant"},
		{"variable", nil, variable("a1"), "Profile Tenant"},
		{"session", nil, variable(""), "ActiveSession Profile Tenant"},
		{"session broken", func(w *world) { w.sessions[tenantA] = "x" }, resolver.Request{}, "ActiveSession Profile"},
		{"default", noSession, resolver.Request{}, "ActiveSession SelectedTenant DefaultProfile Profile Tenant"},
		{
			"only profile", func(w *world) { *w = *combination{selection: "selected", profiles: 1}.world() },
			resolver.Request{},
			"ActiveSession SelectedTenant DefaultProfile ProfilesOf Tenant",
		},
		{
			"nothing", func(w *world) { w.sessions, w.standing = nil, nil },
			resolver.Request{},
			"ActiveSession SelectedTenant DefaultProfile ProfilesOf",
		},
		{
			"nothing, no profile", func(w *world) { *w = world{} },
			resolver.Request{},
			"ActiveSession SelectedTenant DefaultProfile ProfilesOf",
		},
		{"deleted", func(w *world) { w.deleted = true }, resolver.Request{}, "ActiveSession SelectedTenant ProfilesOf"},
	} {
		t.Run(r.name, func(t *testing.T) {
			w := home()
			if r.world != nil {
				r.world(w)
			}
			_, _ = resolver.Resolve(ctx, w, r.req)
			require.Equal(t, r.reads, strings.Join(w.reads, " "))
		})
	}
}

func TestAFailureToReadIsNeverTakenForAnAnswer(t *testing.T) {
	noSession := func(w *world) { w.sessions = nil }
	nothing := func(w *world) { w.sessions, w.standing = nil, nil }
	for _, r := range []struct {
		fails string
		world func(*world)
		req   resolver.Request
	}{
		{"Profile", nil, flag("a1")},
		{"Profile", nil, flag("./a1/x")},
		{"Profile", nil, variable("a1")},
		{"Profile", nil, resolver.Request{}},
		{"Profile", noSession, resolver.Request{}},
		{"Tenant", nil, flag("a1")},
		{"Tenant", nil, resolver.Request{}},
		{"Tenant", noSession, resolver.Request{}},
		{"Tenant", nil, resolver.Request{Tenant: new(tenantA)}},
		{"ActiveSession", nil, resolver.Request{}},
		{"SelectedTenant", noSession, resolver.Request{}},
		{"DefaultProfile", noSession, resolver.Request{}},
		{"ProfilesOf", nothing, resolver.Request{}},
		{"ProfilesOf", func(w *world) { w.deleted = true }, resolver.Request{}},
	} {
		w := home()
		if r.world != nil {
			r.world(w)
		}
		w.fails = r.fails
		_, err := resolver.Resolve(ctx, w, r.req)
		require.ErrorIs(t, err, errDisk, r.fails)
		_, err = resolver.Explain(ctx, w, r.req)
		require.ErrorIs(t, err, errDisk, r.fails)
	}
}

func TestAStrongSourceOutlivesFailuresOfWeakerReads(t *testing.T) {
	for _, fails := range []string{"ActiveSession", "SelectedTenant", "DefaultProfile", "ProfilesOf"} {
		w := home()
		w.fails = fails
		c, err := resolver.Resolve(ctx, w, flag("a1"))
		require.NoError(t, err, fails)
		require.Equal(t, "flag a1 of tenant-a", outcome(t, c, err))
	}
}
