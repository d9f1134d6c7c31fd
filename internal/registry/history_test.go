package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

func (d *desk) mustHistory(t testing.TB, tenant *TenantID, page Page) []Change {
	t.Helper()
	v, err := d.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	return mustAll(t, v.Changes(t.Context(), tenant, page))
}

// look asks a view and closes it, so that it is in nobody's way.
func look[T any](t testing.TB, d *desk, ask func(ctx context.Context, v *View) (T, error)) T {
	t.Helper()
	v, err := d.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	answer, err := ask(t.Context(), v)
	require.NoError(t, err)
	return answer
}

func sequences(changes []Change) (found []int64) {
	for _, c := range changes {
		found = append(found, c.Sequence)
	}
	return found
}

// effects writes entries as text: what they did to which thing, in names.
func effects(c Change) (texts []string) {
	for _, e := range c.Entries {
		text := string(e.Entity) + " " + e.ID
		switch {
		case e.Before == nil:
			text = "+" + text
		case e.After == nil:
			text = "-" + text
		default:
			text += " " + strings.Join(image(e.Before).differing(e.After), ",")
		}
		texts = append(texts, text)
	}
	return texts
}

func TestTheHistoryTellsEveryChange(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	d.mustProfiles(t, "a", "pa")
	d.mustUse(t, "pa")
	require.NoError(t, d.SetDefaultProfile(t.Context(), ptr("pa")))
	_, err := d.UpdateProfile(t.Context(), ProfileEdit{Name: "pa", NewName: ptr("new")})
	require.NoError(t, err)
	d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("x"), "sync_token": sealed("t")}})
	_, err = d.EndSession(t.Context(), "a")
	require.NoError(t, err)
	d.mustImport(t, fileOf(Document{SyncedAt: noon.Add(time.Hour)}, local("c"), local("a")))
	d.mustDelete(t, "a")

	var told [][]string
	for _, c := range d.mustHistory(t, nil, Page{}) {
		require.Equal(t, "sp test", c.Command)
		require.True(t, c.MadeAt.Equal(noon.Truncate(time.Microsecond)))
		require.Zero(t, c.Omitted)
		told = append(told, effects(c))
	}
	require.Equal(t, [][]string{
		{"-tenant a", "-profile new", "selection selection default_profile,deleted_tenant_id,tenant_id"},
		{"document document synced_at", "tenant a name", "+tenant c"},
		{"-session a"},
		{"tenant a name,sync_token"},
		{"+profile new", "-profile pa", "session a profile", "selection selection default_profile"},
		{"selection selection default_profile"},
		{"+session a", "selection selection tenant_id"},
		{"+profile pa"},
		{"+tenant b"},
		{"+tenant a"},
	}, told)
}

func TestWhatChangesNothingIsNotInTheHistory(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	d.mustProfiles(t, "a", "pa")
	d.mustSelect(t, "a")
	before := sequences(d.mustHistory(t, nil, Page{}))

	d.mustSelect(t, "a")
	d.mustChangeNothing(t)
	_, _, err := d.UpdateTenant(t.Context(), TenantEdit{ID: "a", Set: values{"name": sealed("a")}})
	require.NoError(t, err)
	_, err = d.UpdateProfile(t.Context(), ProfileEdit{Name: "pa", NewName: ptr("pa")})
	require.NoError(t, err)
	_, err = d.EndSession(t.Context(), "a")
	require.NoError(t, err)
	require.NoError(t, d.SetDefaultProfile(t.Context(), nil))
	d.mustTry(t, file(local("a")))

	require.Equal(t, before, sequences(d.mustHistory(t, nil, Page{})))
}

