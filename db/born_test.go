package db

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func mustOpenNew(t *testing.T, path string) *DB {
	t.Helper()
	d, err := OpenOrNew(t.Context(), path, patient, seed)
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestTheFirstChangeMakesTheRegistryWhenItIsCommitted(t *testing.T) {
	t.Parallel()
	for _, bulk := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "sp.db")
		d := mustOpenNew(t, path)
		begin := d.Write
		if bulk {
			begin = d.WriteBulk
		}
		w, err := begin(t.Context())
		require.NoError(t, err)
		require.True(t, w.IsNew())
		_, err = w.ExecContext(t.Context(), "UPDATE registry_meta SET revision = revision + 1")
		require.NoError(t, err)
		require.NoFileExists(t, path, "and not before")
		placed, err := w.Place()
		require.NoError(t, err)
		require.True(t, placed)
		require.NoError(t, w.Close())
		require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum"}, names(t, dir))
		require.Equal(t, 1, mustRevision(t, path))
		require.NoError(t, addOne(t.Context(), d), "the same goes on with it")
		require.Equal(t, 2, mustRevision(t, path))
	}
}

func TestAChangeThatIsNotCommittedMakesNoRegistry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "sp.db")
	w, err := mustOpenNew(t, path).Write(t.Context())
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Equal(t, []string{".lock"}, names(t, dir))

	ctx, cancel := context.WithCancel(t.Context())
	w, err = mustOpenNew(t, path).Write(ctx)
	require.NoError(t, err)
	cancel()
	placed, err := w.Place()
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, placed)
	require.NoError(t, w.Close())
	require.Equal(t, []string{".lock"}, names(t, dir))

	trouble := errors.New("trouble")
	d, err := OpenOrNew(t.Context(), path, patient, func(context.Context, *sql.Tx) error { return trouble })
	require.NoError(t, err)
	_, err = d.Write(t.Context())
	require.ErrorIs(t, err, trouble)
	require.Equal(t, []string{".lock"}, names(t, dir))
	mustBeFree(t, dir)
}

// Who was to make a registry changes the one that somebody else has made by then.
func TestARegistryThatIsThereMeanwhileIsChanged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sp.db")
	d := mustOpenNew(t, path)
	mustCreateAt(t, path)
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.NoError(t, addOne(t.Context(), d))
	require.Equal(t, 2, mustRevision(t, path))
}

// What a killed process left of a registry that it was making is no registry, and goes.
func TestWhatIsLeftOfARegistryThatWasBeingMadeGoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "sp.db")
	for _, suffix := range []string{"", "-journal"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, newName)+suffix, []byte("half"), 0o600))
	}
	w, err := mustOpenNew(t, path).Write(t.Context())
	require.NoError(t, err)
	_, err = w.Place()
	require.NoError(t, errors.Join(err, w.Close()))
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum"}, names(t, dir))
}
