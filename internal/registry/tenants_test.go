package registry

import (
	"fmt"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/stretchr/testify/require"
)

func TestCreatedTenantsStandInTheirOrderOfEntry(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	full := cloud(sealed(plain), sealed("token"))
	full.DatabaseURL, full.SharedContainerDB, full.ExternalDBAccess = sealed(plain), ptr(""), true
	full.Unknown = NewUnknown(tricky)
	want := []Tenant{local("b"), full, local("a"), {ID: "bare", Name: "bare", Kind: Local}}
	for _, tenant := range want {
		created, err := d.CreateTenant(t.Context(), NewTenant{Tenant: tenant})
		require.NoError(t, err)
		requireTenants(t, []Tenant{tenant}, []Tenant{created})
	}
	require.Equal(t, revealAll(want), mustContents(t, d.path).Tenants)
	_, err := d.DeleteTenant(t.Context(), Deletion{ID: "bare"})
	require.NoError(t, err)
	d.mustTenants(t, "0")
	require.Equal(t, []string{"b", "c", "a", "0"}, ids(mustContents(t, d.path)))
}

func TestIdsAreTheMillisecondsAndStepOnWhileTaken(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	for i := range 4 {
		tenant := local("")
		tenant.Name = fmt.Sprint("n", i)
		if i == 2 { // an id of one's own stands in the way
			d.mustTenants(t, TenantID(fmt.Sprintf("local_%x", noon.UnixMilli()+2)))
			continue
		}
		created, err := d.CreateTenant(t.Context(), NewTenant{Tenant: tenant})
		require.NoError(t, err)
		require.Equal(t, TenantID(fmt.Sprintf("local_%x", noon.UnixMilli()+int64(i))), created.ID)
	}
	require.Equal(t, "local_19c1912fa7b", ids(mustContents(t, d.path))[0])
	d.now = noon.Add(-time.Hour) // the clock stepped back
	created, err := d.CreateTenant(t.Context(), NewTenant{Tenant: Tenant{Name: "before", Kind: Local}})
	require.NoError(t, err)
	require.Equal(t, TenantID(fmt.Sprintf("local_%x", d.now.UnixMilli())), created.ID)
}

func TestEachChangeAsksTheClockOnce(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	changes := []func() error{
		func() error { _, err := d.CreateTenant(t.Context(), NewTenant{Tenant: local("a")}); return err },
		func() error {
			_, _, err := d.UpdateTenant(t.Context(), TenantEdit{ID: "a", Set: values{"region": sealed("iad")}})
			return err
		},
		func() error {
			_, err := d.CreateProfile(t.Context(), NewProfile{Name: "p", Tenant: ptr(TenantID("a"))})
			return err
		},
		func() error { _, err := d.UseProfile(t.Context(), "p"); return err },
		func() error { _, err := d.ImportTenants(t.Context(), file(local("b"), local("c"))); return err },
		func() error { _, err := d.DeleteTenant(t.Context(), Deletion{ID: "a"}); return err },
	}
	for i, change := range changes {
		require.NoError(t, change())
		require.Equal(t, i+1, d.asked)
		require.EqualValues(t, i+1, mustContents(t, d.path).Revision)
	}
}

func TestTenantsThatSpDoesNotCreate(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	create := func(change func(*NewTenant)) func() error {
		n := NewTenant{Tenant: local("new")}
		change(&n)
		return func() error { _, err := d.CreateTenant(t.Context(), n); return err }
	}
	d.mustRefuse(t, ErrExists, create(func(n *NewTenant) { n.Tenant.ID = "a" }))
	d.mustRefuse(t, ErrExists, create(func(n *NewTenant) { n.Tenant.Name = "a" }))
	d.mustRefuse(t, ErrExists, create(func(n *NewTenant) { n.Tenant.ID, n.Tenant.Name = "", "a" }))
	d.mustRefuse(t, ErrExists, create(func(n *NewTenant) { n.Tenant.ID, n.AllowDuplicateName = "a", true }))
	for _, kind := range []Kind{"", "Local", "LOCAL", "shared"} {
		d.mustRefuse(t, ErrInvalid, create(func(n *NewTenant) { n.Tenant.Kind = kind }))
	}
	for _, bad := range badLabels {
		d.mustRefuse(t, ErrInvalid, create(func(n *NewTenant) { n.Tenant.Name = bad }))
		if bad != "" { // then it gets one
			d.mustRefuse(t, ErrInvalid, create(func(n *NewTenant) { n.Tenant.ID = TenantID(bad) }))
		}
	}
	d.mustRefuse(t, ErrInvalid, create(func(n *NewTenant) { n.Tenant.ID = "-rf" }))
	for _, bad := range []string{"", "host=h password=x", masked, "postgres://u:p@ss@h/d"} {
		d.mustRefuse(t, pgurl.ErrInvalid, create(func(n *NewTenant) { n.Tenant.DatabaseURL = sealed(bad) }))
		d.mustRefuse(t, pgurl.ErrInvalid, create(func(n *NewTenant) { n.Tenant.InternalDatabaseURL = sealed(bad) }))
	}
	d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("twin")}})
	require.NoError(t, create(func(n *NewTenant) { n.Tenant.Name, n.AllowDuplicateName = "twin", true })())
	require.Equal(t, []string{"a", "new"}, ids(mustContents(t, d.path)))
}

