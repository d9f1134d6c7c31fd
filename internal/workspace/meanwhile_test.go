package workspace_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// meanwhile is a publisher in whose way somebody comes after it looked.
func meanwhile(p workspace.Publisher, what func()) publish {
	return func(ctx context.Context, view *registry.View) (workspace.Publication, error) {
		publication, err := p.Publish(ctx, view)
		what()
		return publication, err
	}
}

func TestFileWrittenMeanwhileIsKept(t *testing.T) {
	t.Parallel()
	inPlace := func(h house) { mustWrite(t, h.path(), foreign) }
	renamed := func(h house) {
		mustWrite(t, h.path()+".new", foreign)
		require.NoError(t, os.Rename(h.path()+".new", h.path()))
	}
	alike := func(h house) { // another file of the same length and time
		there, err := os.Lstat(h.path())
		if err != nil {
			renamed(h)
			return
		}
		mustWrite(t, h.path()+".new", foreign+strings.Repeat(" ", int(there.Size())-len(foreign)))
		require.NoError(t, os.Chtimes(h.path()+".new", there.ModTime(), there.ModTime()))
		require.NoError(t, os.Rename(h.path()+".new", h.path()))
	}
	for _, write := range []func(h house){inPlace, renamed, alike} {
		for _, first := range []bool{false, true} {
			h := mustTrack(t)
			if first { // nothing was there to be looked at
				require.NoError(t, os.Remove(h.path()))
			}
			written := ""
			err := h.do(meanwhile(h.follower(), func() { write(h); written = mustRead(t, h.path()) }), create("b"))
			h.mustKeep(t, err, written)
			require.Equal(t, []string{"a", "b"}, h.ids(t))
			h.must(t, h.follower().Publish, create("c"))
			h.mustBeCurrent(t)
		}
	}
}

// What it was to overwrite is what was there, and no more.
func TestForceOverwritesOnlyWhatItHasSeen(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	err := h.do(meanwhile(h.forced(), func() { mustWrite(t, h.path(), foreign) }), create("b"))
	h.mustKeep(t, err, foreign)
}
