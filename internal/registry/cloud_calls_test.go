package registry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func (d *desk) mustCall(t *testing.T, k CloudCall) CloudCall {
	t.Helper()
	begun, err := d.BeginCloudCall(t.Context(), k)
	require.NoError(t, err)
	return begun
}

func creation(key string) CloudCall {
	return CloudCall{Key: key, Kind: CreateCall, Origin: plane, Name: "N", Region: "iad", External: true}
}

func of(kind CloudCallKind, key string, id TenantID) CloudCall {
	return CloudCall{Key: key, Kind: kind, Origin: plane, Tenant: &id}
}

func TestACallIsRememberedAndTheSameOneGoesOn(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustImport(t, file(Tenant{ID: "c", Name: "C", Kind: Cloud}))
	first := d.mustCall(t, creation("z"))
	require.Equal(t, noon.Truncate(time.Microsecond), first.MadeAt)
	d.now = noon.Add(time.Minute)
	rotation := d.mustCall(t, of(RotateCall, "y", "c"))
	token := d.mustCall(t, of(TokenCall, "x", "c"))
	onTheWay := d.mustCall(t, of(TokenCall, "w", "not here yet"))
	d.mustReopen(t)
	require.Equal(t, []CloudCall{first, onTheWay, token, rotation}, mustContents(t, d.path).Calls, "by their time, then by key")

	require.Equal(t, first, d.mustCall(t, creation("other")), "the same command resumes it")
	require.Equal(t, rotation, d.mustCall(t, of(RotateCall, "other", "c")))
	for _, other := range []func(*CloudCall){
		func(k *CloudCall) { k.Key, k.Name = "1", "M" },
		func(k *CloudCall) { k.Key, k.Region = "2", "fra" },
		func(k *CloudCall) { k.Key, k.Origin = "3", "https://other.example" },
		func(k *CloudCall) { k.Key, k.Account = "4", "bert" },
	} {
		k := creation("")
		other(&k)
		require.Equal(t, k.Key, d.mustCall(t, k).Key)
	}
	require.NoError(t, d.NoteCloudTenant(t.Context(), "z", "new"))
	require.NoError(t, d.NoteCloudTenant(t.Context(), "z", "new"))
	require.Equal(t, ptr(TenantID("new")), d.mustCall(t, creation("other")).Tenant)
	require.NoError(t, d.EndCloudCall(t.Context(), "z"))
	require.NoError(t, d.EndCloudCall(t.Context(), "z"))
	require.Equal(t, "other", d.mustCall(t, creation("other")).Key)
	require.Len(t, d.changes(t), 1, "the history tells of the import alone")
}

func TestACallThatCannotBeMadeIsRefused(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "mine")
	d.mustCall(t, creation("k"))
	for what, k := range map[string]CloudCall{
		"no key":     creation(""),
		"no origin":  {Key: "l", Kind: CreateCall, Name: "n", Region: "iad"},
		"no name":    {Key: "l", Kind: CreateCall, Origin: plane, Region: "iad"},
		"no region":  {Key: "l", Kind: CreateCall, Origin: plane, Name: "n"},
		"no kind":    {Key: "l", Origin: plane, Name: "n", Region: "iad"},
		"no tenant":  {Key: "l", Kind: RotateCall, Origin: plane},
		"empty id":   of(TokenCall, "l", ""),
		"a local":    of(RotateCall, "l", "mine"),
		"other kind": of("delete", "l", "x"),
	} {
		d.mustRefuse(t, ErrInvalid, func() error {
			_, err := d.BeginCloudCall(t.Context(), k)
			require.Error(t, err, what)
			return err
		})
	}
	d.mustRefuse(t, ErrExists, func() error {
		_, err := d.BeginCloudCall(t.Context(), of(TokenCall, "k", "c"))
		return err
	})
	require.NoError(t, d.NoteCloudTenant(t.Context(), "k", "new"))
	d.mustRefuse(t, ErrConflict, func() error { return d.NoteCloudTenant(t.Context(), "k", "other") })
	d.mustRefuse(t, ErrConflict, func() error { return d.NoteCloudTenant(t.Context(), "nobody", "new") })
	d.mustRefuse(t, ErrInvalid, func() error { return d.NoteCloudTenant(t.Context(), "k", "") })
	mustMess(t, d.path, "UPDATE cloud_calls SET name = ''")
	_, err := d.mustView(t).CloudCalls(t.Context())
	require.Error(t, err)
}

