package resolver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

// The registry's view and the map are the two Readers.
var _, _ resolver.Reader = (*registry.View)(nil), (*world)(nil)

// excluded says why no registry can be in a world, or nothing.
func (c combination) excluded() string {
	switch {
	case c.session == "broken":
		return "a session's profile exists and belongs to its tenant (foreign key)"
	case c.session == "good" && c.selection == "not":
		return "making a session selects its tenant, and nothing takes a selection back"
	case c.session == "good" && c.selection == "selected" && c.profiles == 0:
		return "a session's profile exists (foreign key)"
	case c.standing == "good" && c.profiles == 0:
		return "the default profile exists (foreign key)"
	}
	return ""
}

func TestTheRegistryObeysTheRules(t *testing.T) {
	table := parseRules()
	excluded, ran := map[string]int{}, 0
	empty := emptyRegistry(t)
	for i, c := range worlds() {
		if why := c.excluded(); why != "" {
			excluded[why]++
			continue
		}
		dir := filepath.Join(t.TempDir(), fmt.Sprint(i))
		view := c.mustBuild(t, mustCopy(t, empty, dir))
		for _, c.flag = range values {
			for _, c.variable = range values {
				c.requireSame(t, view, ruled(t, table, c))
				ran++
			}
		}
	}
	require.Equal(t, map[string]int{ // of 81 worlds, each for 5 × 5 values of flag and variable
		"a session's profile exists and belongs to its tenant (foreign key)":      27,
		"making a session selects its tenant, and nothing takes a selection back": 9,
		"a session's profile exists (foreign key)":                                3,
		"the default profile exists (foreign key)":                                4,
	}, excluded)
	require.Equal(t, (81-27-9-3-4)*25, ran)
}

// requireSame asserts that the registry's view resolves as the rules want, to the
// very connection or error that the map comes to.
func (c combination) requireSame(t *testing.T, view *registry.View, want string) {
	t.Helper()
	require.Equal(t, want, resolve(t, view, c.request()), "%s", c)
	real, realErr := resolver.Resolve(ctx, view, c.request())
	mapped, mapErr := resolver.Resolve(ctx, c.world(), c.request())
	require.Equal(t, fmt.Sprint(mapErr), fmt.Sprint(realErr), "%s", c)
	require.True(t, mapped.Tenant.Equal(real.Tenant), "%s", c)
	require.True(t, mapped.URL.Equal(real.URL), "%s", c)
}

var options = registry.Options{Now: func() time.Time { return time.Unix(0, 0) }, Wait: time.Minute, Trust: db.Trust{Named: true}}

func emptyRegistry(t *testing.T) []byte {
	file := filepath.Join(mustPrivateDir(t, filepath.Join(t.TempDir(), "empty")), "sp.db")
	r, _, err := registry.Create(ctx, file, options)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	bytes, err := os.ReadFile(file)
	require.NoError(t, err)
	return bytes
}

func mustPrivateDir(t *testing.T, dir string) string {
	require.NoError(t, os.Mkdir(dir, 0o700))
	return dir
}

func mustCopy(t *testing.T, empty []byte, dir string) *registry.Registry {
	file := filepath.Join(mustPrivateDir(t, dir), "sp.db")
	require.NoError(t, os.WriteFile(file, empty, 0o600))
	r, err := registry.Open(ctx, file, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

// mustBuild brings an empty registry into the combination's world, only by what
// the command line calls, and returns a view of it.
func (c combination) mustBuild(t *testing.T, r *registry.Registry) *registry.View {
	c.mustFill(t, r)
	switch c.selection {
	case "selected":
		_, err := r.SelectTenant(ctx, tenantA)
		require.NoError(t, err)
	case "deleted":
		c.mustDeleteSelected(t, r)
	}
	view, err := r.View(ctx)
	require.NoError(t, err)
	t.Cleanup(view.Close)
	return view
}

// mustFill makes tenants, profiles, session and default.
func (c combination) mustFill(t *testing.T, r *registry.Registry) {
	mustCreate(t, r, tenantA, []string{"a1", "a2"}[:c.profiles]...)
	if c.session == "good" && c.profiles > 0 {
		_, err := r.UseProfile(ctx, c.last())
		require.NoError(t, err)
	}
	switch c.standing {
	case "good":
		require.NoError(t, r.SetDefaultProfile(ctx, new(first)))
	case "other":
		mustCreate(t, r, tenantB, "b1")
		require.NoError(t, r.SetDefaultProfile(ctx, new("b1")))
	}
}

// mustDeleteSelected selects tenant-gone, with a session of its own where the
// session is good, and deletes it.
func (c combination) mustDeleteSelected(t *testing.T, r *registry.Registry) {
	mustCreate(t, r, tenantGone, "g1")
	_, err := r.SelectTenant(ctx, tenantGone)
	require.NoError(t, err)
	if c.session == "good" {
		_, err := r.UseProfile(ctx, "g1")
		require.NoError(t, err)
	}
	_, err = r.DeleteTenant(ctx, registry.Deletion{ID: tenantGone})
	require.NoError(t, err)
}

func mustCreate(t *testing.T, r *registry.Registry, id registry.TenantID, profiles ...string) {
	_, err := r.CreateTenant(ctx, registry.NewTenant{Tenant: localTenant(id)})
	require.NoError(t, err)
	for _, name := range profiles {
		_, err := r.CreateProfile(ctx, registry.NewProfile{Name: name, Tenant: &id})
		require.NoError(t, err)
	}
}

func TestTheRegistryCannotBeInAnExcludedWorld(t *testing.T) {
	r := mustCopy(t, emptyRegistry(t), filepath.Join(t.TempDir(), "r"))
	mustCreate(t, r, tenantA, "a1", "a2")
	mustCreate(t, r, tenantB, "b1")
	_, err := r.UseProfile(ctx, "missing")
	require.ErrorIs(t, err, registry.ErrNotFound)
	require.ErrorIs(t, r.SetDefaultProfile(ctx, new("missing")), registry.ErrNotFound)

	_, err = r.UseProfile(ctx, "a1")
	require.NoError(t, err)
	view, err := r.View(ctx)
	require.NoError(t, err)
	require.Equal(t, "session a1 of tenant-a", resolve(t, view, resolver.Request{}), "its tenant is selected")
	view.Close()
	_, err = r.UpdateProfile(ctx, registry.ProfileEdit{Name: "a1", Tenant: new(tenantB)})
	require.ErrorIs(t, err, registry.ErrInUse)

	require.NoError(t, r.SetDefaultProfile(ctx, new("a1")))
	_, err = r.DeleteProfile(ctx, "a1", false)
	require.NoError(t, err)
	view, err = r.View(ctx)
	require.NoError(t, err)
	defer view.Close()
	require.Equal(t, "default a2 of tenant-a", resolve(t, view, resolver.Request{}), "session and default went with the profile")
}
