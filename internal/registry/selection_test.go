package registry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func (d *desk) mustActive(t *testing.T) *Session {
	t.Helper()
	v, err := d.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	session, err := v.ActiveSession(t.Context())
	require.NoError(t, err)
	return session
}

func TestComingBackToATenantRestoresItsSession(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	d.mustProfiles(t, "a", "pa")
	d.mustProfiles(t, "b", "pb")
	require.Nil(t, d.mustActive(t))
	d.mustUse(t, "pa")
	session := d.mustActive(t)
	require.Equal(t, &Session{Tenant: "a", Profile: "pa", ChosenAt: noon.Truncate(time.Microsecond)}, session)
	d.now = noon.Add(time.Hour)
	d.mustSelect(t, "b")
	require.Nil(t, d.mustActive(t), "b has none yet")
	d.mustUse(t, "pb")
	d.mustSelect(t, "a")
	d.mustReopen(t)
	require.Equal(t, session, d.mustActive(t), "as it was, its time too")
	d.mustUse(t, "pa")
	require.Equal(t, d.now.Truncate(time.Microsecond), d.mustActive(t).ChosenAt, "chosen anew")
}

func TestUsingAProfileSelectsItsTenant(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	d.mustProfiles(t, "a", "pa")
	d.mustProfiles(t, "b", "pb")
	d.mustUse(t, "pa")
	profile, err := d.UseProfile(t.Context(), "pb")
	require.NoError(t, err)
	require.Equal(t, Profile{"pb", "b"}, profile)
	after := mustContents(t, d.path)
	require.Equal(t, Selection{Tenant: ptr(TenantID("b")), Previous: ptr(TenantID("a"))}, after.Selection)
	require.Len(t, after.Sessions, 2)
	d.mustRefuse(t, ErrNotFound, func() error { _, err := d.UseProfile(t.Context(), "x"); return err })
}

func TestThePreviousTenantIsOneStepBack(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b", "c")
	back := func() error { _, err := d.SelectPrevious(t.Context()); return err }
	d.mustRefuse(t, ErrNoTenant, back)
	d.mustSelect(t, "a")
	d.mustRefuse(t, ErrNoTenant, back)
	d.mustSelect(t, "b")
	d.mustSelect(t, "b")
	tenant, err := d.SelectPrevious(t.Context())
	require.NoError(t, err)
	require.Equal(t, TenantID("a"), tenant.ID)
	require.NoError(t, back())
	require.Equal(t, Selection{Tenant: ptr(TenantID("b")), Previous: ptr(TenantID("a"))}, mustContents(t, d.path).Selection)
	_, err = d.DeleteTenant(t.Context(), Deletion{ID: "a"})
	require.NoError(t, err)
	d.mustRefuse(t, ErrNoTenant, back)
	d.mustRefuse(t, ErrNotFound, func() error { _, err := d.SelectTenant(t.Context(), "a"); return err })

	d.mustSelect(t, "c")
	_, err = d.DeleteTenant(t.Context(), Deletion{ID: "c"})
	require.NoError(t, err)
	require.NoError(t, back(), "from a deleted one too")
	require.Equal(t, Selection{Tenant: ptr(TenantID("b"))}, mustContents(t, d.path).Selection)
}

func TestSelectingIsNotAChangeOfTenants(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	before := mustContents(t, d.path)
	d.mustProfiles(t, "a", "p")
	d.mustSelect(t, "a")
	d.mustUse(t, "p")
	require.NoError(t, d.SetDefaultProfile(t.Context(), ptr("p")))
	after := mustContents(t, d.path)
	require.Equal(t, before.TenantsRevision, after.TenantsRevision)
	require.Equal(t, before.Revision+4, after.Revision)
}

func TestEndingSessions(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b", "c")
	for tenant, profile := range map[TenantID]string{"a": "pa", "b": "pb"} {
		d.mustProfiles(t, tenant, profile)
	}
	d.mustUse(t, "pa")
	d.mustUse(t, "pb")
	for _, none := range []TenantID{"c", "nobody"} {
		ended, err := d.EndSession(t.Context(), none)
		require.NoError(t, err)
		require.Nil(t, ended)
	}
	ended, err := d.EndSession(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, "pb", ended.Profile)
	require.Nil(t, d.mustActive(t))
	require.Equal(t, ptr(TenantID("b")), mustContents(t, d.path).Selection.Tenant, "the selection stays")
	d.mustUse(t, "pb")
	all, err := d.EndSessions(t.Context())
	require.NoError(t, err)
	require.Equal(t, []TenantID{"a", "b"}, []TenantID{all[0].Tenant, all[1].Tenant})
	require.Empty(t, mustContents(t, d.path).Sessions)
	all, err = d.EndSessions(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
}
