package registry

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/secret"
)

func TestAnImportUpdatesInPlaceAndAppends(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b", "c")
	changed := local("b")
	changed.Name, changed.DatabaseURL = "B", sealed(plain)
	plan := d.mustImport(t, file(local("z"), changed, local("y"), local("a")))
	require.Equal(t, []string{"add z", "update b changed:name,database_url", "add y"}, steps(plan))
	require.Equal(t, [5]int{2, 1, 1, 0, 0}, [5]int{plan.Added, plan.Updated, plan.Unchanged, plan.Removed, plan.Skipped})
	require.EqualValues(t, 3, plan.Revision)
	after := mustContents(t, d.path)
	require.Equal(t, revealAll([]Tenant{local("a"), changed, local("c"), local("z"), local("y")}), after.Tenants)
	require.Equal(t, after.Revision, after.TenantsRevision)
}

func TestAnImportOfTheSameChangesNoTenant(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustImport(t, file(local("a"), local("b")))
	before := mustContents(t, d.path)
	plan := d.mustImport(t, file(local("b"), local("a")))
	require.Empty(t, plan.Steps)
	require.Equal(t, 2, plan.Unchanged)
	require.False(t, plan.DocumentChanged)
	after := mustContents(t, d.path)
	require.Equal(t, before.TenantsRevision, after.TenantsRevision)
	require.Equal(t, before.Tenants, after.Tenants, "nor their order")
}

func fullTenant() Tenant {
	full := cloud(sealed(plain), sealed("token"))
	full.DatabaseURL, full.SharedContainerDB = sealed(plain), ptr("shared")
	full.Unknown = NewUnknown(`"x":1,"y":{"z":2}`)
	return full
}

var optionalMembers = []string{"app_id", "hostname", "region", "database_url", "internal_database_url", "sync_token", "shared_container_db", "x", "y"}

func TestMembersThatTheFileLacksAreKeptAndSaidSo(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustImport(t, file(fullTenant()))
	plan := d.mustImport(t, file(Tenant{ID: "c", Name: "Cloud", Kind: Cloud}))
	require.Equal(t, []Step{{Action: Keep, ID: "c", Name: "Cloud", Kind: Cloud, Kept: optionalMembers}}, plan.Steps)
	require.Equal(t, 1, plan.Unchanged)
	require.Equal(t, revealAll([]Tenant{fullTenant()}), mustContents(t, d.path).Tenants)

	update := Tenant{ID: "c", Name: "New", Kind: Local, ExternalDBAccess: true, Region: ptr("lhr"), Unknown: NewUnknown(`"w":0,"x":2`)}
	plan = d.mustImport(t, file(update))
	require.Equal(t, []Step{{
		Action: Update, ID: "c", Name: "New", Kind: Local, Changed: []string{"name", "region", "tenant_type", "external_db_access", "x", "w"},
		Kept: []string{"app_id", "hostname", "database_url", "internal_database_url", "sync_token", "shared_container_db", "y"},
	}}, plan.Steps)
	want := fullTenant()
	want.Name, want.Kind, want.ExternalDBAccess, want.Region, want.Unknown = "New", Local, true, ptr("lhr"), NewUnknown(`"x":2,"y":{"z":2},"w":0`)
	require.Equal(t, revealAll([]Tenant{want}), mustContents(t, d.path).Tenants)
}

func TestExactClearsWhatTheFileLacks(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustImport(t, file(fullTenant()))
	exact := file(Tenant{ID: "c", Name: "Cloud", Kind: Cloud})
	exact.Exact = true
	plan := d.mustImport(t, exact)
	require.Equal(t, []Step{{Action: Update, ID: "c", Name: "Cloud", Kind: Cloud, Changed: optionalMembers}}, plan.Steps)
	require.Equal(t, revealAll([]Tenant{{ID: "c", Name: "Cloud", Kind: Cloud}}), mustContents(t, d.path).Tenants)
}

func TestEmptyIsNotAbsent(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustImport(t, file(fullTenant()))
	empty := cloud(sealed(""), sealed(""))
	empty.AppID, empty.Hostname, empty.Region, empty.DatabaseURL, empty.SharedContainerDB = ptr(""), ptr(""), ptr(""), sealed(""), ptr("")
	plan := d.mustImport(t, file(empty))
	require.Equal(t, optionalMembers[:7], plan.Steps[0].Changed)
	require.Equal(t, optionalMembers[7:], plan.Steps[0].Kept)
}

