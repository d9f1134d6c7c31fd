package registry

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func bridgeOf(since int64, settle Side, tenants ...Tenant) Bridge {
	return Bridge{Read: file(tenants...).Read, Since: since, Settle: settle}
}

// mustBase has a registry hold these tenants, and returns the revision of that.
func (d *desk) mustBase(t require.TestingT, tenants ...Tenant) int64 {
	i := file(tenants...)
	i.Exact, i.Prune = true, true
	_, err := d.ImportTenants(context.Background(), i)
	require.NoError(t, err)
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

func TestABridgeTakesWhatOneSideChanged(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	a, b, c := local("a"), local("b"), local("c")
	since := d.mustBase(t, a, b, c)
	_, _, err := d.UpdateTenant(t.Context(), TenantEdit{ID: "a", Region: Optional[string]{Set: ptr("fra")}})
	require.NoError(t, err)
	_, err = d.CreateTenant(t.Context(), NewTenant{Tenant: local("new")})
	require.NoError(t, err)

	theirs := with(a, func(t *Tenant) { t.Name = "theirs"; t.Unknown = NewMembers(`"docker_project":"x"`) })
	plan, err := d.TakeOver(t.Context(), bridgeOf(since, Nobody, theirs, b, local("added")))
	require.NoError(t, err)
	require.Equal(t, []string{"update a changed:name,docker_project", "add added", "remove c"}, steps(plan))
	require.Equal(t, 1, plan.Unchanged)
	merged := with(theirs, func(t *Tenant) { t.Region = ptr("fra") })

	require.Equal(t, revealAll([]Tenant{merged, b, local("new"), local("added")}), mustContents(t, d.path).Tenants)
}

func TestABridgeStopsWhereBothSidesChangedTheSame(t *testing.T) {
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
		_, err := d.TakeOver(t.Context(), bridgeOf(since, Nobody, theirs...))
		var conflicts *ConflictsError
		require.ErrorAs(t, err, &conflicts)
		require.ErrorIs(t, err, ErrConflict)
		require.Equal(t, []Conflict{{ID: "a", Members: []string{"name"}}, {ID: "b", Deleted: Ours}, {ID: "c", Deleted: Theirs}}, conflicts.Conflicts)
		require.Equal(t, before, mustContents(t, d.path))

		_, err = d.TakeOver(t.Context(), bridgeOf(since, settle, theirs...))
		require.NoError(t, err)
		after := mustContents(t, d.path)
		require.Contains(t, after.Tenants[0], fmt.Sprintf(`"a" %q - "h" "ours"`, want), "what one side changed is there in any case")
		require.Equal(t, map[Side][]string{Ours: {"a", "c"}, Theirs: {"a", "b"}}[settle], ids(after))
	}
}

func TestABridgeKeepsWhatTheOtherProgramCanNotKnow(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	full := with(local("a"), func(t *Tenant) {
		t.SyncToken, t.SharedContainerDB, t.Unknown = secret("token"), ptr("db"), NewMembers(`"x":1,"y":2`)
	})
	since := d.mustBase(t, full)
	mask := with(local("a"), func(t *Tenant) { t.DatabaseURL = secret("postgres://u:***@localhost:5432/a"); t.Name = "renamed" })
	plan, err := d.TakeOver(t.Context(), bridgeOf(since, Nobody, mask))
	require.NoError(t, err)
	require.Equal(t, []string{"update a changed:name kept:sync_token,shared_container_db masked:database_url"}, steps(plan))
	require.Equal(t, []string{reveal(with(full, func(t *Tenant) { t.Name = "renamed" }))}, mustContents(t, d.path).Tenants)
}

// TestABridgeIsAThreeWayMerge says of random changes of both sides what is to come of
// each member, by its values.
func TestABridgeIsAThreeWayMerge(t *testing.T) {
	t.Parallel()
	dir, run, conflicted := mustMemoryDir(t), 0, 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		d := mustDeskAt(t, filepath.Join(dir, fmt.Sprintf("%d.db", run)))
		base := drawSide(t, "base", nil)
		since := d.mustBase(t, base.tenants()...)
		ours, theirs := drawSide(t, "ours", base), drawSide(t, "theirs", base)
		d.mustBase(t, ours.tenants()...)
		want, conflict := base.merged(ours, theirs)
		_, err := d.TakeOver(context.Background(), bridgeOf(since, Nobody, theirs.tenants()...))
		if conflict {
			conflicted++
			require.ErrorIs(t, err, ErrConflict)
			want = ours
		} else {
			require.NoError(t, err)
		}
		got := mustContents(t, d.path).Tenants
		slices.Sort(got)
		for i := range got {
			got[i] = lateX.ReplaceAllString(got[i], `{"x":$2,"y":$1}`)
		}
		require.Equal(t, revealAll(want.tenants()), got)
		require.NoError(t, d.Close())
	})
	require.Positive(t, conflicted)
	require.Less(t, conflicted, run)
}