func TestRefusalsShowNoSecret(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	tenant := local("a")
	tenant.DatabaseURL, tenant.SyncToken = sealed("postgres://u:"+canary+"@x@h/d"), sealed(canary)
	_, err := d.CreateTenant(t.Context(), NewTenant{Tenant: tenant})
	require.ErrorIs(t, err, pgurl.ErrInvalid)
	require.NotContains(t, fmt.Sprintf("%+v %#v", err, err), canary)
	_, err = d.ImportTenants(t.Context(), file(tenant, tenant))
	require.ErrorIs(t, err, ErrInvalid)
	require.NotContains(t, fmt.Sprintf("%+v %#v", err, err), canary)
}

func TestAnEditChangesWhatItNamesAndNothingElse(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	before := local("a")
	before.Region, before.Hostname, before.Unknown = ptr("iad"), ptr("h"), NewUnknown(`"x":1`)
	d.mustImport(t, file(before, local("b")))
	tenant, changed, err := d.UpdateTenant(t.Context(), TenantEdit{ID: "a", Set: values{"name": sealed("A"), "app_id": sealed("app"), "hostname": nil, "internal_database_url": sealed(plain), "external_db_access": sealed("true"), "sync_token": sealed("")}})
	require.NoError(t, err)
	require.Equal(t, []string{"name", "app_id", "hostname", "internal_database_url", "external_db_access", "sync_token"}, changed)
	want := before
	want.Name, want.AppID, want.Hostname, want.InternalDatabaseURL, want.ExternalDBAccess, want.SyncToken = "A", ptr("app"), nil, sealed(plain), true, sealed("")
	requireTenants(t, []Tenant{want}, []Tenant{tenant})
	after := mustContents(t, d.path)
	require.Equal(t, revealAll([]Tenant{want, local("b")}), after.Tenants, "in its place")
	require.Equal(t, after.Revision, after.TenantsRevision)
}

func TestAnEditThatChangesNothingIsNotAChangeOfTenants(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	before := mustContents(t, d.path)
	for _, e := range []TenantEdit{
		{ID: "a"},
		{ID: "a", Set: values{"name": sealed("a"), "external_db_access": sealed("false"), "database_url": local("a").DatabaseURL, "region": nil}},
	} {
		_, changed, err := d.UpdateTenant(t.Context(), e)
		require.NoError(t, err)
		require.Empty(t, changed)
		require.Equal(t, before.TenantsRevision, mustContents(t, d.path).TenantsRevision)
	}
}