func TestT30ToT32AMaskNeverReplacesARealValue(t *testing.T) {
	t.Parallel()
	const other = "postgres://u:other@h:5432/d"
	for what, c := range map[string]struct {
		known, file, want *secret.Secret
		masked            bool
	}{
		"T30 real by real":                   {sealed(plain), sealed(other), sealed(other), false},
		"T31 real by three stars":            {sealed(plain), sealed(masked), sealed(plain), true},
		"T32 by eight, on purpose otherwise": {sealed(plain), sealed("postgres://u:********@h/d"), sealed(plain), true},
		"real by escaped stars":              {sealed(plain), sealed("postgres://u:%2A%2A%2A@h/d"), sealed(plain), true},
		"mask by real":                       {sealed(masked), sealed(plain), sealed(plain), false},
		"mask by another mask":               {sealed(masked), sealed("postgres://u:***@new/d"), sealed("postgres://u:***@new/d"), false},
		"absent by mask":                     {nil, sealed(masked), sealed(masked), false},
		"empty by mask":                      {sealed(""), sealed(masked), sealed(masked), false},
		"what is no URL by mask":             {sealed("odd"), sealed(masked), sealed("odd"), true},
		"real by two stars, a password":      {sealed(plain), sealed("postgres://u:**@h/d"), sealed("postgres://u:**@h/d"), false},
	} {
		for _, exact := range []bool{false, true} {
			d := mustDesk(t)
			d.mustImport(t, file(Tenant{ID: "c", Name: "c", Kind: Cloud, DatabaseURL: c.known, InternalDatabaseURL: c.known}))
			second := file(Tenant{ID: "c", Name: "c", Kind: Cloud, DatabaseURL: c.file, InternalDatabaseURL: c.file})
			second.Exact = exact
			plan := d.mustImport(t, second)
			want := Tenant{ID: "c", Name: "c", Kind: Cloud, DatabaseURL: c.want, InternalDatabaseURL: c.want}
			require.Equal(t, revealAll([]Tenant{want}), mustContents(t, d.path).Tenants, what)
			if c.masked {
				require.Equal(t, []Step{{Action: Keep, ID: "c", Name: "c", Kind: Cloud, Masked: []string{"database_url", "internal_database_url"}}}, plan.Steps, what)
			}
		}
	}
}

func TestPruneRemovesWhatTheFileLacksWithAllThatHangsOnIt(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b", "c")
	d.mustProfiles(t, "a", "pa")
	d.mustProfiles(t, "b", "pb")
	d.mustUse(t, "pb")
	d.mustUse(t, "pa")
	require.NoError(t, d.SetDefaultProfile(t.Context(), ptr("pb")))
	prune := file(local("d"), local("c"))
	prune.Prune = true
	plan := d.mustImport(t, prune)
	require.Equal(t, []string{"add d", "remove a", "remove b"}, steps(plan))
	require.Equal(t, 2, plan.Removed)
	require.Equal(t, []string{"pa"}, plan.Steps[1].Removed.Profiles)
	require.True(t, plan.Steps[1].Removed.Selected)
	require.True(t, plan.Steps[2].Removed.Default)
	require.Equal(t, "pb", plan.Steps[2].Removed.Session.Profile)
	after := mustContents(t, d.path)
	require.Equal(t, []string{"c", "d"}, ids(after))
	require.Empty(t, after.Profiles)
	require.Empty(t, after.Sessions)
	require.Equal(t, Selection{Deleted: ptr(TenantID("a"))}, after.Selection)
}

func TestPruneGoesOnPastABatch(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	var many []Tenant
	for i := range 2*batch + 10 {
		many = append(many, local(TenantID(fmt.Sprintf("t%04d", i))))
	}
	d.mustImport(t, file(many...))
	prune := file(many[batch])
	prune.Prune = true
	plan := d.mustImport(t, prune)
	require.Equal(t, 2*batch+9, plan.Removed)
	require.Equal(t, revealAll(many[batch:batch+1]), mustContents(t, d.path).Tenants)
	prune = file()
	prune.Prune = true
	d.mustImport(t, prune)
	require.Empty(t, mustContents(t, d.path).Tenants)
}

func TestAnIdThatStandsTwiceIsRefused(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	second := local("b")
	second.Name = "second"
	for _, tenants := range [][]Tenant{{local("b"), second}, {local("a"), local("a")}, {local("b"), local("a"), local("b")}} {
		d.mustRefuse(t, ErrInvalid, func() error {
			_, err := d.ImportTenants(t.Context(), file(tenants...))
			var twice *DuplicateError
			require.ErrorAs(t, err, &twice)
			require.Equal(t, tenants[len(tenants)-1].ID, twice.ID)
			return err
		})
	}
	i := file(local("b"), second, local("a"), local("a"))
	i.FirstDuplicate = true
	plan := d.mustImport(t, i)
	require.Equal(t, []string{"add b", "skip b", "skip a"}, steps(plan))
	require.Equal(t, 2, plan.Skipped)
	require.Equal(t, revealAll([]Tenant{local("a"), local("b")}), mustContents(t, d.path).Tenants)
}

