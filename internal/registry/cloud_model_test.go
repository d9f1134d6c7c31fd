package registry

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// bases are what control planes said of tenants last, by member.
type bases map[TenantID]map[string]string

// textsOf writes the members that a control plane has; what is absent is not in it.
func textsOf(t Tenant) map[string]string {
	texts := map[string]string{"name": t.Name, "external_db_access": fmt.Sprint(t.ExternalDBAccess)}
	for name, text := range map[string]*string{"app_id": t.AppID, "hostname": t.Hostname, "region": t.Region} {
		if text != nil {
			texts[name] = *text
		}
	}
	return texts
}

func drawCloud(t *rapid.T, id string) CloudTenant {
	optional := func(name string) *string { return rapid.Ptr(someTexts, true).Draw(t, name) }
	url := func(name string) *secret.Secret { return secret.Optional(rapid.Ptr(someURLs, true).Draw(t, name)) }
	return CloudTenant{
		ID: TenantID(id), Name: someNames.Draw(t, "name"), AppID: optional("app"), Hostname: optional("host"), Region: optional("region"),
		External: rapid.Bool().Draw(t, "external"), InternalURL: url("internal"), URL: url("url"),
	}
}

func drawSync(t *rapid.T) CloudSync {
	s := CloudSync{Origin: rapid.SampledFrom([]string{plane, "https://other.example"}).Draw(t, "origin"), Prune: rapid.IntRange(0, 3).Draw(t, "prune") == 0}
	for _, id := range rapid.SliceOfNDistinct(someIDs, 0, 4, rapid.ID).Draw(t, "given") {
		s.Tenants = append(s.Tenants, drawCloud(t, id))
	}
	return s
}

// all returns the tenants by their ids.
func (d *desk) all(t *rapid.T) map[TenantID]Tenant {
	v, err := d.View(context.Background())
	require.NoError(t, err)
	defer v.Close()
	found := map[TenantID]Tenant{}
	for _, tenant := range mustAll(t, v.Tenants(context.Background(), Page{})) {
		found[tenant.ID] = tenant
	}
	return found
}

// TestNoSyncLosesAnything: whatever is done in between, no local tenant, token or real URL goes
// with a sync; what only one side changed wins; and the same answer again changes nothing.
func TestNoSyncLosesAnything(t *testing.T) {
	t.Parallel()
	dir, n := harness.QuickDir(t), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		d := mustDeskAt(t, filepath.Join(dir, fmt.Sprint(n, ".db")))
		defer func() { _ = d.Close() }()
		known, origins := bases{}, map[TenantID]string{}
		t.Repeat(map[string]func(*rapid.T){
			"sync": func(t *rapid.T) { syncAndCompare(t, d, drawSync(t), known, origins) },
			"import": func(t *rapid.T) {
				m := machine{t: t}
				tenant := m.tenant()
				if _, err := d.ImportTenants(context.Background(), file(tenant.tenant())); err != nil {
					t.Skip(err)
				}
			},
			"edit": func(t *rapid.T) {
				set := values{"name": sealed(someNames.Draw(t, "name")), "region": secret.Optional(rapid.Ptr(someTexts, true).Draw(t, "region"))}
				_, _, err := d.UpdateTenant(context.Background(), TenantEdit{ID: TenantID(someIDs.Draw(t, "id")), Set: set, AllowDuplicateName: true})
				if err != nil {
					t.Skip(err)
				}
			},
			"profile": func(t *rapid.T) {
				_, err := d.CreateProfile(context.Background(), NewProfile{Name: someProfiles.Draw(t, "profile"), Tenant: ptr(TenantID(someIDs.Draw(t, "id")))})
				if err != nil {
					t.Skip(err)
				}
			},
			"select": func(t *rapid.T) {
				if _, err := d.SelectTenant(context.Background(), TenantID(someIDs.Draw(t, "id"))); err != nil {
					t.Skip(err)
				}
			},
			"delete": func(t *rapid.T) {
				id := TenantID(someIDs.Draw(t, "id"))
				if _, err := d.DeleteTenant(context.Background(), Deletion{ID: id}); err != nil {
					t.Skip(err)
				}
				delete(known, id)
			},
			"undo": func(t *rapid.T) {
				if _, err := d.Undo(context.Background(), Undo{}); err != nil {
					t.Skip(err)
				}
				now := d.all(t)
				maps.DeleteFunc(known, func(id TenantID, _ map[string]string) bool { _, there := now[id]; return !there })
			},
		})
	})
}