// made is what a control plane answers to the creation with that key, in the end.
func made(key string) CloudResult {
	tenant := given("new", "N")
	tenant.External = true
	return CloudResult{Key: key, Tenant: tenant, InternalURL: sealed(realURL), URL: sealed(otherURL), SyncToken: sealed("sp_sync_x")}
}

func TestACreatedTenantComesWithItsCredentials(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "mine")
	d.mustCall(t, creation("k"))
	sync := CloudSync{Tenants: []CloudTenant{given("new", "N"), given("far", "N")}}
	sync.Tenants[1].Region = ptr("fra")
	require.Equal(t, []string{"add far[]"}, say(d.mustSync(t, sync)), "the answer may have been lost")
	require.NoError(t, d.NoteCloudTenant(t.Context(), "k", "new"))
	require.Empty(t, say(d.mustSync(t, sync)))
	result := made("k")
	result.SelectFirst = true
	again := creation("l")
	again.Region = "syd"
	d.mustRefuse(t, ErrExists, func() error { _, err := d.BeginCloudCall(t.Context(), again); return err })
	stored, err := d.StoreCloudTenant(t.Context(), result)
	require.NoError(t, err)
	d.mustReopen(t)
	now := mustContents(t, d.path)
	require.Equal(t, []string{"mine", "far", "new"}, ids(now))
	require.Equal(t, reveal(stored), now.Tenants[2])
	require.Equal(t, realURL, stored.InternalDatabaseURL.Reveal())
	require.Equal(t, otherURL, stored.DatabaseURL.Reveal())
	require.False(t, stored.HasMissingCredentials())
	require.Empty(t, now.Calls)
	require.Equal(t, ptr(TenantID("new")), now.Selection.Tenant)
	sync.Tenants[0].External = true
	require.Empty(t, say(d.mustSync(t, sync)))
	d.mustRefuse(t, ErrConflict, func() error { _, err := d.StoreCloudTenant(t.Context(), result); return err })
}

// TestATenantThatWasRenamedWhileItWasMadeTakesNobodysWord: its control plane chose the name that it has now.
func TestATenantThatWasRenamedWhileItWasMadeTakesNobodysWord(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"bazaar": "bazaar", "mi": "N"} {
		d := mustDesk(t)
		d.mustTenants(t, "mine")
		d.mustCall(t, creation("k"))
		result := made("k")
		result.Tenant.Name = name
		stored, err := d.StoreCloudTenant(t.Context(), result)
		require.NoError(t, err)
		require.Equal(t, want, stored.Name)
		d.mustReopen(t)
		require.Equal(t, want, d.tenant(t, "new").Name)
	}
}

// TestWhatAnotherAccountIsHavingMadeIsNotWhatThisOneSees, unless it has the id.
func TestWhatAnotherAccountIsHavingMadeIsNotWhatThisOneSees(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	k := creation("k")
	k.Account = "anna"
	d.mustCall(t, k)
	require.Equal(t, []string{"add other[]"}, say(d.mustSync(t, CloudSync{Account: "bert", Tenants: []CloudTenant{given("other", "N")}})))
	require.NoError(t, d.NoteCloudTenant(t.Context(), "k", "new"))
	require.Empty(t, say(d.mustSync(t, CloudSync{Account: "bert", Tenants: []CloudTenant{given("other", "N"), given("new", "N")}})))
}

func TestACreatedTenantThatAFileBroughtGetsItsCredentials(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustCall(t, creation("k"))
	require.NoError(t, d.NoteCloudTenant(t.Context(), "k", "new"))
	d.mustImport(t, file(Tenant{ID: "new", Name: "Other", Kind: Cloud, InternalDatabaseURL: sealed(maskedURL), Unknown: NewUnknown(`"x":1`)}))
	result := made("k")
	result.Tenant.External, result.URL = false, sealed(maskedURL)
	stored, err := d.StoreCloudTenant(t.Context(), result)
	require.NoError(t, err)
	want := Tenant{
		ID: "new", Name: "Other", Kind: Cloud, AppID: ptr("app"), Hostname: ptr("h.example"), Region: ptr("iad"),
		InternalDatabaseURL: sealed(realURL), SyncToken: sealed("sp_sync_x"), Unknown: NewUnknown(`"x":1`),
	}
	require.Equal(t, reveal(want), reveal(stored))
	d.mustReopen(t)
	require.Equal(t, reveal(want), reveal(d.tenant(t, "new")))
	require.Nil(t, mustContents(t, d.path).Selection.Tenant)
}

