package registry

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

const plane = "https://cp.example"

const (
	realURL   = "postgres://u:pw@inside:5432/d"
	maskedURL = "postgres://u:***@inside:5432/d"
	otherURL  = "postgres://u:other@inside:5432/d"
)

// given is a tenant as a control plane gives it.
func given(id TenantID, name string) CloudTenant {
	return CloudTenant{
		ID: id, Name: name, AppID: ptr("app"), Hostname: ptr("h.example"), Region: ptr("iad"),
		InternalURL: sealed(maskedURL), URL: sealed(maskedURL),
	}
}

// mustSync syncs with a control plane, some time after the change before.
func (d *desk) mustSync(t require.TestingT, s CloudSync) CloudSynced {
	if h, ok := t.(*testing.T); ok {
		h.Helper()
	}
	d.now = d.now.Add(time.Minute)
	if s.Origin == "" {
		s.Origin = plane
	}
	done, err := d.SyncCloud(context.Background(), s)
	require.NoError(t, err)
	return done
}

// say writes what a sync did.
func say(done CloudSynced) (texts []string) {
	for _, steps := range [][]Step{done.Added, done.Updated, done.Pruned, done.Gone} {
		for _, s := range steps {
			texts = append(texts, fmt.Sprint(s.Action, " ", s.ID, s.Changed))
		}
	}
	for _, c := range done.Kept {
		texts = append(texts, fmt.Sprint("kept ", c.ID, c.Members))
	}
	return texts
}

func (d *desk) tenant(t *testing.T, id TenantID) Tenant {
	t.Helper()
	v, err := d.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	tenant, err := v.Tenant(t.Context(), id)
	require.NoError(t, err)
	return tenant
}

func TestASyncAddsTheTenantsOfAControlPlane(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "mine")
	done := d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("b", "B"), given("a", "B")}})
	require.Equal(t, []string{"add b[]", "add a[]"}, say(done))
	require.True(t, done.Changed)
	require.Empty(t, done.Ambiguous)
	d.mustReopen(t)
	now := mustContents(t, d.path)
	require.Equal(t, []string{"mine", "b", "a"}, ids(now), "behind the others, in its order; a name may be there twice")
	require.Equal(t, FormatTime(d.now)+" {}", now.Document)
	b := d.tenant(t, "b")
	require.Equal(t, reveal(Tenant{ID: "b", Name: "B", Kind: Cloud, AppID: ptr("app"), Hostname: ptr("h.example"), Region: ptr("iad")}), reveal(b))

	v := d.mustView(t)
	origin, err := v.CloudOrigin(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, plane, *origin)
	origin, err = v.CloudOrigin(t.Context(), "mine")
	require.NoError(t, err)
	require.Nil(t, origin)
}

// TestASyncMayBringAWordOfTwoTenants as an import may; whoever syncs warns.
func TestASyncMayBringAWordOfTwoTenants(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	done := d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("b", "a")}})
	require.Equal(t, []TenantID{"a"}, done.Ambiguous)
}

// TestAWordGoesOnMeaningTheTenantThatItMeans, whatever ids and names a control plane has.
func TestAWordGoesOnMeaningTheTenantThatItMeans(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "local_1a22c4d0")
	d.mustSync(t, CloudSync{ETag: "e", Tenants: []CloudTenant{given("c", "C")}})
	d.mustCall(t, creation("l"))
	d.mustRefuse(t, ErrExists, func() error { return d.NoteCloudTenant(t.Context(), "l", "local_1a22c4d") })
	done := d.mustSync(t, CloudSync{ETag: "f", Tenants: []CloudTenant{
		given("c", "local_1a"), given("local_1a22c4", "x"), given("y", "local_1…"), given("new-10", "ten"), given("new-1", "M"), given("local_1a22c4d0ff", "longer"),
	}})
	require.Equal(t, []string{"add new-10[]", "add new-1[]", "add local_1a22c4d0ff[]", "kept c[name]", "kept local_1a22c4[]", "kept y[]"}, say(done))
	var taken []string
	for _, c := range done.Kept {
		require.Equal(t, TenantID("local_1a22c4d0"), c.Means.ID)
		taken = append(taken, string(c.ID)+" "+c.Word)
	}
	require.Equal(t, []string{"c local_1a", "local_1a22c4 local_1a22c4", "y local_1…"}, taken)
	require.Equal(t, "C", d.tenant(t, "c").Name)
	last, err := d.mustView(t).LastSync(t.Context(), plane)
	require.NoError(t, err)
	require.Empty(t, last.ETag, "the next sync looks again")
}

