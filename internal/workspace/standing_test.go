package workspace_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// standings are, by how the file stands, what became of it.
var standings = map[workspace.Standing]func(t *testing.T, h house){
	workspace.Current: func(*testing.T, house) {},
	workspace.Missing: func(t *testing.T, h house) { require.NoError(t, os.Remove(h.path())) },
	workspace.Behind:  func(t *testing.T, h house) { h.must(t, nil, create("b")) },
	workspace.Changed: func(t *testing.T, h house) { mustWrite(t, h.path(), foreign) },
}

func TestStandingTellsHowTheFileStands(t *testing.T) {
	t.Parallel()
	for want, mess := range standings {
		h := mustTrack(t)
		mess(t, h)
		before := h.everything(t)
		require.Equal(t, want, h.standing(t))
		require.Equal(t, want == workspace.Current, h.isCurrent(t, h.follower()))
		require.Equal(t, before, h.everything(t), "looking changes nothing")

		h.must(t, nil, profile("x", "a")) // which no file shows
		require.Equal(t, want, h.standing(t))
	}
}

// Behind and missing, behind and changed: what can't be caught up comes first.
func TestStandingTellsWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	for _, want := range []workspace.Standing{workspace.Missing, workspace.Changed} {
		h := mustTrack(t)
		h.must(t, nil, create("b"))
		standings[want](t, h)
		require.Equal(t, want, h.standing(t))
	}
}

// TestWhatIsKeptIsAChange: what another program wrote waits beside the file, which is as sp
// wrote it or gone.
func TestWhatIsKeptIsAChange(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	mustWrite(t, filepath.Join(filepath.Dir(h.path()), ".tenants.json.1.kept.tmp"), foreign)
	require.Equal(t, workspace.Changed, h.standing(t))
	require.NoError(t, os.Remove(h.path()))
	require.Equal(t, workspace.Changed, h.standing(t))
}

func TestIsCurrentComparesBytesWhoeverWroteThem(t *testing.T) {
	t.Parallel()
	h := mustHouse(t)
	require.False(t, h.isCurrent(t, h.follower()))
	mustWrite(t, h.path(), h.encoded(t))
	require.True(t, h.isCurrent(t, h.follower()))
	require.Equal(t, workspace.Untracked, h.standing(t))
	mustWrite(t, h.path(), h.encoded(t)+"\n")
	require.False(t, h.isCurrent(t, h.follower()))
	mustWrite(t, h.path(), "")
	require.False(t, h.isCurrent(t, h.follower()))
}

// A closed view can't answer, and a place that can't be looked at is an error.
func TestStandingReportsTrouble(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	beneath := workspace.Publisher{Path: filepath.Join(h.path(), "x"), Name: workspace.TrackedName}
	h.view(t, func(view *registry.View) {
		_, err := beneath.Standing(t.Context(), view)
		require.Error(t, err)
		_, err = beneath.IsCurrent(t.Context(), view)
		require.Error(t, err)
		_, err = beneath.Publish(t.Context(), view)
		require.Error(t, err)

		view.Close()
		_, err = h.follower().Standing(t.Context(), view)
		require.Error(t, err)
		_, err = h.follower().IsCurrent(t.Context(), view)
		require.Error(t, err)
		_, err = h.follower().Publish(t.Context(), view)
		require.Error(t, err)
	})
}