// TestACreationMakesNoTenantThatIsHere: its control plane would replace the URL of another one's.
func TestACreationMakesNoTenantThatIsHere(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "mine")
	d.mustImport(t, file(Tenant{ID: "new", Name: "prod", Kind: Cloud, InternalDatabaseURL: sealed(otherURL), SyncToken: sealed("sp_sync_mine")}))
	d.mustCall(t, creation("k"))
	d.mustRefuse(t, ErrExists, func() error { return d.NoteCloudTenant(t.Context(), "k", "new") })
	d.mustRefuse(t, ErrExists, func() error { return d.NoteCloudTenant(t.Context(), "k", "mine") })
	d.mustRefuse(t, ErrExists, func() error { _, err := d.StoreCloudTenant(t.Context(), made("k")); return err })
}

// TestNobodysURLsAreNotReplaced by a control plane of which nothing says that the tenant is its own.
func TestNobodysURLsAreNotReplaced(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustCall(t, creation("k"))
	require.NoError(t, d.NoteCloudTenant(t.Context(), "k", "new"))
	d.mustImport(t, file(
		Tenant{ID: "new", Name: "prod", Kind: Cloud, InternalDatabaseURL: sealed(otherURL), SyncToken: sealed("sp_sync_mine")},
		Tenant{ID: "far", Name: "far", Kind: Cloud, InternalDatabaseURL: sealed(otherURL)},
	))
	stored, err := d.StoreCloudTenant(t.Context(), made("k"))
	require.NoError(t, err)
	require.Equal(t, otherURL, stored.InternalDatabaseURL.Reveal())
	require.Equal(t, "sp_sync_mine", stored.SyncToken.Reveal())
	theirs := given("far", "far")
	theirs.InternalURL = sealed(realURL)
	stored, err = d.StoreCloudURLs(t.Context(), plane, theirs)
	require.NoError(t, err)
	require.Equal(t, otherURL, stored.InternalDatabaseURL.Reveal())
	require.Len(t, mustContents(t, d.path).Said, 1, "nor is it said to be from there")
}

func TestCredentialsThatAreNotRealAreNotStored(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "mine")
	d.mustImport(t, file(Tenant{ID: "c", Name: "C", Kind: Cloud}))
	d.mustCall(t, creation("k"))
	d.mustCall(t, of(RotateCall, "r", "c"))
	d.mustCall(t, of(TokenCall, "t", "c"))
	for what, spoil := range map[string]func(*CloudResult){
		"masked":          func(n *CloudResult) { n.InternalURL = sealed(maskedURL) },
		"masked, outside": func(n *CloudResult) { n.URL = sealed(maskedURL) },
		"no URL":          func(n *CloudResult) { n.InternalURL = nil },
		"an empty one":    func(n *CloudResult) { n.InternalURL = sealed("") },
		"nowhere":         func(n *CloudResult) { n.InternalURL = sealed("postgres://") },
		"no name":         func(n *CloudResult) { n.Tenant.Name = "" },
		"an empty token":  func(n *CloudResult) { n.SyncToken = sealed("") },
	} {
		result := made("k")
		spoil(&result)
		d.mustRefuse(t, ErrInvalid, func() error {
			_, err := d.StoreCloudTenant(t.Context(), result)
			require.Error(t, err, what)
			require.NotContains(t, err.Error(), "postgres")
			return err
		})
	}
	local := made("k")
	local.Tenant.ID = "mine"
	d.mustRefuse(t, ErrExists, func() error { _, err := d.StoreCloudTenant(t.Context(), local); return err })
	for what, n := range map[string]CloudResult{
		"masked":    {Key: "r", InternalURL: sealed(maskedURL)},
		"no URL":    {Key: "r", SyncToken: sealed("x")},
		"no token":  {Key: "t", InternalURL: sealed(realURL)},
		"two lines": {Key: "t", SyncToken: sealed("a\nb")},
	} {
		d.mustRefuse(t, ErrInvalid, func() error {
			_, err := d.StoreCloudCredentials(t.Context(), n)
			require.Error(t, err, what)
			return err
		})
	}
	d.mustRefuse(t, ErrConflict, func() error {
		_, err := d.StoreCloudCredentials(t.Context(), CloudResult{Key: "k", InternalURL: sealed(realURL)})
		return err
	})
	require.NoError(t, d.NoteCloudTenant(t.Context(), "k", "other"))
	d.mustRefuse(t, ErrConflict, func() error { _, err := d.StoreCloudTenant(t.Context(), made("k")); return err })
}

