package workspace_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

func (h house) isSettled(t *testing.T) (settled bool) {
	t.Helper()
	h.view(t, func(view *registry.View) {
		var err error
		settled, err = h.follower().IsSettled(t.Context(), view)
		require.NoError(t, err)
	})
	return settled
}

// swapped is a text of the same size that says something else.
func swapped(text string) string { return strings.Replace(text, "name of a", "NAME OF A", 1) }

// tampering is how a file can become another, or look as if it had not.
var tampering = map[string]func(t *testing.T, path, text string){
	"written in place": func(t *testing.T, path, text string) { mustWriteInPlace(t, path, swapped(text)) },
	"truncated and written": func(t *testing.T, path, text string) {
		require.NoError(t, os.Truncate(path, 0))
		mustWriteInPlace(t, path, swapped(text))
	},
	"written through another name": func(t *testing.T, path, text string) {
		link := filepath.Join(t.TempDir(), "link")
		require.NoError(t, os.Link(path, link))
		mustWriteInPlace(t, link, swapped(text))
		require.NoError(t, os.Remove(link))
	},
	"replaced": func(t *testing.T, path, text string) {
		other := filepath.Join(t.TempDir(), "other")
		mustWrite(t, other, swapped(text))
		require.NoError(t, os.Rename(other, path))
	},
	"replaced, the old one kept": func(t *testing.T, path, text string) {
		require.NoError(t, os.Rename(path, filepath.Join(t.TempDir(), "kept")))
		mustWrite(t, path, swapped(text))
	},
	"made longer":  func(t *testing.T, path, text string) { mustWriteInPlace(t, path, text+"\n") },
	"made shorter": func(t *testing.T, path, text string) { mustWrite(t, path, text[:len(text)-1]) },
}

func mustWriteInPlace(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}

func TestAChangedFileIsNeverTakenForAnUnchangedOne(t *testing.T) {
	t.Parallel()
	for name, tamper := range tampering {
		for _, back := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := mustTrack(t)
				before := mustStat(t, h.path()).ModTime()
				tamper(t, h.path(), mustRead(t, h.path()))
				if back {
					require.NoError(t, os.Chtimes(h.path(), before, before))
				}
				h.mustSeeTheChange(t)
			})
		}
	}
}

// mustSeeTheChange makes sure that everything that looks at the file sees that it is
// somebody else's.
func (h house) mustSeeTheChange(t *testing.T) {
	t.Helper()
	text := mustRead(t, h.path())
	require.False(t, h.isSettled(t))
	require.False(t, h.isCurrent(t, h.follower()))
	require.Equal(t, workspace.Changed, h.standing(t))
	h.view(t, func(view *registry.View) { mustConflict(t, h.wanted().Check(t.Context(), view), h.path()) })
	mustConflict(t, h.do(h.wanted().Publish, export), h.path())
	mustConflict(t, h.do(h.follower().Publish, create("b")), h.path())
	require.Equal(t, text, mustRead(t, h.path()))
}

// As a script does it: an export and at once somebody's editor, mostly within one tick.
func TestAFileChangedRightAfterAnExportIsSeen(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	for range 10 {
		before := mustStat(t, h.path()).ModTime()
		mustWriteInPlace(t, h.path(), swapped(h.encoded(t)))
		require.NoError(t, os.Chtimes(h.path(), before, before))
		h.mustSeeTheChange(t)
		h.must(t, h.forced().Publish, export)
		h.must(t, h.wanted().Publish, export)
	}
}

// What a command left, or others could read, is for an export to mend.
func TestNothingIsSettledWhileThereIsSomethingToMend(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	left := filepath.Join(h.dir, "."+workspace.TrackedName+".1.tmp")
	mustWrite(t, left, "")
	require.False(t, h.isSettled(t))
	h.must(t, h.wanted().Publish, export)
	require.NoFileExists(t, left)
	require.True(t, h.isSettled(t))
	require.NoError(t, os.Chmod(h.path(), 0o644))
	require.False(t, h.isSettled(t))
	h.must(t, h.wanted().Publish, export)
	require.True(t, h.isSettled(t))
}

// A copy is never settled: what it leaves out is not remembered.
func TestCopyIsNeverSettled(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	path := filepath.Join(t.TempDir(), "copy.json")
	h.must(t, h.copyTo(path).Publish, export)
	h.view(t, func(view *registry.View) {
		settled, err := h.copyTo(path).IsSettled(t.Context(), view)
		require.NoError(t, err)
		require.False(t, settled)
	})
}