func TestWhatOnlyOneSideChangedWins(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		ours   values
		theirs func(*CloudTenant)
		told   []string
		name   string
		region *string
	}{
		"nobody":        {nil, func(*CloudTenant) {}, nil, "A", ptr("iad")},
		"they":          {nil, func(c *CloudTenant) { c.Name, c.Region = "B", ptr("fra") }, []string{"update a[name region]"}, "B", ptr("fra")},
		"they, to none": {nil, func(c *CloudTenant) { c.Region = nil }, []string{"update a[region]"}, "A", nil},
		"we":            {values{"name": sealed("C"), "region": nil}, func(*CloudTenant) {}, nil, "C", nil},
		"both":          {values{"name": sealed("C")}, func(c *CloudTenant) { c.Name = "B" }, []string{"kept a[name]"}, "C", ptr("iad")},
		"both, alike":   {values{"name": sealed("B")}, func(c *CloudTenant) { c.Name = "B" }, nil, "B", ptr("iad")},
		"each another":  {values{"name": sealed("C")}, func(c *CloudTenant) { c.Region = ptr("fra") }, []string{"update a[region]"}, "C", ptr("fra")},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			d := mustDesk(t)
			d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A")}})
			if c.ours != nil {
				d.mustEdit(t, TenantEdit{ID: "a", Set: c.ours})
			}
			theirs := given("a", "A")
			c.theirs(&theirs)
			done := d.mustSync(t, CloudSync{Tenants: []CloudTenant{theirs}})
			require.Equal(t, c.told, say(done))
			d.mustReopen(t)
			a := d.tenant(t, "a")
			require.Equal(t, c.name, a.Name)
			require.Equal(t, c.region, a.Region)
			require.Empty(t, say(d.mustSync(t, CloudSync{Tenants: []CloudTenant{theirs}})), "it is told once")
		})
	}
}

func TestAnImportedCloudTenantIsCompletedAndKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	imported := Tenant{ID: "a", Name: "A", Kind: Cloud, Hostname: ptr("other"), InternalDatabaseURL: sealed(realURL), SyncToken: sealed("t"), Unknown: NewUnknown(`"x":1`)}
	d.mustImport(t, file(imported))
	done := d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A")}})
	require.Equal(t, []string{"update a[app_id region]", "kept a[hostname]"}, say(done))
	want := imported
	want.AppID, want.Region = ptr("app"), ptr("iad")
	require.Equal(t, reveal(want), reveal(d.tenant(t, "a")))
	require.Empty(t, say(d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A")}})))
}

func TestALocalTenantIsNotTouchedByASync(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	before := reveal(d.tenant(t, "a"))
	for range 2 {
		done := d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "B")}, Prune: true})
		require.Equal(t, []string{"kept a[]"}, say(done))
		require.False(t, done.Changed)
	}
	done := d.mustSync(t, CloudSync{Prune: true})
	require.Empty(t, say(done))
	require.Equal(t, before, reveal(d.tenant(t, "a")))
	require.Empty(t, mustContents(t, d.path).Said)
}

func TestARealURLReplacesWhatIsNotKnownOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ours, theirs, want *secret.Secret
	}{
		{nil, sealed(realURL), sealed(realURL)},
		{sealed(""), sealed(realURL), sealed(realURL)},
		{sealed(maskedURL), sealed(realURL), sealed(realURL)},
		{sealed(otherURL), sealed(realURL), sealed(otherURL)},
		{sealed(otherURL), sealed(maskedURL), sealed(otherURL)},
		{sealed(otherURL), nil, sealed(otherURL)},
		{nil, sealed(maskedURL), nil},
		{nil, sealed("nonsense"), nil},
	} {
		d := mustDesk(t)
		d.mustImport(t, file(Tenant{ID: "a", Name: "A", Kind: Cloud, InternalDatabaseURL: c.ours, DatabaseURL: c.ours, ExternalDBAccess: true, SyncToken: sealed("t")}))
		theirs := given("a", "A")
		theirs.External, theirs.InternalURL, theirs.URL = true, c.theirs, c.theirs
		d.mustSync(t, CloudSync{Tenants: []CloudTenant{theirs}})
		a := d.tenant(t, "a")
		require.Equal(t, textOf(c.want), textOf(a.InternalDatabaseURL))
		require.Equal(t, textOf(c.want), textOf(a.DatabaseURL))
		require.Equal(t, "t", a.SyncToken.Reveal())
	}
	d := mustDesk(t)
	theirs := given("a", "A")
	theirs.InternalURL, theirs.URL = sealed(realURL), sealed(realURL)
	d.mustSync(t, CloudSync{Tenants: []CloudTenant{theirs}})
	require.Nil(t, d.tenant(t, "a").DatabaseURL, "its database can't be reached from outside")
	require.True(t, d.tenant(t, "a").HasDatabaseURL())
}

