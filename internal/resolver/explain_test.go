package resolver_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

// table writes an explanation as the command line might.
func table(e resolver.Explanation) string {
	var b strings.Builder
	for _, f := range e.Sources {
		mark, holds := "-", "-"
		if f.Decided {
			mark = "*"
		}
		if f.Holds != nil {
			holds = fmt.Sprintf("%q", *f.Holds)
		}
		fmt.Fprintf(&b, "%s %s %s: %s\n", mark, f.Source, holds, f.Why)
	}
	fmt.Fprintln(&b, e.Selection)
	if e.Note != "" {
		fmt.Fprintln(&b, "note:", e.Note)
	}
	if e.Err != nil {
		fmt.Fprintln(&b, "error:", e.Err)
	}
	return b.String()
}

// overruled is a request in which the flag overrules the variable.
func overruled(by, variable string) resolver.Request {
	req := flag(by)
	req.Env = &variable
	return req
}

var explanations = []struct {
	name  string
	world func(*world)
	req   resolver.Request
	want  string
}{
	{"flag overrules all", nil, overruled("b1", "./a2/profile.yaml"), `
* flag "b1": by name
- environment "./a2/profile.yaml": a stronger source decided; alone it would name profile "a2" of tenant "tenant-a" (its file names profile "a2")
- session "a1": a stronger source decided; alone it would name profile "a1" of tenant "tenant-a" (the session of tenant "tenant-a")
- default "a2": a stronger source decided; alone it would name profile "a2" of tenant "tenant-a" (the registry's default profile)
tenant "tenant-a" is selected: its session is active, and the default has to be its own
note: profile "b1" belongs to tenant "tenant-b", not to the selected tenant "tenant-a"
`},
	{"overruled are broken", func(w *world) { w.sessions[tenantA] = "b1"; w.standing = new("x") }, overruled("b1", "x"), `
* flag "b1": by name
- environment "x": a stronger source decided; alone it would be an error: profile "x" of SYSTEMPROMPT_PROFILE: not found
- session "b1": a stronger source decided; alone it would be an error: profile "b1" of the session belongs to tenant "tenant-b", not to "tenant-a": no profile
- default "x": a stronger source decided; alone it would be an error: profile "x" of the default: missing: no profile
tenant "tenant-a" is selected: its session is active, and the default has to be its own
note: profile "b1" belongs to tenant "tenant-b", not to the selected tenant "tenant-a"
`},
	{"session", nil, variable(""), `
- flag -: not set
- environment "": empty counts as not set
* session "a1": the session of tenant "tenant-a"
- default "a2": a stronger source decided; alone it would name profile "a2" of tenant "tenant-a" (the registry's default profile)
tenant "tenant-a" is selected: its session is active, and the default has to be its own
`},
	{"default", func(w *world) { w.sessions = nil }, resolver.Request{}, `
- flag -: not set
- environment -: not set
- session -: tenant "tenant-a" has no session
* default "a2": the registry's default profile
tenant "tenant-a" is selected: its session is active, and the default has to be its own
`},
	{"foreign default, one", func(w *world) { w.sessions = nil; w.standing = new("b1"); delete(w.profiles, "a2") }, resolver.Request{}, `
- flag -: not set
- environment -: not set
- session -: tenant "tenant-a" has no session
* default "b1": profile "b1" does not belong to the selected tenant "tenant-a"; the only candidate is "a1"
tenant "tenant-a" is selected: its session is active, and the default has to be its own
`},
	{"foreign default, two", func(w *world) { w.sessions = nil; w.standing = new("b1") }, resolver.Request{}, `
- flag -: not set
- environment -: not set
- session -: tenant "tenant-a" has no session
- default "b1": profile "b1" does not belong to the selected tenant "tenant-a"; candidates: "a1", "a2"
tenant "tenant-a" is selected: its session is active, and the default has to be its own
error: no profile: nothing names one of tenant "tenant-a"; candidates: "a1", "a2"
`},
	{"foreign default, none", func(w *world) { w.selected = new(tenantGone) }, resolver.Request{}, `
- flag -: not set
- environment -: not set
- session -: tenant "tenant-gone" has no session
- default "a2": profile "a2" does not belong to the selected tenant "tenant-gone"
tenant "tenant-gone" is selected: its session is active, and the default has to be its own
error: no profile: tenant "tenant-gone" has none
`},
	{"none selected", func(w *world) { w.selected, w.standing = nil, nil }, resolver.Request{}, `
- flag -: not set
- environment -: not set
- session -: no tenant is selected
- default -: no default profile is set; candidates: "a1", "a2", "b1"
no tenant is selected: no session is active, and the default may be of any tenant
error: no tenant configured: none is selected; candidates: "a1", "a2", "b1"
`},
	{"none selected, only", func(w *world) {
		w.selected = nil
		w.standing = nil
		w.profiles = map[string]registry.TenantID{"a1": tenantA}
	}, resolver.Request{}, `
- flag -: not set
- environment -: not set
- session -: no tenant is selected
* default -: no default profile is set; the only candidate is "a1"
no tenant is selected: no session is active, and the default may be of any tenant
`},
	{"deleted", func(w *world) { w.deleted = true }, resolver.Request{}, `
- flag -: not set
- environment -: not set
- session -: the selected tenant was deleted
- default "a2": the selected tenant was deleted
the selected tenant was deleted: session and default name nothing until another is selected
error: no tenant configured: the selected one was deleted; candidates: "a1", "a2", "b1"
`},
	{"deleted, variable", func(w *world) { w.deleted = true }, variable("a1"), `
- flag -: not set
* environment "a1": by name
- session -: the selected tenant was deleted
- default "a2": the selected tenant was deleted
the selected tenant was deleted: session and default name nothing until another is selected
`},
	{"tenant", nil, resolver.Request{Tenant: new(tenantB), Env: new("a1")}, `
* tenant "tenant-b": a tenant without a profile
- flag -: not set
- environment "a1": a stronger source decided; alone it would name profile "a1" of tenant "tenant-a" (by name)
- session "a1": a stronger source decided; alone it would name profile "a1" of tenant "tenant-a" (the session of tenant "tenant-a")
- default "a2": a stronger source decided; alone it would name profile "a2" of tenant "tenant-a" (the registry's default profile)
tenant "tenant-a" is selected: its session is active, and the default has to be its own
note: tenant "tenant-b" is not the selected tenant "tenant-a"
`},
	{"tenant and flag", nil, resolver.Request{Tenant: new(tenantB), Flag: new("a1")}, `
* tenant "tenant-b": --tenant excludes --profile: wrong usage
- flag "a1": a stronger source decided; alone it would name profile "a1" of tenant "tenant-a" (by name)
- environment -: not set
- session "a1": a stronger source decided; alone it would name profile "a1" of tenant "tenant-a" (the session of tenant "tenant-a")
- default "a2": a stronger source decided; alone it would name profile "a2" of tenant "tenant-a" (the registry's default profile)
tenant "tenant-a" is selected: its session is active, and the default has to be its own
error: --tenant excludes --profile: wrong usage
`},
	{"empty flag", nil, flag(""), `
* flag "": --profile is empty: wrong usage
- environment -: not set
- session "a1": a stronger source decided; alone it would name profile "a1" of tenant "tenant-a" (the session of tenant "tenant-a")
- default "a2": a stronger source decided; alone it would name profile "a2" of tenant "tenant-a" (the registry's default profile)
tenant "tenant-a" is selected: its session is active, and the default has to be its own
error: --profile is empty: wrong usage
`},
	{"url", nil, flag("postgres://u:" + canary + "@h"), `
* flag "***": --profile is a way to a database, not a profile: not allowed
- environment -: not set
- session "a1": a stronger source decided; alone it would name profile "a1" of tenant "tenant-a" (the session of tenant "tenant-a")
- default "a2": a stronger source decided; alone it would name profile "a2" of tenant "tenant-a" (the registry's default profile)
tenant "tenant-a" is selected: its session is active, and the default has to be its own
error: --profile is a way to a database, not a profile: not allowed
`},
	{"empty registry", func(w *world) { *w = world{} }, resolver.Request{}, `
- flag -: not set
- environment -: not set
- session -: no tenant is selected
- default -: no default profile is set
no tenant is selected: no session is active, and the default may be of any tenant
error: no tenant configured: none is selected
`},
	{"no url", func(w *world) { w.tenants[tenantA] = registry.Tenant{ID: tenantA, Kind: registry.Local} }, resolver.Request{}, `
- flag -: not set
- environment -: not set
* session "a1": the session of tenant "tenant-a"
- default "a2": a stronger source decided; alone it would name profile "a2" of tenant "tenant-a" (the registry's default profile)
tenant "tenant-a" is selected: its session is active, and the default has to be its own
error: tenant tenant-a (): database_url is absent
`},
}

