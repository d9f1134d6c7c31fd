package workspace_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// foreign is what another tool wrote; it has our tenant with another name.
const foreign = `{"tenants":[{"id":"a","name":"theirs"},{"id":"z","name":"z"}],` + at10 + `}`

// mustKeep checks that a change was made, and that what another program wrote meanwhile
// is kept, and said.
func (h house) mustKeep(t *testing.T, err error, text string) {
	t.Helper()
	require.ErrorIs(t, err, registry.ErrIncomplete)
	var kept *place.KeptError
	require.ErrorAs(t, err, &kept)
	require.Equal(t, h.path(), kept.Path)
	require.Equal(t, text, mustRead(t, kept.Kept))
	require.Equal(t, h.encoded(t), mustRead(t, h.path()))
	require.Equal(t, workspace.Changed, h.standing(t))
	require.NoError(t, place.RemoveKept(h.path(), kept.Kept, place.Seen{Hash: hashOf(text)}))
	require.Equal(t, workspace.Current, h.standing(t))
}

func mustConflict(t *testing.T, err error, path string) {
	t.Helper()
	require.ErrorIs(t, err, registry.ErrConflict)
	var changed *follow.ChangedError
	require.ErrorAs(t, err, &changed)
	require.Equal(t, path, changed.Path)
	require.Equal(t, path+": changed by someone else", changed.Error())
}

func TestForeignFileStopsChangesOfTenants(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	for _, text := range []string{
		foreign, h.encoded(t) + "\n", " ", strings.Replace(h.encoded(t), "10:00:00", "11:00:00", 1), "garbage",
	} {
		mustWrite(t, h.path(), text)
		before := h.everything(t)
		for _, a := range []act{create("b"), rename("a", "new"), remove("a"), imports(withTenant(`"region":"iad"`))} {
			mustConflict(t, h.do(h.follower().Publish, a), h.path())
			require.Equal(t, before, h.everything(t))
		}
		mustConflict(t, h.do(h.wanted().Publish, export), h.path())
		require.Equal(t, before, h.everything(t))
		require.Equal(t, workspace.Changed, h.standing(t))
		require.False(t, h.isCurrent(t, h.follower()))
	}
}

func TestForeignFileIsNotTracked(t *testing.T) {
	t.Parallel()
	h := mustHouse(t)
	mustWrite(t, h.path(), foreign)
	h.must(t, h.follower().Publish, create("a"))
	before := h.everything(t)
	mustConflict(t, h.do(h.wanted().Publish, export), h.path())
	mustConflict(t, h.do(h.wanted().Publish, create("b")), h.path())
	require.Equal(t, before, h.everything(t))
}

// What changes no tenant goes on, whatever became of the file.
func TestForeignFileDoesNotStopOtherChanges(t *testing.T) {
	t.Parallel()
	for _, behind := range []bool{false, true} {
		h := mustTrack(t)
		if behind {
			h.must(t, nil, create("b"))
		}
		mustWrite(t, h.path(), foreign)
		before, row := fingerprint(t, h.path(), false), h.remembered(t, workspace.TrackedName)
		for i, a := range otherChanges() {
			h.must(t, h.follower().Publish, a)
			require.Equal(t, before, fingerprint(t, h.path(), false), i)
			require.Equal(t, row, h.remembered(t, workspace.TrackedName), i)
			require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", workspace.TrackedName}, names(t, h.dir), i)
		}
		require.Equal(t, workspace.Changed, h.standing(t))
	}
}

func TestSameBytesOfAnotherHandAreTaken(t *testing.T) {
	t.Parallel()
	other := mustTrack(t)
	other.must(t, other.follower().Publish, create("b"))
	text := mustRead(t, other.path())

	untracked := mustHouse(t)
	untracked.must(t, nil, create("a"))
	untracked.must(t, nil, create("b"))
	mustWrite(t, untracked.path(), text)
	before := fingerprint(t, untracked.path(), false)
	untracked.must(t, untracked.wanted().Publish, export)
	untracked.mustBeCurrent(t)
	require.Equal(t, before, fingerprint(t, untracked.path(), false))

	tracked := mustTrack(t)
	mustWrite(t, tracked.path(), text) // by a tool that had the idea first
	require.Equal(t, workspace.Changed, tracked.standing(t))
	require.NoError(t, os.Chmod(tracked.path(), 0o644))
	tracked.must(t, tracked.follower().Publish, create("b"))
	tracked.mustBeCurrent(t)
}

func TestEmptyFileIsReplaced(t *testing.T) {
	t.Parallel()
	h := mustHouse(t)
	mustWrite(t, h.path(), "")
	h.must(t, h.wanted().Publish, export)
	h.mustBeCurrent(t)

	mustWrite(t, h.path(), "")
	require.Equal(t, workspace.Changed, h.standing(t))
	h.must(t, h.follower().Publish, create("a"))
	h.mustBeCurrent(t)
}

func TestForceReplaces(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	mustWrite(t, h.path(), foreign)
	h.must(t, h.forced().Publish, export)
	h.mustBeCurrent(t)
	require.Equal(t, hashOf(foreign), h.remembered(t, workspace.TrackedName).Previous)

	mustWrite(t, h.path(), foreign) // forced once is not forced for ever
	mustConflict(t, h.do(h.follower().Publish, create("b")), h.path())
	require.Equal(t, workspace.Changed, h.standing(t))
}

func TestImportOfThatFileReplacesIt(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	mustWrite(t, h.path(), foreign)
	p := h.wanted()
	p.Read = hashOf(foreign)
	h.must(t, p.Publish, imports(foreign))
	h.mustBeCurrent(t)
	require.Equal(t, []string{"a", "z"}, h.ids(t))

	mustWrite(t, h.path(), foreign+"\n") // written again, after it was read
	before := h.everything(t)
	mustConflict(t, h.do(p.Publish, imports(withTenant(`"region":"iad"`))), h.path())
	require.Equal(t, before, h.everything(t))
}

func TestDeletedFileIsWrittenAgain(t *testing.T) {
	t.Parallel()
	for _, again := range []func(h house) error{
		func(h house) error { return h.do(h.follower().Publish, create("b")) },
		func(h house) error { return h.do(h.wanted().Publish, export) },
	} {
		h := mustTrack(t)
		require.NoError(t, os.Remove(h.path()))
		require.Equal(t, workspace.Missing, h.standing(t))
		require.False(t, h.isCurrent(t, h.follower()))
		h.must(t, h.follower().Publish, profile("x", "a"))
		require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal"}, names(t, h.dir))

		require.NoError(t, again(h))
		h.mustBeCurrent(t)
		require.Empty(t, h.remembered(t, workspace.TrackedName).Previous)
	}
}

// Another tool that deletes the tenant which we just created writes the bytes that
// we had written the time before. That is its change and not our crash.
func TestFileThatIsAsItWasBeforeIsForeign(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	text := mustRead(t, h.path())
	h.must(t, h.follower().Publish, create("b"))
	require.Equal(t, hashOf(text), h.remembered(t, workspace.TrackedName).Previous)
	mustWrite(t, h.path(), text)
	require.Equal(t, workspace.Changed, h.standing(t))

	before := h.everything(t)
	mustConflict(t, h.do(h.follower().Publish, create("c")), h.path())
	mustConflict(t, h.do(h.wanted().Publish, export), h.path())
	require.Equal(t, before, h.everything(t))
	h.must(t, h.follower().Publish, profile("x", "a"))
	require.Equal(t, text, mustRead(t, h.path()))
}