func TestTheHistoryOfATenantHasAllThatBelongedToIt(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")                                                // 1, 2
	d.mustProfiles(t, "a", "pa")                                              // 3
	d.mustProfiles(t, "b", "pb")                                              // 4
	d.mustUse(t, "pa")                                                        // 5
	d.mustSelect(t, "b")                                                      // 6
	d.mustEdit(t, TenantEdit{ID: "b", Set: values{"name": sealed("x")}})      // 7
	d.mustDelete(t, "a")                                                      // 8
	d.mustImport(t, fileOf(Document{}, local("c"), local("a")))               // 9, another a
	d.mustEdit(t, TenantEdit{ID: "a", Set: values{"region": sealed("here")}}) // 10

	a, b := TenantID("a"), TenantID("b")
	require.Equal(t, []int64{10, 9, 8, 5, 3, 1}, sequences(d.mustHistory(t, &a, Page{})))
	require.Equal(t, []int64{7, 6, 4, 2}, sequences(d.mustHistory(t, &b, Page{})))
	require.Equal(t, []int64{8, 5}, sequences(d.mustHistory(t, &a, Page{After: "9", Limit: 2})))
	require.Equal(t, []int64{4, 3, 2, 1}, sequences(d.mustHistory(t, nil, Page{After: "5"})))
	require.Equal(t, []string{"+tenant a"}, effects(d.mustHistory(t, &a, Page{After: "10", Limit: 1})[0]), "nothing of c, which came with it")
	require.Empty(t, d.mustHistory(t, ptr(TenantID("nobody")), Page{}))
	for _, err := range d.mustView(t).Changes(t.Context(), nil, Page{After: "x"}) {
		require.ErrorIs(t, err, ErrInvalid)
	}
}

func TestALongChangeListsItsFirstEntriesAndCountsTheRest(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	var many []Tenant
	for i := range maxEntries + 5 {
		many = append(many, local(TenantID(fmt.Sprint(i))))
	}
	d.mustImport(t, fileOf(Document{SyncedAt: noon}, many...))
	c := d.mustHistory(t, nil, Page{})[0]
	require.Len(t, c.Entries, maxEntries)
	require.Equal(t, maxEntries+5, len(c.Entries)+c.Omitted)
}

// TestNewTenantsAreOneRowOfHistory holds for any number of them.
func TestNewTenantsAreOneRowOfHistory(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustImport(t, fileOf(Document{SyncedAt: noon}, local("a"), local("b"), local("c")))
	conn := mustRaw(t, d.path)
	var changes, entries, first, last int
	require.NoError(t, conn.QueryRow("SELECT COUNT(*), MIN(first_added), MAX(last_added), (SELECT COUNT(*) FROM entries WHERE kind = 'tenant') FROM changes").
		Scan(&changes, &first, &last, &entries))
	require.Equal(t, []int{1, 1, 3, 0}, []int{changes, first, last, entries})
}

func TestNoPositionIsGivenTwice(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	position := func(id TenantID) int64 {
		return look(t, d, func(ctx context.Context, v *View) (placedTenant, error) { return v.placedTenant(ctx, id) }).position
	}
	d.mustTenants(t, "a", "b")
	require.EqualValues(t, 2, position("b"))
	d.mustDelete(t, "b")
	d.mustTenants(t, "b")
	require.EqualValues(t, 3, position("b"))
	d.mustUndo(t)
	d.mustUndo(t)
	require.EqualValues(t, 2, position("b"))
	d.mustImport(t, file(local("c")))
	require.EqualValues(t, 4, position("c"))
}

