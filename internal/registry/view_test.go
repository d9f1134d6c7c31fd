package registry

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
)

// mustMany makes a registry with n tenants, each with a profile and a session.
func mustMany(t *testing.T, n int) *desk {
	t.Helper()
	d := mustDesk(t)
	var many []Tenant
	for i := range n {
		many = append(many, local(TenantID(fmt.Sprintf("t%04d", (i*7919)%n)))) // in no order
	}
	d.mustImport(t, file(many...))
	mustMess(t, d.path,
		"INSERT INTO profiles SELECT 'p' || id, 'p' || id, id FROM tenants",
		"INSERT INTO profiles SELECT 'q' || id, 'q' || id, 't0000' FROM tenants",
		"INSERT INTO sessions (tenant_id, profile, chosen_at) SELECT id, 'p' || id, 0 FROM tenants")
	return d
}

func TestListsStreamInPagesOfAnySize(t *testing.T) {
	t.Parallel()
	const n = 600
	d := mustMany(t, n)
	v := d.mustView(t)
	ctx := t.Context()
	tenants, of := mustAll(t, v.Tenants(ctx, Page{})), ptr(TenantID("t0000"))
	profiles, ofOne, sessions := mustAll(t, v.Profiles(ctx, nil, Page{})), mustAll(t, v.Profiles(ctx, of, Page{})), mustAll(t, v.Sessions(ctx, Page{}))
	require.Equal(t, []int{n, 2 * n, n + 1, n}, []int{len(tenants), len(profiles), len(ofOne), len(sessions)})
	for i, tenant := range tenants {
		require.Equal(t, fmt.Sprintf("t%04d", (i*7919)%n), string(tenant.ID), "in order of entry")
	}
	for _, limit := range []int{1, 2, batch - 1, batch, batch + 1, 2 * batch, n - 1, n, n + 1, 2*n + 1} {
		for _, start := range []int{0, 1, batch, n - 2} {
			last := func(size int) int { return min(start+limit, size) }
			page := func(after string) Page { return Page{After: after, Limit: limit} }
			requireTenants(t, tenants[start+1:min(start+1+limit, n)], mustAll(t, v.Tenants(ctx, page(string(tenants[start].ID)))))
			require.Equal(t, profiles[start:last(2*n)], mustAll(t, v.Profiles(ctx, nil, page(before(profiles[start].Name)))))
			require.Equal(t, ofOne[start:last(n+1)], mustAll(t, v.Profiles(ctx, of, page(before(ofOne[start].Name)))))
			require.Equal(t, sessions[start:last(n)], mustAll(t, v.Sessions(ctx, page(before(string(sessions[start].Tenant))))))
		}
	}
	few, err := v.ProfilesOf(ctx, of, 2)
	require.NoError(t, err)
	require.Equal(t, ofOne[:2], few)
	length, err := v.Len(ctx)
	require.NoError(t, err)
	require.Equal(t, n, length)
}

// before returns a text that sorts right before name among those of mustMany.
func before(name string) string {
	return name[:len(name)-1] + string(name[len(name)-1]-1) + "~"
}

func TestAListCanBeLeftAndRunThroughAgain(t *testing.T) {
	t.Parallel()
	d := mustMany(t, batch+10)
	v := d.mustView(t)
	tenants, profiles, sessions := v.Tenants(t.Context(), Page{}), v.Profiles(t.Context(), nil, Page{}), v.Sessions(t.Context(), Page{})
	for range 2 {
		for tenant, err := range tenants {
			require.NoError(t, err)
			require.Equal(t, TenantID("t0000"), tenant.ID)
			break
		}
		require.Len(t, mustAll(t, tenants), batch+10)
		require.Len(t, mustAll(t, profiles), 2*(batch+10))
		require.Len(t, mustAll(t, sessions), batch+10)
	}
	for range profiles {
		break
	}
	require.Len(t, mustAll(t, profiles), 2*(batch+10))
}

func TestAListThatCannotBeReadSaysSoOnce(t *testing.T) {
	t.Parallel()
	d := mustMany(t, 3)
	v := d.mustView(t)
	count := func(rows func(func(Tenant, error) bool)) (good int, bad []error) {
		for _, err := range rows {
			if err != nil {
				bad = append(bad, err)
			} else {
				good++
			}
		}
		return good, bad
	}
	good, bad := count(v.Tenants(t.Context(), Page{After: "nobody"}))
	require.Zero(t, good)
	require.Len(t, bad, 1)
	require.ErrorIs(t, bad[0], ErrNotFound)
	v.Close()

	mustMess(t, d.path, large, "PRAGMA ignore_check_constraints = 1", "UPDATE tenants SET tenant_type = 'shared' WHERE position = 2")
	v = d.mustView(t)
	good, bad = count(v.Tenants(t.Context(), Page{}))
	require.Equal(t, 1, good)
	require.Len(t, bad, 1)
	require.ErrorContains(t, bad[0], "position 2")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, bad = count(v.Tenants(ctx, Page{}))
	require.ErrorIs(t, errors.Join(bad...), context.Canceled)
}