func TestARotationReplacesAndRevokesWhatItReplaces(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustCall(t, creation("k"))
	_, err := d.StoreCloudTenant(t.Context(), made("k"))
	require.NoError(t, err)
	d.mustProfiles(t, "new", "p")
	d.mustCall(t, of(RotateCall, "r", "new"))
	const next, out = "postgres://u:next@inside:5432/d", "postgres://u:next@outside:5432/d"
	tx, err := d.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, tx.Do(t.Context(), func(r *Registry) error {
		_, err := r.StoreCloudCredentials(t.Context(), CloudResult{Key: "r", InternalURL: sealed(next), URL: sealed(out)})
		require.True(t, tx.due.Profiles["p"], "its secrets.json follows")
		return err
	}))
	_, err = tx.Commit()
	require.NoError(t, err)
	require.NoError(t, tx.Close())
	d.mustReopen(t)
	now := d.tenant(t, "new")
	require.Equal(t, next, now.InternalDatabaseURL.Reveal())
	require.Equal(t, out, now.DatabaseURL.Reveal())
	require.Equal(t, "sp_sync_x", now.SyncToken.Reveal())
	require.Empty(t, mustContents(t, d.path).Calls)
	d.mustRefuse(t, ErrConflict, func() error {
		_, err := d.Undo(t.Context(), Undo{})
		require.ErrorContains(t, err, "it ended the old database password of tenant new")
		return err
	})

	d.mustCall(t, of(TokenCall, "t", "new"))
	_, err = d.StoreCloudCredentials(t.Context(), CloudResult{Key: "t", SyncToken: sealed("sp_sync_y")})
	require.NoError(t, err)
	require.Equal(t, "sp_sync_y", d.tenant(t, "new").SyncToken.Reveal())
	d.mustRefuse(t, ErrConflict, func() error { _, err := d.Undo(t.Context(), Undo{}); return err })
	kept, err := d.mustView(t).KeptSecrets(t.Context())
	require.NoError(t, err)
	require.Zero(t, kept.Secrets)
}

func TestARotationOfATenantWithoutCredentialsCanBeUndone(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A")}})
	d.mustCall(t, of(RotateCall, "r", "a"))
	stored, err := d.StoreCloudCredentials(t.Context(), CloudResult{Key: "r", InternalURL: sealed(realURL), URL: sealed(otherURL)})
	require.NoError(t, err)
	require.Nil(t, stored.DatabaseURL, "its database can't be reached from outside")
	require.Equal(t, realURL, d.tenant(t, "a").InternalDatabaseURL.Reveal())
	_, err = d.Undo(t.Context(), Undo{})
	require.NoError(t, err)
	require.Nil(t, d.tenant(t, "a").InternalDatabaseURL)
}

func TestARestoreKeepsTheCallsSinceTheBackup(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "A"), given("b", "B")}})
	d.mustCall(t, of(RotateCall, "1", "a"))
	source := mustBackup(t, d)
	said := mustContents(t, d.path).Said
	require.NoError(t, d.EndCloudCall(t.Context(), "1"))
	d.mustCall(t, of(RotateCall, "2", "a"))
	d.mustCall(t, creation("3"))
	d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "C")}})
	_, err := restore(t, d.path, d.options(), source)
	require.NoError(t, err)
	d.mustReopen(t)
	now := mustContents(t, d.path)
	require.Equal(t, said, now.Said)
	require.Equal(t, []string{"1", "2", "3"}, []string{now.Calls[0].Key, now.Calls[1].Key, now.Calls[2].Key})
	require.Equal(t, []string{"update a[name]", "stay b[]"}, say(d.mustSync(t, CloudSync{Tenants: []CloudTenant{given("a", "C")}})))
}