func TestOneNameMayStandTwiceInAFile(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	same := local("b")
	same.Name = "a"
	d.mustImport(t, file(local("a"), same))
	require.Equal(t, []string{"a", "b"}, ids(mustContents(t, d.path)))
}

func TestADryRunTellsThePlanAndChangesNothing(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	i := file(local("c"), local("a"))
	i.Prune = true
	var dry Plan
	d.mustRefuse(t, nil, func() error { dry = d.mustTry(t, i); return nil })
	i.IfRevision = &dry.Revision
	plan := d.mustImport(t, i)
	require.Equal(t, steps(dry), steps(plan))
	require.Equal(t, dry.Document.SyncedAt, plan.Document.SyncedAt)
	d.mustRefuse(t, ErrConflict, func() error { _, err := d.ImportTenants(t.Context(), i); return err })
	i.IfRevision = nil
	d.mustImport(t, i)
}

func TestAnImportIsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	i := Import{Prune: true, Read: func(take func(Tenant) error) (Document, error) {
		for n := range 300 {
			require.NoError(t, take(local(TenantID(fmt.Sprint("n", n)))))
		}
		return Document{SyncedAt: noon}, errTrouble
	}}
	d.mustRefuse(t, errTrouble, func() error { _, err := d.ImportTenants(t.Context(), i); return err })
	for _, bad := range []Tenant{{ID: "", Name: "n", Kind: Local}, {ID: "i", Name: "", Kind: Local}, {ID: "i", Name: "n", Kind: "Local"}} {
		before := mustContents(t, d.path)
		_, err := d.ImportTenants(t.Context(), file(local("x"), bad))
		require.Error(t, err)
		require.Equal(t, before, mustContents(t, d.path))
	}
}

func TestAPlanListsAThousandStepsAndCountsAll(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	var many []Tenant
	for i := range maxSteps + 1 {
		many = append(many, Tenant{ID: TenantID(fmt.Sprint(i)), Name: "n", Kind: Local})
	}
	plan := d.mustTry(t, file(many[:maxSteps]...))
	require.Len(t, plan.Steps, maxSteps)
	require.Equal(t, [2]int{maxSteps, 0}, [2]int{plan.Added, plan.Omitted})
	plan = d.mustTry(t, file(many...))
	require.Len(t, plan.Steps, maxSteps)
	require.Equal(t, [2]int{maxSteps + 1, 1}, [2]int{plan.Added, plan.Omitted})
}

func TestImportsKeepWhatTheFileHolds(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	odd := Tenant{
		ID: "\x00", Name: "\x00\u202e'\";--", Kind: Cloud, AppID: ptr("\x00"), Hostname: ptr(""), Region: ptr("\x7f"), DatabaseURL: sealed("\x00\n"),
		InternalDatabaseURL: sealed("?"), SyncToken: sealed("\x00a"), SharedContainerDB: ptr(" "), Unknown: NewUnknown("\"\\u0000\":\"\u2028<>&\""),
	}
	d.mustImport(t, file(odd, local("a")))
	require.Equal(t, revealAll([]Tenant{odd, local("a")}), mustContents(t, d.path).Tenants)
	require.Empty(t, d.mustImport(t, file(odd)).Steps)
}

func TestAnImportIsHeldToTheRulesOfTheRecord(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	for _, bad := range []Tenant{{Name: "n", Kind: Local}, {ID: "i", Kind: Local}, {ID: "i", Name: "n"}, {ID: "i", Name: "n", Kind: "hybrid"}} {
		d.mustRefuse(t, ErrInvalid, func() error {
			_, err := d.ImportTenants(t.Context(), Import{Read: func(take func(Tenant) error) (Document, error) { return Document{}, take(bad) }})
			return err
		})
	}
}

func TestAViewThatIsOpenDoesNotHangAChange(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	r, err := Open(t.Context(), d.path, Options{Now: func() time.Time { return noon }, Wait: 50 * time.Millisecond})
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	edit := TenantEdit{ID: "a", Set: values{"external_db_access": sealed("true")}}

	view, err := r.View(t.Context())
	require.NoError(t, err)
	_, _, err = r.UpdateTenant(t.Context(), edit)
	require.ErrorIs(t, db.Explain(err), db.ErrBusy, "its commit waits for the reader, within Wait")
	view.Close()
	_, _, err = r.UpdateTenant(t.Context(), edit)
	require.NoError(t, err)
}