func TestEditsThatAreRefused(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	edit := func(e TenantEdit) func() error {
		return func() error { _, _, err := d.UpdateTenant(t.Context(), e); return err }
	}
	d.mustRefuse(t, ErrNotFound, edit(TenantEdit{ID: "c", Set: values{"name": sealed("x")}}))
	d.mustRefuse(t, ErrNotFound, edit(TenantEdit{}))
	d.mustRefuse(t, ErrExists, edit(TenantEdit{ID: "a", Set: values{"name": sealed("b")}}))
	for _, bad := range badLabels {
		d.mustRefuse(t, ErrInvalid, edit(TenantEdit{ID: "a", Set: values{"name": sealed(bad)}}))
	}
	for _, bad := range []string{"", masked, "u:p@h"} {
		d.mustRefuse(t, pgurl.ErrInvalid, edit(TenantEdit{ID: "a", Set: values{"database_url": sealed(bad)}}))
		d.mustRefuse(t, pgurl.ErrInvalid, edit(TenantEdit{ID: "a", Set: values{"internal_database_url": sealed(bad)}}))
	}
	for name, value := range map[string]string{"tenant_type": "cloud", "x": "1", "external_db_access": "yes"} {
		d.mustRefuse(t, ErrInvalid, edit(TenantEdit{ID: "a", Set: values{name: sealed(value)}}))
	}
	d.mustEdit(t, TenantEdit{ID: "b", Set: values{"name": sealed("twin")}})
	require.NoError(t, edit(TenantEdit{ID: "a", Set: values{"name": sealed("twin")}, AllowDuplicateName: true})())
	require.NoError(t, edit(TenantEdit{ID: "a", Set: values{"name": sealed("twin"), "region": sealed("x")}})(), "a name that it has already is not asked for")
}

func TestWhatAnImportLeftStaysEditable(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	odd := Tenant{ID: "-\x00\u202e", Name: " \x1b[31m\n", Kind: Local, DatabaseURL: sealed("not a URL"), AppID: ptr("a\x00b")}
	d.mustImport(t, file(odd))
	_, changed, err := d.UpdateTenant(t.Context(), TenantEdit{ID: odd.ID, Set: values{"region": sealed("iad")}})
	require.NoError(t, err)
	require.Equal(t, []string{"region"}, changed)
	odd.Region = ptr("iad")
	require.Equal(t, revealAll([]Tenant{odd}), mustContents(t, d.path).Tenants)
}

func TestDeleteTakesProfilesAndSessionAlong(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	d.mustProfiles(t, "a", "a2", "a1")
	d.mustProfiles(t, "b", "b1")
	d.mustUse(t, "a1")
	d.mustUse(t, "b1")
	require.NoError(t, d.SetDefaultProfile(t.Context(), ptr("a2")))
	removed, err := d.DeleteTenant(t.Context(), Deletion{ID: "a"})
	require.NoError(t, err)
	requireTenants(t, []Tenant{local("a")}, []Tenant{removed.Tenant})
	removed.Tenant = Tenant{}
	require.Equal(t, Removed{
		Profiles: []string{"a1", "a2"}, Session: &Session{Tenant: "a", Profile: "a1", ChosenAt: noon.Truncate(time.Microsecond)}, Default: true,
	}, removed)
	after := mustContents(t, d.path)
	require.Equal(t, []string{"b"}, ids(after))
	require.Equal(t, []Profile{{"b1", "b"}}, after.Profiles)
	require.Len(t, after.Sessions, 1)
	require.Equal(t, Selection{Tenant: ptr(TenantID("b"))}, after.Selection, "neither previous nor default is left")
	d.mustRefuse(t, ErrNotFound, func() error { _, err := d.DeleteTenant(t.Context(), Deletion{ID: "a"}); return err })
}

func TestDeletingTheSelectedTenantLeavesAMark(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	d.mustProfiles(t, "a", "pa")
	d.mustProfiles(t, "b", "pb")
	d.mustUse(t, "pa")
	removed, err := d.DeleteTenant(t.Context(), Deletion{ID: "a"})
	require.NoError(t, err)
	require.True(t, removed.Selected)
	d.mustReopen(t)

	v := d.mustView(t)
	_, err = v.SelectedTenant(t.Context())
	require.ErrorIs(t, err, ErrNoTenant)
	session, err := v.ActiveSession(t.Context())
	require.NoError(t, err)
	require.Nil(t, session)
	v.Close()
	d.mustRefuse(t, ErrNoTenant, func() error { _, err := d.CreateProfile(t.Context(), NewProfile{Name: "x"}); return err })
	d.mustRefuse(t, ErrNoTenant, func() error { _, err := d.SelectPrevious(t.Context()); return err })
	d.mustImport(t, file(local("a")))
	require.Equal(t, Selection{Deleted: ptr(TenantID("a"))}, mustContents(t, d.path).Selection, "one of that id does not slip into its place")

	d.mustSelect(t, "b")
	require.Equal(t, Selection{Tenant: ptr(TenantID("b"))}, mustContents(t, d.path).Selection)
}
