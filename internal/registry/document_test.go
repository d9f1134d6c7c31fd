package registry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// T17, by the one reading of the clock that a change makes.
func TestT17ANewRegistryIsSyncedWhenItIsMade(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	before := mustContents(t, d.path)
	require.Equal(t, contents{Document: FormatTime(noon) + " {}"}, before)
	d.mustTenants(t, "a")
	require.Equal(t, before.Document, mustContents(t, d.path).Document)
}

func TestSyncedAtNeverGoesBackButInANewRegistry(t *testing.T) {
	t.Parallel()
	earlier, later := noon.Add(-time.Hour), noon.Add(time.Nanosecond)
	d := mustDesk(t)
	sync := func(at time.Time) Plan { return d.mustImport(t, fileOf(Document{SyncedAt: at})) }
	plan := sync(earlier)
	require.True(t, plan.DocumentChanged)
	require.Equal(t, FormatTime(earlier)+" {}", mustContents(t, d.path).Document, "a new registry takes the file's")
	require.False(t, sync(earlier.Add(-1)).DocumentChanged)
	require.Equal(t, FormatTime(earlier)+" {}", mustContents(t, d.path).Document)
	require.True(t, sync(later).DocumentChanged)
	require.Equal(t, "2026-02-01T12:00:00.123456790Z {}", mustContents(t, d.path).Document, "nanoseconds are kept")
	plan = sync(noon)
	require.False(t, plan.DocumentChanged)
	require.Equal(t, later, plan.Document.SyncedAt, "as the registry holds it then")
	require.False(t, sync(later.In(time.FixedZone("", 3600))).DocumentChanged)

	used := mustDesk(t)
	used.mustTenants(t, "a")
	require.False(t, used.mustImport(t, fileOf(Document{SyncedAt: earlier})).DocumentChanged, "not new any more")
}

func TestADocumentThatChangesIsAChangeOfTenants(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustImport(t, fileOf(Document{SyncedAt: noon.Add(time.Hour)}))
	after := mustContents(t, d.path)
	require.EqualValues(t, 1, after.TenantsRevision)
	d.mustImport(t, fileOf(Document{SyncedAt: noon}))
	require.EqualValues(t, 1, mustContents(t, d.path).TenantsRevision)
}

func TestUnknownMembersBesideTheTenantsAreMerged(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	of := func(text string) Import { return fileOf(Document{SyncedAt: noon, Unknown: NewUnknown(text)}) }
	require.True(t, d.mustImport(t, of(`"a":1,"b":2`)).DocumentChanged)
	require.True(t, d.mustImport(t, of(`"c":3,"a":{}`)).DocumentChanged)
	require.Equal(t, FormatTime(noon)+` {"a":{},"b":2,"c":3}`, mustContents(t, d.path).Document)
	require.False(t, d.mustImport(t, of("")).DocumentChanged)
	exact := of(`"b":2`)
	exact.Exact = true
	plan := d.mustImport(t, exact)
	require.Equal(t, `"b":2`, plan.Document.Unknown.Reveal())
	require.Equal(t, FormatTime(noon)+` {"b":2}`, mustContents(t, d.path).Document)
}