// T16, T22: a registry of none, of two, and of none again.
func TestT16T22LenAndIsEmpty(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	look := func() (int, bool) {
		v, err := d.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		n, err := v.Len(t.Context())
		require.NoError(t, err)
		empty, err := v.isEmpty(t.Context())
		require.NoError(t, err)
		return n, empty
	}
	n, empty := look()
	require.Equal(t, []any{0, true}, []any{n, empty})
	d.mustTenants(t, "a", "b")
	n, empty = look()
	require.Equal(t, []any{2, false}, []any{n, empty})
	for _, id := range []TenantID{"b", "a"} {
		_, err := d.DeleteTenant(t.Context(), Deletion{ID: id})
		require.NoError(t, err)
	}
	n, empty = look()
	require.Equal(t, []any{0, true}, []any{n, empty})
}

func TestAViewIsOfOneInstant(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	v, err := d.View(t.Context())
	require.NoError(t, err)
	options := d.options()
	options.Wait = 50 * time.Millisecond
	other, err := Open(t.Context(), d.path, options)
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	_, err = other.CreateTenant(t.Context(), NewTenant{Tenant: local("b")})
	require.ErrorIs(t, db.Explain(err), db.ErrBusy, "a commit waits for those who read")
	require.Len(t, mustAll(t, v.Tenants(t.Context(), Page{})), 1)
	v.Close()
	_, err = other.CreateTenant(t.Context(), NewTenant{Tenant: local("b")})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, ids(mustContents(t, d.path)))
}

// T19 and S3: in an empty store and beside others; a tenant that is missing is an error,
// a session that is missing is none.
func TestWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	full := mustTwoDesk(t)
	full.mustLogin(t, "pa", "tok-a")
	w := full.mustView(t)
	tenant, err := w.Tenant(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, TenantID("b"), tenant.ID)
	_, err = w.Tenant(t.Context(), "x")
	require.ErrorIs(t, err, ErrNotFound)
	found, err := w.Session(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "pa", found.Profile)
	found, err = w.Session(t.Context(), "b")
	require.NoError(t, err)
	require.Nil(t, found)

	v := mustDesk(t).mustView(t)
	_, err = v.Tenant(t.Context(), "x")
	require.ErrorIs(t, err, ErrNotFound)
	require.EqualError(t, err, "tenant x: not found")
	_, err = v.Profile(t.Context(), "x")
	require.EqualError(t, err, "profile x: not found")
	session, err := v.Session(t.Context(), "x")
	require.NoError(t, err)
	require.Nil(t, session)
	selected, err := v.SelectedTenant(t.Context())
	require.NoError(t, err)
	require.Nil(t, selected)
	name, err := v.DefaultProfile(t.Context())
	require.NoError(t, err)
	require.Nil(t, name)
}

// large makes a registry so large that it is not checked whole before it is used.
const large = "INSERT INTO files (path, previous, current, tenants_revision) VALUES ('/large', '', hex(zeroblob(100000)), 0)"

func TestARowThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{"tenant_type = 'shared'", "name = ''", "tenant_type = ''", "region = CAST(x'61ff' AS TEXT)", "unknown_members = 'x'"} {
		d := mustDesk(t)
		d.mustTenants(t, "a")
		mustMess(t, d.path, large, "PRAGMA ignore_check_constraints = 1", "UPDATE tenants SET "+damage)
		_, err := d.mustView(t).Tenant(t.Context(), "a")
		require.ErrorIs(t, err, db.ErrDamaged, damage)
		require.ErrorContains(t, err, "tenant at position 1", damage)
	}
	d := mustDesk(t)
	mustMess(t, d.path, "UPDATE registry_meta SET synced_at = 'yesterday'")
	_, err := d.mustView(t).State(t.Context())
	require.ErrorIs(t, err, db.ErrDamaged)
	require.EqualError(t, err, "synced_at of the registry: damaged: it is no time")
}

// What is always there is gone: no row is no answer then, and no bug either.
func TestARowThatEveryRegistryHasIsMissed(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"registry_meta", "selection"} {
		d := mustDesk(t)
		d.mustTenants(t, "a")
		mustMess(t, d.path, "DELETE FROM "+table)
		view, err := d.View(t.Context())
		if err == nil {
			_, err = view.Selection(t.Context())
			view.Close()
		}
		require.ErrorIs(t, err, db.ErrDamaged, table)
		_, err = d.SelectTenant(t.Context(), "a")
		require.ErrorIs(t, err, db.ErrDamaged)
	}
}
