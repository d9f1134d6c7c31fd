package workspace_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// aside is the publisher of an export that sets aside what somebody else wrote.
func (h house) aside() workspace.Publisher {
	p := h.wanted()
	p.Read, p.Aside = hashOf(foreign), workspace.AsideName(h.path(), "NOW")
	return p
}

// asides are the files that were set aside.
func (h house) asides(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(h.path() + ".corrupt-*")
	require.NoError(t, err)
	return found
}

// Wherever the command is killed, what was there is in its place, or has the other name
// when ours is there.
func TestWhatIsSetAsideIsKept(t *testing.T) {
	t.Parallel()
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			h := mustTrack(t)
			mustWrite(t, h.path(), foreign)
			h.mustDie(t, point, "aside")
			if point == "rendered" || point == "committed" {
				require.Equal(t, foreign, mustRead(t, h.path()))
			}
			h.must(t, h.follower().Publish, profile("x", "a"))
			if point == "rendered" {
				require.Equal(t, foreign, mustRead(t, h.path()))
				require.Empty(t, h.asides(t))
				h.must(t, h.aside().Publish, export)
			}
			require.Equal(t, foreign, mustRead(t, h.aside().Aside))
			require.Equal(t, h.encoded(t), mustRead(t, h.path()))
			require.Len(t, h.asides(t), 1)
		})
	}
}

// A change that is refused has moved nothing, and has left no second name.
func TestWhatIsSetAsideStaysWithoutTheChange(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	mustWrite(t, h.path(), foreign)
	require.NoError(t, os.Chmod(h.path(), 0o644))
	before := names(t, h.dir)
	refused := errors.New("refused")
	require.ErrorIs(t, h.do(func(ctx context.Context, view *registry.View) (workspace.Publication, error) {
		p, err := h.aside().Publish(ctx, view)
		require.NoError(t, err)
		require.Len(t, h.asides(t), 1)
		return workspace.Publication{}, errors.Join(refused, p.Discard())
	}, export), refused)
	require.Equal(t, before, names(t, h.dir))
	require.Equal(t, os.FileMode(0o644), mustStat(t, h.path()).Mode())
	require.Equal(t, foreign, mustRead(t, h.path()))

	written := meanwhile(h.aside(), func() { mustWrite(t, h.path(), "somebody's") })
	h.mustKeep(t, h.do(written, export), "somebody's")
	require.Equal(t, "somebody's", mustRead(t, h.aside().Aside), "it is the same file")
	require.NoError(t, os.Remove(h.aside().Aside))

	mustWrite(t, h.path(), foreign)
	require.NoError(t, os.Chmod(h.path(), 0o644))
	h.must(t, h.aside().Publish, export)
	require.Equal(t, foreign, mustRead(t, h.aside().Aside))
	require.Equal(t, os.FileMode(0o600), mustStat(t, h.aside().Aside).Mode())
}
