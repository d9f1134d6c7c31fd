package registry

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func named(id TenantID, name string) Tenant {
	tenant := local(id)
	tenant.Name = name
	return tenant
}

// mustWords is a registry in which every step of FindTenant has something to find.
func mustWords(t *testing.T) *desk {
	d := mustDesk(t)
	d.mustImport(t, file(
		named("local_1", "shop"), named("local_12", "local"), named("local_2", "twin"), named("cloud", "twin"), named("uuid-a", "uuid"),
		named("%", "percent"), named("_x", "under"), named("é1", "É"), named("\U0010ffff", "odd"), named("same", "same"),
		named("both", "x"), named("other", "both"), named("dots...", "y"), named("id:z", "z"),
	))
	return d
}

func TestT19FindTenant(t *testing.T) {
	t.Parallel()
	v := mustWords(t).mustView(t)
	for word, want := range map[string]TenantID{
		"local_1": "local_1", "local_12": "local_12", // a whole id beats the beginning of another
		"local": "local_12", "uuid": "uuid-a", // and so does a name
		"shop": "local_1", "cloud": "cloud", "cl": "cloud", "local_2": "local_2", "same": "same", "other": "other",
		"percent": "%", "%": "%", "_": "_x", "é": "é1", "É": "é1", "\U0010ffff": "\U0010ffff",
		"uui…": "uuid-a", "uui...": "uuid-a", "dots...": "dots...", "dots": "dots...", "dots…": "dots...",
		"id:local_1": "local_1", "id:both": "both", "id:id:z": "id:z", "z": "id:z",
	} {
		tenant, err := v.FindTenant(t.Context(), word)
		require.NoError(t, err, word)
		require.Equal(t, want, tenant.ID, word)
	}
	for word, means := range map[string]string{
		"twin":   "local_2 (twin), or cloud (twin)",
		"both":   "both (x), or other (both)",
		"local_": "local_1 (shop), or local_12 (local), or local_2 (twin)",
		"loca…":  "local_1 (shop), or local_12 (local), or local_2 (twin)",
	} {
		_, err := v.FindTenant(t.Context(), word)
		require.ErrorIs(t, err, ErrAmbiguous, word)
		require.NotErrorIs(t, err, ErrNotFound, word)
		require.EqualError(t, err, "tenant "+word+": ambiguous: it may mean "+means)
	}
	for _, word := range []string{"nobody", "Shop", "hop", "LOCAL_1", "local_1 ", "local_123", "\x00", "*", "e", "…", "...", "id:shop", "id:loc", "id:", "id:z"} {
		_, err := v.FindTenant(t.Context(), word)
		require.ErrorIs(t, err, ErrNotFound, "%q", word)
	}
	_, err := v.FindTenant(t.Context(), "")
	require.ErrorIs(t, err, ErrInvalid)
}

func TestExactTenantTakesNoBeginning(t *testing.T) {
	t.Parallel()
	v := mustWords(t).mustView(t)
	for _, word := range []string{"local_1", "shop", "id:local_1"} {
		tenant, err := v.ExactTenant(t.Context(), word)
		require.NoError(t, err, word)
		require.Equal(t, TenantID("local_1"), tenant.ID, word)
	}
	for word, want := range map[string]error{"uuid-": ErrNotFound, "uuid-…": ErrNotFound, "twin": ErrAmbiguous, "both": ErrAmbiguous, "": ErrInvalid} {
		_, err := v.ExactTenant(t.Context(), word)
		require.ErrorIs(t, err, want, word)
	}
}

func TestAPastTenantIsKnownByItsWholeID(t *testing.T) {
	t.Parallel()
	d := mustWords(t)
	for _, id := range []TenantID{"uuid-a", "local_12", "same"} {
		_, err := d.DeleteTenant(t.Context(), Deletion{ID: id})
		require.NoError(t, err)
	}
	edit := TenantEdit{ID: "_x", Set: values{"name": sealed("same")}} // as the id of one that is gone
	_, _, err := d.UpdateTenant(t.Context(), edit)
	require.NoError(t, err)
	v := d.mustView(t)
	for word, want := range map[string]TenantID{
		"uuid-a": "uuid-a", "id:uuid-a": "uuid-a", "id:same": "same", "shop": "local_1", "local_1": "local_1", "clou": "cloud", "local_12": "local_12", "id:both": "both",
	} {
		id, err := v.FindPastTenant(t.Context(), word)
		require.NoError(t, err, word)
		require.Equal(t, want, id, word)
	}
	for word, want := range map[string]error{
		"uuid": ErrNotFound, "uuid-": ErrNotFound, "id:uuid": ErrNotFound, "nobody": ErrNotFound, "twin": ErrAmbiguous, "both": ErrAmbiguous, "same": ErrAmbiguous,
	} {
		_, err := v.FindPastTenant(t.Context(), word)
		require.ErrorIs(t, err, want, word)
	}
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
	var e *AmbiguousError
	require.ErrorAs(t, err, &e)
	require.Len(t, e.Candidates, maxCandidates)
}

// TestNoWordIsMadeAmbiguous has sp refuse to make a tenant whose name is another's id, or
// the reverse, whatever the name may be of others.
func TestNoWordIsMadeAmbiguous(t *testing.T) {
	t.Parallel()
	id := func(later time.Duration) string { return "local_" + strconv.FormatInt(noon.Add(later).UnixMilli(), 16) }
	d := mustWords(t)
	d.mustImport(t, file(named("next", id(0)), named("after", id(time.Millisecond))))
	for name, refused := range map[string]func() error{
		"a name that is an id": func() error {
			_, err := d.CreateTenant(t.Context(), NewTenant{Tenant: named("new", "local_1"), AllowDuplicateName: true})
			return err
		},
		"an id that is a name": func() error {
			_, err := d.CreateTenant(t.Context(), NewTenant{Tenant: named("shop", "new"), AllowDuplicateName: true})
			return err
		},
		"a new name that is an id": func() error {
			_, _, err := d.UpdateTenant(t.Context(), TenantEdit{ID: "local_1", Set: values{"name": sealed("cloud")}, AllowDuplicateName: true})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { d.mustRefuse(t, ErrExists, refused) })
	}
	d.mustRefuse(t, ErrInvalid, func() error {
		_, err := d.CreateTenant(t.Context(), NewTenant{Tenant: named("id:new", "new")})
		return err
	})
	made, err := d.CreateTenant(t.Context(), NewTenant{Tenant: named("", "new")})
	require.NoError(t, err)
	require.Equal(t, TenantID(id(2*time.Millisecond)), made.ID, "the next that is no name")
	_, _, err = d.UpdateTenant(t.Context(), TenantEdit{ID: "cloud", Set: values{"name": sealed("cloud")}}) // its own
	require.NoError(t, err)
	_, err = d.CreateTenant(t.Context(), NewTenant{Tenant: named("own", "own")})
	require.NoError(t, err)
	ids, err := d.mustView(t).AmbiguousIDs(t.Context())
	require.NoError(t, err)
	require.Equal(t, []TenantID{"both"}, ids, "the one that a file brought")
}

func TestAnImportTellsWordsThatItMakesAmbiguous(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	for _, c := range []struct {
		file []Tenant
		want []TenantID
	}{
		{[]Tenant{named("a", "x"), named("x", "y")}, []TenantID{"x"}}, // all into an empty one
		{[]Tenant{named("a", "z"), named("x", "x")}, []TenantID{}},
		{[]Tenant{named("b", "a"), named("z", "z")}, []TenantID{"a", "z"}},
	} {
		require.Equal(t, c.want, d.mustImport(t, file(c.file...)).Ambiguous)
	}
}
