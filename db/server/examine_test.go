package server

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// mustMake makes a serve.db that nobody has open.
func mustMake(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "serve.db")
	d, err := Open(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, d.Close())
	return path
}

// TestWhatIsNoGoodServeDBIsRefused with the name of the file, and is not changed.
func TestWhatIsNoGoodServeDBIsRefused(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		mess func(t *testing.T, path string)
		want error
	}{
		"empty":                 {func(t *testing.T, path string) { mustWrite(t, path, nil) }, ErrForeign},
		"no database":           {func(t *testing.T, path string) { mustWrite(t, path, bytes.Repeat([]byte("text "), 2000)) }, ErrForeign},
		"another application's": {func(t *testing.T, path string) { harness.Mess(t, path, "PRAGMA application_id = 7") }, ErrForeign},
		"another database": {func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			harness.Mess(t, path, "CREATE TABLE users (id INTEGER)")
			require.NoError(t, os.Chmod(path, 0o600))
		}, ErrForeign},
		"cut off": {func(t *testing.T, path string) {
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(path, info.Size()/2))
		}, ErrDamaged},
		"zeros in the middle": {func(t *testing.T, path string) {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			copy(text[3*4096:], make([]byte, 4096))
			mustWrite(t, path, text)
		}, ErrDamaged},
		"newer": {func(t *testing.T, path string) {
			harness.Mess(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
		}, ErrNewer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := mustMake(t)
			one.mess(t, path)
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			_, err = Open(t.Context(), path)
			require.ErrorIs(t, err, one.want)
			require.ErrorContains(t, err, path)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(before, after))
		})
	}
}

func TestAProcessThatDiedWhileItMadeTheFileIsMadeUpFor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "serve.db")
	mustWrite(t, path+".new", []byte("half"))
	mustWrite(t, path+".new-wal", []byte("half"))
	require.Zero(t, countOf(t, mustOpen(t, path)))
}

func mustWrite(t *testing.T, path string, text []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, text, 0o600))
}

// TestWhatIsLeftOfAFileIsNotPlayedIntoANewOne: SQLite takes a log for that of whatever file lies beside it.
func TestWhatIsLeftOfAFileIsNotPlayedIntoANewOne(t *testing.T) {
	t.Parallel()
	for _, side := range []string{"-wal", "-shm", "-journal"} {
		path := mustMake(t)
		require.NoError(t, os.Remove(path))
		mustWrite(t, path+side, []byte("what was"))
		_, err := Open(t.Context(), path)
		require.ErrorIs(t, err, ErrLeft, side)
		require.ErrorContains(t, err, "serve.db"+side)
		require.NoFileExists(t, path)
		require.NoError(t, os.Remove(path+side))
		d, err := Open(t.Context(), path)
		require.NoError(t, err, side)
		require.NoError(t, d.Close())
	}
}

// TestAFileThatMayNotBeWrittenIsNoForeignOne.
func TestAFileThatMayNotBeWrittenIsNoForeignOne(t *testing.T) {
	t.Parallel()
	err := explain(sqliteError(8))
	require.ErrorIs(t, err, ErrReadOnly)
	require.NotErrorIs(t, err, ErrForeign)
	require.ErrorIs(t, foreign(err), ErrForeign)
}

type sqliteError int

func (e sqliteError) Error() string { return "attempt to write a readonly database" }
func (e sqliteError) Code() int     { return int(e) }