func TestExplainSaysWhatEverySourceHolds(t *testing.T) {
	for _, x := range explanations {
		t.Run(x.name, func(t *testing.T) {
			w := home()
			if x.world != nil {
				x.world(w)
			}
			resolve(t, w, x.req)
			e, err := resolver.Explain(ctx, w, x.req)
			require.NoError(t, err)
			require.Equal(t, strings.TrimPrefix(x.want, "\n"), table(e))
			text, err := json.Marshal(e)
			require.NoError(t, err)
			requireNoSecret(t, string(text))
		})
	}
}

func TestExplainRefusesANetworkItDoesNotKnow(t *testing.T) {
	e, err := resolver.Explain(ctx, home(), resolver.Request{Network: "moon"})
	require.NoError(t, err)
	require.EqualError(t, e.Err, `--network: only external is known: wrong usage`)
	require.Len(t, e.Sources, 4)
}

func TestExplainReadsTheFileOfAnOverruledPath(t *testing.T) {
	req := overruled("a1", "./x")
	req.ReadProfile = func(string) (string, *registry.TenantID, error) { return "", nil, errDisk }
	c, err := resolver.Resolve(ctx, home(), req)
	require.Equal(t, "flag a1 of tenant-a", outcome(t, c, err))
	e, err := resolver.Explain(ctx, home(), req)
	require.NoError(t, err)
	require.ErrorIs(t, e.Sources[1].Err, errDisk)
	require.False(t, e.Sources[1].Decided)
}

func TestAFindingTellsWhatAnOverruledSourceNames(t *testing.T) {
	e, err := resolver.Explain(ctx, home(), flag("b1"))
	require.NoError(t, err)
	require.Equal(t, &registry.Profile{Name: "a1", Tenant: tenantA}, e.Sources[2].Profile)
	require.Equal(t, tenantA, e.Sources[2].Tenant.ID)
	require.Nil(t, e.Sources[1].Profile)
	require.Nil(t, e.Sources[1].Tenant)
}
