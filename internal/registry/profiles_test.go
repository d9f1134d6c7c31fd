package registry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAProfileBelongsToTheGivenOrTheSelectedTenant(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	create := func(name string, tenant *TenantID) func() error {
		return func() error {
			_, err := d.CreateProfile(t.Context(), NewProfile{Name: name, Tenant: tenant})
			return err
		}
	}
	d.mustRefuse(t, ErrNoTenant, create("p", nil))
	d.mustSelect(t, "b")
	require.NoError(t, create("pb", nil)())
	require.NoError(t, create("pa", ptr(TenantID("a")))())
	require.Equal(t, []Profile{{"pa", "a"}, {"pb", "b"}}, mustContents(t, d.path).Profiles)

	d.mustRefuse(t, ErrNotFound, create("p", ptr(TenantID("c"))))
	d.mustRefuse(t, ErrExists, create("pa", nil))
	d.mustRefuse(t, ErrExists, create("PA", nil))
	d.mustRefuse(t, ErrExists, create("Pa", ptr(TenantID("b"))))
	require.NoError(t, create("Upper", nil)())
	d.mustRefuse(t, ErrExists, create("upper", nil))
	for _, bad := range []string{"", "a.b", "../x", "-x", "é"} {
		d.mustRefuse(t, ErrInvalid, create(bad, nil))
	}
}

func TestARenameTakesSessionAndDefaultAlong(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	d.mustProfiles(t, "a", "p", "q")
	d.mustUse(t, "p")
	require.NoError(t, d.SetDefaultProfile(t.Context(), ptr("p")))
	for old, name := range map[string]string{"p": "P"} { // by case alone is allowed for itself
		profile, err := d.UpdateProfile(t.Context(), ProfileEdit{Name: old, NewName: &name})
		require.NoError(t, err)
		require.Equal(t, Profile{name, "a"}, profile)
		after := mustContents(t, d.path)
		require.Equal(t, []Profile{{name, "a"}, {"q", "a"}}, after.Profiles)
		require.Equal(t, []Session{{Tenant: "a", Profile: name, ChosenAt: noon.Truncate(time.Microsecond)}}, after.Sessions)
		require.Equal(t, ptr(name), after.Selection.DefaultProfile)
	}
}

func TestProfileEditsThatAreRefused(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	d.mustProfiles(t, "a", "p", "q")
	d.mustUse(t, "p")
	edit := func(e ProfileEdit) func() error {
		return func() error { _, err := d.UpdateProfile(t.Context(), e); return err }
	}
	d.mustRefuse(t, ErrNotFound, edit(ProfileEdit{Name: "x", NewName: ptr("y")}))
	d.mustRefuse(t, ErrNotFound, edit(ProfileEdit{Name: "P", NewName: ptr("y")}))
	d.mustRefuse(t, ErrExists, edit(ProfileEdit{Name: "p", NewName: ptr("q")}))
	d.mustRefuse(t, ErrExists, edit(ProfileEdit{Name: "p", NewName: ptr("Q")}))
	d.mustRefuse(t, ErrInvalid, edit(ProfileEdit{Name: "p", NewName: ptr("a/b")}))
	d.mustRefuse(t, ErrNotFound, edit(ProfileEdit{Name: "q", Tenant: ptr(TenantID("c"))}))
	d.mustRefuse(t, ErrInUse, edit(ProfileEdit{Name: "p", Tenant: ptr(TenantID("b"))}))
	d.mustRefuse(t, ErrInUse, edit(ProfileEdit{Name: "p", NewName: ptr("r"), Tenant: ptr(TenantID("b"))}))
	require.NoError(t, edit(ProfileEdit{Name: "p", Tenant: ptr(TenantID("a"))})(), "it is there already")
	require.NoError(t, edit(ProfileEdit{Name: "q", NewName: ptr("r"), Tenant: ptr(TenantID("b"))})())
	require.Equal(t, []Profile{{"p", "a"}, {"r", "b"}}, mustContents(t, d.path).Profiles)
}

func TestDeletingAProfileEndsWhatChoseIt(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	d.mustProfiles(t, "a", "p", "q")
	d.mustUse(t, "p")
	require.NoError(t, d.SetDefaultProfile(t.Context(), ptr("p")))
	d.mustRefuse(t, ErrNotFound, func() error { _, err := d.DeleteProfile(t.Context(), "x", false); return err })
	removed, err := d.DeleteProfile(t.Context(), "q", false)
	require.NoError(t, err)
	require.Equal(t, RemovedProfile{Profile: Profile{"q", "a"}}, removed)
	require.Len(t, mustContents(t, d.path).Sessions, 1)
	removed, err = d.DeleteProfile(t.Context(), "p", false)
	require.NoError(t, err)
	require.Equal(t, RemovedProfile{Profile: Profile{"p", "a"}, Session: true, Default: true}, removed)
	after := mustContents(t, d.path)
	require.Empty(t, after.Profiles)
	require.Empty(t, after.Sessions)
	require.Equal(t, Selection{Tenant: ptr(TenantID("a"))}, after.Selection)
}

func TestTheDefaultProfileIsOneThatExists(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	d.mustProfiles(t, "a", "p")
	d.mustRefuse(t, ErrNotFound, func() error { return d.SetDefaultProfile(t.Context(), ptr("x")) })
	require.NoError(t, d.SetDefaultProfile(t.Context(), ptr("p")))
	d.mustReopen(t)
	v := d.mustView(t)
	name, err := v.DefaultProfile(t.Context())
	require.NoError(t, err)
	require.Equal(t, ptr("p"), name)
	v.Close()
	require.NoError(t, d.SetDefaultProfile(t.Context(), nil))
	require.Nil(t, mustContents(t, d.path).Selection.DefaultProfile)
}