func TestATenantThatTheControlPlaneHasNoMoreIsToldAndPrunedWhereNobodyNeedsIt(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A"), given("b", "B"), given("c", "C")}})
	d.mustSync(t, CloudSync{Origin: "https://other.example", Tenants: []CloudTenant{given("z", "Z")}})
	d.mustImport(t, file(Tenant{ID: "i", Name: "I", Kind: Cloud}))
	d.mustProfiles(t, "b", "p")
	d.mustSelect(t, "c")
	before := mustContents(t, d.path)
	done := d.mustSync(t, CloudSync{})
	require.Equal(t, []string{"stay a[]", "stay b[]", "stay c[]"}, say(done), "those of another origin, or never synced, are not")
	require.False(t, done.Changed)
	require.Equal(t, before.Tenants, mustContents(t, d.path).Tenants)

	done = d.mustSync(t, CloudSync{Prune: true})
	require.Equal(t, []string{"remove a[]", "stay b[]", "stay c[]"}, say(done))
	require.True(t, done.Changed)
	require.NotNil(t, done.Pruned[0].Removed)
	d.mustReopen(t)
	now := mustContents(t, d.path)
	require.Equal(t, []string{"b", "c", "z", "i"}, ids(now))
	require.Equal(t, ptr(TenantID("c")), now.Selection.Tenant)
	require.Len(t, now.Profiles, 1)
}

// TestWhatAnotherAccountSawIsNotGone: one user does not see the tenants of another.
func TestWhatAnotherAccountSawIsNotGone(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustSync(t, CloudSync{Account: "anna", Tenants: []CloudTenant{given("a", "A"), given("b", "B"), given("c", "C")}})
	for range 2 {
		done := d.mustSync(t, CloudSync{Account: "bert", Tenants: []CloudTenant{given("b", "B")}, Prune: true})
		require.Empty(t, say(done))
		require.Len(t, done.Hidden, 2)
		require.Empty(t, done.Prunable)
	}
	require.Equal(t, []string{"a", "b", "c"}, ids(mustContents(t, d.path)))
	done := d.mustSync(t, CloudSync{Account: "anna", Tenants: []CloudTenant{given("b", "B")}})
	require.Equal(t, []string{"stay a[]", "stay c[]"}, say(done))
	require.Len(t, done.Prunable, 2)
	done = d.mustSync(t, CloudSync{Account: "anna", Prune: true, Only: []TenantID{"c"}})
	require.Equal(t, []string{"remove c[]", "stay a[]", "stay b[]"}, say(done), "nobody was asked about the others")
}

func TestASyncThatChangesNothingLeavesNothingInTheHistory(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	sync := CloudSync{Tenants: []CloudTenant{given("a", "A"), given("b", "B")}}
	d.mustSync(t, sync)
	before := mustContents(t, d.path)
	done := d.mustSync(t, sync)
	require.Empty(t, say(done))
	require.False(t, done.Changed)
	now := mustContents(t, d.path)
	require.Equal(t, FormatTime(d.now)+" {}", now.Document, "but the time of the sync is another")
	require.Equal(t, now.Revision, now.TenantsRevision, "which tenants.json shows")
	now.Document, now.Revision, now.TenantsRevision = before.Document, before.Revision, before.TenantsRevision
	require.Equal(t, before, now)
	changes := d.changes(t)
	require.Len(t, changes, 1)
	require.Len(t, changes[0].Entries, 2)

	d.now = d.now.Add(-time.Hour)
	_, err := d.SyncCloud(t.Context(), CloudSync{Origin: plane, Tenants: sync.Tenants})
	require.NoError(t, err)
	require.Equal(t, FormatTime(d.now.Add(time.Hour))+" {}", mustContents(t, d.path).Document, "it never goes back")
	require.Equal(t, now.Revision+1, mustContents(t, d.path).TenantsRevision, "and then nothing is to be written")
}

