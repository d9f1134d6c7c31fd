package cloud

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/place"
)

func TestEachHasItsTurn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var inside, waited atomic.Int32
	over := make(chan error)
	const several = 8
	for range several {
		go func() {
			over <- InTurn(t.Context(), dir, "a", func() { waited.Add(1) }, func() error {
				defer inside.Add(-1)
				if inside.Add(1) > 1 {
					return errors.New("two at once")
				}
				return InTurn(t.Context(), dir, "b", nil, func() error { return nil })
			})
		}()
	}
	for range several {
		require.NoError(t, <-over)
	}
	require.LessOrEqual(t, waited.Load(), int32(several-1), "each says it once")
	require.Empty(t, namesIn(t, dir))
}

func TestWhoWaitsForATurnCanGiveUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	enough := errors.New("enough")
	require.NoError(t, InTurn(t.Context(), dir, "a", nil, func() error {
		ctx, cancel := context.WithCancelCause(t.Context())
		err := InTurn(ctx, dir, "a", func() { cancel(enough) }, func() error { return nil })
		require.ErrorIs(t, err, enough)
		return nil
	}))
}

// TestTheTurnOfAKilledProcessIsFree: the kernel has let go of the lock, and the file is still there.
func TestTheTurnOfAKilledProcessIsFree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var path string
	require.NoError(t, InTurn(t.Context(), dir, "a", nil, func() error {
		path = filepath.Join(dir, namesIn(t, dir)[0])
		return nil
	}))
	left, err := place.OpenMark(path)
	require.NoError(t, err)
	require.NoError(t, left.Close())
	require.NoError(t, InTurn(t.Context(), dir, "a", nil, func() error { return nil }))
	require.Empty(t, namesIn(t, dir))
	require.NoError(t, os.Symlink("/etc/passwd", path))
	require.ErrorIs(t, InTurn(t.Context(), dir, "a", nil, func() error { return nil }), place.ErrUnsafe)
}