func TestATenantIsShownAsItWas(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a") // 1
	d.now = noon.Add(time.Hour)
	d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("x"), "database_url": sealed("postgres://u:2@h/a"), "sync_token": sealed("")}}) // 2
	d.now = noon.Add(2 * time.Hour)
	d.mustDelete(t, "a")  // 3
	d.mustTenants(t, "a") // 4, another

	v := d.mustView(t)
	at := func(sequence int64) string {
		then, forgotten, err := v.TenantAt(t.Context(), "a", sequence)
		require.NoError(t, err)
		require.Empty(t, forgotten)
		return reveal(then)
	}
	require.Equal(t, reveal(local("a")), at(1))
	require.Equal(t, reveal(local("a")), at(4))
	changed := local("a")
	changed.Name, changed.DatabaseURL, changed.SyncToken = "x", sealed("postgres://u:2@h/a"), sealed("")
	require.Equal(t, reveal(changed), at(2))
	for _, sequence := range []int64{0, 3, 400} {
		_, _, err := v.TenantAt(t.Context(), "a", sequence)
		require.ErrorIs(t, err, ErrNotFound)
	}

	for minutes, want := range map[int]int64{0: 1, 59: 1, 60: 2, 120: 4} {
		sequence, err := v.SequenceAt(t.Context(), noon.Add(time.Duration(minutes)*time.Minute))
		require.NoError(t, err)
		require.Equal(t, want, sequence, minutes)
	}
	_, err := v.SequenceAt(t.Context(), noon.Add(-time.Minute))
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "the history begins with change 1 of ")
	_, err = v.SequenceAt(t.Context(), d.now.Add(time.Second))
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "the last change is 4 of ")
	for sequence := range int64(4) {
		require.NoError(t, v.checkSequence(t.Context(), sequence+1))
	}
	for sequence, why := range map[int64]string{
		5: "the last change is 4 of ", math.MaxInt64: "the last change is 4 of ",
		0: "the history begins with change 1 of ", -1: "the history begins with change 1 of ", math.MinInt64: "the history begins with change 1 of ",
	} {
		err := v.checkSequence(t.Context(), sequence)
		require.ErrorIs(t, err, ErrNotFound)
		require.ErrorContains(t, err, why)
	}
}

func TestAHistoryWithoutAChangeSaysSo(t *testing.T) {
	t.Parallel()
	_, err := mustDesk(t).mustView(t).SequenceAt(t.Context(), noon)
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "no change yet")
	err = mustDesk(t).mustView(t).checkSequence(t.Context(), 1)
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "no change yet")
}

// TestTheHistoryHoldsNoSecret looks at the whole file after the kept secrets are purged.
func TestTheHistoryHoldsNoSecret(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	marked := local("a")
	marked.DatabaseURL, marked.SyncToken = sealed("postgres://u:CANARY@h/d"), sealed("CANARY-token")
	marked.Unknown = NewUnknown(`"x":"CANARY"`)
	d.mustImport(t, fileOf(Document{SyncedAt: noon, Unknown: NewUnknown(`"y":"CANARY"`)}, marked))
	i := fileOf(Document{SyncedAt: noon.Add(time.Hour)}, local("a"))
	i.Exact = true
	d.mustImport(t, i)
	for _, c := range d.mustHistory(t, nil, Page{}) {
		text, err := json.Marshal(c)
		require.NoError(t, err)
		require.NotContains(t, string(text), "CANARY")
		require.Contains(t, string(text), `{"digest":"`)
	}
	data, err := os.ReadFile(d.path)
	require.NoError(t, err)
	require.Contains(t, string(data), "CANARY")

	purged, err := d.PurgeSecrets(t.Context(), false)
	require.NoError(t, err)
	require.Equal(t, 4, purged)
	requireNowhere(t, filepath.Dir(d.path), "CANARY")
}

// TestAPurgeIsInTheHistoryIfItDestroysSomething holds for secrets, and for copies that
// only the caller knows of.
func TestAPurgeIsInTheHistoryIfItDestroysSomething(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b") // 1, 2
	d.mustDelete(t, "a")       // 3
	d.mustDelete(t, "b")       // 4
	for _, copies := range []bool{false, true, false} {
		_, err := d.PurgeSecrets(t.Context(), copies) // 5, 6, nothing
		require.NoError(t, err)
	}
	changes := d.mustHistory(t, nil, Page{})
	require.Equal(t, []int64{6, 5, 4, 3, 2, 1}, sequences(changes))
	for _, c := range changes {
		require.Equal(t, c.Sequence > 4, c.Purged)
	}
	d.mustRefuse(t, ErrConflict, func() error { return d.undo(t, 5) })
	require.EqualError(t, d.undo(t, 6), "change 6 (sp test) can't be undone: what it purged is gone")
	d.mustRefuse(t, ErrForgotten, func() error { _, err := d.Undo(t.Context(), Undo{}); return err }) // of 4
}