func syncAndCompare(t *rapid.T, d *desk, s CloudSync, known bases, origins map[TenantID]string) {
	before, were := d.all(t), mustContents(t, d.path)
	done := d.mustSync(t, s)
	after := d.all(t)
	given := map[TenantID]CloudTenant{}
	anothers := func(id TenantID) bool {
		ours, here := before[id]
		return here && !ours.IsLocal() && known[id] != nil && origins[id] != s.Origin
	}
	for _, theirs := range s.Tenants {
		given[theirs.ID] = theirs
		if anothers(theirs.ID) {
			require.Equal(t, reveal(before[theirs.ID]), reveal(after[theirs.ID]))
			require.Contains(t, done.Kept, CloudConflict{ID: theirs.ID, Name: before[theirs.ID].Name, Origin: origins[theirs.ID]})
			continue
		}
		requireMerged(t, known[theirs.ID], before, theirs, after[theirs.ID], done)
	}
	for id, ours := range before {
		requireNothingLost(t, ours, after, done)
		_, listed := given[id]
		gone := !listed && known[id] != nil && origins[id] == s.Origin && !ours.IsLocal()
		needed := were.Selection.Tenant != nil && *were.Selection.Tenant == id ||
			slices.ContainsFunc(were.Profiles, func(p Profile) bool { return p.Tenant == id })
		isStep := func(steps []Step) bool { return slices.ContainsFunc(steps, func(s Step) bool { return s.ID == id }) }
		require.Equal(t, gone && s.Prune && !needed, isStep(done.Pruned), id)
		require.Equal(t, gone && !(s.Prune && !needed), isStep(done.Gone), id)
		if !listed && !isStep(done.Pruned) {
			require.Equal(t, reveal(ours), reveal(after[id]))
		}
	}
	for id, theirs := range given {
		if !after[id].IsLocal() && !anothers(id) {
			known[id], origins[id] = textsOf(theirs.record()), s.Origin
		}
	}
	for _, step := range done.Pruned {
		delete(known, step.ID)
	}
	now := mustContents(t, d.path)
	again := d.mustSync(t, s)
	require.False(t, again.Changed)
	require.Empty(t, append(append(again.Added, again.Updated...), again.Pruned...))
	same := mustContents(t, d.path)
	same.Document, same.Revision, same.TenantsRevision = now.Document, now.Revision, now.TenantsRevision
	require.Equal(t, now, same)
}

// requireNothingLost looks for what no sync may take.
func requireNothingLost(t *rapid.T, ours Tenant, after map[TenantID]Tenant, done CloudSynced) {
	now, there := after[ours.ID]
	if ours.IsLocal() {
		require.Equal(t, reveal(ours), reveal(now))
	}
	if !there {
		require.True(t, slices.ContainsFunc(done.Pruned, func(s Step) bool { return s.ID == ours.ID }))
		return
	}
	require.Equal(t, ours.Kind, now.Kind)
	require.True(t, secret.Equal(ours.SyncToken, now.SyncToken))
	require.Equal(t, ours.Unknown.Reveal(), now.Unknown.Reveal())
	require.Equal(t, ours.SharedContainerDB, now.SharedContainerDB)
	for _, urls := range [][2]*secret.Secret{{ours.DatabaseURL, now.DatabaseURL}, {ours.InternalDatabaseURL, now.InternalDatabaseURL}} {
		if was := urls[0]; was != nil && !was.Empty() && !pgurl.IsMasked(*was) {
			require.True(t, secret.Equal(was, urls[1]))
		}
	}
}

// requireMerged has the rule of the merge once more, member by member.
func requireMerged(t *rapid.T, base map[string]string, before map[TenantID]Tenant, theirs CloudTenant, now Tenant, done CloudSynced) {
	ours, here := before[theirs.ID]
	given, has := textsOf(theirs.record()), textsOf(now)
	if !here {
		require.Equal(t, given, has)
		require.True(t, now.IsCloud())
		return
	}
	if ours.IsLocal() {
		return
	}
	was := textsOf(ours)
	var kept []string
	for _, member := range cloudMembers {
		b, inBase := base[member]
		o, inOurs := was[member]
		g, isGiven := given[member]
		n, inNow := has[member]
		oursChanged, theyChanged := b != o || inBase != inOurs, b != g || inBase != isGiven
		switch {
		case !oursChanged:
			require.Equal(t, []any{g, isGiven}, []any{n, inNow}, member)
		default:
			require.Equal(t, []any{o, inOurs}, []any{n, inNow}, member)
			if theyChanged && (o != g || inOurs != isGiven) {
				kept = append(kept, member)
			}
		}
	}
	var told []string
	for _, c := range done.Kept {
		if c.ID == theirs.ID {
			told = c.Members
		}
	}
	require.Equal(t, kept, told)
}
