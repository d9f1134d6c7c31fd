package workspace_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

func TestNothingIsWrittenUntilWanted(t *testing.T) {
	t.Parallel()
	h := mustHouse(t)
	for _, a := range append([]act{create("a"), create("b"), rename("b", "c"), remove("b")}, otherChanges()...) {
		h.must(t, h.follower().Publish, a)
	}
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal"}, names(t, h.dir))
	require.Nil(t, h.remembered(t, workspace.TrackedName))
	require.Equal(t, workspace.Untracked, h.standing(t))

	h.must(t, h.wanted().Publish, export)
	h.mustBeCurrent(t)
	require.Equal(t, &registry.File{
		Path: workspace.TrackedName, Previous: "", Current: hashOf(h.encoded(t)), TenantsRevision: 4,
	}, h.remembered(t, workspace.TrackedName))
}

// An empty registry has a file as well, and a change may be what tracks it.
func TestAnyChangeMayStartToTrack(t *testing.T) {
	t.Parallel()
	h := mustHouse(t)
	h.must(t, h.wanted().Publish, export)
	h.mustBeCurrent(t)

	h = mustHouse(t)
	h.must(t, h.wanted().Publish, imports(withTenant(`"region":"iad"`)))
	h.mustBeCurrent(t)
	require.Equal(t, []string{"a"}, h.ids(t))
}

func TestEveryChangeOfATenantRewrites(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	for i, a := range []act{
		create("b"), rename("a", "new"), imports(withTenant(`"region":"iad","x":[]`)), remove("b"), remove("a"),
		imports(`{"tenants":[],"synced_at":"2026-03-01T10:00:00.5Z"}`),
	} {
		before, text := h.remembered(t, workspace.TrackedName), mustRead(t, h.path())
		h.must(t, h.follower().Publish, a)
		h.mustBeCurrent(t)
		require.NotEqual(t, text, mustRead(t, h.path()), i)
		require.Equal(t, &registry.File{
			Path: workspace.TrackedName, Previous: before.Current, Current: hashOf(h.encoded(t)), TenantsRevision: int64(4 + i),
		}, h.remembered(t, workspace.TrackedName), i)
	}
}

func TestOtherChangesDoNotRewrite(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	before, row := fingerprint(t, h.path(), false), h.remembered(t, workspace.TrackedName)
	for i, a := range otherChanges() {
		h.must(t, h.follower().Publish, a)
		require.Equal(t, before, fingerprint(t, h.path(), false), i)
		require.Equal(t, row, h.remembered(t, workspace.TrackedName), i)
		h.mustBeCurrent(t)
	}
}

func TestUnchangedBytesKeepTheFile(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	before := fingerprint(t, h.path(), false)
	h.must(t, h.wanted().Publish, export)
	h.must(t, h.forced().Publish, export)
	h.must(t, nil, create("b"))
	h.must(t, h.follower().Publish, remove("b"))
	require.Equal(t, before, fingerprint(t, h.path(), false))
	h.mustBeCurrent(t)
	row := h.remembered(t, workspace.TrackedName)
	require.Equal(t, row.Current, row.Previous)
}

func TestChangesThatWereDeferredAreCaughtUp(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	for i, a := range otherChanges() {
		before := fingerprint(t, h.path(), false)
		h.must(t, nil, create(fmt.Sprint("b", i)))
		h.must(t, nil, create(fmt.Sprint("c", i)))
		require.Equal(t, before, fingerprint(t, h.path(), false))
		require.Equal(t, workspace.Behind, h.standing(t))
		require.False(t, h.isCurrent(t, h.follower()))

		h.must(t, h.follower().Publish, a)
		h.mustBeCurrent(t)
	}
}

func TestRefusedChangePublishesNothing(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	before := h.everything(t)
	for _, a := range []act{create("a"), rename("z", "y"), remove("z"), imports("{")} {
		require.Error(t, h.do(h.wanted().Publish, a))
		require.Equal(t, before, h.everything(t))
	}
}

// What others could read until now, nobody else can from the next writing on, not
// even who has it open: it is another file.
func TestExposedFileIsReplacedByAPrivateOne(t *testing.T) {
	t.Parallel()
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o660, 0o610} {
		h := mustTrack(t)
		require.NoError(t, os.Chmod(h.path(), mode))
		exposed := mustStat(t, h.path())
		h.must(t, h.wanted().Publish, export) // the same bytes
		h.mustBeCurrent(t)
		require.False(t, os.SameFile(exposed, mustStat(t, h.path())))

		require.NoError(t, os.Chmod(h.path(), mode))
		h.must(t, h.follower().Publish, create("b"))
		h.mustBeCurrent(t)
	}
}

func TestALargeRegistryIsWrittenToTheByte(t *testing.T) {
	t.Parallel()
	h := mustHouse(t)
	h.must(t, nil, imports(many(10_000)))
	h.mustMess(t, "DELETE FROM tenants WHERE position BETWEEN 700 AND 1800 OR position % 7 = 0")
	h.must(t, h.wanted().Publish, export)
	require.Greater(t, mustStat(t, h.path()).Size(), int64(1<<20))
	h.mustBeCurrent(t)
	h.must(t, h.follower().Publish, rename("t0", "renamed"))
	require.Contains(t, mustRead(t, h.path()), "renamed")
	h.mustBeCurrent(t)
}

// TestAnExportAllocatesNoMore bounds what a tenant more costs an export, by the difference
// of many tenants and twice as many. It is today's figure with a little air.
func TestAnExportAllocatesNoMore(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: the race detector allocates, too")
	}
	const n = 1000
	allocations := func(n int) float64 {
		h := mustHouse(t)
		h.must(t, h.wanted().Publish, imports(many(n)))
		renamed := 0
		return testing.AllocsPerRun(3, func() {
			renamed++
			h.must(t, h.follower().Publish, rename("t0", fmt.Sprint("name ", renamed)))
		})
	}
	require.LessOrEqual(t, (allocations(2*n)-allocations(n))/n, 25.02)
}