// requireNowhere searches all files of a directory for a text.
func requireNowhere(t testing.TB, dir, text string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		require.False(t, bytes.Contains(data, []byte(text)), "%s is in %s", text, entry.Name())
	}
}

func TestDigestsDifferFromRegistryToRegistry(t *testing.T) {
	t.Parallel()
	var digests []string
	for _, d := range []*desk{mustDesk(t), mustDesk(t)} {
		d.Registry.options.Rand = nil // the system's
		d.mustTenants(t, "a")
		d.mustDelete(t, "a")
		digests = append(digests, string(d.mustHistory(t, nil, Page{Limit: 1})[0].Entries[0].Before["database_url"]))
	}
	require.NotEqual(t, digests[0], digests[1])
}

func TestRemovedSecretsAreKeptForSevenDays(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	d.mustDelete(t, "a")
	deleted := d.revision(t)
	kept := look(t, d, func(ctx context.Context, v *View) (Kept, error) { return v.KeptSecrets(ctx) })
	require.Equal(t, 1, kept.Secrets)
	require.True(t, kept.Until.Equal(noon.Add(keptFor).Truncate(time.Microsecond)))

	d.now = noon.Add(keptFor - time.Second)
	d.mustUndo(t, deleted)
	d.mustDelete(t, "a")
	d.now = noon.Add(2*keptFor - time.Second)
	d.mustRefuse(t, ErrForgotten, func() error { return d.undo(t, d.revision(t)) })
	require.ErrorContains(t, d.undo(t, d.revision(t)), "database_url: no longer kept")
	d.mustChangeNothing(t) // any change takes the expired ones along
	requireNowhere(t, filepath.Dir(d.path), "pw-a")
}

// TestNobodyGetsASecretWhoseTimeIsOver has no change since that would have taken it along.
func TestNobodyGetsASecretWhoseTimeIsOver(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a") // 1
	d.mustEdit(t, TenantEdit{ID: "a", Set: values{"database_url": sealed("postgres://u:2@h/a")}})
	edited := d.revision(t)
	before := func() (Tenant, []string) {
		v, err := d.View(t.Context())
		require.NoError(t, err)
		defer v.Close()
		then, forgotten, err := v.TenantAt(t.Context(), "a", 1)
		require.NoError(t, err)
		return then, forgotten
	}
	until := look(t, d, func(ctx context.Context, v *View) (Kept, error) { return v.KeptSecrets(ctx) }).Until

	d.now = until.Add(-time.Microsecond)
	then, forgotten := before()
	require.Empty(t, forgotten)
	require.Equal(t, reveal(local("a")), reveal(then))

	d.now = until
	then, forgotten = before()
	require.Equal(t, []string{"database_url"}, forgotten)
	require.Empty(t, then.DatabaseURL.Reveal())
	d.mustRefuse(t, ErrForgotten, func() error { return d.undo(t, edited) })
	data, err := os.ReadFile(d.path)
	require.NoError(t, err)
	require.Contains(t, string(data), "pw-a", "it was not the file that had forgotten it")

	_, err = d.PurgeSecrets(t.Context(), false)
	require.NoError(t, err)
	purged, forgottenThen := before()
	require.Equal(t, forgotten, forgottenThen, "as if it were purged")
	require.Equal(t, reveal(then), reveal(purged))
}

