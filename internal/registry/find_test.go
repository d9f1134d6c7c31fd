package registry

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestT19FindTenant(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	named := func(id TenantID, name string) Tenant {
		tenant := local(id)
		tenant.Name = name
		return tenant
	}
	d.mustImport(t, file(
		named("local_1", "shop"), named("local_12", "local_1"), named("local_2", "twin"), named("cloud", "twin"),
		named("uuid-a", "uuid"), named("%", "percent"), named("_x", "under"), named("é1", "É"), named("\U0010ffff", "odd"),
	))
	v := d.mustView(t)
	for ref, want := range map[string]TenantID{
		"local_1":  "local_1", // an exact id beats a name and a prefix
		"local_12": "local_12", "shop": "local_1", "cloud": "cloud", "cl": "cloud", "local_2": "local_2",
		"percent": "%", "%": "%", "_": "_x", "é": "é1", "É": "é1", "\U0010ffff": "\U0010ffff",
	} {
		tenant, err := v.FindTenant(t.Context(), ref)
		require.NoError(t, err, ref)
		require.Equal(t, want, tenant.ID, ref)
	}
	for ref, listed := range map[string]string{
		"twin": "local_2, cloud", "local": "local_1, local_12, local_2", "local_": "local_1, local_12, local_2",
	} {
		_, err := v.FindTenant(t.Context(), ref)
		require.ErrorIs(t, err, ErrInvalid, ref)
		require.EqualError(t, err, "tenant "+ref+": more than one matches: "+listed+": not allowed")
	}
	tenant, err := v.FindTenant(t.Context(), "uuid") // the name of one that is also the start of its id
	require.NoError(t, err)
	require.Equal(t, TenantID("uuid-a"), tenant.ID)
	for _, ref := range []string{"nobody", "Shop", "hop", "LOCAL_1", "local_1 ", "local_123", "\x00", "*", "e"} {
		_, err := v.FindTenant(t.Context(), ref)
		require.ErrorIs(t, err, ErrNotFound, "%q", ref)
	}
	_, err = v.FindTenant(t.Context(), "")
	require.ErrorIs(t, err, ErrInvalid)
}

func TestFindTenantListsFewOfMany(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	var many []Tenant
	for i := range 50 {
		many = append(many, local(TenantID(fmt.Sprintf("id%02d", i))))
	}
	d.mustImport(t, file(many...))
	_, err := d.mustView(t).FindTenant(t.Context(), "id")
	require.EqualError(t, err, "tenant id: more than one matches: id00, id01, id02, id03, id04, id05, id06, id07, id08, id09: not allowed")
}