func (d *desk) changes(t *testing.T) []Change {
	t.Helper()
	v, err := d.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	return mustAll(t, v.Changes(t.Context(), nil, Page{}))
}

func TestAnUndoOfASyncTakesItBackAndTheNextOneLeavesIt(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A"), given("g", "G")}})
	before := mustContents(t, d.path)
	sync := CloudSync{Tenants: []CloudTenant{given("a", "B"), given("n", "N")}, Prune: true}
	d.mustSync(t, sync)
	require.Equal(t, []string{"a", "n"}, ids(mustContents(t, d.path)))
	d.mustSync(t, sync)
	_, err := d.Undo(t.Context(), Undo{})
	require.NoError(t, err, "the sync after it is not in its way")
	d.mustReopen(t)
	require.Equal(t, before.Tenants, mustContents(t, d.path).Tenants)

	done := d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "B"), given("g", "H")}})
	require.Equal(t, []string{"kept g[name]"}, say(done), "g came back without what was said of it; the name of a is ours now")
	require.Equal(t, "A", d.tenant(t, "a").Name)
}

func TestADeletedTenantTakesWhatTheCloudSaidOfItAlong(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A")}})
	d.mustCall(t, CloudCall{Key: "k", Kind: RotateCall, Origin: plane, Tenant: ptr(TenantID("a"))})
	d.mustCall(t, CloudCall{Key: "l", Kind: CreateCall, Origin: plane, Name: "n", Region: "iad"})
	_, err := d.DeleteTenant(t.Context(), Deletion{ID: "a"})
	require.NoError(t, err)
	d.mustReopen(t)
	now := mustContents(t, d.path)
	require.Empty(t, now.Said)
	require.Len(t, now.Calls, 1)
	_, err = d.Undo(t.Context(), Undo{})
	require.NoError(t, err)
	require.Empty(t, say(d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A")}})))
	require.Len(t, mustContents(t, d.path).Said, 1)
}

func TestASyncOfNonsenseIsRefused(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A")}})
	for what, s := range map[string]CloudSync{
		"no origin": {Tenants: []CloudTenant{given("b", "B")}},
		"no id":     {Origin: plane, Tenants: []CloudTenant{given("b", "B"), given("", "C")}},
		"no name":   {Origin: plane, Tenants: []CloudTenant{given("b", "")}},
		"twice":     {Origin: plane, Tenants: []CloudTenant{given("b", "B"), given("b", "C")}},
	} {
		d.mustRefuse(t, ErrInvalid, func() error {
			_, err := d.SyncCloud(t.Context(), s)
			require.Error(t, err, what)
			return err
		})
	}
	mustMess(t, d.path, "UPDATE cloud_tenants SET base = 'x'")
	_, err := d.SyncCloud(t.Context(), CloudSync{Origin: plane, Tenants: []CloudTenant{given("a", "A")}})
	require.Error(t, err)
}

// TestAMergeKnowsWhatASyncPublished: a sync without a change of its own may be the first to
// publish the change before it.
func TestAMergeKnowsWhatASyncPublished(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	d.mustSync(t, CloudSync{})
	state := mustContents(t, d.path)
	d.mustRemember(t, File{Path: "tenants.json", Current: "h", TenantsRevision: state.TenantsRevision, Written: noon})
	v := d.mustView(t)
	rows, err := v.q.PublishedOrTakenFrom(t.Context(), 0)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Less(t, rows[0].Sequence, state.TenantsRevision)
	require.Equal(t, noon.UnixMicro(), *rows[0].Published)
}

// TestEveryMemberThatAControlPlaneGivesIsMerged: one that is added to CloudTenant has to be in
// cloudMembers.
func TestEveryMemberThatAControlPlaneGivesIsMerged(t *testing.T) {
	t.Parallel()
	one := CloudTenant{ID: "a", Name: "A", AppID: ptr("1"), Hostname: ptr("1"), Region: ptr("1"), External: true}
	require.Equal(t, cloudMembers, Tenant{ID: "a", Kind: Cloud}.Differing(one.record()))
	require.Equal(t, len(cloudMembers)+4, reflect.TypeFor[CloudTenant]().NumField(), "and the id, two URLs and who saw it")
}

func TestALastSyncIsKnownWithItsState(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	v := d.mustView(t)
	none, err := v.LastSync(t.Context(), plane)
	require.NoError(t, err)
	require.Equal(t, LastSync{}, none)
	v.Close()
	d.mustSync(t, CloudSync{Origin: plane, ETag: `"r1.0"`, Tenants: []CloudTenant{given("a", "A")}})
	require.Empty(t, say(d.mustSync(t, CloudSync{Origin: plane, ETag: `"r1.0"`, Unchanged: true})))
	d.mustReopen(t)
	last, err := d.mustView(t).LastSync(t.Context(), plane)
	require.NoError(t, err)
	require.Equal(t, `"r1.0"`, last.ETag)
	require.NotNil(t, last.At)
	other, err := d.mustView(t).LastSync(t.Context(), "https://other.example")
	require.NoError(t, err)
	require.Equal(t, LastSync{}, other)
}

func TestAColleaguesTenantGetsItsURLs(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A")}})
	d.mustTenants(t, "local")
	real, masked := secret.New("postgres://u:p@h/d"), secret.New("postgres://u:***@h/d")
	now := given("a", "A")
	now.InternalURL = &masked
	_, err := d.StoreCloudURLs(t.Context(), plane, now)
	require.ErrorIs(t, err, ErrInvalid)
	now.InternalURL = &real
	stored, err := d.StoreCloudURLs(t.Context(), plane, now)
	require.NoError(t, err)
	d.mustReopen(t)
	reread, err := d.mustView(t).Tenant(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, reread.Equal(stored))
	require.True(t, reread.InternalDatabaseURL.Equal(real))
	for _, id := range []TenantID{"nobody", "local"} {
		_, err = d.StoreCloudURLs(t.Context(), plane, CloudTenant{ID: id, Name: "x", InternalURL: &real})
		require.Error(t, err, id)
	}
}

func TestADeletionAtItsControlPlaneIsNotUndone(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A")}})
	now := given("a", "A")
	real := secret.New("postgres://u:p@h/d")
	now.InternalURL = &real
	_, err := d.StoreCloudURLs(t.Context(), plane, now)
	require.NoError(t, err)
	_, err = d.DeleteTenant(t.Context(), Deletion{ID: "a", Dropped: true})
	require.NoError(t, err)
	_, err = d.Undo(t.Context(), Undo{})
	require.ErrorContains(t, err, "can't be undone")
	_, err = d.mustView(t).Tenant(t.Context(), "a")
	require.ErrorIs(t, err, ErrNotFound)
}

func TestAnotherControlPlaneTakesNoTenantOver(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	const stranger = "https://stranger.example"
	real, bait := secret.New("postgres://u:p@h/d"), secret.New("postgres://u:bait@evil/d")
	d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A")}})
	ours := given("a", "A")
	ours.InternalURL = &real
	before, err := d.StoreCloudURLs(t.Context(), plane, ours)
	require.NoError(t, err)

	theirs := given("a", "taken")
	theirs.InternalURL = &bait
	done := d.mustSync(t, CloudSync{Origin: stranger, Tenants: []CloudTenant{theirs}})
	require.Equal(t, []CloudConflict{{ID: "a", Name: "A", Origin: plane}}, done.Kept)
	d.mustRefuse(t, ErrConflict, func() error { _, err := d.StoreCloudURLs(t.Context(), stranger, theirs); return err })
	d.mustCall(t, CloudCall{Key: "k", Kind: CreateCall, Origin: stranger, Name: "new", Region: "iad"})
	d.mustRefuse(t, ErrExists, func() error {
		_, err := d.StoreCloudTenant(t.Context(), CloudResult{Key: "k", Tenant: theirs, InternalURL: &bait})
		return err
	})
	d.mustReopen(t)
	v := d.mustView(t)
	after, err := v.Tenant(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, before.Equal(after))
	from, err := v.CloudOrigin(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, plane, *from)
}