func TestPurgeForgetsAtOnce(t *testing.T) {
	t.Parallel()
	for name, purge := range map[string]func(d *desk) error{
		"deletion": func(d *desk) error {
			_, err := d.DeleteTenant(context.Background(), Deletion{ID: "a", Purge: true})
			return err
		},
		"edit": func(d *desk) error {
			_, _, err := d.UpdateTenant(context.Background(), TenantEdit{ID: "a", Set: values{"database_url": sealed("postgres://u:3@h/a")}, Purge: true})
			return err
		},
		"import": func(d *desk) error {
			i := file(local("b"))
			i.Prune, i.Purge = true, true
			_, err := d.ImportTenants(context.Background(), i)
			return err
		},
		"undo": func(d *desk) error {
			_, err := d.Undo(context.Background(), Undo{Sequence: ptr(int64(2)), Purge: true})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustDesk(t)
			d.mustTenants(t, "b", "a")
			d.mustEdit(t, TenantEdit{ID: "a", Set: values{"database_url": sealed("postgres://u:pw-second@h/a")}})
			if name == "undo" {
				d.mustUndo(t)
			}
			require.NoError(t, purge(d))
			for _, gone := range []string{"pw-a", "pw-second"} {
				requireNowhere(t, filepath.Dir(d.path), gone)
			}
			if name != "undo" {
				d.mustRefuse(t, ErrForgotten, func() error { _, err := d.Undo(t.Context(), Undo{}); return err })
			}
		})
	}
}

// TestAnUndoMayPurgeWhatItPutsBackElsewhere is an import in which two tenants changed
// their secrets with each other.
func TestAnUndoMayPurgeWhatItPutsBackElsewhere(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	before := known(mustContents(t, d.path))
	a, b := local("a"), local("b")
	a.DatabaseURL, b.DatabaseURL = b.DatabaseURL, a.DatabaseURL
	a.SyncToken = sealed("token-of-the-import")
	d.mustImport(t, fileOf(Document{SyncedAt: noon.Add(time.Hour)}, a, b))

	_, err := d.Undo(t.Context(), Undo{Purge: true})
	require.NoError(t, err)

	require.Equal(t, before, known(mustContents(t, d.path)))
	require.Zero(t, look(t, d, func(ctx context.Context, v *View) (Kept, error) { return v.KeptSecrets(ctx) }).Secrets)
	requireNowhere(t, filepath.Dir(d.path), "token-of-the-import")
}

func TestARotatedTokenIsRevoked(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	d.mustEdit(t, TenantEdit{ID: "a", Set: values{"sync_token": sealed("first-token")}})
	edit := d.mustEdit(t, TenantEdit{ID: "a", Set: values{"sync_token": sealed("second-token")}})
	d.mustUndo(t) // the second one is kept, the first is there
	d.mustUndo(t, d.revision(t))

	tenant, err := d.RotateSyncToken(t.Context(), "a")
	require.NoError(t, err)
	rotated := d.revision(t)
	require.True(t, secret.CheckToken(secret.SyncToken, tenant.SyncToken.Reveal()))
	requireNowhere(t, filepath.Dir(d.path), "second-token")
	after := look(t, d, func(ctx context.Context, v *View) (Tenant, error) { return v.Tenant(ctx, "a") })
	require.True(t, after.Equal(tenant))

	for range 2 { // by its number or as the last change
		_, err = d.Undo(t.Context(), Undo{})
		require.ErrorIs(t, err, ErrConflict)
		require.EqualError(t, err, fmt.Sprintf("change %d (sp test) can't be undone: it ended the old sync token of tenant a", rotated))
		require.EqualError(t, d.undo(t, rotated), err.Error())
	}
	require.ErrorIs(t, d.undo(t, edit), ErrConflict)

	again, err := d.RotateSyncToken(t.Context(), "a")
	require.NoError(t, err)
	require.False(t, again.SyncToken.Equal(*tenant.SyncToken))
	d.mustRefuse(t, ErrNotFound, func() error { _, err := d.RotateSyncToken(t.Context(), "nobody"); return err })
	cloud := NewCloud(CloudParams{ID: "c", Name: "c"})
	d.mustImport(t, file(cloud))
	d.mustRefuse(t, ErrInvalid, func() error { _, err := d.RotateSyncToken(t.Context(), "c"); return err })
}

func TestAFirstTokenRevokesNothing(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	_, err := d.RotateSyncToken(t.Context(), "a")
	require.NoError(t, err)
	d.mustUndo(t)
	require.Equal(t, reveal(local("a")), mustContents(t, d.path).Tenants[0])
}