// lateX is where x was added to y, behind it.
var lateX = regexp.MustCompile(`\{"y":(.),"x":(.)\}`)

// side is what one program knows: members by name, of tenants by id.
type side map[string]map[string]string

var bridged = []string{"name", "region", "hostname", "database_url", "sync_token", "shared_container_db", "x", "y"}

func drawSide(t *rapid.T, label string, base side) side {
	drawn := side{}
	for _, id := range []string{"a", "b", "c"} {
		known, there := base[id]
		if base != nil && rapid.IntRange(0, 3).Draw(t, label+" keeps "+id) > 0 {
			if there {
				drawn[id] = known
			}
			continue
		}
		if rapid.IntRange(0, 4).Draw(t, label+" has "+id) == 0 {
			continue
		}
		members := map[string]string{}
		for _, name := range bridged {
			value := known[name]
			if base == nil || rapid.IntRange(0, 3).Draw(t, "changes "+name) == 0 {
				value = rapid.SampledFrom([]string{"", "1", "2", "***"}).Draw(t, name)
			}
			if value == "***" && (name != "database_url" || label == "ours") || value == "" && name == "name" {
				value = "1" // a mask comes from elsewhere
			}
			members[name] = value
		}
		drawn[id] = members
	}
	return drawn
}

func (s side) tenants() (all []Tenant) {
	for _, id := range []string{"a", "b", "c"} {
		m, there := s[id]
		if !there {
			continue
		}
		text := func(name string) *string {
			if m[name] == "" {
				return nil
			}
			return ptr(m[name])
		}
		tenant := Tenant{
			ID: TenantID(id), Name: m["name"] + id, Kind: Local, Region: text("region"), Hostname: text("hostname"),
			SyncToken: secretOf(text("sync_token")), SharedContainerDB: text("shared_container_db"),
		}
		if url := text("database_url"); url != nil {
			tenant.DatabaseURL = secret("postgres://u:" + *url + "@h/d")
		}
		var unknown []string
		for _, name := range []string{"x", "y"} {
			if m[name] != "" {
				unknown = append(unknown, fmt.Sprintf("%q:%s", name, m[name]))
			}
		}
		tenant.Unknown = NewMembers(strings.Join(unknown, ","))
		all = append(all, tenant)
	}
	return all
}

// merged says what comes of changes of both sides, and whether somebody has to settle them.
func (s side) merged(ours, theirs side) (merged side, conflict bool) {
	merged = side{}
	for _, id := range []string{"a", "b", "c"} {
		base, was := s[id]
		o, here := ours[id]
		t, there := theirs[id]
		switch {
		case here && there:
			m, c := mergedMembers(base, o, t)
			merged[id], conflict = m, conflict || c
		case here && !was:
			merged[id] = o
		case here:
			conflict = conflict || !sameMembers(base, o)
		case there && !was:
			merged[id] = t
		case there:
			conflict = conflict || theyChanged(base, t)
		}
	}
	return merged, conflict
}

func mergedMembers(base, o, t map[string]string) (m map[string]string, conflict bool) {
	m = map[string]string{}
	blob := func(of map[string]string) string { return of["x"] + "," + of["y"] }
	for _, name := range bridged {
		switch {
		case name == "x" || name == "y":
			m[name] = o[name]
			if t[name] != "" && blob(t) != blob(base) {
				m[name] = t[name]
				conflict = conflict || o[name] != "" && o[name] != t[name] && blob(o) != blob(base)
			}
		case t[name] == "" && (name == "sync_token" || name == "shared_container_db"),
			name == "database_url" && t[name] == "***" && o[name] != "" && o[name] != "***",
			o[name] == t[name], t[name] == base[name]:
			m[name] = o[name]
		case o[name] == base[name]:
			m[name] = t[name]
		default:
			conflict = true
		}
	}
	return m, conflict
}

func sameMembers(a, b map[string]string) bool {
	return !slices.ContainsFunc(bridged, func(name string) bool { return a[name] != b[name] })
}

func theyChanged(base, t map[string]string) bool {
	blob := func(of map[string]string) string { return of["x"] + "," + of["y"] }
	return slices.ContainsFunc(bridged, func(name string) bool {
		switch {
		case name == "x" || name == "y":
			return blob(t) != "," && blob(t) != blob(base)
		case t[name] == "" && (name == "sync_token" || name == "shared_container_db"), name == "database_url" && t[name] == "***":
			return false
		}
		return t[name] != base[name]
	})
}
