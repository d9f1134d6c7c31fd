package registry

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func mergeOf(since int64, settle Side, tenants ...Tenant) Merge {
	return Merge{Read: file(tenants...).Read, Since: since, Settle: settle}
}

// mustBase has a registry hold these tenants, and returns the revision of that.
func (d *desk) mustBase(t require.TestingT, tenants ...Tenant) int64 {
	i := file(tenants...)
	i.Exact, i.Prune = true, true
	_, err := d.ImportTenants(context.Background(), i)
	require.NoError(t, err)
	d.publish(t)
	v, err := d.View(context.Background())
	require.NoError(t, err)
	defer v.Close()
	state, err := v.State(context.Background())
	require.NoError(t, err)
	return state.TenantsRevision
}

func with(t Tenant, edit func(*Tenant)) Tenant {
	edit(&t)
	return t
}

func TestAMergeTakesWhatOneSideChanged(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	a, b, c := local("a"), local("b"), local("c")
	since := d.mustBase(t, a, b, c)
	_, _, err := d.UpdateTenant(t.Context(), TenantEdit{ID: "a", Set: values{"region": sealed("fra")}})
	require.NoError(t, err)
	_, err = d.CreateTenant(t.Context(), NewTenant{Tenant: local("new")})
	require.NoError(t, err)

	theirs := with(a, func(t *Tenant) { t.Name = "theirs"; t.Unknown = NewUnknown(`"docker_project":"x"`) })
	plan, err := d.TakeOver(t.Context(), mergeOf(since, Nobody, theirs, b, local("added")))
	require.NoError(t, err)
	require.Equal(t, []string{"update a changed:name,docker_project", "add added", "remove c"}, steps(plan))
	require.Equal(t, 1, plan.Unchanged)
	merged := with(theirs, func(t *Tenant) { t.Region = ptr("fra") })

	require.Equal(t, revealAll([]Tenant{merged, b, local("new"), local("added")}), mustContents(t, d.path).Tenants)
}

func TestAMergeStopsWhereBothSidesChangedTheSame(t *testing.T) {
	t.Parallel()
	for settle, want := range map[Side]string{Ours: "ours", Theirs: "theirs"} {
		d := mustDesk(t)
		since := d.mustBase(t, local("a"), local("b"), local("c"))
		d.mustBase(t, with(local("a"), func(t *Tenant) { t.Name, t.Region = "ours", ptr("ours") }), local("c"))
		d.mustProfiles(t, "c", "p")
		theirs := []Tenant{
			with(local("a"), func(t *Tenant) { t.Name, t.Hostname = "theirs", ptr("h") }),
			with(local("b"), func(t *Tenant) { t.Name = "changed" }),
		}
		before := mustContents(t, d.path)
		_, err := d.TakeOver(t.Context(), mergeOf(since, Nobody, theirs...))
		var conflicts *ConflictsError
		require.ErrorAs(t, err, &conflicts)
		require.ErrorIs(t, err, ErrConflict)
		require.Equal(t, []Conflict{{ID: "a", Members: []string{"name"}}, {ID: "b", Deleted: Ours}, {ID: "c", Deleted: Theirs}}, conflicts.Conflicts)
		require.Equal(t, before, mustContents(t, d.path))

		_, err = d.TakeOver(t.Context(), mergeOf(since, settle, theirs...))
		require.NoError(t, err)
		after := mustContents(t, d.path)
		require.Contains(t, after.Tenants[0], fmt.Sprintf(`"a" %q - "h" "ours"`, want), "what one side changed is there in any case")
		require.Equal(t, map[Side][]string{Ours: {"a", "c"}, Theirs: {"a", "b"}}[settle], ids(after))
	}
}

// TestASettledMergeTakesWhatOnlyTheOtherProgramRemoved, whoever is right elsewhere.
func TestASettledMergeTakesWhatOnlyTheOtherProgramRemoved(t *testing.T) {
	t.Parallel()
	for _, settle := range []Side{Ours, Theirs} {
		d := mustDesk(t)
		since := d.mustBase(t, local("a"), local("gone"), local("changed"))
		d.mustBase(t, with(local("a"), func(t *Tenant) { t.Name = "ours" }), local("gone"), with(local("changed"), func(t *Tenant) { t.Name = "ours" }))
		plan, err := d.TakeOver(t.Context(), mergeOf(since, settle, with(local("a"), func(t *Tenant) { t.Name = "theirs" })))
		require.NoError(t, err)
		require.Contains(t, steps(plan), "remove gone")
		require.Equal(t, map[Side][]string{Ours: {"a", "changed"}, Theirs: {"a"}}[settle], ids(mustContents(t, d.path)))
	}
}

func TestAMergeKeepsWhatTheOtherProgramCanNotKnow(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	full := with(local("a"), func(t *Tenant) {
		t.SyncToken, t.SharedContainerDB, t.Unknown = sealed("token"), ptr("db"), NewUnknown(`"x":1,"y":2`)
	})
	since := d.mustBase(t, full)
	mask := with(local("a"), func(t *Tenant) { t.DatabaseURL = sealed("postgres://u:***@localhost:5432/a"); t.Name = "renamed" })
	plan, err := d.TakeOver(t.Context(), mergeOf(since, Nobody, mask))
	require.NoError(t, err)
	require.Equal(t, []string{"update a changed:name kept:sync_token,shared_container_db masked:database_url"}, steps(plan))
	require.Equal(t, []string{reveal(with(full, func(t *Tenant) { t.Name = "renamed" }))}, mustContents(t, d.path).Tenants)
}
